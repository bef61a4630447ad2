"""`python -m bench.gate.drivers`: the gate's statement through psycopg and asyncpg; not part of `make bench`.

Needs asyncpg, which the house does not (docs/adr). Prints rows a second and the client's CPU for each row.
"""

import os
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import uvloop

from bench.gate import server
from bench.gate.requests_made import Maker
from yikatong.gate import examine, sequence
from yikatong.gate.arrays import EPOCH, EPOCH_UNIX, day_from_number
from yikatong.gate.lane import Lane
from yikatong.gate.record import record
from yikatong.gate.row import Row
from yikatong.gate.statement import ONLINE, ONLINE_TYPES

SECONDS = 3.0


def rows(maker: Maker, keysets: Any, count: int) -> list[Row]:
    now = int(time.time())
    made = []
    for place in range(count):
        content = maker.presentation(now)
        found = examine.examine_bytes(content, keysets, scenes=frozenset({server.SCENE}), now=now)
        number = maker.sequence(place % server.TERMINALS)
        made.append(
            Row(
                server.FIRST_TERMINAL + 1 + place % server.TERMINALS, 1, number,
                sequence.day_index(number // sequence.FACTOR), (now - EPOCH_UNIX) * 1_000_000, *found[:5],
                200, found.concession, examine.digest(content, 200), *found[6:], examine.shown_day(found.made_at),
            )
        )  # fmt: skip
    return made


def asyncpg_values(batch: Sequence[Row]) -> list[Any]:
    """Lists of Python values, as asyncpg takes them."""
    columns = [list(column) for column in zip(*(row[: len(ONLINE_TYPES)] for row in batch), strict=True)]
    for place, kind in enumerate(ONLINE_TYPES.values()):
        if kind == "date":
            columns[place] = [day_from_number(day) for day in columns[place]]
        elif kind == "timestamptz":
            columns[place] = [EPOCH + timedelta(microseconds=at) for at in columns[place]]
    now = datetime.now(UTC)
    return [*columns, now, now]


async def through_asyncpg(dsn: str) -> Callable[[Sequence[Row]], Awaitable[Any]]:
    import asyncpg  # type: ignore[import-untyped]

    text = ONLINE
    for number in range(ONLINE.count("%b")):
        text = text.replace("%b", f"${number + 1}", 1)
    settings = {"jit": "off", "plan_cache_mode": "force_generic_plan"}
    connection = await asyncpg.connect(dsn, server_settings=settings)
    statement = await connection.prepare(text)
    return lambda batch: statement.fetch(*asyncpg_values(batch))


async def measure(
    name: str, send: Callable[[Sequence[Row]], Awaitable[Any]], batches: list[list[Row]]
) -> None:
    started, cpu, sent = time.perf_counter(), time.process_time(), 0
    for batch in batches:
        await send(batch)
        sent += len(batch)
        if time.perf_counter() - started > SECONDS:
            break
    took, used = time.perf_counter() - started, time.process_time() - cpu
    print(
        f"{name:9} batch {len(batches[0]):4}  {sent / took:9,.0f} rows/s  {used / sent * 1e6:7.1f} µs CPU a row",
        flush=True,
    )


async def compare(dsn: str, maker: Maker, keysets: Any) -> None:
    lane = Lane(dsn)
    asyncpg_send = await through_asyncpg(dsn)
    for size in (1, 32, 256):
        for _ in range(3):
            for name, send in (("psycopg", lambda batch: record(lane, batch)), ("asyncpg", asyncpg_send)):
                made = rows(maker, keysets, 8192 if size > 1 else 2048)
                await measure(name, send, [made[at : at + size] for at in range(0, len(made), size)])
    await lane.close()


def main() -> None:
    home = Path("var/bench-gate").resolve()
    os.environ.setdefault("YIKATONG_HOME", str(home))
    with server.running(Path(os.environ["YIKATONG_HOME"])) as dsn:
        server.prepare(dsn)
        keyset = server.keyset(dsn)
        uvloop.run(compare(dsn, Maker(keyset), {(keyset.issuer, keyset.key_id): keyset}))
        with psycopg.connect(dsn, autocommit=True) as connection:
            connection.execute("TRUNCATE usage_use, usage_shown")


if __name__ == "__main__":
    main()
