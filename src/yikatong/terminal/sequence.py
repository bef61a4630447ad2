"""Sequences: YYYYMMDD × 10⁸ + n, never given twice. The day is the business day by the gate's clock."""

from datetime import UTC, datetime

from yikatong.core.clock import day_of
from yikatong.terminal.store import Store

_FACTOR = 10**8


def take(store: Store, *, at: int) -> int:
    """The next sequence, for use within the same transaction; call it inside `store.transaction()`.

    A terminal that stays offline past midnight goes on with the new day by itself.
    """
    sequence = max(int(store.get("sequence_next") or 0), first_of_day(at))
    store.put(sequence_next=sequence + 1)
    return sequence


def raise_to(store: Store, sequence_next: int) -> None:
    """What the gate knows of; what the terminal knows of (uses not handed in) may be further."""
    if sequence_next > int(store.get("sequence_next") or 0):
        store.put(sequence_next=sequence_next)


def first_of_day(at: int) -> int:
    day = day_of(datetime.fromtimestamp(at, UTC))
    return int(f"{day:%Y%m%d}") * _FACTOR + 1
