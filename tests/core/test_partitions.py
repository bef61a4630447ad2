"""Day partitions: nothing is lost before, while and after one is made."""

from datetime import date, datetime, timedelta
from uuid import UUID

import pytest
from django.db import connection

from yikatong.core import partitions
from yikatong.core.clock import BEIJING
from yikatong.core.models import Look
from yikatong.using.usage import tasks as usage

DAY = date(2031, 3, 1)
HOLDER = UUID("0195f3c0-0000-7000-8000-000000000001")

pytestmark = pytest.mark.django_db


def look(day: date) -> Look:
    at = datetime(day.year, day.month, day.day, 9, tzinfo=BEIJING)
    return Look.objects.create(
        day=day, at=at, holder_id=HOLDER, looker_name="李强", purpose="补卡", fields=["name"]
    )


def rows_in(table: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f'SELECT count(*) FROM "{table}"')
        return int(cursor.fetchone()[0])


def test_a_row_of_an_unforeseen_day_is_kept_and_moves_into_its_partition() -> None:
    kept = look(DAY)
    assert rows_in("core_look_default") == 1

    made = partitions.ensure("core_look", DAY, DAY + timedelta(days=2))

    assert made == 3
    assert rows_in("core_look_default") == 0
    assert rows_in("core_look_20310301") == 1
    assert Look.objects.get(day=DAY, id=kept.id).purpose == "补卡"


def test_making_partitions_again_makes_none() -> None:
    partitions.ensure("core_look", DAY, DAY)

    assert partitions.ensure("core_look", DAY, DAY) == 0


def test_new_rows_go_straight_into_their_day() -> None:
    partitions.ensure("core_look", DAY, DAY)

    look(DAY)

    assert (rows_in("core_look_20310301"), rows_in("core_look_default")) == (1, 0)


def test_only_days_before_the_limit_are_dropped() -> None:
    partitions.ensure("core_look", DAY, DAY + timedelta(days=2))
    look(DAY + timedelta(days=2))

    assert partitions.drop_before("core_look", DAY + timedelta(days=2)) == 2
    assert rows_in("core_look_20310303") == 1


def test_days_leave_when_their_retention_has_run_out() -> None:
    today = date(2034, 3, 1)
    for table in ("usage_use", "core_look", "usage_shown"):
        partitions.ensure(table, date(2031, 2, 27), date(2031, 3, 3))
    kept = look(date(2031, 3, 3))
    look(date(2031, 2, 28))

    assert usage.forget(today) == 5 + 2 * 3

    assert list(Look.objects.values_list("id", flat=True)) == [kept.id]
