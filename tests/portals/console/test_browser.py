"""The auditor's pages in a real browser."""

from collections.abc import Callable
from pathlib import Path

import pytest
from django.test import Client
from playwright.sync_api import Page, expect

from tests import cast
from tests.portals.conftest import OpenPage
from yikatong.core.actor import Role
from yikatong.core.clock import day_of, now

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def session() -> dict[str, str]:
    """郑安 is logged in; the cookie of her browser."""
    cast.set_stage()
    client = cast.log_in(Client(), cast.staff("郑安", "zhengan", role=Role.AUDITOR, scope="51"))
    return {"sessionid": client.cookies["sessionid"].value}


@pytest.mark.parametrize("look", [{}, {"elder": True}, {"size": 4}], ids=["standard", "elder", "largest"])
def test_the_logs_are_accessible(
    open_page: OpenPage,
    axe: Callable[[Page], None],
    no_overflow: Callable[[Page], None],
    session: dict[str, str],
    look: dict[str, bool | int],
) -> None:
    cast.apply(cast.wang_fang())
    page = open_page(cookies=session, **look)
    today = day_of(now())
    for address in ("audit", f"audit?since={today}&until={today}", "looks"):
        page.goto(f"/console/{address}")
        axe(page)
        for width in (1366, 390, 320):
            page.set_viewport_size({"width": width, "height": 768})
            no_overflow(page)
        page.set_viewport_size({"width": 1366, "height": 768})


def test_a_period_is_chosen_and_taken_out(open_page: OpenPage, session: dict[str, str]) -> None:
    cast.apply(cast.wang_fang())
    page = open_page(cookies=session)
    page.goto("/console/audit")
    today = str(day_of(now()))
    page.get_by_label("自", exact=True).fill(today)
    page.get_by_label("至", exact=True).fill(today)
    page.get_by_role("button", name="查询").click()
    link = page.get_by_role("link", name="导出所列期间的全部记录（CSV）")
    expect(link).to_be_visible()
    with page.expect_download() as coming:
        link.click()
    assert coming.value.suggested_filename.startswith("审计记录-")
    content = Path(coming.value.path()).read_text(encoding="utf-8-sig")
    assert content.startswith("时间,事件,事件代码,对象,人员,岗位,单位,渠道,内容,编号")
    assert "受理单：待审核,cards:case:submitted" in content
