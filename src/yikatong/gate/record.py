"""Send a batch of rows to the statement, and read its answer."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from itertools import count
from typing import Any

from psycopg.errors import UniqueViolation

from yikatong.gate.arrays import pack, packer
from yikatong.gate.lane import Lane
from yikatong.gate.row import Decision, Row
from yikatong.gate.statement import OFFLINE, OFFLINE_NEW, OFFLINE_TYPES, ONLINE, ONLINE_TYPES, STORED

_online = packer(ONLINE_TYPES.values())
_offline = packer(OFFLINE_TYPES.values())
_ONLINE_FIELDS = len(ONLINE_TYPES)


async def record(lane: Lane, rows: Sequence[Row]) -> list[Decision]:
    """Online uses; no two of the same identity or the same code. In the order of the rows, after the commit."""
    return [
        Decision(*found) for found in await lane.fetch(ONLINE, online_parameters(rows, datetime.now(UTC)))
    ]


def online_parameters(rows: Sequence[Row], received_at: datetime) -> list[Any]:
    """What the statement of online uses takes."""
    return [*_online([row[:_ONLINE_FIELDS] for row in rows]), received_at, received_at]


async def record_offline(lane: Lane, rows: Sequence[Row]) -> list[Decision]:
    """Offline uses handed in; the same conditions and the same order."""
    received_at, packed = datetime.now(UTC), _offline(rows)
    with suppress(UniqueViolation):  # something of it was handed in before, or its code was used elsewhere
        found = await lane.fetch(OFFLINE_NEW, (*packed, received_at))
        return [_first(*decided) for decided in zip(count(1), rows, *found[0], strict=False)]
    return [Decision(*found) for found in await lane.fetch(OFFLINE, (*packed, received_at, received_at))]


def _first(ordinal: int, row: Row, refusal: int, state: int, granted: int, flag: int) -> Decision:
    """What was stored of a use that came for the first time."""
    if state:
        return Decision(ordinal, refusal, state, row.scene, 0, 0, 0)
    return Decision(ordinal, refusal, 0, row.scene, row.amount_fen, granted, flag)


async def stored_digests(lane: Lane, rows: Sequence[Row]) -> dict[tuple[int, int], bytes]:
    """The content digests of those sequences that are taken."""
    days = [row.day for row in rows]
    parameters = [
        pack("date", days),
        pack("int8", [row.terminal for row in rows]),
        pack("int8", [row.sequence for row in rows]),
        pack("date", sorted(set(days))),
    ]
    found = await lane.fetch(STORED, parameters)
    return {rows[ordinal - 1].identity: digest for ordinal, digest in found}
