"""Signed requests over one connection pool, and answers that are what the other side has signed."""

import hmac
import time
from functools import lru_cache
from typing import Any, Final

import httpx
import msgspec

from yikatong.core import http_mac

#: Establishing takes this long at most, an answer that long (seconds).
CONNECT_S: Final = 2.0
ANSWER_S: Final = 6.0


class Wire:
    """The line to one system beside us. `key` is shared with it, 32 bytes.

    `away` is raised when nothing has reached it, `silent` when something may have; `whom` names it in the
    sentences (Chinese) of both.
    """

    def __init__(
        self,
        url: str,
        key: bytes,
        *,
        whom: str,
        away: type[Exception],
        silent: type[Exception],
        answer_s: float = ANSWER_S,
    ) -> None:
        self._url, self._key, self._answer_s = url.rstrip("/"), key, answer_s
        self._whom, self._away, self._silent = whom, away, silent

    def post(self, path: str, content: Any) -> Any:
        """The answer as plain values; `content` None sends an empty body. Raises `away`, `silent`."""
        body = b"" if content is None else msgspec.json.encode(content)
        now = int(time.time())
        mac = http_mac.of_request(self._key, time=now, method="POST", path=path, body=body)
        headers = {
            http_mac.TIME: str(now), http_mac.MAC: mac.hex(), "Content-Type": "application/json",
        }  # fmt: skip
        try:
            reply = _client().post(
                self._url + path,
                content=body,
                headers=headers,
                timeout=httpx.Timeout(self._answer_s, connect=CONNECT_S),
            )
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise self._away(f"无法连接{self._whom}接口") from error
        except httpx.TransportError as error:
            raise self._silent(f"{self._whom}没有在规定时间内应答") from error
        return self._read(reply, mac)

    def _read(self, reply: httpx.Response, request: bytes) -> Any:
        given = reply.headers.get(http_mac.MAC, "")
        expected = http_mac.of_answer(
            self._key, request=request, status=reply.status_code, body=reply.content
        )
        if not hmac.compare_digest(expected.hex(), given):
            raise self._silent(f"{self._whom}应答没有正确的签名（HTTP {reply.status_code}）")
        if reply.status_code == 503:  # signed: it is the other side that says nothing has been done
            raise self._away(f"{self._whom}系统暂停服务")
        if reply.status_code != 200:
            raise self._silent(f"{self._whom}应答异常（HTTP {reply.status_code}）")
        try:
            return msgspec.json.decode(reply.content)
        except msgspec.DecodeError as error:
            raise self._silent(f"{self._whom}应答不能识别") from error


@lru_cache(maxsize=1)
def _client() -> httpx.Client:
    """One pool a process; safe between threads. Proxies of the environment are not their business."""
    return httpx.Client(trust_env=False, limits=httpx.Limits(max_connections=32, max_keepalive_connections=8))
