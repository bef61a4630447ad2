"""The departments' book: matters taken, and what became of them; one transaction a request."""

from datetime import datetime, timedelta
from typing import Any, NamedTuple

import msgspec
from psycopg import Connection
from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from yikatong.core.sm.sm3 import sm3
from yikatong.peers.department.decisions import decide


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """`item` is the matter for ever, `number` one word about it: submit, correct or withdraw."""

    number: str
    department: str
    act: str
    item: str
    key: str
    content: dict[str, Any]


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """Where the matter stands at `at`; `number` is the department's own."""

    request: str
    state: str
    number: str
    reason: str
    result: dict[str, str]
    at: datetime


class Item(NamedTuple):
    name: str
    key: str
    receipt: str
    content: dict[str, Any]
    state: str
    reason: str
    result: dict[str, str]
    chosen: str
    chosen_reason: str
    decides_at: datetime


class OtherContent(Exception):
    """A number that came before, with other words."""


def take(
    connection: Connection[Any], request: Request, *, at: datetime, after: timedelta, chosen: tuple[str, str]
) -> Answer:
    """Take a request once, and say how its matter stands. `after`: how long until it is decided."""
    digest = sm3(msgspec.json.encode(request))
    with connection.transaction():
        fresh = connection.execute(
            "INSERT INTO peer_department.request (number, department, item, act, digest, received_at)"
            " VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
            (request.number, request.department, request.item, request.act, digest, at),
        )
        if fresh.rowcount:
            _carry_out(connection, request, at, after, chosen)
        else:
            _repeated(connection, request.number, digest)
        return _standing(connection, request.item, request.number, at)


def answered(connection: Connection[Any], number: str, department: str, *, at: datetime) -> Answer | None:
    """How the matter of a request stands; None when the request never came."""
    row = connection.execute(
        "SELECT item FROM peer_department.request WHERE number = %s AND department = %s", (number, department)
    ).fetchone()
    return _standing(connection, row[0], number, at) if row else None


def _carry_out(
    connection: Connection[Any], request: Request, at: datetime, after: timedelta, chosen: tuple[str, str]
) -> None:
    if request.act == "withdraw":
        _standing(connection, request.item, request.number, at)  # decided in time is decided
        connection.execute(
            "UPDATE peer_department.item SET state = 'withdrawn', changed_at = %s"
            " WHERE name = %s AND state IN ('accepted', 'correcting')",
            (at, request.item),
        )
        return
    connection.execute(
        "INSERT INTO peer_department.item AS i (name, department, key, receipt, content, state, chosen,"
        " chosen_reason, decides_at, changed_at)"
        " VALUES (%(name)s, %(department)s, %(key)s,"
        " to_char(%(at)s, 'YYMMDD') || lpad(nextval('peer_department.receipt')::text, 6, '0'), %(content)s,"
        " 'accepted', %(chosen)s, %(reason)s, %(decides)s, %(at)s)"
        " ON CONFLICT (name) DO UPDATE SET content = excluded.content, state = 'accepted', reason = '',"
        " chosen = excluded.chosen, chosen_reason = excluded.chosen_reason, decides_at = excluded.decides_at,"
        " changed_at = excluded.changed_at WHERE i.state <> 'done'",
        {"name": request.item, "department": request.department, "key": request.key, "at": at,
         "content": Jsonb(request.content), "chosen": chosen[0], "reason": chosen[1], "decides": at + after},
    )  # fmt: skip


def _repeated(connection: Connection[Any], number: str, digest: bytes) -> None:
    row = connection.execute(
        "UPDATE peer_department.request SET times = times + 1 WHERE number = %s RETURNING digest", (number,)
    ).fetchone()
    if row is None or bytes(row[0]) != digest:
        raise OtherContent


def _standing(connection: Connection[Any], name: str, number: str, at: datetime) -> Answer:
    """The matter now; what is due is decided as it is read."""
    with connection.cursor(row_factory=class_row(Item)) as cursor:
        cursor.execute(
            "SELECT name, key, receipt, content, state, reason, result, chosen, chosen_reason, decides_at"
            " FROM peer_department.item WHERE name = %s FOR UPDATE",
            (name,),
        )
        item = cursor.fetchone()
    if item is None:  # withdrawn before it was ever submitted
        return Answer(request=number, state="withdrawn", number="", reason="", result={}, at=at)
    if item.state == "accepted" and item.decides_at <= at:
        item = _decided(connection, item, at)
    return Answer(
        request=number, state=item.state, number=item.receipt, reason=item.reason, result=item.result, at=at
    )


def _decided(connection: Connection[Any], item: Item, at: datetime) -> Item:
    if item.chosen:
        state, reason, result = item.chosen, item.chosen_reason, dict[str, str]()
    else:
        state, reason, result = decide(item.key, item.name, item.content)
    connection.execute(
        "UPDATE peer_department.item SET state = %s, reason = %s, result = %s, changed_at = %s WHERE name = %s",
        (state, reason, Jsonb(result), at, item.name),
    )
    return item._replace(state=state, reason=reason, result=result)
