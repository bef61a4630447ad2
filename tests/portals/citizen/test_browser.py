"""The pages in a real browser: access for everyone, no overflow, no script needed, few bytes."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import brotli
import pytest
from playwright.sync_api import Page, Response, expect

from tests.portals.citizen import people
from tests.portals.citizen.conftest import session_of
from tests.portals.conftest import OpenPage
from yikatong.core import looks
from yikatong.core.actor import Actor, Channel, Role
from yikatong.core.clock import day_of, now
from yikatong.registry.cards.models import Card, CardStatus, Case
from yikatong.registry.catalogue.models import Place
from yikatong.registry.holders.models import Holder
from yikatong.registry.outlets import actions as outlets
from yikatong.registry.outlets.hours import parse
from yikatong.registry.regions.models import Outlet

pytestmark = pytest.mark.browser

PUBLIC = ["login", "settings", "help", "places", "offline", "code/shell"]
OWN = [
    "",
    "code",
    "code/password",
    "code/password/reset",
    "card",
    "card/reveal",
    "card/ecard",
    "card/ecard/remove",
    "card/loss",
    "card/loss?ask=1",
    "card/loss?kind=temporary",
    "card/release",
    "card/replace",
    "apply",
    "cases",
    "uses",
    "looks",
    "me",
]
MODES = [{}, {"elder": True}, {"size": 4}]
BUDGET = 60_000


@pytest.fixture
def holder(transactional_db: None) -> Holder:
    """王芳 again, in a database the server sees; with a matter closed and a look at her record."""
    people.world()
    made = people.ready(people.holder(people.WANG, "王芳", people.PHONE))
    clerk = Actor(None, "李强", Role.CLERK, Channel.COUNTER, organisation="成都市人社局")
    looks.record(made.id, by=clerk, at=now(), purpose="办理挂失", fields=["姓名"])
    return made


def cookies(holder: Holder) -> dict[str, str]:
    return {"sessionid": session_of(holder)}


def settle(page: Page, path: str) -> Response | None:
    """Open a page; one that draws a code is finished when the code is there."""
    reply = page.goto(f"/m/{path}")
    if path == "code":
        page.wait_for_selector("[data-shown]")
    return reply


@pytest.mark.clause("Q2")
@pytest.mark.parametrize("mode", MODES, ids=["standard", "elder", "30px"])
def test_every_page_is_for_everyone(
    holder: Holder,
    open_page: OpenPage,
    axe: Callable[..., None],
    no_overflow: Callable[..., None],
    mode: dict[str, Any],
) -> None:
    """axe finds nothing, and nothing must be scrolled sideways at 320, 390 and 1366 pixels."""
    paths = [*PUBLIC, *OWN, f"places/{Place.objects.get().id}"]
    chen = people.holder(people.CHEN, "陈静", people.OTHER_PHONE)
    page = open_page(390, 844, cookies=cookies(holder), **mode)
    _check(page, paths, axe, no_overflow)

    Card.objects.update(status=CardStatus.LOST, lost_at=now())
    case = people.open_case(chen)
    _check(page, ["code", "card/loss/done", "card/release"], axe, no_overflow)
    newcomer = open_page(390, 844, cookies=cookies(chen), **mode)
    _check(newcomer, ["", "code?", "card", "cases", f"cases/{case.number}?new"], axe, no_overflow)


def _check(page: Page, paths: list[str], axe: Callable[..., None], no_overflow: Callable[..., None]) -> None:
    """All that is wrong, on all pages, at once."""
    wrong: list[str] = []
    for path in paths:
        page.set_viewport_size({"width": 390, "height": 844})
        reply = page.goto(f"/m/{path}")
        assert reply is not None
        assert reply.status in {200, 422}, path
        if page.query_selector("[data-code]") and "shell" not in path:
            page.wait_for_selector("[data-shown]")
        wrong += _complaints(axe, page)
        for width in (320, 390, 1366):
            page.set_viewport_size({"width": width, "height": 844})
            wrong += _complaints(no_overflow, page)
    assert wrong == []


def _complaints(check: Callable[..., None], page: Page) -> list[str]:
    try:
        check(page)
    except AssertionError as error:
        return [str(error)]
    return []


@pytest.mark.clause("Q2")
def test_the_whole_code_is_on_the_first_screen_of_the_smallest_phone(
    holder: Holder, open_page: OpenPage
) -> None:
    page = open_page(320, 568, cookies=cookies(holder), elder=True)
    settle(page, "code")

    code, tabs = page.locator("[data-code]").bounding_box(), page.locator(".tabs").bounding_box()
    assert code is not None
    assert tabs is not None
    assert code["width"] >= 244
    assert code["y"] + code["height"] <= tabs["y"]
    expect(page.get_by_role("link", name="就医码")).to_be_attached()


def test_when_an_outlet_opens_can_be_read_whole(holder: Holder, open_page: OpenPage) -> None:
    tomorrow = day_of(now() + timedelta(days=1)).isoweekday()
    week = {day: parse("9:00-9:01") if day == tomorrow else [] for day in range(8)}
    outlets.write_week(Outlet.objects.get(), week)  # closed now: the words are the longest
    page = open_page(320, 568, elder=True)
    page.goto("/m/outlets")
    panel, tag = page.locator(".panel").last, page.locator(".rows .tag").first
    expect(tag).to_contain_text("开门")

    wide, seen = tag.bounding_box(), panel.bounding_box()
    assert wide is not None
    assert seen is not None
    assert wide["x"] + wide["width"] <= seen["x"] + seen["width"]


def test_a_code_and_a_loss_need_no_script(holder: Holder, open_page: OpenPage) -> None:
    page = open_page(
        390, 844, cookies={"sessionid": session_of(holder, code_open=False)}, java_script_enabled=False
    )
    page.goto("/m/code?scene=3")
    page.fill("#id_password", people.PASSWORD)
    page.click("text=去亮码")
    page.wait_for_selector("img[alt^=一卡通短码]")
    assert page.evaluate("document.images[0].naturalWidth") > 0
    assert '<meta http-equiv="refresh" content="50">' in page.content()

    page.goto("/m/card/loss")
    page.check("input[value=temporary]")
    page.click("text=下一步")
    page.click("button:has-text('确认挂失')")
    page.wait_for_url("**/m/card/loss/done")

    assert page.inner_text("h2 >> nth=0") == "临时挂失已生效"
    assert Card.objects.get().status == CardStatus.TEMPORARILY_LOST
    page.goto("/m/code")
    assert "该卡已临时挂失" in page.inner_text("main")


def test_an_application_needs_no_script(transactional_db: None, open_page: OpenPage) -> None:
    people.world()
    chen = people.holder(people.CHEN, "陈静", people.OTHER_PHONE)
    page = open_page(390, 844, cookies=cookies(chen), java_script_enabled=False)
    page.goto("/m/apply")
    page.click("text=查看网点")
    page.wait_for_url("**/m/apply?district=*")  # the page before has outlets to choose from, too
    page.check("input[name=outlet]")
    page.check("input[name=bank][value='95901']")
    page.click("text=提交申请")
    page.wait_for_url("**/m/cases/*?new")

    assert "申请已提交" in page.inner_text("main")
    assert Case.objects.get().bank_id == "95901"


def test_errors_are_read_first(holder: Holder, open_page: OpenPage) -> None:
    page = open_page(390, 844, cookies=cookies(holder))
    page.goto("/m/card/replace")
    page.click("text=提交申请")
    expect(page.locator(".errors")).to_be_focused()
    assert page.title().startswith("有错误：")
    page.click(".errors a >> nth=0")
    expect(page.locator("[name=outlet]").first).to_be_focused()


@pytest.mark.parametrize("path", ["", "code", "card", "apply", "places"])
def test_a_page_is_small(holder: Holder, open_page: OpenPage, path: str) -> None:
    """Everything a first visit fetches, compressed as it is served: files by brotli, pages by gzip at most."""
    page = open_page(390, 844, cookies=cookies(holder))
    bodies: dict[str, bytes] = {}
    page.on(
        "response", lambda reply: bodies.update({reply.url: reply.body()}) if reply.status == 200 else None
    )
    settle(page, path)
    page.wait_for_load_state("networkidle")

    if path == "code":
        assert any(url.endswith("sm-crypto-v2/index.umd.js") for url in bodies)
    assert sum(len(brotli.compress(body)) for body in bodies.values()) <= BUDGET
