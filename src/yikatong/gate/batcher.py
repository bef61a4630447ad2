"""Natural group commit: a batch is whatever arrived while the commits before it were on their way.

Nobody waits for a timer: a lane that is free takes all that waits, at most `BATCH_MOST`. Two lanes, so that one
batch is gathered and packed while the other is written. An answer is given after the commit and never before.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence

import psycopg

from yikatong.gate import logs
from yikatong.gate.lane import Lane, is_broken
from yikatong.gate.record import record, stored_digests
from yikatong.gate.row import Decision, Failed, Fate, Row

BATCH_MOST = 256
LANES = 2
WAITING_MOST = 20_000
PATIENCE_S = 10.0
_PAUSE_S = 0.1

_Entry = tuple[Row, "asyncio.Future[Fate]"]
Recorder = Callable[[Lane, Sequence[Row]], Awaitable[list[Decision]]]


class Unavailable(Exception):
    """The database gave no answer in time; whether the uses are recorded is unknown, sending again is safe."""


class Batcher:
    """Takes rows one by one and records them in batches. `submit` needs a running event loop."""

    def __init__(self, lanes: Sequence[Lane], recorder: Recorder = record) -> None:
        self._lanes, self._record = lanes, recorder
        self._waiting: deque[_Entry] = deque()
        self._arrived = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._is_closing = False

    def start(self) -> None:
        self._tasks = [asyncio.create_task(self._serve(lane)) for lane in self._lanes]

    async def close(self) -> None:
        """Finish what waits, then end."""
        self._is_closing = True
        self._arrived.set()
        await asyncio.gather(*self._tasks)

    def submit(self, row: Row) -> asyncio.Future[Fate]:
        """The row's fate, known after the commit. Unavailable when too much waits already."""
        if len(self._waiting) >= WAITING_MOST or self._is_closing:
            raise Unavailable
        future: asyncio.Future[Fate] = asyncio.get_running_loop().create_future()
        self._waiting.append((row, future))
        self._arrived.set()
        return future

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    async def _serve(self, lane: Lane) -> None:
        while True:
            await self._arrived.wait()
            batch = self._take()
            if batch:
                await self._settle(lane, batch)
            elif self._is_closing:
                return
            else:
                self._arrived.clear()

    def _take(self) -> list[_Entry]:
        """The next batch, in order of arrival. A second row of the same use or the same code waits a turn."""
        batch: list[_Entry] = []
        later: list[_Entry] = []
        seen: set[object] = set()
        while self._waiting and len(batch) < BATCH_MOST:
            entry = self._waiting.popleft()
            row = entry[0]
            if row.identity in seen or (not row.outcome and row.shown in seen):
                later.append(entry)
                continue
            seen.add(row.identity)
            seen.add(row.shown)
            batch.append(entry)
        self._waiting.extendleft(reversed(later))
        return batch

    async def _settle(self, lane: Lane, batch: list[_Entry]) -> None:
        try:
            fates: Sequence[Fate | Exception] = await decide(lane, [row for row, _ in batch], self._record)
        except Exception as error:  # noqa: BLE001 - whatever it was, nobody may wait for ever
            fates = [error] * len(batch)
        for (_, future), fate in zip(batch, fates, strict=True):
            if future.done():  # its asker has gone
                continue
            if isinstance(fate, Exception):
                future.set_exception(fate)
            else:
                future.set_result(fate)


async def decide(lane: Lane, rows: Sequence[Row], recorder: Recorder = record) -> list[Fate]:
    """Record rows whose uses and codes are distinct; one bad row harms no other. Unavailable, or every fate."""
    try:
        return list(await _persist(lane, rows, recorder))
    except psycopg.Error as error:
        logs.event("batch_fell", rows=len(rows), sqlstate=error.sqlstate or "")
        return await _sift(lane, rows, recorder)


async def _persist(lane: Lane, rows: Sequence[Row], recorder: Recorder) -> list[Decision]:
    """Send again while the database is away: a use is recorded once, however often it is sent."""
    deadline = asyncio.get_running_loop().time() + PATIENCE_S
    while True:
        try:
            return await recorder(lane, rows)
        except psycopg.Error as error:
            if not is_broken(error):
                raise
            if asyncio.get_running_loop().time() > deadline:
                raise Unavailable from error
            await asyncio.sleep(_PAUSE_S)


async def _sift(lane: Lane, rows: Sequence[Row], recorder: Recorder) -> list[Fate]:
    """The statement fell. Take out the sequences that hold another use, then go on one by one."""
    taken = await stored_digests(lane, rows)
    fates: list[Fate] = []
    for row in rows:
        if taken.get(row.identity, row.digest) != row.digest:
            fates.append(Failed(reused=True))
        else:
            fates.append(await _alone(lane, row, recorder))
    return fates


async def _alone(lane: Lane, row: Row, recorder: Recorder) -> Fate:
    try:
        return (await _persist(lane, [row], recorder))[0]
    except psycopg.errors.NotNullViolation:
        return Failed(reused=True)
    except psycopg.Error as error:
        logs.event("row_failed", terminal=row.terminal, sequence=row.sequence, sqlstate=error.sqlstate or "")
        return Failed(reused=False)
