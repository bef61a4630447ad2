"""The sandbox bank over HTTP (WSGI): signed requests in, signed answers out."""

import random
import time
from datetime import UTC, datetime
from typing import Any, Final

import msgspec
from psycopg import Connection

from yikatong.core import env
from yikatong.peers import faults
from yikatong.peers.bank import book
from yikatong.peers.bank.book import Request
from yikatong.peers.signed import Handler, Reply, Signed, tables_of

SCHEMA: Final = "peer_bank"


class _Asked(msgspec.Struct, frozen=True, kw_only=True):
    bank: str
    number: str = ""
    account: str = ""
    begin: datetime | None = None


def _requests(connection: Connection[Any], body: bytes) -> Reply:
    request = msgspec.json.decode(body, type=Request)
    fault = faults.next_for(connection, SCHEMA, request.bank, request.act)
    if undone := faults.undone(fault):
        return undone
    _think()
    refuse = (fault.reason or "银行拒绝办理") if fault and fault.kind == "refuse" else ""
    answer = book.carry_out(connection, request, at=_now(), refuse=refuse)
    connection.commit()
    return faults.answer_lost(fault) or (200, msgspec.json.encode(answer))


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
    fault = faults.next_for(connection, SCHEMA, asked.bank, "deliver")
    if asked.begin is None or fault:
        return (503, b"{}") if fault else (400, b"{}")
    rows = book.changed_on(connection, asked.bank, asked.begin)
    return 200, msgspec.json.encode({"rows": [{"account": one, "status": status} for one, status in rows]})


_HANDLERS: Final[dict[str, Handler]] = {
    "/v1/requests": _requests,
    "/v1/answers": _answers,
    "/v1/accounts": _accounts,
    "/v1/deliveries": _deliveries,
    "/v1/faults": faults.setting(SCHEMA, faults.OF_ACTS),
}


def _think() -> None:
    """Banks are not instant: about the set time, now and then three times as long."""
    mean_s = env.load().bank_sandbox_delay_ms / 1000
    if mean_s:
        time.sleep(min(random.lognormvariate(0, 0.6), 3.0) * mean_s)


def _now() -> datetime:
    return datetime.now(UTC)


application: Final = Signed(
    _HANDLERS,
    make_tables=tables_of(__package__, SCHEMA),
    key_path=lambda: env.load().bank_sandbox_key_path,
)
