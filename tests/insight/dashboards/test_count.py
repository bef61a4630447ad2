import threading
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.models import Sum

from tests import cast
from tests.insight.dashboards.conftest import AT, BUS_STOP, MIANYANG, MakeUse
from yikatong.insight.dashboards import actions
from yikatong.insight.dashboards.actions import UsesGone
from yikatong.insight.dashboards.models import Refresh, RefusalMinute, Stock, UseDay, UseHour, UseMinute
from yikatong.using.codes.reasons import Reason
from yikatong.using.usage.models import Use

pytestmark = pytest.mark.django_db
MINUTE = AT.replace(second=0)
HOUR = AT.replace(minute=0, second=0)


def minutes() -> list[tuple[Any, ...]]:
    fields = ("minute", "city_code", "domain_code", "method", "is_offline", "outcome", "count", "amount_fen")
    return list(UseMinute.objects.order_by("pk").values_list(*fields))


def hours() -> list[tuple[Any, ...]]:
    return list(UseHour.objects.order_by("pk").values_list("hour", "outcome", "count", "amount_fen"))


@pytest.mark.clause("O12")
def test_uses_are_counted_by_minute_and_kind(use: MakeUse) -> None:
    use(0, amount_fen=200)
    use(0.2, amount_fen=300)
    use(0, outcome=Reason.REPLAYED.value)
    use(1, method=Use.Method.CARD, is_offline=True)
    use(1, city_code=MIANYANG, domain_code="medical")

    assert actions.refresh_minutes(at=AT) == 4 + 1 + 4 + 4  # minutes, one place with a refusal, hours, days

    before = MINUTE - timedelta(minutes=1)
    assert minutes() == [
        (before, "510100", "transit", 3, True, 0, 1, 0),
        (before, "510700", "medical", 1, False, 0, 1, 0),
        (MINUTE, "510100", "transit", 1, False, 0, 2, 500),
        (MINUTE, "510100", "transit", 1, False, 402, 1, 0),
    ]
    assert list(RefusalMinute.objects.values_list("minute", "place_id", "count")) == [(MINUTE, BUS_STOP, 1)]
    assert Refresh.objects.get().at == AT


def test_hours_are_the_sum_of_their_minutes(use: MakeUse) -> None:
    for back in (0, 3, 29, 31, 45):
        use(back, amount_fen=100)
    actions.refresh_minutes(at=AT, window=timedelta(hours=2))

    assert hours() == [(HOUR - timedelta(hours=1), 0, 2, 200), (HOUR, 0, 3, 300)]


def test_counting_again_changes_nothing(use: MakeUse) -> None:
    for back in range(4):
        use(back)
    assert actions.refresh_minutes(at=AT) > 0
    first = minutes(), hours()
    with connection.cursor() as cursor:  # row versions: nothing was even written
        cursor.execute("SELECT array_agg(xmin::text ORDER BY minute) FROM dashboards_useminute")
        versions = cursor.fetchone()

    assert actions.refresh_minutes(at=AT) == 0
    assert (minutes(), hours()) == first
    with connection.cursor() as cursor:
        cursor.execute("SELECT array_agg(xmin::text ORDER BY minute) FROM dashboards_useminute")
        assert cursor.fetchone() == versions


def test_a_count_follows_its_uses_down_to_nothing(use: MakeUse) -> None:
    use(0)
    wrong = use(1, outcome=Reason.BAD_MAC.value)
    actions.refresh_minutes(at=AT)
    Use.objects.filter(sequence=wrong.sequence).delete()
    actions.refresh_minutes(at=AT)

    assert [row[5:7] for row in minutes()] == [(0, 1)]
    assert hours() == [(HOUR, 0, 1, 0)]
    assert not RefusalMinute.objects.exists()


@pytest.mark.clause("O5")
def test_a_late_upload_counts_in_the_minute_it_arrived(use: MakeUse) -> None:
    use(3)
    actions.refresh_minutes(at=AT)
    passed = minutes()
    use(0, used_at=AT - timedelta(days=2, hours=3), is_offline=True)
    actions.refresh_minutes(at=AT)

    assert minutes() == [*passed, (MINUTE, "510100", "transit", 1, True, 0, 1, 0)]


def test_only_the_window_is_counted(use: MakeUse) -> None:
    use(0)
    use(20)
    actions.refresh_minutes(at=AT, window=timedelta(minutes=5))

    assert [row[0] for row in minutes()] == [MINUTE]


def test_catching_up_counts_what_was_missed(use: MakeUse) -> None:
    Refresh.objects.create(kind="uses", at=AT - timedelta(minutes=90))
    use(80)
    use(0)
    use(200)
    actions.catch_up(at=AT)

    assert [row[0] for row in minutes()] == [MINUTE - timedelta(minutes=80), MINUTE]


def test_uploads_too_late_are_counted_by_the_full_count(use: MakeUse) -> None:
    for days, outcome in ((8, 0), (30, Reason.USE_TOO_OLD.value)):
        use(0, used_at=AT - timedelta(days=days), is_offline=True, outcome=outcome)
    actions.catch_up(at=AT)
    assert [row[5:7] for row in minutes()] == [(0, 1)]
    actions.refresh_minutes(at=AT)
    assert [row[5:7] for row in minutes()] == [(0, 1), (718, 1)]
    assert RefusalMinute.objects.get().count == 1


def test_after_a_long_stop_whole_days_are_counted(use: MakeUse) -> None:
    Refresh.objects.create(kind="uses", at=AT - timedelta(days=3))
    for days in (0, 1, 2, 3, 4):
        use(days * 1440)
    actions.catch_up(at=AT)

    assert [row[0] for row in minutes()] == [MINUTE - timedelta(days=days) for days in (3, 2, 1, 0)]
    assert Refresh.objects.get().at == AT


def test_days_are_those_of_beijing(use: MakeUse) -> None:
    for received_at in (
        datetime(2026, 11, 18, 15, 59, 59, tzinfo=UTC),  # 23:59:59 of the 18th
        datetime(2026, 11, 18, 16, 0, tzinfo=UTC),  # midnight
        datetime(2026, 11, 19, 15, 59, tzinfo=UTC),
        datetime(2026, 11, 19, 16, 0, tzinfo=UTC),
    ):
        use(received_at=received_at)
    assert actions.rebuild(date(2026, 11, 19), date(2026, 11, 19), at=AT) == 2 + 2 + 1

    assert [row[0].hour for row in minutes()] == [16, 15]
    assert list(UseDay.objects.values_list("day", "count")) == [(date(2026, 11, 19), 2)]
    assert not Refresh.objects.exists()  # an old day counted again does not make the board new


def test_days_whose_uses_are_gone_keep_their_counts(use: MakeUse) -> None:
    old = AT - timedelta(days=1200)
    kind = {"city_code": "510100", "domain_code": "transit", "method": 1, "is_offline": False, "outcome": 0}
    UseHour.objects.create(hour=old, **kind, count=7)
    with pytest.raises(UsesGone):
        actions.rebuild(old.date(), AT.date(), at=AT)

    assert UseHour.objects.get().count == 7
    assert not UseMinute.objects.exists()


def test_quick_counts_close_the_day_at_midnight(use: MakeUse) -> None:
    midnight = datetime(2026, 11, 19, 16, 0, tzinfo=UTC)
    Refresh.objects.create(kind="uses", at=midnight - timedelta(minutes=10))
    for seconds in (-90, -3, 2):
        use(received_at=midnight + timedelta(seconds=seconds))
    actions.catch_up(at=midnight - timedelta(seconds=2))
    assert not UseDay.objects.exists()  # the running day is read by its hours
    actions.catch_up(at=midnight + timedelta(seconds=3))

    assert list(UseDay.objects.values_list("day", "count")) == [(date(2026, 11, 19), 2)]
    assert hours()[-1] == (midnight, 0, 1, 0)


def test_hours_are_forgotten_and_days_stay(use: MakeUse) -> None:
    for days in (1, 401):
        use(days * 1440)
        actions.rebuild((AT - timedelta(days=days)).date(), (AT - timedelta(days=days)).date(), at=AT)

    assert actions.forget(at=AT) == 1 + 1
    assert (UseHour.objects.count(), UseDay.objects.count()) == (1, 2)


def test_minutes_are_forgotten_and_hours_stay(use: MakeUse) -> None:
    for days in (1, 9, 41):
        use(days * 1440, outcome=Reason.REPLAYED.value)
    actions.rebuild((AT - timedelta(days=41)).date(), AT.date(), at=AT)

    assert actions.forget(at=AT) == 1 + 2
    assert (UseMinute.objects.count(), RefusalMinute.objects.count(), UseHour.objects.count()) == (2, 1, 3)


@pytest.mark.django_db(transaction=True)
def test_two_workers_counting_at_once_count_once(use: MakeUse) -> None:
    for back in range(5):
        use(back)
    faults: list[Exception] = []

    def count() -> None:
        try:
            for _ in range(5):
                actions.refresh_minutes(at=AT)
        except Exception as error:  # noqa: BLE001 - shown below
            faults.append(error)
        finally:
            connection.close()

    workers = [threading.Thread(target=count) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    assert faults == []
    assert UseMinute.objects.aggregate(n=Sum("count"))["n"] == 5
    assert hours() == [(HOUR, 0, 5, 0)]


def test_stock_is_counted_by_city() -> None:
    cast.set_stage()
    first, second = (
        cast.register(cast.id_number(1)),
        cast.register(cast.id_number(7), phone="13900000007", division_code="510703"),
    )
    cast.card_in_use(first)
    assert second.division_code == "510703"

    assert actions.take_stock(cities=["510100", "510700"], at=AT) == 3
    assert set(Stock.objects.values_list("day", "city_code", "kind", "count")) == {
        (date(2026, 11, 20), "510100", "holders", 1),
        (date(2026, 11, 20), "510700", "holders", 1),
        (date(2026, 11, 20), "510100", "cards", 1),
    }
    assert actions.take_stock(cities=["510100", "510700"], at=AT) == 0
    assert actions.take_stock(cities=["510703"], at=AT) == 1  # a district that is a tile of its own
    assert (
        Stock.objects.filter(kind="holders").order_by("city_code").values_list("city_code", flat=True)[1]
        == "510703"
    )


def test_a_large_stock_is_counted_once_a_day() -> None:
    cast.set_stage()
    cast.register(cast.id_number(1))
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE holders_holder")
    assert actions.is_stock_due(at=AT)
    assert actions.is_stock_due(at=AT, large=0), "nothing counted yet today"

    actions.take_stock(cities=["510100"], at=AT)

    assert actions.is_stock_due(at=AT), "few holders: as often as it is asked"
    assert not actions.is_stock_due(at=AT, large=0)
    assert actions.is_stock_due(at=AT + timedelta(days=1), large=0)
