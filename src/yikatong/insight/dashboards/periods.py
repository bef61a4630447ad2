"""The spans a board speaks of, and what each is compared with. Pure."""

from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from typing import Self

from yikatong.core.clock import BEIJING


class Range(StrEnum):
    """What the reader asks for; `label` and `against` are Chinese, for the page."""

    label: str
    against: str

    def __new__(cls, value: str, label: str = "", against: str = "") -> Self:
        member = str.__new__(cls, value)
        member._value_ = value
        member.label, member.against = label, against
        return member

    DAY = "day", "今日", "较昨日同时段"
    WEEK = "week", "近7日", "较前7日"
    MONTH = "month", "本月", "较上月同期"


@dataclass(frozen=True, slots=True)
class Span:
    """Half-open, in instants."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Period:
    """A span up to now, and the equally long one it is compared with."""

    range: Range
    now: Span
    before: Span


def period(range_: Range, at: datetime) -> Period:
    """Spans begin at a Beijing midnight and end at this time of day."""
    local = at.astimezone(BEIJING)
    midnight = datetime.combine(local.date(), time(), BEIJING)
    if range_ is Range.MONTH:
        return _month(local)
    days = 1 if range_ is Range.DAY else 7
    start = midnight - timedelta(days=days - 1)
    back = timedelta(days=days)
    return Period(range_, _span(start, at), _span(start - back, at - back))


def _month(local: datetime) -> Period:
    start = local.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    before = (start - timedelta(days=1)).replace(day=1)
    # On the 31st the month before may have no such day: then all of it is the same time of that month.
    days = monthrange(before.year, before.month)[1]
    end = min(before + (local - start), before + timedelta(days=days))
    return Period(Range.MONTH, _span(start, local), _span(before, end))


def _span(start: datetime, end: datetime) -> Span:
    return Span(start.astimezone(UTC), end.astimezone(UTC))
