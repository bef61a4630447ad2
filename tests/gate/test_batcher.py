"""Batches: what arrives while a commit is under way goes together; trouble of the database harms no row twice."""

import asyncio
from collections.abc import Sequence
from typing import Any

import psycopg
import pytest

from yikatong.gate import batcher
from yikatong.gate.batcher import Batcher, Unavailable, decide
from yikatong.gate.lane import Lane
from yikatong.gate.row import Decision, Failed, Row
from yikatong.gate.uses import turns

LANE: Any = Lane("")


def row(number: int, *, shown: int | None = None, outcome: int = 0) -> Row:
    reference = (number if shown is None else shown).to_bytes(16, "big")
    return Row(1, 1, number, 0, 0, 1, 3, outcome, 1, 1, 0, 0, b"d", reference, 0, 0, 0)


def decision(ordinal: int) -> Decision:
    return Decision(ordinal, 0, 0, 3, 0, 0, 0, None, None, None)


class Recorder:
    """Stands where the statement stands: notes each batch, and fails as told."""

    def __init__(self, *failures: Exception) -> None:
        self.failures, self.batches = list(failures), []  # type: ignore[var-annotated]

    async def __call__(self, _: Lane, rows: Sequence[Row]) -> list[Decision]:
        self.batches.append([each.sequence for each in rows])
        await asyncio.sleep(0)
        if self.failures:
            raise self.failures.pop(0)
        return [decision(place + 1) for place in range(len(rows))]


def run(recorder: Recorder, rows: Sequence[Row], lanes: int = 1) -> list[Any]:
    async def _run() -> list[Any]:
        made = Batcher([LANE] * lanes, recorder)
        made.start()
        futures = [made.submit(each) for each in rows]
        found = await asyncio.gather(*futures, return_exceptions=True)
        await made.close()
        return found

    return asyncio.run(_run())


def test_what_waits_goes_together() -> None:
    recorder = Recorder()
    run(recorder, [row(n) for n in range(300)])
    assert [len(batch) for batch in recorder.batches] == [256, 44]


def test_the_same_use_and_the_same_code_wait_a_turn() -> None:
    recorder = Recorder()
    run(recorder, [row(1), row(1), row(2, shown=1), row(3), row(4, shown=3, outcome=303)])
    assert recorder.batches == [[1, 3, 4], [1], [2]]


def test_a_lost_connection_is_no_lost_row(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batcher, "_PAUSE_S", 0)
    recorder = Recorder(psycopg.OperationalError("gone"), psycopg.OperationalError("gone"))
    assert run(recorder, [row(1), row(2)]) == [decision(1), decision(2)]
    assert recorder.batches == [[1, 2]] * 3


def test_patience_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batcher, "_PAUSE_S", 0)
    monkeypatch.setattr(batcher, "PATIENCE_S", -1)
    recorder = Recorder(psycopg.OperationalError("gone"))
    found = run(recorder, [row(1), row(2)])
    assert [type(each) for each in found] == [Unavailable, Unavailable]


def test_a_fault_of_ours_reaches_every_asker() -> None:
    found = run(Recorder(ZeroDivisionError()), [row(1), row(2)])
    assert [type(each) for each in found] == [ZeroDivisionError, ZeroDivisionError]


def test_an_asker_who_has_gone_harms_nobody() -> None:
    async def _run() -> Any:
        made = Batcher([LANE], Recorder())
        made.start()
        gone, stays = made.submit(row(1)), made.submit(row(2))
        gone.cancel()
        found = await stays
        await made.close()
        return found

    assert asyncio.run(_run()) == decision(2)


def test_closing_finishes_what_waits() -> None:
    async def _run() -> list[Any]:
        made = Batcher([LANE], Recorder())
        made.start()
        futures = [made.submit(row(n)) for n in range(600)]
        await made.close()
        with pytest.raises(Unavailable):
            made.submit(row(601))
        return [future.result().refusal for future in futures]

    assert asyncio.run(_run()) == [0] * 600


def test_too_much_waiting_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batcher, "WAITING_MOST", 2)

    async def _run() -> None:
        made = Batcher([LANE], Recorder())
        futures = [made.submit(row(1)), made.submit(row(2))]
        with pytest.raises(Unavailable):
            made.submit(row(3))
        made.start()
        await asyncio.gather(*futures)
        await made.close()

    asyncio.run(_run())


def test_a_bad_row_stands_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    async def nothing_stored(lane: Lane, rows: Sequence[Row]) -> dict[tuple[int, int], bytes]:
        return {}

    monkeypatch.setattr(batcher, "stored_digests", nothing_stored)
    recorder = Recorder(psycopg.DataError(), psycopg.DataError())
    found = asyncio.run(decide(LANE, [row(1), row(2)], recorder))
    assert found == [Failed(reused=False), decision(1)]


def test_turns_keep_uses_and_codes_apart() -> None:
    rows = [row(1), row(2, shown=1), row(1, shown=5), row(6), row(7, shown=1)]
    found = turns(list(enumerate(rows)))
    assert [[place for place, _ in turn] for turn in found] == [[0, 3], [1, 2], [4]]
