"""Terminals as the gate remembers them: whom to believe, and for which scenes.

The memory may be old; the statement reads status, key generation and scenes again with every use. A request
whose MAC does not fit makes the gate look again at once, so a newly enrolled terminal waits for nothing.

Nobody at a gate waits for the memory to be renewed: terminals that ask are read again before they grow old, a
thousand with one question. Those who ask while a question is on its way are asked for together in the next one:
after a start, a thousand single questions would queue, and people at the gates with them.
"""

import asyncio
import time
from typing import NamedTuple
from uuid import UUID

from yikatong.gate import logs
from yikatong.gate.arrays import pack
from yikatong.gate.lane import Lane

_FRESH_S = 30.0
_RENEW_S = 10.0
_TOGETHER = 1000
_LOOK_AGAIN_S = 1.0
_NUMBER_MOST = 10**12
_SQL = """SELECT id, number, status, key_generation, scenes, offline_uses_max FROM access_terminal
WHERE number = ANY(%b::int8[])"""


class Terminal(NamedTuple):
    """A row of access_terminal, as far as the gate needs it."""

    id: UUID
    number: int
    status: str
    key_generation: int
    scenes: frozenset[int]
    offline_uses_max: int


class Terminals:
    """A memory of terminals by number. Unknown numbers are not remembered, so they cannot fill it."""

    def __init__(self, lane: Lane) -> None:
        self._lane = lane
        self._known: dict[int, tuple[float, Terminal]] = {}
        self._busy: set[int] = set()  # who asked since the last renewal
        self._asked: dict[int, asyncio.Future[Terminal | None]] = {}
        self._asking: asyncio.Task[None] | None = None

    def remembered(self, number: int) -> Terminal | None:
        """The terminal if it was read within the last half minute."""
        read_at, terminal = self._known.get(number, (-_FRESH_S, None))
        if terminal is None or time.monotonic() - read_at >= _FRESH_S:
            return None
        self._busy.add(number)
        return terminal

    async def read(self, number: int) -> Terminal | None:
        """The terminal as it is now."""
        if not 0 < number < _NUMBER_MOST:
            return None
        if number not in self._asked:
            self._asked[number] = asyncio.get_running_loop().create_future()
        future = self._asked[number]
        if self._asking is None:
            self._asking = asyncio.create_task(self._ask())
        return await asyncio.shield(future)  # others may wait for the same answer

    async def _ask(self) -> None:
        """Ask for all that wait, until none does; a question is about what is asked for before it is sent."""
        while self._asked:
            asked, self._asked = self._asked, {}
            try:
                found = await self._look(list(asked))
            except Exception as error:  # noqa: BLE001 - whatever it was, it is for those who asked
                for future in asked.values():
                    future.set_exception(error)
                continue
            for number, future in asked.items():
                future.set_result(found.get(number))
        self._asking = None

    async def _look(self, numbers: list[int]) -> dict[int, Terminal]:
        """Read these terminals, and remember what they are now."""
        rows = await self._lane.fetch(_SQL, [pack("int8", numbers)])
        found = {row[1]: Terminal(*row)._replace(scenes=frozenset(row[4])) for row in rows}
        read_at = time.monotonic()
        for number in numbers:
            if number in found:
                self._known[number] = (read_at, found[number])
            else:
                self._known.pop(number, None)
        return found

    async def keep_fresh(self) -> None:
        """Renew what is asked for, and forget what is not, until cancelled."""
        while True:
            await asyncio.sleep(_RENEW_S)
            try:
                await self.renew()
            except Exception as error:  # noqa: BLE001 - they grow old, and are asked for one by one
                logs.failure("terminals_not_renewed", error)

    async def renew(self) -> None:
        """Read again those who asked since the last time; the others are forgotten."""
        busy, self._busy = list(self._busy), set()
        self._known = {number: self._known[number] for number in busy if number in self._known}
        for start in range(0, len(busy), _TOGETHER):
            await self._look(busy[start : start + _TOGETHER])

    async def get(self, number: int) -> Terminal | None:
        return self.remembered(number) or await self.read(number)

    def is_worth_another_look(self, number: int) -> bool:
        """Whether what is remembered is older than a second: a flood of bad MACs asks the database no more often."""
        read_at, _ = self._known.get(number, (0.0, None))
        return time.monotonic() - read_at > _LOOK_AGAIN_S
