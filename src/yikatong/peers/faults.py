"""What a test or a rehearsal has chosen to go wrong with a peer: the next so many answers, or all for a while."""

import time
from collections.abc import Callable, Collection
from datetime import UTC, datetime
from typing import Any, Final, Literal

import msgspec
from psycopg import Connection, sql
from psycopg.rows import class_row

HOLD_S_MOST: Final = 60.0
Kind = Literal[
    "away", "broken", "slow", "timeout", "lost", "malformed", "incomplete", "cut", "refuse", "correct"
]

#: Faults of a peer that answers pages of questions, and of one that carries out acts.
OF_PAGES: Final[Collection[Kind]] = {"away", "broken", "slow", "malformed", "incomplete", "cut"}
OF_ACTS: Final[Collection[Kind]] = {"away", "timeout", "lost", "refuse"}

_STATUS: Final[dict[Kind, int]] = {"broken": 500, "away": 503, "timeout": 504, "lost": 504}

#: Each peer keeps its own, in its own schema; a table of that name had other columns once.
_TABLE: Final = """
DROP TABLE IF EXISTS {0}.fault;
CREATE TABLE IF NOT EXISTS {0}.chosen_fault (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    who text NOT NULL,
    what text NOT NULL,
    kind text NOT NULL,
    hold_s double precision NOT NULL,
    reason text NOT NULL,
    times integer NOT NULL,
    until timestamptz
)
"""


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """`who` (a bank, a department, a source, a partner) and `what` (an act, a matter) are "*" for any.

    away: says it is not there (503) · broken: fails (500) · slow: answers `hold_s` late · timeout: nothing is done,
    and the answer comes `hold_s` late · lost: done, and the answer is held back · malformed: what comes cannot be
    read · incomplete: some of what was asked for is missing · cut: the answer ends half-way · refuse, correct: it
    decides so, and says `reason`. A department that is slow decides `hold_s` later, and answers at once.
    It counts `times` down, or lasts `until` a moment.
    """

    who: str = "*"
    what: str = "*"
    kind: Kind
    hold_s: float = 0.0
    reason: str = ""
    times: int = 1
    until: datetime | None = None

    def hold(self) -> None:
        time.sleep(min(self.hold_s, HOLD_S_MOST))


def make_table(connection: Connection[Any], schema: str) -> None:
    connection.execute(sql.SQL(_TABLE).format(sql.Identifier(schema)))


def choose(connection: Connection[Any], schema: str, fault: Fault) -> None:
    connection.execute(
        sql.SQL(
            "INSERT INTO {}.chosen_fault (who, what, kind, hold_s, reason, times, until)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s)"
        ).format(sql.Identifier(schema)),
        msgspec.structs.astuple(fault),
    )


def forget(connection: Connection[Any], schema: str) -> None:
    """Nothing goes wrong any more."""
    connection.execute(sql.SQL("DELETE FROM {}.chosen_fault").format(sql.Identifier(schema)))


def next_for(connection: Connection[Any], schema: str, who: str, what: str = "*") -> Fault | None:
    """The fault this request meets; one that counts is used up by one, of two at once each meets its own.

    Committed here: used up even if what follows fails, and not held while the peer is slow.
    """
    with connection.cursor(row_factory=class_row(Fault)) as cursor:
        cursor.execute(
            sql.SQL(
                "UPDATE {0}.chosen_fault SET times = times - (until IS NULL)::int WHERE id = ("
                " SELECT id FROM {0}.chosen_fault WHERE times > 0 AND (until IS NULL OR until > %s)"
                " AND who IN ('*', %s) AND what IN ('*', %s) ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED)"
                " RETURNING who, what, kind, hold_s, reason, times, until"
            ).format(sql.Identifier(schema)),
            (datetime.now(UTC), who, what),
        )
        found = cursor.fetchone()
    connection.commit()
    return found


def setting(schema: str, kinds: Collection[Kind]) -> Any:
    """A handler that sets a fault of one of `kinds` from the body, or forgets all for an empty one."""

    def handle(connection: Connection[Any], body: bytes) -> tuple[int, bytes]:
        if not body:
            forget(connection, schema)
            return 200, b"{}"
        fault = msgspec.json.decode(body, type=Fault)
        if fault.kind not in kinds:
            return 400, b'{"error":"this peer has no such fault"}'
        choose(connection, schema, fault)
        return 200, b"{}"

    return handle


def undone(fault: Fault | None) -> tuple[int, bytes] | None:
    """The answer of a peer that is away or takes too long, and has done nothing; None where it acts."""
    if fault is None or fault.kind not in {"away", "timeout"}:
        return None
    fault.hold()
    return _STATUS[fault.kind], b"{}"


def answer_lost(fault: Fault | None) -> tuple[int, bytes] | None:
    """What comes instead of the answer to an act that was done; None where the answer comes."""
    if fault is None or fault.kind != "lost":
        return None
    fault.hold()
    return _STATUS[fault.kind], b"{}"


def spoilt(fault: Fault | None, content: dict[str, Any], rows: str) -> tuple[int, bytes] | None:
    """The answer this fault gives instead; None where it lets the right one through, late perhaps."""
    if fault is None:
        return None
    fault.hold()
    if fault.kind in _STATUS:
        return _STATUS[fault.kind], b"{}"
    whole = msgspec.json.encode(content)
    spoiling: dict[Kind, Callable[[], bytes]] = {
        "malformed": lambda: msgspec.json.encode(content | {rows: [{"reference": 7, "known": "perhaps"}]}),
        "incomplete": lambda: msgspec.json.encode(content | {rows: content[rows][:-1]}),
        "cut": lambda: whole[: len(whole) // 2],
    }
    return (200, spoiling[fault.kind]()) if fault.kind in spoiling else None
