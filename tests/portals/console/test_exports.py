"""Logs as CSV files: whole, of a period, bounded, and themselves in the log."""

import csv
import io
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.conf import settings
from django.test import Client

from tests import cast
from yikatong.core import audit, looks
from yikatong.core.actor import SYSTEM, Actor, Channel, Role
from yikatong.core.clock import BEIJING, day_of, now
from yikatong.core.models import AuditEntry

pytestmark = pytest.mark.django_db
CLERK = Actor(UUID(int=1), "李强", Role.CLERK, Channel.COUNTER, scope="510107", organisation="武侯区大厅")
HOLDER = UUID(int=77)


@pytest.fixture(autouse=True)
def stage(db: None) -> None:
    cast.set_stage()


def auditor(scope: str = "51") -> Client:
    return cast.log_in(Client(), cast.staff("郑安", f"auditor-{scope}", role=Role.AUDITOR, scope=scope))


def act(event: str, *, days_ago: int = 0, **facts: Any) -> None:
    audit.record(event, subject="case:1", by=CLERK, at=now() - timedelta(days=days_ago), **facts)


def period(first: int = 0, last: int = 0) -> dict[str, str]:
    """From so many days ago to so many."""
    today = day_of(now())
    return {"since": f"{today - timedelta(days=first)}", "until": f"{today - timedelta(days=last)}"}


def rows_of(answer: Any) -> list[dict[str, str]]:
    content = b"".join(answer.streaming_content)
    assert content.startswith(b"\xef\xbb\xbf"), "a spreadsheet would read it as GBK"
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))


@pytest.mark.clause("cap:O5", "cap:O1")
def test_the_log_of_a_period_is_taken_out_whole() -> None:
    act("cards:case:checked", days_ago=9)
    act("cards:case:submitted", days_ago=2, kind="apply")
    act("cards:case:checked", days_ago=1)
    browser = auditor()

    answer = browser.get("/console/audit.csv", {"event": "cards:", **period(3, 1)})
    rows = rows_of(answer)

    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert answer.headers["Content-Disposition"].startswith("attachment; filename*=UTF-8''%E5%AE%A1")
    checked, submitted = AuditEntry.objects.filter(event__startswith="cards:").order_by("-at")[:2]
    assert [(row["事件代码"], row["编号"]) for row in rows] == [
        ("cards:case:checked", str(checked.id)),
        ("cards:case:submitted", str(submitted.id)),
    ]
    assert rows[1] == {
        "时间": f"{submitted.at.astimezone(BEIJING):%Y-%m-%d %H:%M:%S}",
        "事件": "受理单：待审核",
        "事件代码": "cards:case:submitted",
        "对象": "case:1",
        "人员": "李强",
        "岗位": "窗口经办",
        "单位": "武侯区大厅",
        "渠道": "窗口",
        "内容": '{"kind": "apply"}',
        "编号": str(submitted.id),
    }
    told = AuditEntry.objects.get(event="audit:log:exported")
    assert (told.actor_name, told.facts) == ("郑安", {"rows": 2, "for": {"event": "cards:", **period(3, 1)}})


@pytest.mark.clause("cap:O5")
def test_an_auditor_of_a_city_sees_what_its_staff_did() -> None:
    here, there = (
        cast.staff(name, login, role=Role.CLERK, scope=scope).actor(Channel.COUNTER)
        for name, login, scope in (("李强", "clerk-5101", "510107"), ("赵敏", "clerk-5107", "510703"))
    )
    for by in (here, there, SYSTEM):
        audit.record("cards:case:checked", subject="case:1", by=by, at=now())
    city, all_of_it = auditor("5101"), auditor("51")

    own = rows_of(city.get("/console/audit.csv", {"event": "cards:", **period()}))
    assert [row["人员"] for row in own] == ["李强"]
    assert len(rows_of(all_of_it.get("/console/audit.csv", {"event": "cards:", **period()}))) == 3
    page = city.get("/console/audit").content.decode()
    assert "只列出管辖范围在成都市以内的工作人员所办" in page
    assert "赵敏" not in page
    assert "赵敏" in all_of_it.get("/console/audit").content.decode()


def test_an_export_leaves_out_its_own_entry_and_has_all_of_before() -> None:
    browser = auditor()
    before = AuditEntry.objects.count()
    first = rows_of(browser.get("/console/audit.csv", period()))
    second = rows_of(browser.get("/console/audit.csv", period()))
    assert (len(first), len(second)) == (before, before + 1)
    assert second[0]["事件"] == "审计记录：导出"


@pytest.mark.parametrize("asked", [{}, {"since": "2026-11-01"}, {"since": "x", "until": "2026-11-01"}])
def test_without_a_period_nothing_is_taken_out(asked: dict[str, str]) -> None:
    browser = auditor()
    page = browser.get("/console/audit", asked).content.decode()
    assert ("选定起止日期并查询后，可以导出。" in page, "audit.csv" in page) == (True, False)
    answer = browser.get("/console/audit.csv", asked)
    assert (answer.status_code, "请先选定起止日期" in answer.content.decode()) == (422, True)
    assert not AuditEntry.objects.filter(event="audit:log:exported").exists()


def test_the_page_offers_what_it_shows() -> None:
    act("cards:case:checked")
    browser, asked = auditor(), period()
    page = browser.get("/console/audit", {**asked, "event": "cards:"}).content.decode()
    link = f"/console/audit.csv?since={asked['since']}&amp;until={asked['until']}&amp;event=cards%3A"
    assert link in page
    assert '一次最多 <span class="num">1000000</span> 条' in page
    assert len(rows_of(browser.get(link.replace("&amp;", "&")))) == 1


@pytest.mark.clause("cap:O1")
@pytest.mark.parametrize("kind", ["audit", "looks"])
def test_more_than_the_limit_is_refused_and_says_how_to_go_on(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "ENV", settings.ENV.model_copy(update={"export_rows": 3}))
    browser = auditor()
    for _ in range(3):
        act("test:entry:made")
        looks.record(HOLDER, by=CLERK, at=now(), purpose="核对", fields=["姓名"])
    asked = {"event": "test:", **period()}
    assert len(rows_of(browser.get(f"/console/{kind}.csv", asked))) == 3

    act("test:entry:made")
    looks.record(HOLDER, by=CLERK, at=now(), purpose="核对", fields=["姓名"])
    before = AuditEntry.objects.count()
    answer = browser.get(f"/console/{kind}.csv", asked)
    words = "符合条件的记录超过 3 条，没有导出。下一步：缩短起止日期"
    assert (answer.status_code, words in answer.content.decode()) == (422, True)
    assert AuditEntry.objects.count() == before


@pytest.mark.clause("G17", "cap:O1")
def test_looks_are_taken_out_as_they_are_listed() -> None:
    looks.record(HOLDER, by=CLERK, at=now(), purpose="=1+1", fields=["姓名", "手机号码"], ground="申领")
    other = Actor(UUID(int=2), "陈静", Role.CLERK, Channel.COUNTER, scope="5107", organisation="绵阳")
    looks.record(HOLDER, by=other, at=now(), purpose="核对", fields=["姓名"])

    (row,) = rows_of(auditor("5101").get("/console/looks.csv"))

    assert {**row, "时间": ""} == {
        "时间": "",
        "查询人": "李强",
        "岗位": "窗口经办",
        "单位": "武侯区大厅",
        "渠道": "窗口",
        "为了": "'=1+1",  # a formula to no spreadsheet
        "依据": "申领",
        "看了": "姓名、手机号码",
        "持卡人（内部编号）": str(HOLDER),
    }
    told = AuditEntry.objects.get(event="audit:looks:exported")
    assert told.facts == {"rows": 1, "region": "5101", **period()}
    assert len(rows_of(auditor("51").get("/console/looks.csv", {"looker": "陈静"}))) == 1


def test_more_than_a_month_of_looks_is_refused() -> None:
    answer = auditor().get("/console/looks.csv", period(40, 0))
    assert (answer.status_code, "一次最多导出 31 天" in answer.content.decode()) == (422, True)
    assert not AuditEntry.objects.filter(event="audit:looks:exported").exists()


@pytest.mark.clause("cap:O1")
def test_a_long_file_comes_in_pieces() -> None:
    audit.record_all(
        audit.entry("test:entry:made", subject=f"x:{n}", by=CLERK, at=now()) for n in range(5_000)
    )
    answer = auditor().get("/console/audit.csv", {"event": "test:", **period()})
    pieces = list(answer.streaming_content)
    assert answer.streaming
    assert len(pieces) > 9
    assert max(map(len, pieces)) < 200_000
    lines = b"".join(pieces).decode().splitlines()
    assert len(lines) == 5_001
    assert len(set(lines)) == 5_001
