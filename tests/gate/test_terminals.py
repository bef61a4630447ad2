"""The memory of terminals: those who ask together are answered by one question, and an error is nobody's for good."""

import asyncio
from collections.abc import Sequence
from typing import Any

from django.db import connection

from tests.gate.conftest import dsn_of_tests
from tests.gate.world import World
from yikatong.gate.lane import Lane
from yikatong.gate.terminals import Terminals


class CountingLane(Lane):
    """A real lane that counts its questions."""

    asked = 0

    async def fetch(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        self.asked += 1
        return await super().fetch(sql, parameters)


async def ask(lane: Lane, numbers: Sequence[int]) -> list[Any]:
    terminals = Terminals(lane)
    try:
        return await asyncio.gather(*map(terminals.read, numbers), return_exceptions=True)
    finally:
        await lane.close()


def test_a_hundred_at_once_need_one_question(world: World) -> None:
    rows = [world.terminal().row for _ in range(4)]
    lane = CountingLane(dsn_of_tests())
    numbers = [row.number for row in rows] * 25
    found = asyncio.run(ask(lane, [*numbers, 999_999_999_999, 10**20, 0, -1]))
    assert [terminal and terminal.number for terminal in found] == [*numbers, None, None, None, None]
    assert [found[0].status, found[0].scenes] == ["enrolled", frozenset(rows[0].scenes)]
    assert lane.asked == 1


def test_an_error_reaches_everybody_who_asked() -> None:
    found = asyncio.run(ask(Lane("host=/nonexistent"), [510_100_000_001] * 3))
    assert [type(error).__name__ for error in found] == ["OperationalError"] * 3


def test_those_who_ask_are_renewed_and_the_others_forgotten(world: World) -> None:
    busy, idle = (world.terminal().row for _ in range(2))

    async def story() -> list[Any]:
        terminals = Terminals(lane)
        for row in (busy, idle):
            await terminals.read(row.number)
        assert terminals.remembered(busy.number)
        await asyncio.to_thread(_stop, busy)
        await terminals.renew()
        renewed = [terminals.remembered(row.number) for row in (busy, idle)]
        await lane.close()
        return renewed

    lane = CountingLane(dsn_of_tests())
    known, forgotten = asyncio.run(story())
    assert (known.status, forgotten, lane.asked) == ("stopped", None, 3)


def _stop(row: Any) -> None:
    type(row).objects.filter(pk=row.pk).update(status="stopped")
    connection.close()
