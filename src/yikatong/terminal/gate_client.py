"""Requests to the gate over HTTP, one after another on a connection that stays open."""

import http.client
from contextlib import suppress
from typing import NamedTuple
from urllib.parse import urlsplit

from yikatong.terminal import answers
from yikatong.terminal.errors import BadAddress, GateDown, GateFault, GateRefused
from yikatong.using.codes.reasons import Reason

PATIENCE_S = 4.0
_ANSWER_MOST = 64 * 1024 * 1024  # a hotlist of a million entries is some 22 MB of JSON
_JSON = "application/json"
_REASONS = {int(reason): reason for reason in Reason}


class Reply(NamedTuple):
    status: int
    body: bytes


class GateClient:
    """The gate at an address. Not for use by two threads."""

    def __init__(self, url: str, *, patience_s: float = PATIENCE_S) -> None:
        parts = urlsplit(url.rstrip("/"))
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query:
            raise BadAddress
        self.url, self._path, self._patience_s = url.rstrip("/"), parts.path, patience_s
        self._secure, self._address = parts.scheme == "https", parts.netloc
        self._connection: http.client.HTTPConnection | None = None

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def send(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> Reply:
        """One request, sent again once when a kept connection had been closed. Raises GateDown, GateFault."""
        is_fresh = self._connection is None
        try:
            return self._sent(method, path, body, headers)
        except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError) as error:
            self.close()
            if is_fresh:
                raise GateDown from error
            return self.send(method, path, body, headers)
        except OSError as error:
            self.close()
            down = GateDown()
            down.is_refused_connection = isinstance(error, ConnectionRefusedError)
            raise down from error
        except http.client.HTTPException as error:
            self.close()
            raise GateFault from error

    def _sent(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> Reply:
        connection = self._connection = self._connection or self._connected()
        connection.request(method, self._path + path, body or None, {"Content-Type": _JSON, **headers})
        response = connection.getresponse()
        content = response.read(_ANSWER_MOST + 1)
        if len(content) > _ANSWER_MOST:
            self.close()
            raise GateFault
        return Reply(response.status, content)

    def _connected(self) -> http.client.HTTPConnection:
        kind = http.client.HTTPSConnection if self._secure else http.client.HTTPConnection
        return kind(self._address, timeout=self._patience_s)


def checked(reply: Reply) -> Reply:
    """The reply if it is an answer, status 200 or 304. Raises GateDown, GateFault, GateRefused.

    503 and 500 are the gate's own trouble: the same request may be sent again.
    """
    if reply.status in (200, 304):
        return reply
    if reply.status >= 500:
        raise GateDown("闸机服务暂时不可用")
    with suppress(GateFault):
        problem = answers.read(answers.Problem, reply.body)
        if problem.title:
            reason = _REASONS.get(problem.reason)
            raise GateRefused(
                problem.title, problem.next_step, reason=reason, server_time=problem.server_time
            )
    raise GateFault(f"闸机服务的应答无法理解（HTTP {reply.status}）")
