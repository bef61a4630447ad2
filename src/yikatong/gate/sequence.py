"""Sequences: YYYYMMDD × 10⁸ + n. The day is the terminal's business day, so the day of a use follows from it."""

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache

from yikatong.core.clock import BEIJING
from yikatong.gate.arrays import day_number

FACTOR = 10**8
# A bus that signed in yesterday drives on past midnight; the next sign-in gives the next day.
_LATE = timedelta(hours=4)


def base(day: date) -> int:
    return (day.year * 10_000 + day.month * 100 + day.day) * FACTOR


@lru_cache(maxsize=512)
def day_of_number(number: int) -> date | None:
    """The day of YYYYMMDD, None when there is no such day."""
    try:
        return date(number // 10_000, number // 100 % 100, number % 100)
    except ValueError:
        return None


def day_of(sequence: int) -> date | None:
    """The business day of a sequence; None when it names none, or has no number within the day."""
    return day_of_number(sequence // FACTOR) if sequence % FACTOR else None


@lru_cache(maxsize=512)
def day_index(number: int) -> int:
    """Days since 2000-01-01 of YYYYMMDD; only for days that exist."""
    day = day_of_number(number)
    assert day is not None  # noqa: S101 - the caller asked `day_of` first
    return day_number(day)


@lru_cache(maxsize=512)
def bounds(day: date) -> tuple[int, int]:
    """The business day as unix seconds, half-open: from midnight in Beijing to four in the next morning."""
    start = datetime.combine(day, time(), BEIJING).astimezone(UTC)
    return int(start.timestamp()), int((start + timedelta(days=1) + _LATE).timestamp())
