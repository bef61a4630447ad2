"""Handing in what happened offline. A row leaves the queue when the gate has answered for it, and not before."""

import base64
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, field

import msgspec

from yikatong.terminal import answers, session
from yikatong.terminal.answers import Fate
from yikatong.terminal.errors import GateRefused
from yikatong.terminal.gate_client import GateClient
from yikatong.terminal.store import Store
from yikatong.terminal.terms import terms_of
from yikatong.using.codes.pass_ import Reason

_NOT_RECORDED = "not_recorded"
_KEPT_S = 40 * 86_400
_BODY_MOST = 1_500_000

Row = dict[str, int | str]
Tick = Callable[[int], None]


@dataclass(slots=True)
class Report:
    """How many rows the gate took; `noticed`: those it does not take as we did (double use, a card lost before …)."""

    handed_in: int = 0
    left: int = 0
    noticed: list[Fate] = field(default_factory=list)


def upload(store: Store, client: GateClient, *, tick: Tick = lambda _: None) -> Report:
    """Hand in all that waits, oldest first. Raises GateDown, GateRefused; what was answered is settled then."""
    most = terms_of(store).batch_most
    report, after = Report(), 0
    while rows := _waiting(store, after, most):
        after = int(rows[-1]["sequence"])
        fates = _hand_in(store, client, rows)
        with store.transaction():
            for fate in fates:
                _settle(store, fate, report)
        tick(len(rows))
    report.left = waiting(store)
    _prune(store)
    return report


def waiting(store: Store) -> int:
    return int(store.rows("SELECT count(*) FROM use WHERE state = 'waiting'")[0][0])


def _waiting(store: Store, after: int, most: int) -> list[Row]:
    rows = store.rows(
        "SELECT * FROM use WHERE state = 'waiting' AND sequence > ? ORDER BY sequence LIMIT ?", after, most
    )
    room, taken = _BODY_MOST, []
    for row in rows:
        taken.append(_as_told(row))
        room -= len(str(taken[-1]["presentation"])) + 160
        if room < 0:
            break
    return taken


def _as_told(row: sqlite3.Row) -> Row:
    names = ("sequence", "used_at", "amount_fen", "outcome", "hot_version")
    told: Row = {name: row[name] for name in names}
    told["presentation"] = base64.b64encode(row["presentation"]).decode()
    return told


def _hand_in(store: Store, client: GateClient, rows: list[Row]) -> list[Fate]:
    """One request; when it is refused for its form, halves, until the one bad row stands alone."""
    body = msgspec.json.encode({"uses": rows})
    try:
        return answers.read(
            answers.Fates, session.ask(store, client, "POST", "/gate/v1/uses", body).body
        ).uses
    except GateRefused as refusal:
        if refusal.reason in session.GONE:
            session.note_stopped(store, refusal.reason)
        if refusal.reason not in {Reason.REQUEST_MALFORMED, Reason.TOO_LARGE}:
            raise
        if len(rows) == 1:
            return [_refused(int(rows[0]["sequence"]), refusal.reason)]
    half = len(rows) // 2
    return _hand_in(store, client, rows[:half]) + _hand_in(store, client, rows[half:])


def _refused(sequence: int, reason: Reason) -> Fate:
    return Fate(sequence, False, reason, reason.name.lower(), reason.sentence, reason.operator)


def _settle(store: Store, fate: Fate, report: Report) -> None:
    if fate.name == _NOT_RECORDED:
        return
    text = msgspec.json.encode(fate).decode()
    changed = store.run(
        "UPDATE use SET state = 'settled', fate = ? WHERE sequence = ? AND state = 'waiting'",
        text,
        fate.sequence,
    )
    report.handed_in += changed
    outcome = store.rows("SELECT outcome FROM use WHERE sequence = ?", fate.sequence)
    if changed and (outcome[0][0] == 0) != fate.accepted:
        report.noticed.append(fate)


def _prune(store: Store) -> None:
    """Settled rows are kept a while for questions."""
    store.run(
        "DELETE FROM use WHERE state <> 'waiting' AND used_at < ?", (store.get("clock_latest") or 0) - _KEPT_S
    )
