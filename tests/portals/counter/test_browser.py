"""The counter as a clerk meets it: by keyboard alone, in every size, printed, and when he stays away too long."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.contrib.sessions.backends.db import SessionStore
from django.test import Client
from playwright.sync_api import Page, Request, expect

from tests import cast
from tests.portals.conftest import OpenPage, arrived, tab_to
from yikatong.core.clock import now
from yikatong.core.models import Look, StaffUser
from yikatong.registry.cards import actions as card_acts
from yikatong.registry.cards.models import Case
from yikatong.registry.holders.models import Holder

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

MATTERS = (
    "apply",
    "loss",
    "replace",
    "release",
    "cancel",
    "change",
    "certificate",
    "agent",
    "proof",
    "collect",
)


@pytest.fixture
def session() -> dict[str, str]:
    """李强 is logged in; the cookie of his browser."""
    cast.set_stage()
    client = cast.log_in(Client(), cast.li_qiang())
    return {"sessionid": client.cookies["sessionid"].value}


@pytest.fixture
def people(session: dict[str, str]) -> tuple[Holder, Holder, Case]:
    """One with a card in use, one whose case is under way, and that case."""
    carrying = cast.wang_fang()
    cast.card_in_use(carrying)
    waiting = cast.register(cast.id_number(9), name="阿米娜·买买提", phone="13900000009")
    return carrying, waiting, cast.apply(waiting)


def every_page(people: tuple[Holder, Holder, Case]) -> list[str]:
    carrying, waiting, case = people
    desk = ["", "find", "find?for=loss", "register", "check", "progress", "boxes"]
    holders = [f"holders/{carrying.pk}/{key}" for key in ("", *MATTERS)] + [
        f"holders/{waiting.pk}/{key}" for key in ("", "collect", "guardian")
    ]
    cases = [f"cases/{case.number}/{key}" for key in ("", "?new=1", "receipt", "withdraw")]
    return [f"/counter/{one}" for one in desk + holders + cases] + ["/staff/account", "/staff/back"]


@pytest.mark.parametrize("look", [{}, {"elder": True}, {"size": 4}], ids=["standard", "elder", "largest"])
def test_every_page_is_accessible(
    open_page: OpenPage,
    axe: Callable[[Page], None],
    no_overflow: Callable[[Page], None],
    session: dict[str, str],
    people: tuple[Holder, Holder, Case],
    look: dict[str, bool | int],
) -> None:
    page = open_page(cookies=session, **look)
    for address in every_page(people):
        answer = page.goto(address)
        assert answer is not None
        assert answer.status == 200, address
        axe(page)
        for width in (1366, 390, 320):
            page.set_viewport_size({"width": width, "height": 768})
            no_overflow(page)
        page.set_viewport_size({"width": 1366, "height": 768})


def test_error_check_and_result_pages_are_accessible(
    open_page: OpenPage,
    axe: Callable[[Page], None],
    no_overflow: Callable[[Page], None],
    session: dict[str, str],
) -> None:
    holder = cast.wang_fang()
    page = open_page(cookies=session, size=4)
    page.goto(f"/counter/holders/{holder.pk}/apply")
    page.keyboard.press("F9")
    arrived(page.locator("#summary"))
    expect(page.locator("#summary")).to_be_focused()
    assert page.title().startswith("有错误：申领 - ")
    axe(page)
    no_overflow(page)
    page.select_option("#id_bank_code", cast.JOINT)
    page.check("#id_verified_0")
    page.keyboard.press("F9")
    expect(page.get_by_role("heading", name="请与持卡人核对")).to_be_visible()
    axe(page)
    no_overflow(page)
    page.goto("/counter/find")
    page.fill("#id_q", "王芳")
    page.keyboard.press("Enter")
    expect(page.get_by_text("找到 1 人")).to_be_visible()
    axe(page)


@pytest.mark.parametrize("look", [{}, {"elder": True}, {"size": 4}], ids=["standard", "elder", "largest"])
def test_log_in_pages_are_accessible(
    open_page: OpenPage,
    axe: Callable[[Page], None],
    no_overflow: Callable[[Page], None],
    look: dict[str, bool | int],
) -> None:
    user = cast.li_qiang()
    type(user).objects.update(totp_secret=None, totp_confirmed_at=None)
    page = open_page(320, 700, **look)
    page.goto("/staff/login?next=/staff/account")
    axe(page)
    no_overflow(page)
    page.fill("#id_username", "liqiang")
    page.fill("#id_password", "wrong")
    page.keyboard.press("Enter")
    expect(page.locator("#summary")).to_be_focused()
    axe(page)
    page.fill("#id_password", cast.PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="绑定验证器", exact=True)).to_be_visible()
    axe(page)
    no_overflow(page)
    user.refresh_from_db()
    page.fill("#id_code", cast.code_of(user))
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="账号与显示")).to_be_visible()


def test_a_card_is_applied_for_by_keyboard_alone(open_page: OpenPage, session: dict[str, str]) -> None:
    """From the work list to the receipt without a mouse: find, apply, check, confirm, print."""
    cast.wang_fang()
    page = open_page(cookies=session)
    page.goto("/counter/")
    keys = page.keyboard
    keys.press("F2")
    expect(page.locator("#id_q")).to_be_focused()
    keys.press("Alt+1")
    page.wait_for_url("**/counter/find?for=apply")
    expect(page).to_have_title("持卡人查询 - 一卡通柜面 - 居民服务一卡通")
    page.locator("h1").click()
    keys.press("/")
    keys.type(cast.WANG_FANG_NUMBER)
    keys.press("Enter")
    arrived(page.get_by_role("heading", name="申领社会保障卡"))
    keys.press("F9")
    arrived(page.locator("#summary"))
    expect(page.locator("#summary")).to_be_focused()
    expect(page.locator("#summary")).to_contain_text("请改正 2 处问题")
    keys.press("Tab")
    keys.press("Enter")
    expect(page.locator("#id_bank_code")).to_be_focused()
    keys.press("ArrowDown")
    tab_to(page, "id_verified_0")
    keys.press("Space")
    keys.press("F9")
    arrived(page.get_by_role("heading", name="请与持卡人核对"))
    keys.press("Escape")
    # By its role: the page before has a hidden field of the same name and value.
    arrived(page.get_by_role("combobox", name="合作银行"))
    expect(page.locator("#id_bank_code")).to_have_value(cast.JOINT)
    keys.press("F9")
    arrived(page.get_by_role("heading", name="请与持卡人核对"))
    keys.press("F9")
    case = page.locator(".notice .num").first
    arrived(page.get_by_role("status").filter(has_text="已受理"))
    number = case.inner_text()
    assert Case.objects.get().number == number
    expect(page.get_by_text("请另一名审核人员在“待审核”中打开本件审核")).to_be_visible()
    keys.press("F9")  # once too often approves nothing
    page.add_init_script("window.print = () => { document.title = 'printed'; }")
    keys.press("F8")
    expect(page).to_have_title("printed")
    assert page.url.endswith(f"/counter/cases/{number}/receipt?print=1")
    assert Case.objects.get().status == "submitted"


def test_a_loss_takes_three_strokes_after_the_number(open_page: OpenPage, session: dict[str, str]) -> None:
    card = cast.card_in_use(cast.wang_fang())
    page = open_page(cookies=session)
    page.goto("/counter/")
    keys = page.keyboard
    keys.press("Alt+2")
    page.wait_for_url("**/find?for=loss")
    keys.press("F2")
    keys.type(cast.WANG_FANG_NUMBER)
    keys.press("Enter")
    page.wait_for_url("**/loss")
    page.check("#id_verified_0")
    keys.press("F9")
    page.wait_for_url("**/cases/*/?new=1")
    card.refresh_from_db()
    assert card.status == "B"


def test_shortcuts_can_be_switched_off(open_page: OpenPage, session: dict[str, str]) -> None:
    page = open_page(cookies=session)
    page.goto("/staff/account")
    page.get_by_label("关闭").check()
    page.get_by_role("button", name="保存").click()
    page.wait_for_url("**/account?display=1*")
    page.goto("/counter/")
    page.locator("h1").click()
    # After all listeners of the page: whether one of them has taken the key for itself.
    page.evaluate(
        "addEventListener('keydown', (event) => { (window.taken ??= []).push(event.defaultPrevented); })"
    )
    page.keyboard.press("Alt+8")
    page.keyboard.press("F2")
    assert page.evaluate("window.taken") == [False, False, False]  # Alt, 8, F2
    expect(page.locator("#id_q")).not_to_be_focused()
    expect(page.locator("kbd").first).to_be_hidden()


def test_help_opens_with_a_question_mark_but_not_while_typing(
    open_page: OpenPage, axe: Callable[[Page], None], session: dict[str, str]
) -> None:
    page = open_page(cookies=session)
    page.goto("/counter/progress")
    page.focus("#id_number")
    page.keyboard.type("?")
    expect(page.locator("#desk-keys-help")).to_be_hidden()
    expect(page.locator("#id_number")).to_have_value("?")
    page.locator("h1").click()
    page.keyboard.type("?")
    expect(page.locator("#desk-keys-help")).to_be_visible()
    axe(page)
    page.keyboard.press("Escape")
    expect(page.locator("#desk-keys-help")).to_be_hidden()
    assert page.url.endswith("/counter/progress")


def test_a_number_is_shown_in_groups_with_a_hint(open_page: OpenPage, session: dict[str, str]) -> None:
    page = open_page(cookies=session)
    page.goto("/counter/register")
    page.fill("#id_number", cast.WANG_FANG_NUMBER)
    echo = page.locator("[data-echo]")
    expect(echo).to_have_text(f"510107 1990 0307 {cast.WANG_FANG_NUMBER[-4:]}　校验码相符")
    page.fill("#id_number", cast.WANG_FANG_NUMBER[:-1] + "0")
    expect(echo).to_contain_text("校验码不符，请逐位核对")
    page.focus("#id_number")
    page.keyboard.press("Enter")  # a scanner ends with Enter: on to the next field
    expect(page.locator("#id_name")).to_be_focused()


def test_a_phone_is_shown_for_half_a_minute_and_the_form_stays(
    open_page: OpenPage, session: dict[str, str]
) -> None:
    holder = cast.wang_fang()
    cast.card_in_use(holder)
    page = open_page(cookies=session)
    page.clock.install()
    page.goto(f"/counter/holders/{holder.pk}/change")
    page.fill("#id_phone", "13912345678")
    page.get_by_text("显示", exact=True).click()
    page.get_by_role("button", name="显示 30 秒").click()
    expect(page.locator("[data-phone]")).to_have_text(cast.PHONE)
    expect(page.locator("#id_phone")).to_have_value("13912345678")
    page.clock.fast_forward(31_000)
    expect(page.locator("[data-phone]")).to_have_text("139****0001")
    assert Look.objects.filter(purpose="核对联系方式").count() == 1


def test_time_out_warns_and_keeps_what_is_typed(open_page: OpenPage, session: dict[str, str]) -> None:
    """A minute's warning; after it the page is veiled, and goes on when a second tab has logged in."""
    holder = cast.wang_fang()
    page = open_page(cookies=session)
    page.clock.install()
    page.goto(f"/counter/holders/{holder.pk}/change")
    page.fill("#id_phone", "13912345678")
    away(page, session, timedelta(minutes=29, seconds=5))
    expect(page.locator("#desk-idle")).to_be_visible()
    page.get_by_role("button", name="继续工作").click()
    expect(page.locator("#desk-idle")).to_be_hidden()
    away(page, session, timedelta(minutes=30, seconds=5))
    expect(page.locator("#desk-gone")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#desk-gone")).to_be_visible()
    StaffUser.objects.update(totp_last_step=0)
    client = cast.log_in(Client(), StaffUser.objects.get())
    origin = page.evaluate("location.origin")
    page.context.clear_cookies()
    page.context.add_cookies(
        [
            {"name": name, "value": client.cookies[name].value, "url": origin}
            for name in ("sessionid", "csrftoken")
        ]
    )
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(page.locator("#desk-gone")).to_be_hidden()
    page.check("#id_verified_0")
    page.keyboard.press("F9")
    expect(page.get_by_role("heading", name="请与持卡人核对")).to_be_visible()
    expect(page.locator(".answers")).to_contain_text("13912345678")


def away(page: Page, cookies: dict[str, str], time: timedelta) -> None:
    """Nobody at the desk for so long, by the server's clock and the browser's."""
    stored = SessionStore(cookies["sessionid"])
    stored["staff_seen"] -= time.total_seconds()
    stored.save()
    page.clock.run_for(time.total_seconds() * 1000)


def test_a_second_tab_at_work_keeps_the_first_quiet(open_page: OpenPage, session: dict[str, str]) -> None:
    page = open_page(cookies=session)
    page.clock.install()
    page.goto("/counter/")
    with page.expect_response("**/staff/alive"):  # the server is asked, and knows better
        page.clock.run_for(timedelta(minutes=31).total_seconds() * 1000)
    page.clock.run_for(2_000)
    expect(page.locator("#desk-idle")).to_be_hidden()
    expect(page.locator("#desk-gone")).to_be_hidden()


def test_pages_are_light(
    open_page: OpenPage, session: dict[str, str], people: tuple[Holder, Holder, Case]
) -> None:
    """At most 60 kB for a first visit, as transferred."""
    for address in ("/counter/", "/counter/register", f"/counter/holders/{people[0].pk}/replace"):
        page = open_page(cookies=session)
        requests: list[Request] = []
        page.on("requestfinished", lambda request, seen=requests: seen.append(request))
        page.goto(address, wait_until="networkidle")
        size = sum(request.sizes()["responseBodySize"] for request in requests)
        assert 5_000 < size <= 60_000, (address, size)


def test_the_whole_way_without_javascript(open_page: OpenPage, session: dict[str, str]) -> None:
    holder = cast.wang_fang()
    page = open_page(cookies=session, java_script_enabled=False)
    page.goto("/counter/find?for=apply")
    page.fill("#id_q", cast.WANG_FANG_NUMBER)
    page.get_by_role("button", name="查找").click()
    page.select_option("#id_bank_code", cast.APART)
    page.check("#id_verified_0")
    page.get_by_role("button", name="提交核对").click()
    page.get_by_role("button", name="确认提交").click()
    expect(page.get_by_role("status").filter(has_text="已受理")).to_be_visible()
    page.get_by_role("link", name="打印回执").click()
    expect(page.get_by_role("heading", name="业务受理回执")).to_be_visible()
    assert Case.objects.get().holder_id == holder.pk


def test_the_receipt_prints_on_one_80_mm_sheet(open_page: OpenPage, session: dict[str, str]) -> None:
    holder = cast.wang_fang()
    card_acts.report_loss(cast.card_in_use(holder).pk, by=cast.clerk(), at=now())
    case = card_acts.replace(holder.pk, reason="lost", division_code="510107", by=cast.clerk(), at=now())
    page = open_page(cookies=session)
    page.goto(f"/counter/cases/{case.number}/receipt")
    sheet = page.pdf(prefer_css_page_size=True)
    assert sheet.count(b"/Type /Page\n") + sheet.count(b"/Type /Page ") == 1
    assert b"/MediaBox [0 0 226" in sheet or b"/MediaBox [0 0 227" in sheet
