"""When an outlet is open: its week plan, the public holidays, what has been changed for some days. Pure."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from itertools import groupby, pairwise
from typing import Final, NamedTuple

from yikatong.core.clock import BEIJING, day_of
from yikatong.core.workdays import Calendar
from yikatong.registry.outlets.models import DayKind
from yikatong.registry.outlets.rules import SPANS_MOST, BadHours

#: How far ahead the next opening is looked for: a long holiday, and the days around it.
_AHEAD_DAYS: Final = 30
_SPAN: Final = re.compile(r"(\d{1,2})[:：](\d{2})\s*[-–—~至]\s*(\d{1,2})[:：](\d{2})")
_NAMES: Final = {kind.value: kind.label for kind in DayKind}


class Span(NamedTuple):
    """From … to, Beijing time, within a day."""

    opens: time
    closes: time

    def __str__(self) -> str:
        return f"{self.opens.hour}:{self.opens:%M}–{self.closes.hour}:{self.closes:%M}"


class Change(NamedTuple):
    """Both days count; no span: closed."""

    since: date
    until: date
    span: Span | None
    reason: str


@dataclass(frozen=True, slots=True)
class Plan:
    """`week`: spans by kind of day (DayKind). A later change of the same day stands above an earlier one."""

    week: Mapping[int, Sequence[Span]]
    changes: Sequence[Change] = field(default_factory=tuple)

    def on(self, day: date, calendar: Calendar) -> tuple[Sequence[Span], str]:
        """The spans of a day, and why they are other than the weekday's ("" when they are not)."""
        changed = [one for one in self.changes if one.since <= day <= one.until]
        if changed:
            span = changed[-1].span
            return ([span] if span else []), changed[-1].reason
        kind, why = kind_of(day, calendar)
        return self.week.get(kind, ()), why


@dataclass(frozen=True, slots=True)
class Standing:
    """`closes`: when it closes, while it is open; `opens`: when it opens next, while it is not, if soon."""

    is_open: bool
    closes: time | None
    opens: datetime | None
    reason: str
    today: str  # the day's spans in words, "今天不开放" without one

    @property
    def words(self) -> str:
        if self.is_open and self.closes:
            return f"正在服务，{self.closes.hour}:{self.closes:%M} 结束"
        if self.opens is None:
            return "现在不开放"
        return f"现在不开放，{self.opens_words}开门"

    @property
    def opens_words(self) -> str:
        if self.opens is None:
            return ""
        return (
            f"{self.opens.month}月{self.opens.day}日（{_NAMES[self.opens.isoweekday()]}）{self.opens:%H:%M}"
        )


def kind_of(day: date, calendar: Calendar) -> tuple[int, str]:
    """Which hours of the week plan a day has: a weekend that offices work has Monday's."""
    if calendar.is_holiday(day):
        return DayKind.HOLIDAY, "法定节假日"
    if day.isoweekday() > 5 and calendar.is_workday(day):
        return DayKind.MONDAY, "调休上班"
    return day.isoweekday(), ""


def standing(plan: Plan, at: datetime, calendar: Calendar) -> Standing | None:
    """Open now, or when next; None where no hours are entered: nothing is guessed."""
    if not any(plan.week.values()) and not plan.changes:
        return None
    local, today = at.astimezone(BEIJING), day_of(at)
    spans, reason = plan.on(today, calendar)
    words = "，".join(map(str, spans)) or "今天不开放"
    for span in spans:
        if span.opens <= local.time() < span.closes:
            return Standing(True, span.closes, None, reason, words)
    return Standing(False, None, _next(plan, local, calendar), reason, words)


def _next(plan: Plan, local: datetime, calendar: Calendar) -> datetime | None:
    for offset in range(_AHEAD_DAYS):
        day = local.date() + timedelta(days=offset)
        for span in plan.on(day, calendar)[0]:
            begins = datetime.combine(day, span.opens, BEIJING)
            if begins > local:
                return begins
    return None


def parse(text: str) -> list[Span]:
    """Spans of "9:00-12:00 13:30-17:00", in order; empty for nothing written. Raises BadHours."""
    found = [_span(one) for one in _SPAN.finditer(text)]
    rest = _SPAN.sub("", text)
    if rest.strip(" ,，;；、\t") or len(found) > SPANS_MOST:
        raise BadHours
    if any(span.closes <= span.opens for span in found):
        raise BadHours
    if any(later.opens < earlier.closes for earlier, later in pairwise(found)):
        raise BadHours
    return found


def _span(found: re.Match[str]) -> Span:
    hours = [int(one) for one in found.groups()]
    try:
        return Span(time(hours[0], hours[1]), time(hours[2], hours[3]))
    except ValueError:
        raise BadHours from None


def spoken(week: Mapping[int, Sequence[Span]]) -> str:
    """周一至周五 9:00–12:00，13:30–17:00；周六 9:00–12:00"""
    days = [(kind, "，".join(map(str, week[kind]))) for kind in range(1, 8) if week.get(kind)]
    parts = [f"{_days([kind for kind, _ in same])} {words}" for words, same in _runs(days)]
    if week.get(DayKind.HOLIDAY):
        parts.append(f"法定节假日 {'，'.join(map(str, week[DayKind.HOLIDAY]))}")
    return "；".join(parts)


def _runs(days: Iterable[tuple[int, str]]) -> Iterator[tuple[str, list[tuple[int, str]]]]:
    """Neighbouring days of the same hours."""
    numbered = [(kind - place, kind, words) for place, (kind, words) in enumerate(days)]
    for (_, words), same in groupby(numbered, key=lambda one: (one[0], one[2])):
        yield words, [(kind, said) for _, kind, said in same]


def _days(kinds: list[int]) -> str:
    if len(kinds) == 1:
        return _NAMES[kinds[0]]
    return f"{_NAMES[kinds[0]]}{'至' if len(kinds) > 2 else '、'}{_NAMES[kinds[-1]]}"
