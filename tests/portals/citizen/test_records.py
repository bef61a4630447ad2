"""用卡记录, 谁查过我的信息, 在哪里能用, and how pages are shown."""

from datetime import timedelta

import pytest
from django.test import Client

from yikatong.core import looks
from yikatong.core.actor import Actor, Channel, Role
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


@pytest.mark.clause("cap:O2", "G17")
def test_a_holder_sees_who_looked_and_why(hers: Client, wang: Holder) -> None:
    clerk = Actor(None, "李强", Role.CLERK, Channel.COUNTER, organisation="成都市人社局")
    looks.record(wang.id, by=clerk, at=now(), purpose="办理挂失", fields=["姓名", "证件号码"])

    page = hers.get("/m/looks").content.decode()

    for words in ("成都市人社局", "李*", "办理挂失", "姓名、证件号码"):
        assert words in page


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
