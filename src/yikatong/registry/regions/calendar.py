"""The working days of this installation: the public calendar, and above it what an administrator has entered."""

from datetime import date
from typing import Final

from yikatong.core.asking import Question
from yikatong.core.workdays import Calendar
from yikatong.registry.regions.models import CalendarYear

#: The longest limit of a step, with holidays, ends in the next year at the latest.
_YEARS_AHEAD: Final = 1

_DAYS: Final = Question(
    lambda first, last: CalendarYear.objects.filter(year__gte=first, year__lte=last).values_list(
        "year", "is_published", "days__day", "days__works"
    ),
    int,
    int,
)


def calendar(day: date, *, until: date | None = None) -> Calendar:
    """For limits around `day` (and up to `until`): the year before, its own, the next. One query."""
    last = (until or day).year + _YEARS_AHEAD
    found = _DAYS(day.year - _YEARS_AHEAD, last)
    return Calendar(
        days={own: bool(works) for _, _, own, works in found if own is not None},
        years=frozenset(year for year, is_published, _, _ in found if is_published),
    )
