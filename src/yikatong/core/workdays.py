"""Working days, in which the law counts its limits (工作日).

The arrangement of public holidays, with its exchanged weekends, is published each autumn for the next year.
A day is looked up where it is known best: in what an administrator has entered, in `workdays.toml` (years by
official notice), in PyPI `chinesecalendar` (the years before), else by the statutory days of rest. A limit that
reaches into a year not yet published is expected (预计), and says so.
"""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cache
from importlib import resources
from typing import Final, Literal, NamedTuple

import chinese_calendar

Certainty = Literal["published", "statutory", "fixed"]

#: 全国年节及纪念日放假办法 (2024): New Year, Labour Day, National Day. The others follow the moon and the sun.
_FIXED: Final = frozenset({(1, 1), (5, 1), (5, 2), (10, 1), (10, 2), (10, 3)})


class _Year(NamedTuple):
    rest: frozenset[date]
    work: frozenset[date]
    notice: str


@dataclass(frozen=True, slots=True)
class Calendar:
    """The public calendar, and above it an administrator's own: `days` (whether offices work) and `years` he
    says are published as entered.
    """

    days: Mapping[date, bool] = field(default_factory=dict)
    years: frozenset[int] = frozenset()

    def is_workday(self, day: date) -> bool:
        """Whether offices work on `day`."""
        if day in self.days:
            return self.days[day]
        return day.isoweekday() <= 5 if day.year in self.years else _public(day)

    def is_holiday(self, day: date) -> bool:
        """Whether `day` is a public holiday, or lies in the days off around one: more than a plain weekend."""
        if day in self.days:
            return not self.days[day]
        return day.year not in self.years and _public_holiday(day)

    def add(self, day: date, count: int) -> date:
        """The `count`-th working day after `day`, which itself does not count; negative counts go back.

        Zero gives `day` if offices work on it, else the next working day: an act due "today" on a Sunday.
        """
        if count == 0:
            return day if self.is_workday(day) else self.add(day, 1)
        step = timedelta(days=1 if count > 0 else -1)
        left = abs(count)
        while left:
            day += step
            left -= self.is_workday(day)
        return day

    def between(self, start: date, end: date) -> int:
        """Working days after `start` up to and with `end`; negative when `end` is before `start`."""
        if end < start:
            return -self.between(end, start)
        return sum(self.is_workday(day) for day in _days(start, end))

    def certainty(self, year: int) -> Certainty:
        """How the days of `year` are known: as published, by the statutory days, or by those of a fixed date."""
        if year in self.years:
            return "published"
        entry = _table().get(year)
        if entry is None:
            return "published" if _packaged(year) else "fixed"
        return "published" if entry.notice else "statutory"

    def is_expected(self, day: date) -> bool:
        """Whether a limit ending on `day` may still shift: its year's arrangement is not published (预计)."""
        return self.certainty(day.year) != "published"


PUBLIC: Final = Calendar()
is_workday = PUBLIC.is_workday
add_workdays = PUBLIC.add
workdays_between = PUBLIC.between
certainty = PUBLIC.certainty


def notice_of(year: int) -> str:
    """The notice that `workdays.toml` cites for the year, e.g. 国办发明电〔2025〕7号; "" where it has none."""
    entry = _table().get(year)
    return entry.notice if entry else ""


def _public(day: date) -> bool:
    year = _table().get(day.year)
    if year is None and _packaged(day.year):
        return bool(chinese_calendar.is_workday(day))
    if year and day in year.rest | year.work:
        return day in year.work
    is_rest = year is None and (day.month, day.day) in _FIXED
    return day.isoweekday() <= 5 and not is_rest


def _public_holiday(day: date) -> bool:
    year = _table().get(day.year)
    if year is not None:
        return day in year.rest
    if _packaged(day.year):
        is_off, name = chinese_calendar.get_holiday_detail(day)
        return bool(is_off and name)
    return (day.month, day.day) in _FIXED


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
        int(year): _Year(_spread(entry["rest"]), _spread(entry["work"]), entry["notice"])
        for year, entry in tomllib.loads(text).items()
    }


def _spread(spans: list[str]) -> frozenset[date]:
    """Days of "2026-10-01" and "2026-10-01/2026-10-07"."""
    ends = (span.split("/") for span in spans)
    return frozenset(
        day
        for one in ends
        for first, last in [(date.fromisoformat(one[0]), date.fromisoformat(one[-1]))]
        for day in _days(first - timedelta(days=1), last)
    )
