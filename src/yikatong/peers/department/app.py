"""The sandbox departments over HTTP (WSGI): signed requests in, signed answers out."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import msgspec
from psycopg import Connection

from yikatong.core import env
from yikatong.peers.department import book, faults
from yikatong.peers.department.book import Request
from yikatong.peers.department.faults import Fault
from yikatong.peers.signed import Handler, Reply, Signed, tables_of

_CHOSEN: Final = {"refuse": ("refused", "不符合办理条件"), "correct": ("correcting", "材料需要补正")}


class _Asked(msgspec.Struct, frozen=True, kw_only=True):
    department: str
    number: str


def _requests(connection: Connection[Any], body: bytes) -> Reply:
    request = msgspec.json.decode(body, type=Request)
    fault = faults.next_for(connection, request.department, request.key)
    connection.commit()  # used up even if what follows fails, and not held while the department is slow
    if fault and fault.kind in {"away", "timeout"}:
        fault.hold()
        return (503, b"{}") if fault.kind == "away" else (504, b"{}")
    state, words = _CHOSEN.get(fault.kind, ("", "")) if fault else ("", "")
    chosen = (state, fault.reason or words) if fault and state else ("", "")
    try:
        answer = book.take(connection, request, at=_now(), after=_thinking(fault), chosen=chosen)
    except book.OtherContent:
        return 409, b"{}"
    connection.commit()
    if fault and fault.kind == "lost":
        fault.hold()
        return 504, b"{}"
    return 200, msgspec.json.encode(answer)


def _answers(connection: Connection[Any], body: bytes) -> Reply:
    asked = msgspec.json.decode(body, type=_Asked)
    found = book.answered(connection, asked.number, asked.department, at=_now())
    return 200, msgspec.json.encode({"known": found is not None, "answer": found})


def _faults(connection: Connection[Any], body: bytes) -> Reply:
    if not body:
        faults.forget(connection)
    else:
        faults.choose(connection, msgspec.json.decode(body, type=Fault))
    return 200, b"{}"


_HANDLERS: Final[dict[str, Handler]] = {
    "/department/v1/requests": _requests,
    "/department/v1/answers": _answers,
    "/department/v1/faults": _faults,
}


def _thinking(fault: Fault | None) -> timedelta:
    """Departments take their time: about as set, now and then three times as long."""
    mean_s = env.load().department_sandbox_delay_ms / 1000
    slow_s = fault.hold_s if fault and fault.kind == "slow" else 0.0
    return timedelta(seconds=min(random.lognormvariate(0, 0.6), 3.0) * mean_s + slow_s)


def _now() -> datetime:
    return datetime.now(UTC)


application: Final = Signed(
    _HANDLERS,
    make_tables=tables_of(__package__),
    key_path=lambda: env.load().sandbox_key_path("department"),
)
