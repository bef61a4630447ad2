"""What a test or a rehearsal has chosen to go wrong with a peer: the next so many answers, or all for a while."""

import time
from datetime import UTC, datetime
from typing import Any, Literal

import msgspec
from psycopg import Connection, sql
from psycopg.rows import class_row

HOLD_S_MOST = 60.0


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """`who` is "*" for any.

    away: says it is not there (503) · broken: fails (500) · slow: answers `hold_s` late · malformed: what comes
    cannot be read · incomplete: some of what was asked for is missing · cut: the answer ends half-way.
    It counts `times` down, or lasts `until` a moment.
    """

    who: str = "*"
    kind: Literal["away", "broken", "slow", "malformed", "incomplete", "cut"]
    hold_s: float = 0.0
    times: int = 1
    until: datetime | None = None

    def hold(self) -> None:
        time.sleep(min(self.hold_s, HOLD_S_MOST))


def choose(connection: Connection[Any], schema: str, fault: Fault) -> None:
    connection.execute(
        sql.SQL("INSERT INTO {}.fault (who, kind, hold_s, times, until) VALUES (%s, %s, %s, %s, %s)").format(
            sql.Identifier(schema)
        ),
        (fault.who, fault.kind, fault.hold_s, fault.times, fault.until),
    )


def forget(connection: Connection[Any], schema: str) -> None:
    """Nothing goes wrong any more."""
    connection.execute(sql.SQL("DELETE FROM {}.fault").format(sql.Identifier(schema)))


def next_for(connection: Connection[Any], schema: str, who: str) -> Fault | None:
    """The fault this request meets; one that counts is used up by one, of two at once each meets its own."""
    with connection.cursor(row_factory=class_row(Fault)) as cursor:
        cursor.execute(
            sql.SQL(
                "UPDATE {0}.fault SET times = times - (until IS NULL)::int WHERE id = ("
                " SELECT id FROM {0}.fault WHERE times > 0 AND (until IS NULL OR until > %s)"
                " AND who IN ('*', %s) ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED)"
                " RETURNING who, kind, hold_s, times, until"
            ).format(sql.Identifier(schema)),
            (datetime.now(UTC), who),
        )
        return cursor.fetchone()


def setting(schema: str) -> Any:
    """A handler that sets a fault from the body, or forgets all for an empty one."""

    def handle(connection: Connection[Any], body: bytes) -> tuple[int, bytes]:
        if body:
            choose(connection, schema, msgspec.json.decode(body, type=Fault))
        else:
            forget(connection, schema)
        return 200, b"{}"

    return handle


def spoilt(fault: Fault, content: dict[str, Any], rows: str) -> tuple[int, bytes] | None:
    """The answer this fault gives instead; None where it lets the right one through, late perhaps."""
    fault.hold()
    match fault.kind:
        case "away":
            return 503, b"{}"
        case "broken":
            return 500, b"{}"
        case "malformed":
            return 200, msgspec.json.encode(content | {rows: [{"reference": 7, "known": "perhaps"}]})
        case "incomplete":
            return 200, msgspec.json.encode(content | {rows: content[rows][:-1]})
        case "cut":
            whole = msgspec.json.encode(content)
            return 200, whole[: len(whole) // 2]
    return None
