"""The sandbox bank over HTTP (WSGI): signed requests in, signed answers out."""

import hmac
import random
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from functools import lru_cache
from http import HTTPStatus
from typing import Any, Final

import msgspec
from psycopg import Connection
from psycopg_pool import ConnectionPool

from yikatong.core import env, http_mac
from yikatong.peers.bank import book, faults
from yikatong.peers.bank.book import Request
from yikatong.peers.bank.faults import Fault

BODY_MAX: Final = 64 * 1024
KEY_SIZE: Final = 32
_TIME, _MAC = (f"HTTP_{name.upper().replace('-', '_')}" for name in (http_mac.TIME, http_mac.MAC))

Environ = dict[str, Any]
Reply = tuple[int, bytes]
Handler = Callable[[Connection[Any], bytes], Reply]


class _Asked(msgspec.Struct, frozen=True, kw_only=True):
    bank: str
    number: str = ""
    account: str = ""
    begin: datetime | None = None


class _Unfit(Exception):
    """`args` are the status and a word on why."""


def application(environ: Environ, start: Callable[..., Any]) -> Iterable[bytes]:
    if environ["PATH_INFO"] == "/healthz":
        with _pool().connection():  # its tables stand
            pass
        return _say(start, 200, b'{"alive":true}', None)
    try:
        mac, body = _proven(environ)
    except _Unfit as refusal:
        return _say(start, refusal.args[0], msgspec.json.encode({"error": refusal.args[1]}), None)
    handler = _HANDLERS.get(environ["PATH_INFO"]) if environ["REQUEST_METHOD"] == "POST" else None
    try:
        with _pool().connection() as connection:
            status, content = handler(connection, body) if handler else (404, b"{}")
    except msgspec.DecodeError as error:
        status, content = 400, msgspec.json.encode({"error": str(error)})
    return _say(start, status, content, mac)


def _proven(environ: Environ) -> tuple[bytes, bytes]:
    """The request's MAC and body once both are proven; raises _Unfit."""
    size = int(environ.get("CONTENT_LENGTH") or 0)
    if size > BODY_MAX:
        raise _Unfit(413, "too long")
    body = environ["wsgi.input"].read(size)
    try:
        sent, mac = int(environ[_TIME]), bytes.fromhex(environ[_MAC])
    except (KeyError, ValueError):
        raise _Unfit(401, "unsigned") from None
    if abs(time.time() - sent) > http_mac.TOLERANCE_S:
        raise _Unfit(401, "clock")
    expected = http_mac.of_request(
        _key(), time=sent, method=environ["REQUEST_METHOD"], path=environ["PATH_INFO"], body=body
    )
    if not hmac.compare_digest(expected, mac):
        raise _Unfit(401, "signature")
    return mac, body


def _say(start: Callable[..., Any], status: int, body: bytes, request: bytes | None) -> list[bytes]:
    headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
    if request is not None:
        mac = http_mac.of_answer(_key(), request=request, status=status, body=body)
        headers.append((http_mac.MAC, mac.hex()))
    start(f"{status} {HTTPStatus(status).phrase}", headers)
    return [body]


def _requests(connection: Connection[Any], body: bytes) -> Reply:
    request = msgspec.json.decode(body, type=Request)
    fault = faults.next_for(connection, request.bank, request.act)
    connection.commit()  # used up even if what follows fails, and not held while the bank is slow
    if fault and fault.kind in {"away", "timeout"}:
        fault.hold()
        return (503, b"{}") if fault.kind == "away" else (504, b"{}")
    _think()
    refuse = (fault.reason or "银行拒绝办理") if fault and fault.kind == "refuse" else ""
    answer = book.carry_out(connection, request, at=_now(), refuse=refuse)
    connection.commit()
    if fault and fault.kind == "lost":
        fault.hold()
        return 504, b"{}"
    return 200, msgspec.json.encode(answer)


def _answers(connection: Connection[Any], body: bytes) -> Reply:
    asked = msgspec.json.decode(body, type=_Asked)
    found = book.answered(connection, asked.number, asked.bank)
    return 200, msgspec.json.encode({"known": found is not None, "answer": found})


def _accounts(connection: Connection[Any], body: bytes) -> Reply:
    asked, at = msgspec.json.decode(body, type=_Asked), _now()
    status = book.status_of(connection, asked.account, asked.bank, at=at)
    return 200, msgspec.json.encode({"account": asked.account, "status": status, "at": at})


def _deliveries(connection: Connection[Any], body: bytes) -> Reply:
    asked = msgspec.json.decode(body, type=_Asked)
    fault = faults.next_for(connection, asked.bank, "deliver")
    connection.commit()
    if asked.begin is None or fault:
        return (503, b"{}") if fault else (400, b"{}")
    rows = book.changed_on(connection, asked.bank, asked.begin)
    return 200, msgspec.json.encode({"rows": [{"account": one, "status": status} for one, status in rows]})


def _faults(connection: Connection[Any], body: bytes) -> Reply:
    if not body:
        faults.forget(connection)
    else:
        faults.choose(connection, msgspec.json.decode(body, type=Fault))
    return 200, b"{}"


_HANDLERS: Final[dict[str, Handler]] = {
    "/v1/requests": _requests,
    "/v1/answers": _answers,
    "/v1/accounts": _accounts,
    "/v1/deliveries": _deliveries,
    "/v1/faults": _faults,
}


def _think() -> None:
    """Banks are not instant: about the set time, now and then three times as long."""
    mean_s = env.load().bank_sandbox_delay_ms / 1000
    if mean_s:
        time.sleep(min(random.lognormvariate(0, 0.6), 3.0) * mean_s)


def _now() -> datetime:
    return datetime.now(UTC)


@lru_cache(maxsize=1)
def _key() -> bytes:
    return env.secret_file(env.load().bank_sandbox_key_path, KEY_SIZE)


@lru_cache(maxsize=1)
def _pool() -> ConnectionPool[Any]:
    pool = ConnectionPool(env.load().dsn, min_size=1, max_size=16, open=True)
    with pool.connection() as connection:
        book.make_tables(connection)
    return pool
