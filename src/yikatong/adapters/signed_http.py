"""Signed requests over one connection pool, and answers that are what the other side has signed."""

import hmac
import time
from functools import lru_cache
from typing import Any, Final

import httpx
import msgspec

from yikatong.core import http_mac

#: Establishing takes this long at most, a whole answer that long (seconds).
CONNECT_S: Final = 2.0
ANSWER_S: Final = 6.0
#: Bytes of an answer.
ANSWER_MAX: Final = 4 * 1024 * 1024
_PAUSES_S: Final = (0.2, 0.8)  # before the second try and the third


class Wire:
    """The line to one system beside us. `key` is shared with it, 32 bytes.

    `away` is raised when nothing has reached it, `silent` when something may have, `unfit` (if told apart) for an
    answer that it signed and that is none; `whom` names it in the sentences (Chinese) of all.
    """

    def __init__(
        self,
        url: str,
        key: bytes,
        *,
        whom: str,
        away: type[Exception],
        silent: type[Exception],
        unfit: type[Exception] | None = None,
        answer_s: float = ANSWER_S,
    ) -> None:
        self._url, self._key, self._answer_s = url.rstrip("/"), key, answer_s
        self._whom, self._away, self._silent, self._unfit = whom, away, silent, unfit or silent

    def post(self, path: str, content: Any) -> Any:
        """The answer as plain values; `content` None sends an empty body. Raises `away`, `silent`, `unfit`."""
        try:
            return msgspec.json.decode(self.fetch(path, content))
        except msgspec.DecodeError as error:
            raise self._unfit(f"{self._whom}应答不能识别") from error

    def fetch(self, path: str, content: Any, *, tries: int = 1, answer_s: float | None = None) -> bytes:
        """The body of the answer. What changes nothing over there may be tried several times.

        All tries together take no longer than `tries` times `answer_s` and the pauses between them.
        """
        body = b"" if content is None else msgspec.json.encode(content)
        within_s = answer_s or self._answer_s
        for pause_s in _PAUSES_S[: tries - 1]:
            try:
                return self._once(path, body, within_s)
            except (self._away, self._silent):
                time.sleep(pause_s)
        return self._once(path, body, within_s)

    def _once(self, path: str, body: bytes, within_s: float) -> bytes:
        now, ends = int(time.time()), time.monotonic() + within_s
        mac = http_mac.of_request(self._key, time=now, method="POST", path=path, body=body)
        headers = {
            http_mac.TIME: str(now), http_mac.MAC: mac.hex(), "Content-Type": "application/json",
        }  # fmt: skip
        limits = httpx.Timeout(within_s, connect=min(CONNECT_S, within_s))
        try:
            with _client().stream(
                "POST", self._url + path, content=body, headers=headers, timeout=limits
            ) as reply:
                return self._read(reply, mac, ends)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise self._away(f"无法连接{self._whom}接口") from error
        except httpx.TransportError as error:
            raise self._silent(f"{self._whom}没有在规定时间内应答") from error

    def _read(self, reply: httpx.Response, request: bytes, ends: float) -> bytes:
        content, status = self._within(reply, ends), reply.status_code
        expected = http_mac.of_answer(self._key, request=request, status=status, body=content)
        if not hmac.compare_digest(expected.hex(), reply.headers.get(http_mac.MAC, "")):
            raise self._silent(f"{self._whom}应答没有正确的签名（HTTP {status}）")
        if status == 503:  # signed: it is the other side that says nothing has been done
            raise self._away(f"{self._whom}系统暂停服务")
        if status != 200:
            failure = self._silent if status >= 500 else self._unfit
            raise failure(f"{self._whom}应答异常（HTTP {status}）")
        return content

    def _within(self, reply: httpx.Response, ends: float) -> bytes:
        """The body, at most so long and by then: neither a flood nor a trickle holds us."""
        parts, size = [], 0
        for part in reply.iter_bytes():
            size += len(part)
            if size > ANSWER_MAX:
                raise self._unfit(f"{self._whom}应答过大")
            if time.monotonic() > ends:
                raise self._silent(f"{self._whom}没有在规定时间内应答")
            parts.append(part)
        return b"".join(parts)


@lru_cache(maxsize=1)
def _client() -> httpx.Client:
    """One pool a process; safe between threads. Proxies of the environment are not their business."""
    return httpx.Client(trust_env=False, limits=httpx.Limits(max_connections=32, max_keepalive_connections=8))
