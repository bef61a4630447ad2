"""A day's balance is carried forward by its count and summed from there; it is what all moves add up to."""

from collections.abc import Callable
from contextlib import suppress
from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests import cast
from yikatong.core.actor import Actor
from yikatong.core.clock import BEIJING, day_of
from yikatong.registry.regions.models import Outlet
from yikatong.registry.stock import actions, queries, rules
from yikatong.registry.stock.models import Blank, BlankMove, DayBalance

FIRST = datetime(2026, 11, 2, 9, 0, tzinfo=BEIJING)
KINDS = ("received", "issued", "spoiled", "returned", "missing")


@pytest.fixture
def clerk(db: None) -> Actor:
    cast.set_stage()
    Outlet.objects.update(issues_at_once=True)
    return cast.li_qiang().actor()


def receive(first: int, count: int, by: Actor, at: datetime, bank: str = cast.JOINT) -> None:
    actions.receive(bank, first=f"{first:08d}", count=count, by=by, at=at)


def count(by: Actor, at: datetime, bank: str = cast.JOINT) -> None:
    actions.count(bank, counted=0, note="测试", by=by, at=at)


def summed(day: date, bank: str = cast.JOINT) -> tuple[int, ...]:
    """By hand, of all moves there ever were."""
    begin = datetime.combine(day, time.min, BEIJING)
    moves = list(BlankMove.objects.filter(blank__bank=bank, at__lt=begin + timedelta(days=1)))
    today = [one.kind for one in moves if one.at >= begin]
    opening = sum(one.change for one in moves if one.at < begin)
    return (opening, *(today.count(kind) for kind in KINDS), sum(one.change for one in moves))


def told(by: Actor, day: date) -> dict[str, tuple[int, ...]]:
    rows = queries.balances(Outlet.objects.get(), by, day=day)
    return {one.bank.pk: (one.opening, *(getattr(one, kind) for kind in KINDS), one.closing) for one in rows}


@pytest.mark.clause("B5", "O10")
def test_a_count_carries_the_morning_forward(clerk: Actor) -> None:
    receive(1, 10, clerk, FIRST)
    count(clerk, FIRST + timedelta(hours=8))
    actions.spoil("00000001", reason="划伤", by=clerk, at=FIRST + timedelta(days=1))
    count(clerk, FIRST + timedelta(days=1, hours=8))
    carried = list(DayBalance.objects.order_by("day").values_list("day", "opening"))
    assert carried == [(date(2026, 11, 2), 0), (date(2026, 11, 3), 10)]
    assert told(clerk, date(2026, 11, 3)) == {cast.JOINT: (10, 0, 0, 1, 0, 0, 9)}
    assert told(clerk, date(2026, 11, 9)) == {cast.JOINT: (9, 0, 0, 0, 0, 0, 9)}
    assert told(clerk, date(2026, 11, 2)) == {cast.JOINT: (0, 10, 0, 0, 0, 0, 10)}
    assert told(clerk, date(2026, 11, 1)) == {}


def test_nothing_before_it_is_read(clerk: Actor) -> None:
    """Without the moves before the last count the balance is the same; the one before that is not."""
    receive(1, 10, clerk, FIRST)
    receive(11, 5, clerk, FIRST + timedelta(days=2))
    count(clerk, FIRST + timedelta(days=2, hours=8))
    assert told(clerk, date(2026, 11, 4)) == {cast.JOINT: (10, 5, 0, 0, 0, 0, 15)}
    BlankMove.objects.filter(at__lt=FIRST + timedelta(days=1)).delete()
    assert told(clerk, date(2026, 11, 4)) == {cast.JOINT: (10, 5, 0, 0, 0, 0, 15)}
    assert told(clerk, date(2026, 11, 3)) == {}


def test_just_after_midnight_yesterday_is_still_open(clerk: Actor) -> None:
    receive(1, 10, clerk, FIRST)
    count(clerk, datetime(2026, 11, 3, 0, 59, tzinfo=BEIJING))
    assert not DayBalance.objects.exists()
    count(clerk, datetime(2026, 11, 4, 1, 0, tzinfo=BEIJING))
    assert DayBalance.objects.get().opening == 10


def test_the_plan_reads_an_index(clerk: Actor) -> None:
    receive(1, 2_000, clerk, FIRST)
    count(clerk, FIRST + timedelta(days=1))
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE stock_blankmove")
        cursor.execute(
            "EXPLAIN SELECT sum(change) FROM stock_blankmove WHERE outlet_id = %s AND bank_id = %s AND at >= %s",
            [cast.HALL, cast.JOINT, FIRST + timedelta(days=1)],
        )
        assert "stock_move_balance" in "".join(row[0] for row in cursor.fetchall())


_ACTS = st.lists(
    st.tuples(st.sampled_from(["receive", "spoil", "give back", "count"]), st.integers(0, 40)), max_size=14
)


@pytest.mark.clause("B5", "O10")
@settings(
    max_examples=20, deadline=None, derandomize=True, database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip
@given(acts=_ACTS)
def test_it_is_what_all_moves_add_up_to(clerk: Actor, acts: list[tuple[str, int]]) -> None:
    """Whatever is received, spoiled, given back and counted, at any hour, on any of the days."""
    with transaction.atomic():
        at, last = FIRST, 0
        for name, pause in acts:
            at += timedelta(hours=pause)
            there = (
                Blank.objects.filter(status="in_stock")
                .order_by("serial")
                .values_list("serial", flat=True)
                .first()
            )
            todo: dict[str, Callable[[], Any]] = {
                "receive": lambda: receive(last + 1, 3, clerk, at),  # noqa: B023 - called at once
                "spoil": lambda: actions.spoil(there or "0", reason="划伤", by=clerk, at=at),  # noqa: B023
                "give back": lambda: actions.give_back(first=there or "0", count=1, by=clerk, at=at),  # noqa: B023
                "count": lambda: count(clerk, at),  # noqa: B023
            }
            with suppress(rules.BadPack, rules.BlankNotHere, rules.CountedAlready), transaction.atomic():
                todo[name]()
                last += 3 * (name == "receive")
        day = day_of(FIRST) - timedelta(days=1)
        while day <= day_of(at) + timedelta(days=1):
            is_known = BlankMove.objects.filter(
                at__lt=datetime.combine(day + timedelta(days=1), time.min, BEIJING)
            )
            carried = DayBalance.objects.filter(day__lte=day)
            wanted = {cast.JOINT: summed(day)} if is_known.exists() or carried.exists() else {}
            assert told(clerk, day) == wanted
            day += timedelta(days=1)
        for one in DayBalance.objects.all():
            assert one.opening == summed(one.day)[0]
        transaction.set_rollback(True)
