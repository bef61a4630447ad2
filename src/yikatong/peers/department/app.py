"""The sandbox departments over HTTP (WSGI): signed requests in, signed answers out."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import msgspec
from psycopg import Connection

from yikatong.core import env
from yikatong.peers import faults
from yikatong.peers.department import book
from yikatong.peers.department.book import Request
from yikatong.peers.faults import Fault
from yikatong.peers.signed import Handler, Reply, Signed, tables_of

SCHEMA: Final = "peer_department"
_CHOSEN: Final = {"refuse": ("refused", "不符合办理条件"), "correct": ("correcting", "材料需要补正")}


class _Asked(msgspec.Struct, frozen=True, kw_only=True):
    department: str
    number: str


def _requests(connection: Connection[Any], body: bytes) -> Reply:
    request = msgspec.json.decode(body, type=Request)
    fault = faults.next_for(connection, SCHEMA, request.department, request.key)
    if undone := faults.undone(fault):
        return undone
    state, words = _CHOSEN.get(fault.kind, ("", "")) if fault else ("", "")
    chosen = (state, fault.reason or words) if fault and state else ("", "")
    try:
        answer = book.take(connection, request, at=_now(), after=_thinking(fault), chosen=chosen)
    except book.OtherContent:
        return 409, b"{}"
    connection.commit()
    return faults.answer_lost(fault) or (200, msgspec.json.encode(answer))


def _answers(connection: Connection[Any], body: bytes) -> Reply:
    asked = msgspec.json.decode(body, type=_Asked)
    found = book.answered(connection, asked.number, asked.department, at=_now())
    return 200, msgspec.json.encode({"known": found is not None, "answer": found})


_HANDLERS: Final[dict[str, Handler]] = {
    "/department/v1/requests": _requests,
    "/department/v1/answers": _answers,
    "/department/v1/faults": faults.setting(SCHEMA, {*faults.OF_ACTS, "correct", "slow"}),
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
    make_tables=tables_of(__package__, SCHEMA),
    key_path=lambda: env.load().sandbox_key_path("department"),
)
