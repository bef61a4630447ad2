from datetime import date, timedelta
from typing import Any

import pytest

from tests import cast
from tests.insight.dashboards.conftest import AT, BUS_STOP, CHENGDU, HOSPITAL, MIANYANG
from yikatong.insight.dashboards import risks, terminals
from yikatong.insight.dashboards.models import Refresh, RefusalMinute
from yikatong.insight.dashboards.risks import Burst, Level
from yikatong.insight.dashboards.scope import Scope
from yikatong.registry.access.models import TerminalState
from yikatong.registry.cards.models import Case
from yikatong.using.codes.models import ListVersion

pytestmark = pytest.mark.django_db
DAY = timedelta(days=2)


def said(whole: Scope, **more: Any) -> list[tuple[str, str]]:
    fleet = terminals.fleet(whole.cities, at=AT)
    found = risks.open_risks(whole, fleet, list_max_age=DAY, at=AT, **more)
    return [(risk.level.label, risk.text) for risk in found]


@pytest.fixture(autouse=True)
def counted(db: None) -> None:
    Refresh.objects.create(kind="uses", at=AT - timedelta(seconds=8))


def refused(place: Any, hours: float, count: int) -> None:
    RefusalMinute.objects.create(minute=AT - timedelta(hours=hours), place_id=place, count=count)


def test_a_quiet_province_has_no_risks(whole: Scope, make_terminal: Any) -> None:
    make_terminal()
    assert said(whole) == []


def test_a_burst_exceeds_five_times_the_mean_hour(whole: Scope, venues: None) -> None:
    refused(BUS_STOP, 0.5, 11)
    refused(BUS_STOP, 30, 336)  # 2.0 an hour over the week
    refused(HOSPITAL, 0.5, 11)
    refused(HOSPITAL, 30, 370)  # 2.2: eleven is not more than five times that
    refused(HOSPITAL, 9 * 24, 1)  # before the week

    assert risks.bursts(None, at=AT) == [Burst("武侯公交枢纽站", 11, 2.0, AT - timedelta(minutes=30))]
    assert said(whole) == [("高", "武侯公交枢纽站 近 1 小时拒绝 11 次，平时每小时 2.0 次")]


def test_few_refusals_are_no_burst(whole: Scope, venues: None) -> None:
    refused(BUS_STOP, 0.5, 9)
    assert said(whole) == []
    refused(BUS_STOP, 0.4, 1)
    assert said(whole) == [("高", "武侯公交枢纽站 近 1 小时拒绝 10 次，此前一周没有拒绝")]


def test_a_city_is_told_of_its_own_bursts(whole: Scope, venues: None) -> None:
    refused(BUS_STOP, 0.5, 20)
    refused(HOSPITAL, 0.5, 30)

    assert [burst.place for burst in risks.bursts((CHENGDU,), at=AT)] == ["武侯公交枢纽站"]
    assert [burst.place for burst in risks.bursts((MIANYANG,), at=AT)] == ["涪城人民医院"]
    assert [burst.refused for burst in risks.bursts(None, at=AT)] == [30, 20]


def test_silent_terminals_and_held_back_uses(whole: Scope, make_terminal: Any) -> None:
    make_terminal(seen_at=AT - timedelta(hours=25))
    make_terminal(MIANYANG, seen_at=AT - timedelta(hours=25))
    make_terminal(MIANYANG, state=False)
    make_terminal(offline_uses=14)
    make_terminal(status="stopped", seen_at=AT - timedelta(days=9))

    assert said(whole) == [
        ("中", "3 台终端超过 24 小时未联系，绵阳最多"),
        ("低", "1 台终端有离线用卡 14 笔待上传"),
    ]


def test_overdue_cases(whole: Scope) -> None:
    cast.set_stage()
    case = cast.apply(cast.register(cast.id_number(1)), at=AT)
    Case.objects.filter(pk=case.pk).update(step_due_on=date(2026, 11, 20))
    assert said(whole) == []  # due today is not late
    Case.objects.filter(pk=case.pk).update(step_due_on=date(2026, 11, 19))
    assert said(whole) == [("中", "1 件受理单超过办理时限")]
    assert said(whole, city=MIANYANG) == []
    assert said(whole, city=CHENGDU) == [("中", "1 件受理单超过办理时限")]


def test_the_board_knows_when_it_is_old(whole: Scope) -> None:
    Refresh.objects.update(at=AT - timedelta(minutes=3))
    assert said(whole) == [("高", "用卡统计停止更新，数字已旧")]
    Refresh.objects.all().delete()
    assert said(whole) == [("高", "用卡统计停止更新，数字已旧")]


def publish(version: int, hours: float, scene: int = 3) -> None:
    ListVersion.objects.create(
        kind="hot", scene=scene, version=version, made_at=AT - timedelta(hours=hours), full=b""
    )


def test_a_list_is_as_old_as_the_first_one_missed(whole: Scope, make_terminal: Any) -> None:
    publish(1, 90)
    publish(2, 60)
    publish(3, 1)
    publish(9, 100, scene=2)  # not this terminal's
    for version in (3, 3, 1):
        make_terminal(hot_versions={"3": version})
    make_terminal(hot_versions={})  # has not told

    lists = terminals.fleet(None, at=AT).lists
    assert (lists.p99, lists.untold) == (timedelta(hours=60), 1)
    assert said(whole) == [("高", "部分终端名单已过旧 60 小时，将拒绝离线核验")]


def test_a_terminal_is_as_old_as_the_oldest_list_of_its_scenes(make_terminal: Any) -> None:
    for scene, hours in ((1, 50), (3, 70)):
        publish(4, 90, scene)
        publish(5, hours, scene)
    make_terminal(hot_versions={"1": 4, "3": 5})
    assert terminals.fleet(None, at=AT).lists.p99 == timedelta(hours=50)

    TerminalState.objects.update(hot_versions={"1": 5})  # none at all for scene 3
    assert terminals.fleet(None, at=AT).lists.p99 == timedelta(hours=90)


def test_one_in_a_hundred_does_not_move_the_99th_percentile(make_terminal: Any) -> None:
    publish(1, 90)
    publish(2, 60)
    for number in range(100):
        make_terminal(hot_versions={"3": 1 if number == 0 else 2})

    assert terminals.fleet(None, at=AT).lists.p99 == timedelta(0)


def test_without_lists_their_age_is_unknown(make_terminal: Any) -> None:
    make_terminal()
    assert terminals.fleet(None, at=AT).lists.p99 is None


def test_online_means_in_contact_within_ten_minutes(make_terminal: Any) -> None:
    make_terminal(seen_at=AT - timedelta(minutes=10))
    make_terminal(seen_at=AT - timedelta(minutes=10, seconds=1))
    make_terminal(MIANYANG, "medical", state=False)
    make_terminal(status="registered")

    fleet = terminals.fleet(None, at=AT)
    assert (fleet.count, fleet.online, fleet.offline, fleet.silent) == (3, 1, 2, 1)
    assert (fleet.of_city(MIANYANG), fleet.of_domain("transit")) == (1, 2)
    assert (
        terminals.fleet((MIANYANG,), at=AT).count == terminals.fleet(None, domain="medical", at=AT).count == 1
    )


def test_levels_are_words() -> None:
    assert [level.label for level in sorted(Level, reverse=True)] == ["高", "中", "低"]


@pytest.mark.parametrize(
    ("city", "begins"), [("510100", "5101"), ("500000", "50"), ("500103", "500103"), ("513200", "5132")]
)
def test_divisions_of_a_city(city: str, begins: str) -> None:
    assert risks.prefix(city) == begins
