"""Working days, in which the law counts its limits (工作日).

The arrangement of public holidays, with its exchanged weekends, is published each November for the next
year: PyPI `chinesecalendar` has the published years. For a later year `workdays.toml` may bring it as soon as
it is out; until then the statutory days of rest in that file count, and after its last year the weekdays.
"""

import tomllib
from collections.abc import Iterator
from datetime import date, timedelta
from functools import cache
from importlib import resources
from typing import Literal, NamedTuple

import chinese_calendar

Certainty = Literal["published", "statutory", "weekdays"]


class _Year(NamedTuple):
    rest: frozenset[date]
    work: frozenset[date]
    published: bool


def is_workday(day: date) -> bool:
    """Whether offices work on `day`."""
    if _packaged(day.year):
        return bool(chinese_calendar.is_workday(day))
    year = _table().get(day.year)
    if year and day in year.rest | year.work:
        return day in year.work
    return day.isoweekday() <= 5


def add_workdays(day: date, count: int) -> date:
    """The `count`-th working day after `day`, which itself does not count; negative counts go back.

    Zero gives `day` if offices work on it, else the next working day: an act due "today" on a Sunday.
    """
    if count == 0:
        return day if is_workday(day) else add_workdays(day, 1)
    step = timedelta(days=1 if count > 0 else -1)
    left = abs(count)
    while left:
        day += step
        left -= is_workday(day)
    return day


def workdays_between(start: date, end: date) -> int:
    """Working days after `start` up to and with `end`; negative when `end` is before `start`."""
    if end < start:
        return -workdays_between(end, start)
    return sum(is_workday(day) for day in _days(start, end))


def certainty(year: int) -> Certainty:
    """How the days of `year` are known: as published, by the statutory days alone, or by weekdays alone."""
    if _packaged(year):
        return "published"
    entry = _table().get(year)
    return "weekdays" if entry is None else "published" if entry.published else "statutory"


def _days(start: date, end: date) -> Iterator[date]:
    for offset in range(1, (end - start).days + 1):
        yield start + timedelta(days=offset)


@cache
def _packaged(year: int) -> bool:
    try:
        chinese_calendar.is_workday(date(year, 1, 1))
    except NotImplementedError:
        return False
    return True


@cache
def _table() -> dict[int, _Year]:
    text = (resources.files("yikatong.core") / "workdays.toml").read_text(encoding="utf-8")
    return {
        int(year): _Year(frozenset(entry["rest"]), frozenset(entry["work"]), entry["published"])
        for year, entry in tomllib.loads(text).items()
    }
