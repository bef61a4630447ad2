"""用卡记录, 谁查过我的信息, 在哪里能用, and how pages are shown."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from yikatong.core import looks, partitions
from yikatong.core.actor import SYSTEM, Actor, Channel, Role
from yikatong.core.clock import day_of, now
from yikatong.registry.catalogue.models import Place
from yikatong.registry.holders.models import Holder
from yikatong.using.usage.models import Use


def use(holder: Holder, number: int, *, outcome: int = 0, hours: int = 1) -> None:
    at = now() - timedelta(hours=hours)
    Use.objects.create(
        day=day_of(at),
        terminal=51010000001,
        sequence=number,
        used_at=at,
        received_at=at,
        method=Use.Method.CODE,
        scene=1,
        outcome=outcome,
        holder_id=holder.id,
        place_id=Place.objects.get().id,
        request_digest=b"0" * 16,
    )


def test_a_holder_sees_his_own_uses_only(hers: Client, wang: Holder, chen: Holder) -> None:
    use(wang, 1)
    use(wang, 2, outcome=402)
    use(chen, 3)

    page = hers.get("/m/uses").content.decode()

    assert page.count("武侯区图书馆") == 2
    assert page.count("未通过") == 1
    assert "该码已使用过" in page


def test_uses_are_paged_by_time(hers: Client, wang: Holder) -> None:
    for number in range(25):
        use(wang, number, hours=number + 1)

    first = hers.get("/m/uses").content.decode()
    link = first.split('href="/m/uses?before=')[1].split('"')[0]
    second = hers.get(f"/m/uses?before={link}").content.decode()

    assert (first.count("武侯区图书馆"), second.count("武侯区图书馆")) == (20, 5)


def test_uses_of_one_moment_are_not_lost_between_pages(hers: Client, wang: Holder) -> None:
    for number in range(19):
        use(wang, number, hours=1)
    moment = now() - timedelta(hours=2)
    for number in range(19, 23):
        use(wang, number)
    Use.objects.filter(sequence__gte=19).update(used_at=moment)

    first = hers.get("/m/uses").content.decode()
    link = first.split('href="/m/uses?before=')[1].split('"')[0]
    second = hers.get(f"/m/uses?before={link}").content.decode()

    assert (first.count("武侯区图书馆"), second.count("武侯区图书馆")) == (19, 4)


def tables_of(client: Client, address: str) -> str:
    """The plans of all that a page asks of tables with a table a day."""
    with CaptureQueriesContext(connection) as asked:
        client.get(address)
    plans = []
    for query in asked.captured_queries:
        if query["sql"].startswith("SELECT") and (
            '"usage_use"' in query["sql"] or '"core_look"' in query["sql"]
        ):
            with connection.cursor() as cursor:
                cursor.execute("EXPLAIN " + query["sql"])
                plans += [line for (line,) in cursor.fetchall()]
    assert plans
    return "\n".join(plans)


def test_records_of_years_are_read_by_the_month(hers: Client, wang: Holder) -> None:
    """Every day is a table: home and the lists must lock those of a few months, never of three years."""
    today = day_of(now())
    Holder.objects.filter(id=wang.id).update(created_at=now() - timedelta(days=400))
    partitions.ensure("usage_use", today - timedelta(days=200), today - timedelta(days=190))
    partitions.ensure("core_look", today - timedelta(days=200), today - timedelta(days=190))
    use(wang, 1, hours=24 * 195)
    who = Actor(None, "李强", Role.CLERK, Channel.COUNTER, organisation="成都市人社局")
    looks.record(wang.id, by=who, at=now() - timedelta(days=195), purpose="办理挂失", fields=["姓名"])

    assert "武侯区图书馆" not in hers.get("/m/").content.decode()
    for address, words in (("/m/uses", "武侯区图书馆"), ("/m/looks", "办理挂失")):
        assert f"{today - timedelta(days=195):%Y%m%d}" not in tables_of(hers, address)
        page = hers.get(address).content.decode()
        assert "这三个月没有" in page
        for _ in range(2):
            link = page.split(f'href="{address}?before=')[1].split('"')[0]
            page = hers.get(f"{address}?before={link}").content.decode()
        assert words in page


@pytest.mark.parametrize("before", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "x", "2026-13-01"])
def test_strange_moments_break_nothing(hers: Client, before: str) -> None:
    assert hers.get(f"/m/uses?before={before}").status_code == 200
    assert hers.get(f"/m/looks?before={before}").status_code == 200


@pytest.mark.clause("cap:O2", "G17")
def test_a_holder_sees_who_looked_and_why(hers: Client, wang: Holder) -> None:
    clerk = Actor(None, "李强", Role.CLERK, Channel.COUNTER, organisation="成都市人社局")
    looks.record(wang.id, by=clerk, at=now(), purpose="办理挂失", fields=["姓名", "证件号码"])

    page = hers.get("/m/looks").content.decode()

    for words in ("成都市人社局", "李*", "办理挂失", "姓名、证件号码"):
        assert words in page


@pytest.mark.clause("cap:O2", "G17", "E3")
def test_a_terminal_that_read_the_card_is_named_whole(hers: Client, wang: Holder) -> None:
    terminal = Actor(
        None, "大厅自助机（510100000001）", Role.SYSTEM, Channel.TERMINAL, organisation="成都市人社局"
    )
    looks.record(wang.id, by=terminal, at=now(), purpose="终端读卡", fields=["社会保障号码", "姓名", "卡号"])

    page = hers.get("/m/looks").content.decode()

    assert "大厅自助机（510100000001）" in page
    assert "终端读卡" in page


def test_the_platform_itself_is_no_person_with_a_covered_name(hers: Client, wang: Holder) -> None:
    looks.record(wang.id, by=SYSTEM, at=now(), purpose="与公安人口库核对", fields=["name"])

    page = hers.get("/m/looks").content.decode()

    assert "一卡通平台" in page
    assert "平台自动办理" in page
    assert "平*" not in page


def test_places_are_found_by_anyone(client: Client, world: None) -> None:
    found = client.get("/m/places?q=图书&domain=culture&city=510100").content.decode()
    none = client.get("/m/places?q=游泳").content.decode()
    place = client.get(f"/m/places/{Place.objects.get().id}").content.decode()

    assert "共 1 处" in found
    assert "没有找到" in none
    assert "四川省成都市武侯区示例路 2 号" in place
    assert "图书借阅" in place


@pytest.mark.parametrize("query", ["page=0", "page=x", "city=51%27", "domain=" + "x" * 40, "page=99999999"])
def test_strange_filters_break_nothing(client: Client, world: None, query: str) -> None:
    assert client.get(f"/m/places?{query}").status_code == 200


def test_text_size_and_elder_mode_are_kept_in_cookies(client: Client, db: None) -> None:
    bigger = client.post("/m/settings/display", {"fs": "4", "next": "/m/help"})
    assert (bigger.status_code, bigger.headers["Location"]) == (303, "/m/help")
    assert 'data-fs="4"' in client.get("/m/help").content.decode()

    client.post("/m/settings/display", {"elder": "1", "next": "https://evil.example"})
    page = client.get("/m/help").content.decode()

    assert 'data-fs="2" data-elder' in page
    assert client.post("/m/settings/display", {"fs": "9"}).cookies == {}
