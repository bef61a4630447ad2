"""Places are found by any part of their words, the best first, by index however many there are."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib import admin
from django.db import connection
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext

from yikatong.registry.catalogue import queries
from yikatong.registry.catalogue.models import Domain, Place
from yikatong.registry.regions.models import Organisation

pytestmark = [pytest.mark.django_db, pytest.mark.clause("G6")]

MakePlace = Callable[..., Place]


@pytest.fixture
def make_place(db: None) -> MakePlace:
    keeper = Organisation.objects.create(code="K", name="示例", kind="operator", division_code="510000")
    for code, name in (("culture", "文化体验"), ("transit", "交通出行")):
        Domain.objects.create(code=code, name=name)

    def made(name: str, *, kind: str = "图书馆", domain: str = "culture", **more: Any) -> Place:
        number = more.pop("number", f"51010700{Place.objects.count():03d}")
        given = {"division_code": "510107", "address": "示例路 2 号"} | more
        return Place.objects.create(
            number=number, name=name, kind=kind, domain_id=domain, keeper=keeper, **given
        )

    return made


def names(**asked: Any) -> list[str]:
    return [place.name for place in queries.in_order(queries.find(**asked))]


def test_a_name_that_is_the_text_comes_first_then_beginnings_then_parts_then_addresses(
    make_place: MakePlace,
) -> None:
    make_place("文殊院茶馆", address="图书馆路 1 号", kind="茶馆")
    make_place("高新区少年图书馆分馆")
    make_place("武侯图书馆")
    make_place("图书馆东馆")
    make_place("图书馆")
    make_place("体育馆", kind="体育馆")

    assert names(text="图书馆") == [
        "图书馆",
        "图书馆东馆",
        "武侯图书馆",
        "高新区少年图书馆分馆",
        "文殊院茶馆",
    ]
    assert names(text="图书馆", name_only=True) == names(text="图书馆")[:4]
    assert names(text="馆")[:2] == ["图书馆", "体育馆"]
    assert names(text="武侯 图书馆") == ["武侯图书馆"]
    assert names(text="图书馆 武侯") == ["武侯图书馆"]
    assert names(text="书武") == []


def test_neighbours_of_two_words_are_no_match(make_place: MakePlace) -> None:
    """Both pairs of 图书馆 stand here, but never one behind the other."""
    make_place("图书城", kind="书店", address="书馆街 1 号")
    assert names(text="图书馆") == []


def test_width_and_case_of_letters_do_not_matter(make_place: MakePlace) -> None:
    make_place("ＩＦＳ国金中心 A座")
    for text in ("ifs国金", "IFS", "ｉｆｓ", "a座", "ifs A座"):
        assert names(text=text) == ["ＩＦＳ国金中心 A座"], text


def test_domain_city_and_whether_it_is_open_are_held_to(make_place: MakePlace) -> None:
    make_place("武侯图书馆")
    make_place("涪城图书馆", division_code="510703", number="51070300001")
    make_place("图书馆公交站", domain="transit", kind="公交")
    make_place("旧图书馆", is_open=False)

    assert names(text="图书馆", city="510700") == ["涪城图书馆"]
    assert names(city="510107", domain="culture") == ["武侯图书馆"]
    assert names(text="图书馆", domain="transit") == ["图书馆公交站"]
    assert names(domain="culture") == ["武侯图书馆", "涪城图书馆"]
    assert names(text="旧", is_open=None) == ["旧图书馆"]
    assert names(text="旧") == []


def test_what_changes_is_found_as_it_now_is(make_place: MakePlace) -> None:
    place = make_place("武侯图书馆")
    Place.objects.filter(pk=place.pk).update(name="武侯文化馆", kind="文化馆", domain_id="transit")

    assert names(text="图书馆") == []
    assert names(text="文化馆", domain="transit") == ["武侯文化馆"]


@pytest.mark.parametrize(
    "text", ["%", "_", "\\", "图%馆", "'", '{"a"}', "\0", " \u3000 ", "图" * 5_000, "a b " * 99]
)
def test_any_text_is_answered(text: str, make_place: MakePlace) -> None:
    make_place("武侯图书馆")
    assert names(text=text) in ([], ["武侯图书馆"])
    assert names(text="%") == []


def test_a_search_gives_no_more_than_the_most(make_place: MakePlace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queries, "MOST", 3)
    for name in ("甲图书馆", "乙图书馆", "丙图书馆", "丁图书馆"):
        make_place(name)
    make_place("图书馆")

    assert len(names(text="图书馆")) == 3
    assert names(text="图书馆")[0] == "图书馆", (
        "what begins with the text is never cut off by what only holds it"
    )
    assert len(names()) == 3


def test_the_administration_searches_by_the_same_index(make_place: MakePlace) -> None:
    closed = make_place("旧图书馆", is_open=False, number="51990000001")
    make_place("体育馆", kind="体育馆")
    search = admin.site._registry[Place].get_search_results
    request, everything = RequestFactory().get("/"), Place.objects.order_by("number")

    assert list(search(request, everything, "图书")[0]) == [closed]
    assert list(search(request, everything, "5199")[0]) == [closed]
    assert search(request, everything, "")[0].count() == 2


PLANS: list[tuple[dict[str, Any], str]] = [
    ({"text": "图书馆"}, "catalogue_place_grams"),
    ({"text": "图书馆 三"}, "catalogue_place_grams"),
    ({"text": "七号", "domain": "culture", "city": "510700"}, "catalogue_place_grams"),
    ({"text": "甲三四", "name_only": True}, "catalogue_place_grams"),
    ({"domain": "transit", "city": "510700"}, "catalogue_place_grams"),
    ({"domain": "culture"}, "catalogue_place_number"),
    ({"city": "510100"}, "catalogue_place_number"),
    ({}, "catalogue_place_number"),
]


def test_no_search_reads_the_whole_table(make_place: MakePlace) -> None:
    make_place("图书馆")
    with connection.cursor() as cursor:
        cursor.execute(_MANY)
        cursor.execute("ANALYZE catalogue_place")
    for asked, index in PLANS:
        plan = plan_of(asked)
        assert "Seq Scan" not in plan, plan
        assert index in plan, plan


def plan_of(asked: dict[str, Any]) -> str:
    with CaptureQueriesContext(connection) as captured:
        queries.find(**asked)
    [query] = [one["sql"] for one in captured]
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {query}")
        return "\n".join(row[0] for row in cursor.fetchall())


_MANY = """
INSERT INTO catalogue_place (id, number, name, kind, domain_id, keeper_id, division_code, address, hours, concessions,
    is_accessible, is_open)
SELECT gen_random_uuid(), 5107000000000 + n, made.digits || CASE WHEN n % 50 = 0 THEN '图书馆' ELSE '门店' END, '门店',
    CASE WHEN n % 500 = 0 THEN 'transit' ELSE 'culture' END, one.keeper_id,
    CASE WHEN n % 20 = 0 THEN '510703' ELSE '510107' END, '示例大道' || made.digits || '号', '', '', false, true
FROM (SELECT n, translate(n::text, '0123456789', '零一二三四五六七八九') AS digits FROM generate_series(1, 10000) n) made,
    (SELECT keeper_id FROM catalogue_place LIMIT 1) one
"""
