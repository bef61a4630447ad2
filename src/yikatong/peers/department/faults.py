"""What a test has chosen to go wrong: the next so many matters of a kind time out, get lost, are refused."""

import time
from typing import Any

import msgspec
from psycopg import Connection
from psycopg.rows import class_row


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """`department` and `key` are "*" for any.

    timeout: nothing is done, and the answer comes `hold_s` late · lost: taken, and the answer is held back ·
    refuse, correct: the department decides so, and says `reason` · away: not there at all (503) ·
    slow: decided `hold_s` later than usual.
    """

    department: str = "*"
    key: str = "*"
    kind: str
    hold_s: float = 0.0
    reason: str = ""
    times: int = 1

    def hold(self) -> None:
        time.sleep(self.hold_s)


def choose(connection: Connection[Any], fault: Fault) -> None:
    connection.execute(
        "INSERT INTO peer_department.fault (department, key, kind, hold_s, reason, times)"
        " VALUES (%s, %s, %s, %s, %s, %s)",
        (fault.department, fault.key, fault.kind, fault.hold_s, fault.reason, fault.times),
    )


def forget(connection: Connection[Any]) -> None:
    """Nothing goes wrong any more."""
    connection.execute("DELETE FROM peer_department.fault")


def next_for(connection: Connection[Any], department: str, key: str) -> Fault | None:
    """The fault this request meets, used up by one; of two at once each meets its own."""
    with connection.cursor(row_factory=class_row(Fault)) as cursor:
        cursor.execute(
            "UPDATE peer_department.fault SET times = times - 1 WHERE id = ("
            " SELECT id FROM peer_department.fault"
            " WHERE times > 0 AND department IN ('*', %s) AND key IN ('*', %s)"
            " ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED)"
            " RETURNING department, key, kind, hold_s, reason, times",
            (department, key),
        )
        return cursor.fetchone()
