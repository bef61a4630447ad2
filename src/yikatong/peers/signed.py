"""A peer over HTTP (WSGI): signed requests in, signed answers out, its own tables in its own schema."""

import hmac
import time
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from http import HTTPStatus
from importlib import resources
from pathlib import Path
from typing import Any, Final

import msgspec
from psycopg import Connection
from psycopg_pool import ConnectionPool

from yikatong.core import env, http_mac
from yikatong.peers import faults

BODY_MAX: Final = 64 * 1024
KEY_SIZE: Final = 32
_TIME, _MAC = (f"HTTP_{name.upper().replace('-', '_')}" for name in (http_mac.TIME, http_mac.MAC))

Environ = dict[str, Any]
Reply = tuple[int, bytes]
Handler = Callable[[Connection[Any], bytes], Reply]


class _Unfit(Exception):
    """`args` are the status and a word on why."""


class Signed:
    """`handlers` by path; `make_tables` is called once; `key_path` is read when the first request comes.

    `body_max`: bytes of a request.
    """

    def __init__(
        self,
        handlers: Mapping[str, Handler],
        *,
        make_tables: Callable[[Connection[Any]], None],
        key_path: Callable[[], Path],
        body_max: int = BODY_MAX,
    ) -> None:
        self._handlers, self._make_tables, self._key_path = handlers, make_tables, key_path
        self._body_max = body_max

    def stand(self) -> None:
        """Returns once the database is reached and the tables stand."""
        with self._pool.connection():
            pass

    def __call__(self, environ: Environ, start: Callable[..., Any]) -> Iterable[bytes]:
        if environ["PATH_INFO"] == "/healthz":
            self.stand()
            return self._say(start, 200, b'{"alive":true}', None)
        try:
            mac, body = self._proven(environ)
        except _Unfit as refusal:
            return self._say(start, refusal.args[0], msgspec.json.encode({"error": refusal.args[1]}), None)
        handler = self._handlers.get(environ["PATH_INFO"]) if environ["REQUEST_METHOD"] == "POST" else None
        try:
            with self._pool.connection() as connection:
                status, content = handler(connection, body) if handler else (404, b"{}")
        except msgspec.DecodeError as error:
            status, content = 400, msgspec.json.encode({"error": str(error)})
        return self._say(start, status, content, mac)

    def _proven(self, environ: Environ) -> tuple[bytes, bytes]:
        """The request's MAC and body once both are proven; raises _Unfit."""
        size = int(environ.get("CONTENT_LENGTH") or 0)
        if size > self._body_max:
            raise _Unfit(413, "too long")
        body = environ["wsgi.input"].read(size)
        try:
            sent, mac = int(environ[_TIME]), bytes.fromhex(environ[_MAC])
        except (KeyError, ValueError):
            raise _Unfit(401, "unsigned") from None
        if abs(time.time() - sent) > http_mac.TOLERANCE_S:
            raise _Unfit(401, "clock")
        expected = http_mac.of_request(
            self._key, time=sent, method=environ["REQUEST_METHOD"], path=environ["PATH_INFO"], body=body
        )
        if not hmac.compare_digest(expected, mac):
            raise _Unfit(401, "signature")
        return mac, body

    def _say(self, start: Callable[..., Any], status: int, body: bytes, request: bytes | None) -> list[bytes]:
        headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
        if request is not None:
            mac = http_mac.of_answer(self._key, request=request, status=status, body=body)
            headers.append((http_mac.MAC, mac.hex()))
        start(f"{status} {HTTPStatus(status).phrase}", headers)
        return [body]

    @cached_property
    def _key(self) -> bytes:
        return env.secret_file(self._key_path(), KEY_SIZE)

    @cached_property
    def _pool(self) -> ConnectionPool[Any]:
        pool = ConnectionPool(env.load().dsn, min_size=1, max_size=16, open=True)
        with pool.connection() as connection:
            self._make_tables(connection)
        return pool


def tables_of(package: str, schema: str) -> Callable[[Connection[Any]], None]:
    """`make_tables` of a peer whose package has a `schema.sql` that makes `schema`."""

    def make(connection: Connection[Any]) -> None:
        text = resources.files(package).joinpath("schema.sql").read_text(encoding="utf-8")
        with connection.transaction():
            connection.execute(text.encode())
            faults.make_table(connection, schema)

    return make
