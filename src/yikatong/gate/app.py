"""The gate as an RSGI application for granian: body limits, origins, start and stop. No rule lives here."""

import asyncio
import gc
from collections.abc import AsyncIterator, Mapping
from typing import Any, Protocol

from yikatong.core import env
from yikatong.gate import logs
from yikatong.gate.gate import Gate, Response, body_most, too_large

_ALLOWED_HEADERS = "content-type, if-none-match, yikatong-terminal, yikatong-time, yikatong-mac"
_PROXY_HEADERS = frozenset({"x-real-ip", "x-forwarded-for", "forwarded"})
_PROXIES = ("127.0.0.1", "::1", "unix")


class Scope(Protocol):
    """The part of RSGI's scope used here."""

    proto: str
    method: str
    path: str
    query_string: str
    client: str

    @property
    def headers(self) -> Mapping[str, str]: ...


class HTTP(Protocol):
    """The part of RSGI's HTTP protocol used here."""

    async def __call__(self) -> bytes: ...
    def __aiter__(self) -> AsyncIterator[bytes]: ...
    def response_bytes(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None: ...


class TooLarge(Exception):
    """The body is larger than its address takes."""


class Application:
    """Holds the gate of this process; granian calls the three `__rsgi…__`."""

    def __init__(self) -> None:
        self._gate: Gate | None = None
        self._origin = ""

    def __rsgi_init__(self, loop: asyncio.AbstractEventLoop) -> None:
        settings = env.load()
        logs.configure(settings.log_level)
        self._origin = settings.site_url
        self._gate = Gate(settings.dsn)
        loop.run_until_complete(self._gate.open())
        # What lives now lives for ever; and a collector that runs every 700 allocations would run many times a
        # batch, looking through thousands of rows that are all still needed.
        gc.freeze()
        gc.set_threshold(50_000, 20, 100)
        logs.event("opened")

    def __rsgi_del__(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._gate is not None:
            loop.run_until_complete(self._gate.close())
            logs.event("closed")

    async def __rsgi__(self, scope: Scope, protocol: HTTP) -> None:
        if scope.proto != "http" or self._gate is None:
            return
        if scope.method == "OPTIONS":
            response = Response(204, "text/plain", b"")
        else:
            response = await self._answered(self._gate, scope, protocol)
        headers = [("content-type", response.content_type), *response.headers, *self._cors(scope)]
        protocol.response_bytes(response.status, headers, response.body)

    async def _answered(self, gate: Gate, scope: Scope, protocol: HTTP) -> Response:
        if scope.path == "/metrics" and not _PROXY_HEADERS.isdisjoint(scope.headers.keys()):
            return await gate.handle("GET", "/", {}, b"")  # counts are for those inside
        path = f"{scope.path}?{scope.query_string}" if scope.query_string else scope.path
        most = body_most(path)
        try:
            body = await _body(scope, protocol, most) if scope.method == "POST" else b""
        except TooLarge:
            return too_large(gate, path, most)
        return await gate.handle(scope.method, path, scope.headers, body, _peer(scope))

    def _cors(self, scope: Scope) -> list[tuple[str, str]]:
        """The kiosk page of our own site asks from the browser; no other origin may."""
        if scope.headers.get("origin") != self._origin:
            return []
        return [
            ("access-control-allow-origin", self._origin),
            ("access-control-allow-methods", "GET, POST"),
            ("access-control-allow-headers", _ALLOWED_HEADERS),
            ("access-control-expose-headers", "etag, retry-after"),
            ("access-control-max-age", "3600"),
            ("vary", "origin"),
        ]


async def _body(scope: Scope, protocol: HTTP, most: int) -> bytes:
    """The body; TooLarge before a byte is read when its length is announced, else as soon as it is too much."""
    announced = scope.headers.get("content-length")
    if announced is not None:
        if not announced.isdecimal() or int(announced) > most:
            raise TooLarge
        return await protocol()
    parts, size = [], 0
    async for part in protocol:
        size += len(part)
        if size > most:
            raise TooLarge
        parts.append(part)
    return b"".join(parts)


def _peer(scope: Scope) -> str:
    """The asker's address; a proxy on this machine tells it."""
    host = scope.client.rsplit(":", 1)[0]
    return (scope.headers.get("x-real-ip") or host) if host in _PROXIES else host


app: Any = Application()
