"""A person is registered and the population source knows better; a source talks nonsense; a death is told and undone.

By keyboard alone, at the desk and in the console, with the registers in their own process.
"""

from collections.abc import Callable

import pytest
from django.test import Client
from playwright.sync_api import Page, expect

from tests import cast
from tests.bank_sandbox import Sandbox
from tests.portals.conftest import OpenPage, arrived, tab_to
from yikatong.core.actor import Role
from yikatong.registry.cards.models import Card
from yikatong.registry.holders.holding import held_since
from yikatong.registry.holders.models import Holder
from yikatong.registry.matching import tasks
from yikatong.registry.matching.models import Inquiry, Issue

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.clause("Q2", "M3")]
Axe = Callable[[Page], None]
NUMBER = cast.id_number(9)


@pytest.fixture(autouse=True)
def _stage(sources: Sandbox) -> None:
    cast.set_stage()


def cookies(name: str, login: str, role: Role, scope: str) -> dict[str, str]:
    user = cast.staff(name, login, role=role, scope=scope, organisation="成都市人社局")
    return {"sessionid": cast.log_in(Client(), user).cookies["sessionid"].value}


def clerk() -> dict[str, str]:
    return cookies("何丽", "heli", Role.CLERK, "5101")


def chief() -> dict[str, str]:
    return cookies("周主任", "zhou", Role.SUPERVISOR, "51")


def fill_in(page: Page, name: str) -> None:
    """The form of a new person, field by field."""
    for field, text in (("number", NUMBER), ("name", name), ("phone", "13900000009")):
        tab_to(page, f"id_{field}")
        page.keyboard.type(text)
    tab_to(page, "id_ground_0")
    page.keyboard.press("Space")
    tab_to(page, "id_division_code")
    page.keyboard.press("ArrowDown")  # the clerk's own city comes first


def register(page: Page, name: str) -> None:
    page.goto("/counter/register")
    arrived(page.locator("#id_number"))
    fill_in(page, name)
    tab_to(page, "id_verified_0")
    page.keyboard.press("Space")
    page.keyboard.press("F9")
    arrived(page.get_by_role("heading", name="请与持卡人核对"))
    page.keyboard.press("F9")
    arrived(page.locator(".notice.is-good", has_text="登记完成").first)


@pytest.mark.clause("A6", "A1", "N13")
def test_what_the_source_says_otherwise_is_seen_at_once_and_settled_by_a_supervisor(
    open_page: OpenPage, axe: Axe, sources: Sandbox
) -> None:
    sources.enters("population", NUMBER, "陈建国")
    desk = open_page(cookies=clerk())
    register(desk, "陈建军")
    expect(desk.locator(".desk-panel")).to_contain_text("有差异 请核对证件")
    axe(desk)
    assert Holder.objects.get().name == "陈建军"

    page = open_page(cookies=chief())
    page.goto("/console/")
    arrived(page.locator("nav"))
    page.keyboard.press("Alt+9")
    arrived(page.get_by_role("heading", name="数据质量"))
    axe(page)
    page.get_by_role("link", name="姓名").focus()
    page.keyboard.press("Enter")
    arrived(page.get_by_role("heading", name="姓名不一致"))
    expect(page.locator("main")).to_contain_text("陈建国")
    axe(page)
    tab_to(page, "id_how_0")
    page.keyboard.press("ArrowDown")  # from «keep» to «take»
    tab_to(page, "id_note")
    page.keyboard.type("已与公安机关核实")
    page.keyboard.press("F9")
    arrived(page.get_by_text("已处理，处理人和说明已记录"))
    assert Holder.objects.get().name == "陈建国"
    assert Issue.objects.get().status == "taken"


@pytest.mark.clause("A6", "B1")
def test_a_source_that_is_away_keeps_nobody_waiting(open_page: OpenPage, axe: Axe, sources: Sandbox) -> None:
    sources.post("sources", "faults", {"kind": "away", "who": "population", "times": 1})
    desk = open_page(cookies=clerk())
    register(desk, "陈建军")
    expect(desk.locator(".desk-panel")).to_contain_text("待核验 对方系统暂停服务；可以照常办理")
    axe(desk)
    Inquiry.objects.update(next_try_at=Inquiry.objects.get().wanted_at)
    tasks.inquire()
    desk.reload()
    expect(desk.locator(".desk-panel dt:text-is('人口库') + dd")).to_have_text("一致")


@pytest.mark.clause("A6", "N13")
def test_nonsense_is_told_with_what_to_do(
    open_page: OpenPage, axe: Axe, no_overflow: Callable[[Page], None], sources: Sandbox
) -> None:
    cast.wang_fang()
    sources.post("sources", "faults", {"kind": "malformed", "who": "credit", "times": 1})
    tasks.compare(0)
    page = open_page(cookies=chief())
    page.goto("/console/quality")
    table = page.locator("main table").last
    expect(table).to_contain_text("公共信用库（沙箱）")
    expect(table.locator("tr.is-note")).to_contain_text("应答不能识别")
    expect(table.locator("tr.is-note")).to_contain_text("未采用该次应答中的任何数据。")
    axe(page)
    for width in (1366, 390, 320):
        page.set_viewport_size({"width": width, "height": 768})
        no_overflow(page)


@pytest.mark.clause("A6", "B2", "O12")
def test_a_death_told_ends_the_card_and_is_undone_by_keyboard(
    open_page: OpenPage, axe: Axe, sources: Sandbox
) -> None:
    wang = cast.wang_fang()
    cast.card_in_use(wang)
    sources.enters("civil", wang.social_security_number, wang.name, death="2026-11-15")
    tasks.follow(0)
    page = open_page(cookies=chief())
    page.goto(f"/counter/holders/{wang.pk}")
    expect(page.locator("main")).to_contain_text("已故")
    expect(page.locator("main")).to_contain_text("民政殡葬信息（沙箱）死亡信息（姓名、号码一致）")
    axe(page)
    assert Card.objects.get().status == "4"
    assert held_since(wang.pk) is not None
    page.get_by_role("link", name="恢复登记").focus()
    page.keyboard.press("Enter")
    arrived(page.locator("#id_reason"))
    tab_to(page, "id_reason")
    page.keyboard.type("本人健在，民政信息有误")
    tab_to(page, "id_verified_0")
    page.keyboard.press("Space")
    page.keyboard.press("F9")
    arrived(page.get_by_role("heading", name="请与持卡人核对"))
    axe(page)
    page.keyboard.press("F9")
    arrived(page.locator("h1 + .chip"))
    wang.refresh_from_db()
    assert (wang.status, Card.objects.get().status, held_since(wang.pk)) == ("active", "1", None)
