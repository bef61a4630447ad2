from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yikatong.core.workdays import add_workdays, certainty, is_workday, workdays_between

DAYS = st.dates(date(2020, 1, 1), date(2032, 12, 31))


@pytest.mark.parametrize(
    ("day", "works"),
    [
        (date(2026, 9, 30), True),
        (date(2026, 10, 1), False),
        (date(2026, 10, 10), True),  # a Saturday worked in exchange
        (date(2026, 11, 21), False),
        (date(2027, 2, 8), False),  # Monday of the Spring Festival
        (date(2027, 2, 9), True),
        (date(2029, 10, 1), True),  # nothing known: Monday to Friday
        (date(2029, 10, 6), False),
    ],
)
def test_days(day: date, works: bool) -> None:  # noqa: FBT001
    assert is_workday(day) is works


@pytest.mark.clause("B1", "S14")
@pytest.mark.parametrize(
    ("day", "count", "due"),
    [
        (date(2026, 11, 20), 1, date(2026, 11, 23)),  # Friday
        (date(2026, 9, 30), 1, date(2026, 10, 8)),  # before the national holiday
        (date(2026, 9, 30), 3, date(2026, 10, 10)),  # the exchanged Saturday counts
        (date(2026, 12, 31), 1, date(2027, 1, 4)),  # over the border of the packaged years
        (date(2026, 11, 21), 0, date(2026, 11, 23)),
        (date(2026, 11, 20), 0, date(2026, 11, 20)),
        (date(2026, 10, 8), -1, date(2026, 9, 30)),
    ],
)
def test_limits(day: date, count: int, due: date) -> None:
    assert add_workdays(day, count) == due


def test_how_sure_a_year_is() -> None:
    assert [certainty(year) for year in (2026, 2027, 2028)] == ["published", "statutory", "weekdays"]


@given(DAYS, st.integers(1, 40))
def test_adding_and_counting_agree(day: date, count: int) -> None:
    due = add_workdays(day, count)

    assert is_workday(due)
    assert workdays_between(day, due) == count
    assert workdays_between(due, day) == -count
    assert add_workdays(due + timedelta(days=1), -1) == due
