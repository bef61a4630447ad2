"""Terminals as the gate remembers them: whom to believe, and for which scenes.

The memory may be old; the statement reads status, key generation and scenes again with every use. A request
whose MAC does not fit makes the gate look again at once, so a newly enrolled terminal waits for nothing.
"""

import time
from typing import NamedTuple
from uuid import UUID

from yikatong.gate.lane import Lane

_FRESH_S = 30.0
_LOOK_AGAIN_S = 1.0
_SQL = """SELECT id, number, status, key_generation, scenes, offline_uses_max FROM access_terminal WHERE number = %s"""


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

    def remembered(self, number: int) -> Terminal | None:
        """The terminal if it was read within the last half minute."""
        read_at, terminal = self._known.get(number, (-_FRESH_S, None))
        return terminal if time.monotonic() - read_at < _FRESH_S else None

    async def read(self, number: int) -> Terminal | None:
        """The terminal as it is now."""
        rows = await self._lane.fetch(_SQL, [number])
        if not rows:
            self._known.pop(number, None)
            return None
        key, number, status, generation, scenes, most = rows[0]
        terminal = Terminal(key, number, status, generation, frozenset(scenes), most)
        self._known[number] = (time.monotonic(), terminal)
        return terminal

    async def get(self, number: int) -> Terminal | None:
        return self.remembered(number) or await self.read(number)

    def is_worth_another_look(self, number: int) -> bool:
        """Whether what is remembered is older than a second: a flood of bad MACs asks the database no more often."""
        read_at, _ = self._known.get(number, (0.0, None))
        return time.monotonic() - read_at > _LOOK_AGAIN_S
