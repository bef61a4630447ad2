"""When an outlet is open: the week, holidays, worked weekends, changes; and the words for it."""

from datetime import date, datetime, time

import pytest

from yikatong.core.clock import BEIJING
from yikatong.core.workdays import Calendar
from yikatong.registry.outlets import hours
from yikatong.registry.outlets.hours import Change, Plan, Span, parse
from yikatong.registry.outlets.rules import BadHours

DAYS = Calendar()
OFFICE = parse("9:00-12:00 13:30-17:00")
WEEK = dict.fromkeys(range(1, 6), OFFICE)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=BEIJING)


@pytest.mark.clause("B9", "S14")
@pytest.mark.parametrize(
    ("moment", "words"),
    [
        ("2026-11-20 10:00", "正在服务，12:00 结束"),  # a Friday
        ("2026-11-20 12:00", "现在不开放，11月20日（周五）13:30开门"),
        ("2026-11-20 17:00", "现在不开放，11月23日（周一）09:00开门"),
        ("2026-10-01 10:00", "现在不开放，10月8日（周四）09:00开门"),  # National Day, seven days off
        ("2026-10-10 10:00", "正在服务，12:00 结束"),  # a Saturday worked in exchange
        ("2026-11-21 10:00", "现在不开放，11月23日（周一）09:00开门"),  # a plain Saturday
    ],
)
def test_open_now_or_when_next(moment: str, words: str) -> None:
    found = hours.standing(Plan(WEEK), at(moment), DAYS)
    assert found is not None
    assert found.words == words


def test_a_change_stands_above_plan_and_holiday_and_says_why() -> None:
    closed = Change(date(2026, 11, 23), date(2026, 11, 24), None, "系统升级")
    short = Change(date(2026, 10, 1), date(2026, 10, 1), Span(time(9), time(11)), "节日值班")
    plan = Plan(WEEK, [closed, short])
    found = hours.standing(plan, at("2026-11-23 10:00"), DAYS)
    assert found is not None
    assert (found.is_open, found.reason, found.today) == (False, "系统升级", "今天不开放")
    assert found.opens == at("2026-11-25 09:00")
    duty = hours.standing(plan, at("2026-10-01 10:00"), DAYS)
    assert duty is not None
    assert (duty.is_open, duty.closes, duty.reason) == (True, time(11), "节日值班")


def test_holiday_hours_are_used_on_holidays_only() -> None:
    plan = Plan(WEEK | {0: parse("10:00-15:00")})
    assert hours.standing(plan, at("2026-10-03 10:30"), DAYS).is_open  # type: ignore[union-attr]
    assert not hours.standing(plan, at("2026-11-21 10:30"), DAYS).is_open  # type: ignore[union-attr]


def test_where_no_hours_are_entered_nothing_is_guessed() -> None:
    assert hours.standing(Plan({}), at("2026-11-20 10:00"), DAYS) is None


def test_the_week_is_spoken_shortly() -> None:
    week = WEEK | {6: parse("9:00-12:00"), 0: parse("10:00-12:00")}
    assert hours.spoken(week) == "周一至周五 9:00–12:00，13:30–17:00；周六 9:00–12:00；法定节假日 10:00–12:00"
    assert (
        hours.spoken({1: OFFICE[:1], 2: OFFICE[:1], 4: OFFICE[:1]})
        == "周一、周二 9:00–12:00；周四 9:00–12:00"
    )


@pytest.mark.parametrize(
    "text", ["9-12", "9:00-12:00 11:00-13:00", "12:00-9:00", "25:00-26:00", "9:00-12:00 x", "9:61-10:00"]
)
def test_hours_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(BadHours):
        parse(text)


def test_hours_are_read_as_people_write_them() -> None:
    assert parse("9:00–12:00，13:30至17:00") == OFFICE
    assert parse(" ") == []
