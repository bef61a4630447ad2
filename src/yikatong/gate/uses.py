"""Uses that passed while a terminal had no network: each row gets its own answer (docs/spec/gate-v1.md §6).

The written rule: the terminal answers for what the code and its list told it; a loss it could not know of is
borne by nobody at the gate — the use stands, flagged as accepted in good faith.
"""

import asyncio
from collections.abc import Sequence

from yikatong.gate import sequence
from yikatong.gate.answer import answer, refused
from yikatong.gate.arrays import EPOCH_UNIX
from yikatong.gate.batcher import decide
from yikatong.gate.desk import HOT_AGE_S
from yikatong.gate.examine import Finding, Keysets, digest, examine_many, shown_day
from yikatong.gate.keys import LATE
from yikatong.gate.lane import Lane
from yikatong.gate.lists import Lists
from yikatong.gate.messages import OfflineUseIn, UseOut
from yikatong.gate.record import record_offline
from yikatong.gate.row import METHOD_CODE, Row
from yikatong.gate.terminals import Terminal
from yikatong.using.codes import pass_
from yikatong.using.codes.reasons import Reason, Refused

AHEAD_S = 120
_SLICE = 64
_LATE_S = int(LATE.total_seconds())
_KNOWN = frozenset(reason.value for reason in Reason)


async def hand_in(
    terminal: Terminal, uses: Sequence[OfflineUseIn], *, keysets: Keysets, lists: Lists, lane: Lane, now: int
) -> list[UseOut]:
    """Record what can be recorded, and answer every row, in order."""
    superseded = await lists.superseded({(_scene(use.presentation), use.hot_version) for use in uses})
    answers: list[UseOut | None] = [None] * len(uses)
    rows: list[tuple[int, Row]] = []
    for start in range(0, len(uses), _SLICE):
        await asyncio.sleep(0)  # whoever waits at a gate right now goes first
        timely = []
        for place, use in enumerate(uses[start : start + _SLICE], start):
            if reason := _wrong_time(use, now):
                answers[place] = refused(use.sequence, reason)
            else:
                timely.append((place, use))
        rows += _rows(terminal, timely, keysets, superseded, now)
    for turn in turns(rows):
        fates = await decide(lane, [row for _, row in turn], record_offline)
        for (place, row), fate in zip(turn, fates, strict=True):
            answers[place] = answer(row, fate)
    return [found for found in answers if found is not None]


def turns(rows: Sequence[tuple[int, Row]]) -> list[list[tuple[int, Row]]]:
    """The rows in as few rounds as keep uses and codes distinct within each; almost always one."""
    if _are_distinct([row for _, row in rows]):
        return [list(rows)] if rows else []
    rounds: list[list[tuple[int, Row]]] = []
    seen: list[set[object]] = []
    for entry in rows:
        keys = {entry[1].identity, entry[1].shown if not entry[1].outcome else entry[1].identity}
        turn = 0
        while turn < len(rounds) and not keys.isdisjoint(seen[turn]):
            turn += 1
        if turn == len(rounds):
            rounds.append([])
            seen.append(set())
        rounds[turn].append(entry)
        for held in seen[: turn + 1]:
            held.update(keys)
    return rounds


def _are_distinct(rows: Sequence[Row]) -> bool:
    spending = [row.shown for row in rows if not row.outcome]
    return len({row.identity for row in rows}) == len(rows) and len(set(spending)) == len(spending)


def _wrong_time(use: OfflineUseIn, now: int) -> Reason | None:
    """A use lies within the business day of its sequence, and not in the future."""
    day = sequence.day_of(use.sequence)
    if day is None:
        return Reason.REQUEST_MALFORMED
    start, end = sequence.bounds(day)
    if not start <= use.used_at < end or use.used_at > now + AHEAD_S:
        return Reason.REQUEST_TIME_OFF
    return None


def _rows(
    terminal: Terminal,
    timely: Sequence[tuple[int, OfflineUseIn]],
    keysets: Keysets,
    superseded: dict[tuple[int, int], int],
    now: int,
) -> list[tuple[int, Row]]:
    """The rows of uses that lie in their day: what the bytes say, and what the rules make of it."""
    findings, shown = {}, []
    for place, use in timely:
        try:
            shown.append((place, (pass_.parse(use.presentation), use.used_at)))
        except Refused as refusal:
            findings[place] = Finding(METHOD_CODE, 0, refusal.reason), 0
    found = examine_many([of for _, of in shown], keysets, scenes=terminal.scenes)
    for (place, (presentation, _)), finding in zip(shown, found, strict=True):
        findings[place] = finding, presentation.credential.limits.per_use_fen
    rows = []
    for place, use in timely:
        finding, per_use_fen = findings[place]
        outcome = finding.outcome or _rules(use, finding.scene, per_use_fen, superseded, now)
        rows.append((place, _row(terminal, use, finding, outcome)))
    return rows


def _row(terminal: Terminal, use: OfflineUseIn, finding: Finding, outcome: int) -> Row:
    method, scene, _, device, generation, concession, reference, made_at, counter = finding
    return Row(
        terminal.number,
        terminal.key_generation,
        use.sequence,
        sequence.day_index(use.sequence // sequence.FACTOR),
        (use.used_at - EPOCH_UNIX) * 1_000_000,
        method,
        scene,
        outcome,
        device,
        generation,
        use.amount_fen,
        concession,
        digest(use.presentation, use.amount_fen),
        reference,
        made_at,
        counter,
        shown_day(made_at),
        use.presentation,
        use.hot_version,
    )


def _rules(
    use: OfflineUseIn, scene: int, per_use_fen: int, superseded: dict[tuple[int, int], int], now: int
) -> int:
    """The terminal's own refusal stands; else the amount, the time of handing in, the age of its list."""
    if use.outcome:
        return use.outcome if use.outcome in _KNOWN else Reason.MALFORMED
    if use.amount_fen > per_use_fen:
        return Reason.OVER_PER_USE
    if now - use.used_at > _LATE_S:
        return Reason.USE_TOO_OLD
    successor_at = superseded.get((scene, use.hot_version))
    if successor_at is not None and use.used_at - successor_at > HOT_AGE_S:
        return Reason.LIST_TOO_OLD
    return 0


def _scene(raw: bytes) -> int:
    return raw[7] if len(raw) > 7 else 0
