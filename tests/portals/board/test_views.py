import json
import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.test import Client

from tests import cast
from yikatong.core.actor import Role
from yikatong.core.clock import BEIJING, day_of, now
from yikatong.insight.dashboards import actions
from yikatong.insight.dashboards.models import Stock
from yikatong.registry.catalogue.models import Domain
from yikatong.registry.regions import profile
from yikatong.using.codes.reasons import Reason
from yikatong.using.usage.models import Use

pytestmark = [pytest.mark.django_db, pytest.mark.clause("L3", "O12")]
CHENGDU, MIANYANG = "510100", "510700"

WriteUses = Callable[..., None]


@pytest.fixture(autouse=True)
def fresh() -> None:
    cache.clear()


@pytest.fixture
def write_uses(db: None) -> WriteUses:
    """So many uses received this minute, and counted."""
    Domain.objects.bulk_create(
        Domain(code=entry.code, name=entry.name, order=order)
        for order, entry in enumerate(profile.load("sichuan").domains)
    )

    def write(count: int, *, city: str = CHENGDU, domain: str = "transit", outcome: int = 0) -> None:
        at = now()
        day, first = day_of(at), Use.objects.count()
        Use.objects.bulk_create(
            Use(
                day=day, terminal=1, sequence=int(f"{day:%Y%m%d}") * 10**8 + first + n, used_at=at, received_at=at,
                method=1, scene=3, city_code=city, domain_code=domain, outcome=outcome, request_digest=bytes(16),
            )
            for n in range(count)
        )  # fmt: skip
        actions.refresh_minutes(at=at)

    return write


@pytest.fixture
def leader(client: Client) -> Client:
    return cast.log_in(client, cast.leader())


def text(page: bytes) -> str:
    """What a reader sees, one space between words."""
    body = re.sub(r"<script.*?</script>", "", page.decode(), flags=re.DOTALL)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", body))


@pytest.mark.parametrize(
    "path", ["/board/", "/board/cities/510100", "/board/domains/transit", "/board/print"]
)
def test_a_stranger_is_asked_to_log_in(client: Client, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith("/staff/login?next=%2Fboard%2F")
    assert "用卡" not in answer.content.decode()


def test_a_clerk_has_no_board(client: Client) -> None:
    answer = cast.log_in(client, cast.li_qiang()).get("/board/")
    assert answer.status_code == 403
    assert "您的岗位没有这项权限" in answer.content.decode()


def test_the_overview_says_the_numbers(leader: Client, write_uses: WriteUses) -> None:
    write_uses(13)
    write_uses(4, city=MIANYANG, domain="medical")
    write_uses(3, outcome=Reason.REPLAYED.value)
    answer = leader.get("/board/")
    said = text(answer.content)

    assert answer.status_code == 200
    assert "今日用卡 17 次 较昨日同时段：暂无可比数据" in said
    assert "核验成功率 85.00 % 拒绝 3 次" in said
    assert "该码已使用过 3 100.0%" in said
    page = answer.content.decode()
    assert 'aria-label="交通出行 13，占 76.5%"' in page
    assert 'aria-label="成都 13次"' in page
    assert 'aria-label="绵阳 4次"' in page
    assert 'aria-label="重庆 未接入"' in page


def test_who_is_registered_is_not_said_to_hold_a_card(leader: Client) -> None:
    for kind, count in (("holders", 400), ("cards", 100), ("ecards", 50)):
        Stock.objects.create(day=day_of(now()), city_code=CHENGDU, kind=kind, count=count)

    said = text(leader.get("/board/").content)

    assert "登记人数 400 人 持卡率 25.0%" in said
    assert "持卡人 400" not in said


def test_links_lead_to_city_and_domain(leader: Client, write_uses: WriteUses) -> None:
    write_uses(13)
    write_uses(4, city=MIANYANG, domain="medical")
    page = leader.get("/board/?range=week").content.decode()
    assert 'href="/board/cities/510700?range=week"' in page
    assert 'href="/board/domains/medical?range=week"' in page

    assert "近7日用卡 4 次" in text(leader.get("/board/cities/510700?range=week").content)
    assert "今日用卡 4 次" in text(leader.get("/board/domains/medical").content)
    for wrong in ("/board/cities/110100", "/board/domains/nothing", "/board/print?city=110100"):
        assert leader.get(wrong).status_code == 404


def test_an_unknown_range_is_today(leader: Client, write_uses: WriteUses) -> None:
    assert "今日用卡 0 次" in text(leader.get("/board/?range=century").content)


def test_a_citys_leader_sees_his_city(client: Client, write_uses: WriteUses) -> None:
    write_uses(13)
    write_uses(4, city=MIANYANG, domain="medical")
    cast.log_in(client, cast.staff("罗局", "luoju", role=Role.LEADER, scope="5107"))
    page = client.get("/board/").content

    assert "今日用卡 4 次" in text(page)
    assert "成都" not in text(page)
    assert "13" not in json.dumps([row for row in text(page).split() if row == "13"])
    assert client.get("/board/cities/510100").status_code == 404
    assert client.get("/board/cities/510700").status_code == 200
    assert "成都" not in text(client.get("/board/print").content)


def test_a_countys_leader_is_told_why_not(client: Client, write_uses: WriteUses) -> None:
    cast.log_in(client, cast.staff("罗县", "luoxian", role=Role.LEADER, scope="510703"))
    answer = client.get("/board/")
    assert answer.status_code == 403
    assert "看板按市（州）统计" in answer.content.decode()


def test_the_live_part_is_sent_only_when_it_has_changed(leader: Client, write_uses: WriteUses) -> None:
    write_uses(5)
    first = leader.get("/board/?part=live")
    tag = first.headers["ETag"]
    assert (first.status_code, "<html" in first.content.decode()) == (200, False)

    cache.clear()
    same = leader.get("/board/?part=live", headers={"If-None-Match": f"W/{tag}"})
    assert (same.status_code, same.content, same.headers["ETag"]) == (304, b"", tag)
    assert re.fullmatch(r"\d\d%3A\d\d%3A\d\d", same.headers["X-Updated"])

    write_uses(2)
    changed = leader.get("/board/?part=live", headers={"If-None-Match": tag})
    assert (changed.status_code, changed.headers["ETag"] != tag) == (200, True)
    assert "今日用卡 7 次" in text(changed.content)


def test_without_script_the_page_renews_itself_and_can_be_paused(
    leader: Client, write_uses: WriteUses
) -> None:
    page = leader.get("/board/").content.decode()
    assert '<noscript><meta http-equiv="refresh" content="30;url=/board/?auto=1"></noscript>' in page
    assert 'href="?paused=1">暂停自动更新' in page
    assert "http-equiv" not in leader.get("/board/?paused=1").content.decode()


def test_rotation_goes_round(leader: Client, write_uses: WriteUses) -> None:
    write_uses(5)
    assert "data-next" not in leader.get("/board/").content.decode()
    seen, at = [], "/board/?rotate=1"
    for _ in range(5):
        page = leader.get(at).content.decode()
        found = re.search(r'data-next="([^"]+)"', page)
        assert found
        at = found[1].replace("&amp;", "&")
        seen.append(at)
    assert seen == [
        "/board/?range=week&rotate=1&auto=1",
        "/board/?range=month&rotate=1&auto=1",
        "/board/domains/transit?rotate=1&auto=1",
        "/board/?rotate=1&auto=1",
        "/board/?range=week&rotate=1&auto=1",
    ]


def test_the_printed_twin_has_every_table(leader: Client, write_uses: WriteUses) -> None:
    write_uses(12_345)
    page = leader.get("/board/print").content.decode()
    captions = re.findall(r"<caption[^>]*>([^<]+)", page)

    assert captions == [
        "各领域用卡次数（今日）", "各地用卡次数（今日）", "用卡方式（今日）", "24 小时用卡量与成功率（今日）",
        "拒绝原因（今日）", "终端与服务（此刻）",
    ]  # fmt: skip
    assert page.count("12,345") >= 4  # tables write numbers out
    assert f"{now().astimezone(BEIJING):%H}:00" in page


def test_uses_of_today_reach_the_board_within_one_count(leader: Client, write_uses: WriteUses) -> None:
    write_uses(1)
    at = now()
    Use.objects.create(
        day=day_of(at), terminal=9, sequence=1, used_at=at - timedelta(days=1), received_at=at, method=3, scene=3,
        is_offline=True, city_code=CHENGDU, domain_code="transit", request_digest=bytes(16),
    )  # fmt: skip
    assert "今日用卡 1 次" in text(leader.get("/board/").content)
    actions.catch_up(at=now())
    assert "今日用卡 2 次" in text(leader.get("/board/").content)


def test_chongqing_has_its_own_tiles(
    client: Client, write_uses: WriteUses, settings: pytest.FixtureRequest
) -> None:
    settings.PROVINCE = "chongqing"  # type: ignore[attr-defined]
    write_uses(6, city="500103")
    cast.log_in(client, cast.staff("罗主任", "luo", role=Role.LEADER, scope="50"))
    page = client.get("/board/").content.decode()

    assert 'aria-label="渝中 6次"' in page
    assert "区县用卡热度" in page
