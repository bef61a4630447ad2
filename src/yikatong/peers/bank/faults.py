"""What a test has chosen to go wrong: the next so many acts of a kind time out, get lost, are refused."""

import time
from typing import Any

import msgspec
from psycopg import Connection
from psycopg.rows import class_row


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """`act` is "*" for any.

    timeout: nothing is done, and the answer comes `hold_s` late · lost: done, and the answer is held back ·
    refuse: the bank says `reason` · away: not there at all (503).
    """

    bank: str = "*"
    act: str = "*"
    kind: str
    hold_s: float = 0.0
    reason: str = ""
    times: int = 1

    def hold(self) -> None:
        time.sleep(self.hold_s)


def choose(connection: Connection[Any], fault: Fault) -> None:
    connection.execute(
        "INSERT INTO peer_bank.fault (bank, act, kind, hold_s, reason, times) VALUES (%s, %s, %s, %s, %s, %s)",
        (fault.bank, fault.act, fault.kind, fault.hold_s, fault.reason, fault.times),
    )


def forget(connection: Connection[Any]) -> None:
    """Nothing goes wrong any more."""
    connection.execute("DELETE FROM peer_bank.fault")


def next_for(connection: Connection[Any], bank: str, act: str) -> Fault | None:
    """The fault this act meets, used up by one; of two acts at once each meets its own."""
    with connection.cursor(row_factory=class_row(Fault)) as cursor:
        cursor.execute(
            "UPDATE peer_bank.fault SET times = times - 1 WHERE id = ("
            " SELECT id FROM peer_bank.fault WHERE times > 0 AND bank IN ('*', %s) AND act IN ('*', %s)"
            " ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED)"
            " RETURNING bank, act, kind, hold_s, reason, times",
            (bank, act),
        )
        return cursor.fetchone()
