"""The board in a real browser."""

import gzip
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import brotli
import pytest
from django.core.cache import cache
from django.test import Client
from playwright.sync_api import Page, Response, expect

from tests import cast
from yikatong.core.clock import BEIJING, day_of, now
from yikatong.insight.dashboards import actions
from yikatong.registry.catalogue.models import Domain
from yikatong.registry.regions import profile
from yikatong.using.codes.reasons import Reason
from yikatong.using.usage.models import Use

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.clause("L3")]
MODES = [
    pytest.param({}, id="standard"),
    pytest.param({"elder": True}, id="elder"),
    pytest.param({"size": 4}, id="fs4"),
]
PAGES = ["/board/", "/board/?range=week", "/board/cities/510100", "/board/domains/transit", "/board/print"]

# Contents that reach beyond their panel.
SPILT = """[...document.querySelectorAll('.panel')].flatMap(panel =>
    [...panel.querySelectorAll('.bars, .ring, .ring > *, .plot, .hexes, table.service, .scroll')]
    .filter(one => !one.closest('.sheet') && one.checkVisibility()
        && one.getBoundingClientRect().bottom > panel.getBoundingClientRect().bottom + 1)
    .map(one => one.className))"""

OpenBoard = Callable[..., Page]


def write_uses(count: int, *, back: timedelta = timedelta(0)) -> None:
    """Uses of two cities and two domains, one in ten refused, counted."""
    at = now() - back
    day, first = day_of(at), Use.objects.count()
    Use.objects.bulk_create(
        Use(
            day=day, terminal=1, sequence=int(f"{day:%Y%m%d}") * 10**8 + first + n, used_at=at, received_at=at,
            method=n % 3 + 1, scene=3, city_code=("510100", "510700")[n % 2], is_offline=n % 5 == 0,
            domain_code=("transit", "medical")[n % 2], outcome=Reason.REPLAYED.value if n % 10 == 9 else 0,
            request_digest=bytes(16),
        )
        for n in range(count)
    )  # fmt: skip
    actions.refresh_minutes(at=at)


def earlier_today() -> timedelta:
    """An hour, or what midnight leaves of it."""
    local = now().astimezone(BEIJING)
    return min(timedelta(hours=1), (local - local.replace(hour=0, minute=0, second=0, microsecond=0)) / 2)


@pytest.fixture
def open_board(open_page: Callable[..., Page], client: Client) -> OpenBoard:
    cache.clear()
    Domain.objects.bulk_create(
        Domain(code=entry.code, name=entry.name, order=order)
        for order, entry in enumerate(profile.load("sichuan").domains)
    )
    write_uses(400, back=earlier_today())
    write_uses(200)
    actions.refresh_minutes(at=now())
    cookie = cast.log_in(client, cast.leader()).cookies["sessionid"].value

    def opened(path: str = "/board/", width: int = 1366, height: int = 768, **more: Any) -> Page:
        page = open_page(width, height, cookies={"sessionid": cookie}, **more)
        page.goto(path)
        return page

    return opened


@pytest.mark.clause("Q2")
@pytest.mark.parametrize("mode", MODES)
def test_accessible_and_never_wider_than_the_screen(
    open_board: OpenBoard,
    axe: Callable[[Page], None],
    no_overflow: Callable[[Page], None],
    mode: dict[str, Any],
) -> None:
    page = open_board("/board/", **mode)
    for path in PAGES:
        page.goto(path)
        axe(page)
        for width, height in ((320, 640), (390, 844), (1920, 1080), (1366, 768)):
            page.set_viewport_size({"width": width, "height": height})
            no_overflow(page)
    page.goto("/board/")
    page.evaluate("document.querySelectorAll('details.data').forEach(one => { one.open = true })")
    axe(page)
    no_overflow(page)


def test_a_wall_screen_shows_all_at_once(open_board: OpenBoard) -> None:
    page = open_board("/board/", 1920, 1080)
    for path in ("/board/", "/board/cities/510100", "/board/domains/transit"):
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollHeight") == 1080, path
        assert page.evaluate(SPILT) == [], path


def test_without_script_every_table_can_be_read(open_board: OpenBoard) -> None:
    page = open_board("/board/", java_script_enabled=False)
    tables = page.locator("details.data")
    assert tables.count() == 5
    for number in range(5):
        tables.nth(number).locator("summary").click()
        assert tables.nth(number).locator("table").is_visible()
        tables.nth(number).locator("summary").click()
    assert page.locator("[data-pause]").is_hidden()
    assert page.get_by_role("link", name="暂停自动更新").is_visible()
    page.get_by_role("link", name="打印版").click()
    page.wait_for_url("**/board/print*")
    assert page.locator("table:visible").count() == 6


def test_only_who_is_there_keeps_the_session(open_board: OpenBoard) -> None:
    page = open_with_clock(open_board())
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url.partition("?")[2]))

    for act in (lambda: None, lambda: page.keyboard.press("Tab"), lambda: None):
        act()
        with page.expect_response(lambda answer: "part=live" in answer.url):
            page.clock.run_for(10_500)

    assert asked == ["part=live&auto=1", "part=live", "part=live&auto=1"]


def test_new_uses_appear_and_open_tables_stay_open(open_board: OpenBoard) -> None:
    page = open_board()
    # The clock of the page is ours: ten seconds pass at once.
    page = open_with_clock(page)
    assert figure(page) == "540"
    page.locator("#data-domains summary").click()
    page.locator("a[aria-label^='成都']").focus()
    write_uses(100)
    page.clock.run_for(10_500)
    expect(page.locator(".kpi .figure").first).to_have_text("630")

    assert page.locator("#data-domains").get_attribute("open") is not None
    assert page.evaluate("document.activeElement.getAttribute('aria-label')").startswith("成都")
    assert "630" in page.locator("[data-say]").text_content()  # type: ignore[operator]
    expect(page.locator("#live .drawn canvas")).to_have_count(1)  # its library comes after everything else


def test_a_paused_board_stands_still(open_board: OpenBoard) -> None:
    page = open_with_clock(open_board())
    page.get_by_role("button", name="暂停更新").click()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.clock.run_for(60_000)
    assert asked == []
    page.get_by_role("button", name="恢复更新").click()
    expect(page.get_by_role("button", name="暂停更新")).to_be_visible()
    expect(page.locator("[data-updated]")).not_to_have_class("warn")
    assert [url.endswith("?part=live") for url in asked] == [True]


def test_rotation_only_when_asked(open_board: OpenBoard) -> None:
    page = open_with_clock(open_board())
    visited: list[str] = []
    page.on("framenavigated", lambda frame: visited.append(frame.url.rpartition("/board/")[2]))
    page.clock.run_for(60_000)
    page.get_by_role("link", name="轮播").click()
    page.wait_for_url("**/board/?rotate=1")
    page.clock.run_for(20_500)
    page.wait_for_url("**/board/?range=week&rotate=1&auto=1")
    page.get_by_role("link", name="停止轮播").click()
    page.wait_for_url("**/board/?range=week")
    assert visited == ["?rotate=1", "?range=week&rotate=1&auto=1", "?range=week"]


def test_an_ended_session_asks_to_log_in(open_board: OpenBoard) -> None:
    page = open_with_clock(open_board())
    page.context.clear_cookies()
    page.clock.run_for(10_500)
    page.wait_for_url("**/staff/login?next=%2Fboard%2F")


def test_tiles_lead_to_their_city_by_keyboard(open_board: OpenBoard) -> None:
    page = open_board()
    page.locator("a[aria-label^='绵阳']").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/board/cities/510700")
    assert page.locator("h1").text_content() == "绵阳运行监测"


def test_every_chart_has_a_name_and_a_table(open_board: OpenBoard) -> None:
    page = open_board()
    nameless = page.evaluate(
        "[...document.querySelectorAll('#live svg[role=img], #live div[role=img], #live figure')]"
        ".filter(one => !one.getAttribute('aria-label')).length"
    )
    assert nameless == 0
    for chart in (".bars:not(.only-narrow)", ".ring", ".hexes", ".plot"):
        panel = page.locator(f".panel:has({chart})").first
        assert panel.locator("[role=img], figure[role=group] a").count() > 0
        assert panel.locator("details.data table tbody tr").count() > 0


def test_the_page_travels_light(open_board: OpenBoard) -> None:
    answers: list[Response] = []
    page = open_board("/board/print")
    page.goto("about:blank")  # or late answers of that page would count
    page.on("response", lambda answer: answers.append(answer))  # noqa: PLW0108 - a bound method of a list cannot be a handler
    page.goto("/board/", wait_until="networkidle")
    sizes = {}
    for answer in answers:
        body = answer.body()
        is_file = "/static/" in answer.url  # files are compressed once and for all, pages as they go
        sizes[answer.url.rsplit("/", 1)[-1]] = len(
            brotli.compress(body) if is_file else gzip.compress(body, 6)
        )
    assert "echarts.min.js" in sizes
    assert sum(sizes.values()) <= 340_000, sizes


def figure(page: Page) -> str:
    return str(page.locator(".kpi .figure").first.text_content())


def open_with_clock(page: Page) -> Page:
    page.clock.install()
    page.reload(wait_until="networkidle")
    return page
