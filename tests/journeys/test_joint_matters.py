"""联办 as people meet it: every page in every size, the counter by keyboard alone, and the whole way of a newborn."""

import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from django.contrib.sessions.backends.db import SessionStore
from django.test import Client
from playwright.sync_api import Page, expect

from tests import cast
from tests.department_sandbox import Departments
from tests.house import House, wait_until
from tests.journeys.conftest import OpenBrowser
from tests.journeys.people import PHONE_SCREEN, Phone, Staff
from tests.portals.conftest import OpenPage, arrived, axe, no_overflow, open_page, tab_to  # noqa: F401
from tests.registry.joint.conftest import departments_work
from yikatong.core.actor import Actor, Channel, Role
from yikatong.core.clock import day_of, now
from yikatong.portals.citizen import session
from yikatong.registry.holders.models import Holder
from yikatong.registry.joint import actions
from yikatong.registry.joint.actions import Making, Newborn, Veteran
from yikatong.registry.joint.models import JointItem, JointMatter

pytestmark = pytest.mark.browser

Check = Callable[[Page], None]
LOOKS = [{}, {"elder": True}, {"size": 4}]
MAKING = Making(bank_code=cast.JOINT, division_code="510107", outlet_id=cast.HALL)


@pytest.fixture
def parent(transactional_db: None) -> Holder:
    cast.set_stage()
    return cast.wang_fang()


@pytest.fixture
def clerk(parent: Holder) -> dict[str, str]:
    user = cast.staff("周主任", "zhou", role=Role.SUPERVISOR, scope="51", organisation="武侯区社保经办大厅")
    return {"sessionid": cast.log_in(Client(), user).cookies["sessionid"].value}


@pytest.fixture
def phone(parent: Holder) -> dict[str, str]:
    store = SessionStore()
    store[session.HOLDER], store[session.PHONE] = str(parent.pk), bytes(parent.phone_index or b"").hex()
    store.create()
    return {"sessionid": str(store.session_key)}


def herself(holder: Holder) -> Actor:
    return Actor(holder.pk, "持卡人本人", Role.HOLDER, Channel.MOBILE)


def child(**changes: str) -> Newborn:
    typed = {
        "name": "王小满", "sex": "2", "birth_certificate": "T510012345", "hospital": "武侯区示例妇幼保健院",
        "mother_name": "王芳", "household_book": "510107001", "division_code": "510107",
    } | changes  # fmt: skip
    return Newborn(birth_date=day_of(now()) - timedelta(days=9), **typed)


@pytest.fixture
def matter(parent: Holder, departments: Departments) -> JointMatter:
    """Every state at once: done, to be corrected, refused, held, and late."""
    departments.goes_wrong("refuse", "vaccination", reason="该接种单位已停止建档，请改填其他联系电话")
    joint = actions.open_newborn(child(), MAKING, by=herself(parent), at=now())
    departments_work()
    return joint


@pytest.fixture
def late(parent: Holder, departments: Departments) -> JointMatter:
    departments.goes_wrong("slow", "report", hold_s=3600)
    soldier = cast.register(cast.id_number(61), name="孙立", phone="13900000061")
    served = Veteran(
        discharge_certificate="退字第2026000123号",
        discharged_on=day_of(now()) - timedelta(days=60),
        unit="示例部队",
        household_book="510107456",
        phone="13900000061",
        division_code="510107",
    )
    joint = actions.open_veteran(soldier.pk, served, MAKING, by=cast.clerk(), at=now())
    departments_work(1)
    JointItem.objects.filter(key="report").update(due_on=day_of(now()) - timedelta(days=9))
    actions.escalate_overdue(at=now())
    actions.give_order(joint.pk, "report", order="今日办结，办结后报告。", by=cast.supervisor(), at=now())
    return joint


def shot(page: Page, name: str) -> None:
    """For a person to look at, where he says so."""
    if folder := os.environ.get("JOINT_PICTURES"):
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


@pytest.mark.parametrize("look", LOOKS, ids=["standard", "elder", "largest"])
def test_every_page_of_the_phone_is_accessible(
    open_page: OpenPage,  # noqa: F811
    axe: Check,  # noqa: F811
    no_overflow: Check,  # noqa: F811
    phone: dict[str, str],
    matter: JointMatter,
    look: dict[str, bool | int],
) -> None:
    page = open_page(390, 844, cookies=phone, **look)
    for number, one in enumerate((
        "joint", "joint/newborn", "joint/veteran", f"joint/{matter.number}?new", f"joint/{matter.number}/household/correct",
        f"joint/{matter.number}/household/withdraw", f"joint/{matter.number}/withdraw", "cases", "guide/newborn",
    )):  # fmt: skip
        page.goto(f"/m/{one}")
        axe(page)
        no_overflow(page)
        shot(page, f"phone-{number}-{look}")
    page.goto("/m/joint/newborn")
    page.get_by_role("button", name="提交联办").click()
    expect(page.get_by_role("alert")).to_contain_text("处需要改")
    axe(page)
    shot(page, f"phone-wrong-{look}")


@pytest.mark.parametrize("look", LOOKS, ids=["standard", "elder", "largest"])
def test_every_page_of_the_counter_is_accessible(  # noqa: PLR0917
    open_page: OpenPage,  # noqa: F811
    axe: Check,  # noqa: F811
    no_overflow: Check,  # noqa: F811
    clerk: dict[str, str],
    matter: JointMatter,
    late: JointMatter,
    parent: Holder,
    look: dict[str, bool | int],
) -> None:
    page = open_page(1440, 900, cookies=clerk, **look)
    one, two = f"joint/{matter.number}", f"joint/{late.number}"
    for number, address in enumerate((
        "joint", "joint/newborn", f"holders/{parent.pk}/veteran", f"{one}/?new=1", f"{two}/", f"{one}/household/correct",
        f"{one}/withdraw", f"{two}/report/order", f"{one}/receipt", "overdue", f"holders/{parent.pk}/",
    )):  # fmt: skip
        page.goto(f"/counter/{address}")
        axe(page)
        if "receipt" not in address:
            no_overflow(page)
        shot(page, f"counter-{number}-{look}")
    page.goto("/counter/joint/newborn")
    page.keyboard.press("F9")
    expect(page.get_by_role("alert")).to_contain_text("处问题")
    axe(page)
    shot(page, f"counter-wrong-{look}")
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"/counter/{one}/")
    no_overflow(page)


@pytest.mark.clause("B7")
def test_the_counter_by_keyboard_alone(
    open_page: OpenPage,  # noqa: F811
    clerk: dict[str, str],
    departments: Departments,
) -> None:
    page = open_page(1440, 900, cookies=clerk)
    page.goto("/counter/joint/newborn")
    arrived(page.get_by_role("heading", name="新生儿出生一件事"))
    born = day_of(now()) - timedelta(days=9)
    typed = {
        "id_name": "刘小满", "id_birth_certificate": "T510012377", "id_hospital": "武侯区示例妇幼保健院",
        "id_mother_name": "周小雨", "id_household_book": "510107123", "id_guardian_name": "刘洋",
        "id_guardian_number": cast.id_number(77), "id_phone": "13800000077",
    }  # fmt: skip
    for field, value in typed.items():
        tab_to(page, field)
        page.keyboard.type(value)
        if field == "id_name":
            tab_to(page, "id_sex_0")
            page.keyboard.press("ArrowDown")
            page.fill("#id_birth_date", f"{born:%Y-%m-%d}")  # the browser's own control of dates
        if field == "id_mother_name":
            tab_to(page, "id_division_code")
            page.keyboard.press("ArrowDown")
    tab_to(page, "id_bank_code")
    page.keyboard.press("ArrowDown")
    tab_to(page, "id_verified_0")
    page.keyboard.press("Space")
    page.keyboard.press("F9")
    arrived(page.get_by_role("heading", name="请与持卡人核对"))
    page.keyboard.press("F9")
    arrived(page.get_by_text("已受理，联办号"))
    joint = JointMatter.objects.get()
    departments_work()
    page.reload()
    expect(page.locator("#part-household")).to_contain_text("公民身份号码 510***********")
    expect(page.locator("#part-card")).to_contain_text("经办机构审核申请材料")
    page.keyboard.press("F8")
    arrived(page.get_by_role("heading", name="联办受理回执"))
    assert joint.number in page.inner_text("main")


@pytest.mark.clause("B7", "O10")
def test_the_whole_way_of_a_newborn(house: House, open_browser: OpenBrowser) -> None:
    """Begun on a phone, answered by the departments' own process through the real jobs, put right at a counter."""
    login = house.person("持卡人")["login"]
    phone = Phone(open_browser(**PHONE_SCREEN)).log_in(login)
    page = phone.page
    page.goto("/m/joint/newborn")
    born = day_of(now()) - timedelta(days=5)
    for field, value in {
        "name": "王小雨", "birth_certificate": "T510099887", "hospital": "示例妇幼保健院", "mother_name": "王芳",
        "household_book": "510107001", "birth_date": f"{born:%Y-%m-%d}",
    }.items():  # fmt: skip
        page.fill(f"#id_{field}", value)
    page.select_option("#id_sex", "2")
    page.locator("input[name=outlet]").first.check()
    page.locator("input[name=bank]").first.check()
    page.check("#id_promise")
    page.click("text=提交联办")
    page.wait_for_url("**/m/joint/X*")
    address = page.url.split("?")[0]
    number = address.rsplit("/", 1)[1]
    wait_until(lambda: "户口簿编号与底册不一致" in phone.text(address), "the police ask", seconds=90, every=2)

    clerk = Staff(open_browser(), house).log_in("窗口经办")
    desk = clerk.at(f"/counter/joint/{number}/household/correct")
    desk.fill("#id_household_book", "510107124")
    desk.check("#id_verified_0")
    desk.keyboard.press("F9")
    desk.wait_for_url("**/?done=1")

    wait_until(lambda: "全部办结" in phone.text(address), "all departments answer", seconds=120, every=2)
    parts = phone.text(address)
    assert "公民身份号码 51" in parts
    assert "待公民身份号码" not in parts
    told = house.ask("SELECT count(*) FROM identity_sentmessage WHERE template = 'joint.item'")
    assert int(told[0][0]) >= 4, "the family is told of each answer"
