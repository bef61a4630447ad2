"""The nearest open outlet, in another city: a case is taken there, checked at its place of issue, printed at once.

One journey, in its order: a supervisor opens a hall for longer, a citizen finds it on his phone, a clerk there takes
his replacement with the keyboard alone, the place of issue checks it, the clerk prints and hands over the card, and
the day's stock is counted by one and confirmed by another.
"""

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.house import House, wait_until
from tests.journeys.conftest import OpenBrowser
from tests.journeys.people import PHONE_SCREEN, Staff
from tests.portals.conftest import arrived, tab_to
from yikatong.core.clock import day_of, now

pytestmark = pytest.mark.browser
Check = Callable[[Page], None]
WIDE = {"viewport": {"width": 1440, "height": 900}}
ONLINE = "95902"  # a bank that opens accounts over the line
_SHOTS = os.environ.get("SHOTS_FOLDER")


def shot(page: Page, name: str) -> None:
    """Kept where somebody wants to look at them."""
    if _SHOTS:
        page.screenshot(path=str(Path(_SHOTS) / f"{name}.png"), full_page=True)


@pytest.mark.clause("B4", "B5", "B9", "D4", "G5", "O10", "S14")
def test_from_the_nearest_open_outlet_to_a_card_in_the_hand(
    house: House, open_browser: OpenBrowser, axe: Check, no_overflow: Check
) -> None:
    hall = _hall_of(house, "hejing")
    head = Staff(open_browser(**WIDE), house).log_in("业务主管")
    _hall_is_open_today(head, hall, axe)

    clerk = Staff(open_browser(**WIDE), house).log_in("外市窗口经办")
    _queue_is_reported(clerk.page, axe)
    visitor = open_browser(**PHONE_SCREEN)
    _citizen_finds_it(visitor, hall, axe, no_overflow)
    _position_of_the_phone_does_too(open_browser, hall)
    _citizen_reads_the_guide(visitor, axe, no_overflow)
    _kiosk_tells_the_same(open_browser(viewport={"width": 1080, "height": 1400}), hall, axe)

    card = _card_issued_elsewhere(house, str(hall["division_code"]))
    number = _case_is_taken_by_keyboard(clerk.page, card, axe)
    _taker_may_not_check(clerk.page, number, axe)
    first = Staff(open_browser(**WIDE), house).log_in("窗口经办").page
    _place_of_issue_checks(first, number, axe)
    wait_until(
        lambda: house.ask("SELECT status FROM cards_case WHERE number = %s", number)[0][0] == "preopened",
        "the bank opens the account over the line",
    )
    _card_is_printed_and_handed_over(clerk.page, house, number, axe)
    _stock_is_counted_by_two(clerk.page, first, head, house, axe)


def _hall_of(house: House, login: str) -> dict[str, Any]:
    names = ("id", "name", "division_code", "number", "longitude", "latitude")
    row = house.ask(
        "SELECT o.id, o.name, o.division_code, o.number, o.longitude, o.latitude FROM regions_outlet o"
        " JOIN core_staffuser s ON s.outlet_id = o.id WHERE s.username = %s",
        login,
    )[0]
    return dict(zip(names, row, strict=True))


def _hall_is_open_today(head: Staff, hall: dict[str, Any], axe: Check) -> None:
    page = head.at(f"/console/outlets?text={hall['number']}")
    axe(page)
    page.get_by_role("link", name=str(hall["number"])).press("Enter")
    arrived(page.locator("#changes-title"))
    today = day_of(now()).isoformat()
    form = page.locator("form[aria-label='登记临时调整']")
    form.locator("#id_since").fill(today)
    form.locator("#id_until").fill(today)
    form.locator("#id_span").fill("0:00-23:59")
    form.locator("#id_reason").fill("延时服务")
    form.get_by_role("button").press("Enter")
    expect(page.get_by_role("status").first).to_contain_text("已保存")
    expect(page.locator(".page-head")).to_contain_text("正在服务，23:59 结束")
    axe(page)
    shot(page, "console-outlet")


def _queue_is_reported(page: Page, axe: Check) -> None:
    page.goto("/counter/queue")
    tab_to(page, "id_waiting")
    page.keyboard.type("3")
    page.keyboard.press("Tab")
    page.keyboard.type("2")
    page.keyboard.press("F9")
    expect(page.get_by_role("status").first).to_contain_text("已登记")
    axe(page)
    shot(page, "counter-queue")


def _citizen_finds_it(page: Page, hall: dict[str, Any], axe: Check, no_overflow: Check) -> None:
    page.goto("/m/login")
    page.get_by_role("link", name="服务网点").last.press("Enter")
    arrived(page.locator("#near"))
    axe(page)
    page.locator("#near").fill(str(hall["name"]).removesuffix("社会保障卡服务大厅"))
    page.locator("input[name=open]").check()
    page.locator("#near").press("Enter")
    arrived(page.locator("#found-title"))
    first = page.locator("ul.rows a").first
    expect(first).to_contain_text(str(hall["name"]))
    expect(first).to_contain_text(re.compile(r"约 [\d.]+ (米|公里)"))
    expect(first).to_contain_text("正在服务，23:59 结束")
    expect(first).to_contain_text("3 人等候，2 个窗口")
    axe(page)
    no_overflow(page)
    shot(page, "m-outlets")
    first.press("Enter")
    arrived(page.locator("#hours-title"))
    expect(page.locator("main")).to_contain_text("0:00–23:59（延时服务）")
    expect(page.locator("main")).to_contain_text("全省通办")
    axe(page)
    no_overflow(page)
    shot(page, "m-outlet")


def _position_of_the_phone_does_too(open_browser: OpenBrowser, hall: dict[str, Any]) -> None:
    """Asked for by the button only, and refused without harm; rounded before it is sent."""
    here = {"longitude": float(hall["longitude"]), "latitude": float(hall["latitude"])}
    page = open_browser(**PHONE_SCREEN | {"geolocation": here, "permissions": ["geolocation"]})
    page.goto("/m/outlets")
    page.get_by_role("button", name="用我的位置").press("Enter")
    expect(page.locator("#found-title")).to_have_text("离您的位置最近的网点")
    assert re.search(r"at=-?\d+\.\d{3}(%2C|,)\d+\.\d{3}(&|$)", page.url), page.url
    first = page.locator("ul.rows a").first
    expect(first).to_contain_text(str(hall["name"]))
    expect(first).to_contain_text(re.compile(r"约 \d+ 米"))
    silent = open_browser(**PHONE_SCREEN)
    silent.goto("/m/outlets")
    silent.get_by_role("button", name="用我的位置").press("Enter")
    expect(silent.locator("[data-locate-said]")).to_contain_text("可以填写街道或区（县）的名称。")


def _citizen_reads_the_guide(page: Page, axe: Check, no_overflow: Check) -> None:
    page.goto("/m/guide")
    axe(page)
    shot(page, "m-guide")
    page.get_by_role("link", name="补换社会保障卡").press("Enter")
    arrived(page.locator("#how-title"))
    expect(page.locator("main")).to_contain_text("可以在本省任一城市的网点办理")
    axe(page)
    no_overflow(page)
    shot(page, "m-guide-replace")
    page.emulate_media(media="print")
    expect(page.locator(".tabs")).to_be_hidden()
    shot(page, "m-guide-print")
    page.emulate_media(media="screen")


def _kiosk_tells_the_same(page: Page, hall: dict[str, Any], axe: Check) -> None:
    page.goto("/kiosk/")
    page.get_by_role("link", name="找网点").press("Enter")
    axe(page)
    page.locator(f"a[href$='from={str(hall['division_code'])[:4]}']").press("Enter")
    page.locator(f"a[href$='from={str(hall['division_code'])[:6]}']").press("Enter")
    sheet = page.locator(".sheet", has_text=str(hall["name"]))
    expect(sheet).to_contain_text("3 人等候")
    axe(page)
    shot(page, "kiosk-outlets")


def _card_issued_elsewhere(house: House, division_code: str) -> str:
    """The number of a card in use, of the bank on the line, whose holder lives in another city."""
    return str(
        house.ask(
            "SELECT c.number FROM cards_card c JOIN holders_holder h ON h.id = c.holder_id"
            " JOIN banks_bankaccount a ON a.id = c.account_id"
            " WHERE c.status = '1' AND a.bank_id = %s AND left(h.division_code, 4) <> %s"
            " AND h.birth_date BETWEEN '1960-01-01' AND '2000-01-01' AND h.status = 'active'"
            " AND NOT EXISTS (SELECT FROM cards_case k WHERE k.holder_id = h.id AND k.closed_at IS NULL)"
            " AND NOT EXISTS (SELECT FROM cards_card o WHERE o.holder_id = h.id AND o.status IN ('0', 'A'))"
            " ORDER BY c.number LIMIT 1",
            ONLINE,
            division_code[:4],
        )[0][0]
    )


def _case_is_taken_by_keyboard(page: Page, card: str, axe: Check) -> str:
    page.goto("/counter/find?for=replace")
    arrived(page.locator("#id_q"))
    page.locator("#id_q").focus()
    page.keyboard.type(card)
    page.keyboard.press("F9")
    arrived(page.locator("#id_reason_0"))
    expect(page.locator("#id_outlet_id_helptext")).to_contain_text("全省通办：签发地为")
    axe(page)
    shot(page, "counter-replace")
    tab_to(page, "id_reason_0")
    page.keyboard.press("ArrowDown")  # 损坏
    tab_to(page, "id_verified_0")
    page.keyboard.press("Space")
    page.keyboard.press("F9")
    arrived(page.locator("dl.answers"))
    page.keyboard.press("F9")
    page.wait_for_url("**/counter/cases/*/?new=1")
    arrived(page.locator("#plan-title"))
    expect(page.locator("main")).to_contain_text("（签发地审核岗）")
    axe(page)
    shot(page, "counter-case-taken")
    found = re.search(r"/cases/(\d+)/", page.url)
    assert found
    return found[1]


def _taker_may_not_check(page: Page, number: str, axe: Check) -> None:
    expect(page.locator("main")).to_contain_text("受理地不能审核")
    for form in ("#check", "#reject"):
        expect(page.locator(form)).to_have_count(0)
    page.goto("/counter/elsewhere")
    row = page.locator("section", has=page.locator("#taken-title")).locator("tr", has_text=number)
    expect(row).to_contain_text("签发地审核岗")
    axe(page)
    shot(page, "counter-elsewhere")


def _place_of_issue_checks(page: Page, number: str, axe: Check) -> None:
    page.goto("/counter/elsewhere")
    page.locator("section", has=page.locator("#issue-title")).get_by_role("link", name=number).press("Enter")
    arrived(page.locator("#plan-title"))
    axe(page)
    page.keyboard.press("F9")
    expect(page.get_by_role("status").first).to_contain_text("已办理")
    expect(page.locator(".timeline")).to_contain_text("签发地审核通过，制成后由")
    shot(page, "counter-case-checked")


def _card_is_printed_and_handed_over(page: Page, house: House, number: str, axe: Check) -> None:
    page.goto(f"/counter/cases/{number}/")
    arrived(page.locator("#plan-title"))
    page.keyboard.press("F9")  # 立等可取
    page.wait_for_url("**/counter/stock")
    axe(page)
    wait_until(
        lambda: house.ask("SELECT status FROM cards_case WHERE number = %s", number)[0][0] == "ready",
        "the card is printed",
    )
    page.goto(f"/counter/cases/{number}/fee")
    tab_to(page, "id_receipt")
    page.keyboard.type("26112100001")
    page.keyboard.press("F9")
    page.wait_for_url("**/?done=1")
    arrived(page.locator("#facts-title"))
    page.keyboard.press("F9")
    page.wait_for_url("**/collect")
    shot(page, "counter-collect")
    page.locator("#id_verified_0").press("Space")
    page.get_by_role("button", name=re.compile("领卡")).first.press("Enter")
    wait_until(
        lambda: house.ask("SELECT status FROM cards_case WHERE number = %s", number)[0][0] == "done",
        "the card is in the hand",
    )


def _stock_is_counted_by_two(page: Page, first: Page, head: Staff, house: House, axe: Check) -> None:
    """The taker's drawer lacks a card and waits for another's eyes; at the first hall a supervisor has looked."""
    page.goto("/counter/stock")
    row = page.locator("tr", has=page.locator(f"th:text-is('{_bank(house)}')"))
    expect(row.locator("td").nth(0)).to_have_text("200")  # the pack of some days ago
    expect(row.locator("td").nth(2)).to_have_text("1")  # issued
    _count(page, 198, "一张未找到，已报主管")
    expect(row).to_contain_text("账面 199，实盘 198")
    expect(row).to_contain_text("等另一人复核")
    axe(page)
    shot(page, "counter-stock")

    first.goto("/counter/stock")
    row = first.locator("tr", has=first.locator(f"th:text-is('{_bank(house)}')"))
    lying = int(row.locator("td").nth(6).inner_text())  # some were made into cards here in the days before
    _count(first, lying - 1, "一张未找到")
    eyes = head.at("/counter/stock")
    eyes.get_by_role("button", name="复核").press("Enter")
    expect(eyes.get_by_role("status").first).to_contain_text("盘点已复核")
    row = eyes.locator("tr", has=eyes.locator(f"th:text-is('{_bank(house)}')"))
    expect(row).to_contain_text("1 张短少未核销")
    form = eyes.locator("form[aria-labelledby=missing-title]")
    form.locator("#id_missing-serial").fill(_free_blank(house, "liqiang"))
    form.locator("#id_missing-reason").fill("未找到，已上报")
    form.get_by_role("button").press("Enter")
    expect(eyes.get_by_role("status").first).to_contain_text("短少已核销")
    expect(row.locator("td").nth(5)).to_have_text("1")  # missing
    expect(row.locator("td").nth(6)).to_have_text(str(lying - 1))  # what is left
    axe(eyes)
    shot(eyes, "counter-stock-confirmed")


def _count(page: Page, counted: int, note: str) -> None:
    form = page.locator("form[aria-labelledby=count-title]")
    form.locator("select").select_option(ONLINE)
    form.locator("#id_count-counted").fill(str(counted))
    form.locator("#id_count-note").fill(note)
    form.get_by_role("button").press("Enter")
    expect(page.get_by_role("status").first).to_contain_text("请另一人复核")


def _bank(house: House) -> str:
    return str(house.ask("SELECT name FROM banks_bank WHERE code = %s", ONLINE)[0][0])


def _free_blank(house: House, login: str) -> str:
    return str(
        house.ask(
            "SELECT b.serial FROM stock_blank b JOIN core_staffuser s ON s.outlet_id = b.outlet_id"
            " WHERE s.username = %s AND b.bank_id = %s AND b.status = 'in_stock' ORDER BY b.serial DESC LIMIT 1",
            login,
            ONLINE,
        )[0][0]
    )
