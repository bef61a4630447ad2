from datetime import date, timedelta

import chinese_calendar
import pytest
from hypothesis import given
from hypothesis import strategies as st

from yikatong.core.workdays import (
    PUBLIC,
    Calendar,
    add_workdays,
    certainty,
    is_workday,
    notice_of,
    workdays_between,
)

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
        (date(2029, 10, 1), False),  # nothing published: the fixed days of rest
        (date(2029, 10, 4), True),
        (date(2029, 10, 6), False),
        (date(2023, 1, 28), True),  # a year of the package alone: a Saturday worked in exchange
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
    assert [certainty(year) for year in (2026, 2027, 2028)] == ["published", "statutory", "fixed"]


@given(DAYS, st.integers(1, 40))
def test_adding_and_counting_agree(day: date, count: int) -> None:
    due = add_workdays(day, count)

    assert is_workday(due)
    assert workdays_between(day, due) == count
    assert workdays_between(due, day) == -count
    assert add_workdays(due + timedelta(days=1), -1) == due


@pytest.mark.parametrize(
    ("year", "notice"), [(2025, "国办发明电〔2024〕12号"), (2026, "国办发明电〔2025〕7号")]
)
def test_our_table_agrees_with_the_package(year: int, notice: str) -> None:
    days = [date(year, 1, 1) + timedelta(days=n) for n in range(365)]

    assert [day for day in days if is_workday(day) != chinese_calendar.is_workday(day)] == []
    assert notice_of(year) == notice


def test_days_entered_by_an_administrator_stand_above_all() -> None:
    own = Calendar({date(2027, 2, 9): False, date(2027, 2, 20): True}, frozenset({2027}))

    assert own.add(date(2027, 2, 8), 1) == date(2027, 2, 10)
    assert PUBLIC.add(date(2027, 2, 8), 1) == date(2027, 2, 9)
    assert own.is_workday(date(2027, 2, 20))  # a Saturday worked in exchange
    assert own.is_workday(date(2027, 6, 9))  # published as entered: the statutory guess counts no more
    assert not PUBLIC.is_workday(date(2027, 6, 9))
    assert (own.is_expected(date(2027, 3, 1)), PUBLIC.is_expected(date(2027, 3, 1))) == (False, True)
    assert not PUBLIC.is_expected(date(2026, 12, 31))
