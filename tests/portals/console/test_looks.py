"""Who looked at whom, for auditors: by period, person, organisation and region; leafed through, read by index."""

import re
from collections.abc import Sequence
from datetime import timedelta
from html import unescape
from uuid import UUID

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests import cast
from yikatong.core import looks, partitions
from yikatong.core.actor import SYSTEM, Actor, Channel, Role
from yikatong.core.clock import day_of, now
from yikatong.core.models import AuditEntry, Look

HOLDER = UUID(int=77)
CHENGDU = Actor(UUID(int=1), "李强", Role.CLERK, Channel.COUNTER, scope="510107", organisation="武侯区大厅")
MIANYANG = Actor(UUID(int=2), "陈静", Role.CLERK, Channel.COUNTER, scope="5107", organisation="绵阳市人社局")
PROVINCE = Actor(UUID(int=3), "省中心", Role.SUPERVISOR, Channel.COUNTER, scope="51", organisation="省中心")

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def stage(db: None) -> None:
    cast.set_stage()


def auditor(scope: str) -> Client:
    return cast.log_in(Client(), cast.staff("周芸", f"auditor-{scope}", role=Role.AUDITOR, scope=scope))


def look(by: Actor, purpose: str, *, days_ago: int = 0) -> None:
    looks.record(HOLDER, by=by, at=now() - timedelta(days=days_ago), purpose=purpose, fields=["姓名"])


def shown(browser: Client, **asked: object) -> list[str]:
    """Purposes on the page, from top to bottom."""
    page = browser.get("/console/looks", asked).content.decode()
    return re.findall(r"</th><td>(目的[^<]*)</td>", page)


@pytest.mark.clause("G17", "O2")
@pytest.mark.parametrize(
    ("scope", "seen"),
    [
        ("51", ["目的：平台", "目的：省", "目的：绵阳", "目的：成都"]),
        ("5101", ["目的：成都"]),
        ("510107", ["目的：成都"]),
        ("510108", []),
        ("5107", ["目的：绵阳"]),
        ("50", []),
    ],
)
def test_an_auditor_sees_the_looks_of_his_regions_staff(scope: str, seen: list[str]) -> None:
    look(CHENGDU, "目的：成都")
    look(MIANYANG, "目的：绵阳")
    look(PROVINCE, "目的：省")
    look(SYSTEM, "目的：平台")
    browser = auditor(scope)

    assert shown(browser) == seen
    assert shown(browser, holder=HOLDER) == seen
    assert AuditEntry.objects.filter(event="audit:looks:read", facts__region=scope).count() == (
        0 if scope == "51" else 2
    )


@pytest.mark.clause("G17", "O2")
def test_looks_are_found_by_period_person_staff_number_and_organisation() -> None:
    clerk = cast.li_qiang()
    looks.record(HOLDER, by=clerk.actor(), at=now(), purpose="目的：甲", fields=["姓名"])
    look(MIANYANG, "目的：乙", days_ago=3)
    look(CHENGDU, "目的：丙", days_ago=10)
    browser, today = auditor("51"), day_of(now())

    assert shown(browser) == ["目的：甲"]
    assert shown(browser, since=today - timedelta(days=5)) == ["目的：甲", "目的：乙"]
    assert shown(browser, until=today - timedelta(days=3)) == ["目的：乙"]
    assert shown(browser, since=today - timedelta(days=10), until=today - timedelta(days=3)) == [
        "目的：乙",
        "目的：丙",
    ]
    month = {"since": today - timedelta(days=30)}
    assert shown(browser, **month, looker="李强") == ["目的：甲", "目的：丙"]
    assert shown(browser, **month, looker=clerk.staff_number) == ["目的：甲"]
    assert shown(browser, **month, organisation="绵阳市人社局") == ["目的：乙"]
    assert shown(browser, **month, organisation="绵阳") == []


def test_a_longer_period_is_cut_to_its_last_month_and_said() -> None:
    look(CHENGDU, "目的：旧", days_ago=31)
    look(CHENGDU, "目的：新", days_ago=30)
    browser, today = auditor("51"), day_of(now())
    asked = {"since": today - timedelta(days=90), "until": today}

    assert shown(browser, **asked) == ["目的：新"]
    assert "一次最多查 31 天" in browser.get("/console/looks", asked).content.decode()


@pytest.mark.parametrize(
    "asked",
    [
        {"since": "x", "until": "2026-13-40", "holder": "x", "after": "x"},
        {"since": "0001-01-01", "until": "9999-12-31"},
        {"after": "9" * 40 + "." + str(HOLDER)},
        {"after": "-" + "9" * 17 + "." + str(HOLDER)},
        {"looker": "x" * 101, "organisation": "\0"},
    ],
)
def test_any_question_is_answered(asked: dict[str, str]) -> None:
    assert auditor("51").get("/console/looks", asked).status_code == 200


def test_pages_go_on_without_gap_repetition_or_counting() -> None:
    at = now()
    for number in range(120):  # several of one moment
        moment = at - timedelta(minutes=number // 3)
        looks.record(HOLDER, by=CHENGDU, at=moment, purpose=f"目的{number:03d}", fields=["姓名"])
    look(MIANYANG, "目的：别处")
    since = day_of(at - timedelta(days=1))  # midnight may just have passed
    browser, address, seen = auditor("5101"), f"/console/looks?since={since}", list[str]()

    for _ in range(3):
        with CaptureQueriesContext(connection) as asked:
            page = browser.get(address).content.decode()
        assert sum('FROM "core_look"' in (query["sql"] or "") for query in asked) == 1
        assert not any("COUNT(" in (query["sql"] or "") for query in asked)
        seen += re.findall(r"目的\d{3}", page)
        older = re.search(r'href="([^"]*after=[^"]+)">更早的', page)
        address = "/console/looks" + unescape(older[1]) if older else ""

    assert address == ""
    assert "目的：别处" not in page
    assert (len(seen), len(set(seen))) == (120, 120)


@pytest.mark.parametrize(
    ("index", "question"),
    [
        ("at", {}),
        ("looker_name", {"looker": "员七"}),
        ("organisation", {"organisation": "局七"}),
        ("left", {"region": "5107"}),
        ("left", {"region": "510703"}),
    ],
)
def test_a_page_is_read_by_index_day_by_day(index: str, question: dict[str, str]) -> None:
    today = day_of(now())
    first = today - timedelta(days=2)
    partitions.ensure("core_look", first, today)
    with connection.cursor() as cursor:
        cursor.execute(_MANY, {"first": first, "names": list("一二三四五六七八九")})
        cursor.execute("ANALYZE core_look")
    asked = looks.Asked(first, today, **question)

    found: Sequence[Look] = list(looks.asked_for(asked)[:51])
    plan = looks.asked_for(asked)[:51].explain()

    assert len(found) == 51
    assert "Seq Scan" not in plan.replace("Seq Scan on core_look_default", "")
    used = re.findall(r"Index Scan (?:using|on) core_look_\d{8}_(\w+?)_(?:at_|id_)*idx", plan)
    assert used, plan
    assert {name.split("_at")[0] for name in used} == {index}, plan


_MANY = """
INSERT INTO core_look (day, id, at, holder_id, looker_name, looker_role, looker_scope, organisation, channel,
    purpose, ground, fields)
SELECT at::date, gen_random_uuid(), at, gen_random_uuid(), '员' || (%(names)s::text[])[1 + n %% 9], 'clerk',
    '51' || lpad((1 + n %% 20)::text, 2, '0') || '03', '局' || (%(names)s::text[])[1 + n %% 9], 'counter', '', '', '{}'
FROM (SELECT n, %(first)s::date + n * interval '12 seconds' AS at FROM generate_series(0, 18000) n) made
"""
