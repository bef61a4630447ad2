"""服务网点 and 办事指南 on the phone: open to everyone, nearest first, nothing invented."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from tests import cast
from yikatong.core.clock import day_of, now
from yikatong.registry.cards import guide
from yikatong.registry.catalogue.models import Domain, Place
from yikatong.registry.outlets import actions, queries
from yikatong.registry.outlets.hours import parse
from yikatong.registry.outlets.models import HoursChange, QueueState
from yikatong.registry.regions import centres
from yikatong.registry.regions.centres import Row
from yikatong.registry.regions.models import Organisation, Outlet
from yikatong.registry.regions.nearest import Point

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _stage() -> None:
    cast.set_stage()
    keeper = Organisation.objects.get()
    Outlet.objects.filter(pk=cast.HALL).update(longitude=104.05, latitude=30.64, services=["申领", "挂失"])
    far = Outlet.objects.create(
        number="5107030001", name="涪城区社会保障卡服务大厅", organisation=keeper, division_code="510703",
        address="示例路 9 号", hours="", longitude=104.75, latitude=31.46, issues_at_once=True,
    )  # fmt: skip
    for outlet in (Outlet.objects.get(pk=cast.HALL), far):
        actions.write_week(outlet, dict.fromkeys((0, *range(1, 8)), parse("0:00-23:59")))
    rows = [Row("510107", Point(104.04, 30.64)), Row("510703", Point(104.75, 31.46))]
    centres.load(rows, source="测试", by=cast.supervisor(), at=now())


def text(address: str) -> str:
    answer = Client().get(address)
    assert answer.status_code == 200, address
    return answer.content.decode()


@pytest.mark.clause("B9", "D4", "S14", "G5", "O15")
def test_the_nearest_first_by_name_or_position_without_script() -> None:
    by_name = text("/m/outlets?near=武侯区")
    assert "离成都市武侯区中心最近的网点" in by_name
    assert "约 960 米" in by_name
    assert "约 113.4 公里" not in by_name  # a hundred kilometres and more are told whole
    assert by_name.index("武侯区社保经办大厅") < by_name.index("涪城区社会保障卡服务大厅")
    by_position = text("/m/outlets?at=31.460,104.750")
    assert by_position.index("涪城区社会保障卡服务大厅") < by_position.index("武侯区社保经办大厅")
    assert "约 10 米" in by_position


def test_filters_and_strange_values() -> None:
    assert "武侯区社保经办大厅" not in text("/m/outlets?service=即时制卡")
    assert "涪城区社会保障卡服务大厅" in text("/m/outlets?service=即时制卡")
    assert "涪城区社会保障卡服务大厅" not in text("/m/outlets?city=510100")
    assert "没有找到这个地方" in text("/m/outlets?near=不存在的地方")
    for strange in (
        "at=x",
        "at=999,999",
        "at=99,200",
        "from=abc",
        "from=999999",
        "most=x",
        "service=%00",
        "city='",
        "near=%00%25",
    ):
        assert Client().get(f"/m/outlets?{strange}").status_code == 200, strange


@pytest.mark.clause("B9", "S14")
def test_closed_outlets_are_left_out_only_when_asked_and_say_when_they_open() -> None:
    today = day_of(now())
    HoursChange.objects.create(
        outlet_id=cast.HALL, since=today, until=today, reason="系统升级", created_at=now(), actor_name="x"
    )
    assert "武侯区社保经办大厅" not in text("/m/outlets?open=1")
    page = text("/m/outlets")
    assert "系统升级" in page
    assert "现在不开放，" in page
    assert "开门" in page
    assert f"{today.year}年{today.month}月{today.day}日：不开放（系统升级）" in text(
        f"/m/outlets/{cast.HALL}"
    )


@pytest.mark.clause("B9")
def test_a_queue_is_told_fresh_or_as_stale_and_never_invented() -> None:
    assert "人等候" not in text("/m/outlets")
    assert "网点今天没有报告排队人数" in text(f"/m/outlets/{cast.HALL}")
    at = now()
    QueueState.objects.create(outlet_id=cast.HALL, waiting=7, windows=3, at=at, source="machine")
    assert "7 人等候，3 个窗口" in text("/m/outlets")
    late = at + timedelta(minutes=16)
    shown = queries.queues_of([cast.HALL], at=late)
    if day_of(late) == day_of(at):
        assert shown[cast.HALL].is_stale
    assert queries.queues_of([cast.HALL], at=at + timedelta(days=1)) == {}
    QueueState.objects.update(at=at - timedelta(minutes=16))
    page = text(f"/m/outlets/{cast.HALL}")
    assert "已过时" in page or "没有报告" in page  # a quarter of an hour after midnight yesterday's is gone


@pytest.mark.clause("B9", "S14", "G5", "O15")
def test_the_guide_of_every_matter_tells_what_the_rules_do() -> None:
    index = text("/m/guide")
    for one in guide.matters():
        assert one.title in index
        page = text(f"/m/guide/{one.key}")
        for words in (one.limit, one.fee, *one.who, *one.materials, *(step.label for step in one.steps)):
            assert words in page
        assert "{" not in page.split("<main")[1].split("</main>")[0].replace("{%", "")
    apply = text("/m/guide/apply")
    assert "12 个工作日内可领卡" in apply
    assert "首次申领不收费。" in apply
    assert "可以在本省任一城市的网点办理" in apply
    assert "找能办的网点（1 个）" in apply
    assert "补换工本费 20 元" in text("/m/guide/replace")
    assert "只在签发地办理" in text("/m/guide/cancel")
    assert Client().get("/m/guide/nothing").status_code == 404


def test_another_province_has_its_own_figures(settings: Any) -> None:
    settings.PROVINCE = "chongqing"
    assert "正式挂失后不能解除" in text("/m/guide/release")
    assert "15 个工作日内可领卡" in text("/m/guide/apply")


@pytest.mark.clause("D4")
def test_places_of_use_by_distance_and_their_pages_keep_the_question() -> None:
    Domain.objects.create(code="culture", name="文化体验", icon="library")
    Place.objects.bulk_create(
        Place(
            number=f"{n:05d}", name=f"示例图书馆 {n}", kind="图书馆", domain_id="culture", division_code="510107",
            keeper=Organisation.objects.get(), longitude=104.04 + n / 1000, latitude=30.64,
        )
        for n in range(30)
    )  # fmt: skip
    page = text("/m/places?near=武侯区&domain=culture")
    assert page.index("示例图书馆 0<") < page.index("示例图书馆 1<") < page.index("示例图书馆 19<")
    assert "?from=510107&amp;domain=culture&amp;page=2" in page
    assert "约 1.9 公里" in text("/m/places?from=510107&domain=culture&page=2")
