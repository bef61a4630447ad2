"""The pages of a case under way, in every size."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from tests.portals.citizen import people
from tests.portals.citizen.conftest import session_of
from tests.portals.conftest import OpenPage
from yikatong.core.actor import Actor, Channel, Role
from yikatong.core.clock import day_of, now
from yikatong.registry.cards import actions
from yikatong.registry.cards.actions import Wish
from yikatong.registry.cards.models import Case, CaseKind
from yikatong.registry.holders.models import Holder

pytestmark = pytest.mark.browser
CLERK = Actor(None, "李强", Role.CLERK, Channel.COUNTER, scope="51", organisation="成都市人社局")
WANTED = {
    "bank": "该行已暂停新增",
    "outlet": "网点暂停",
    "address": "缺门牌号",
    "ground": "请说明",
    "photo": "照片过期",
}


@pytest.fixture
def chen(transactional_db: None) -> Holder:
    people.world()
    return people.holder(people.CHEN, "陈静", people.OTHER_PHONE)


def returned(holder: Holder) -> Case:
    case = actions.apply(holder.pk, bank_code="95903", division_code="510107", by=CLERK, at=now())
    return actions.ask_correction(case.pk, items=WANTED, by=CLERK, at=now())


@pytest.mark.parametrize("look", [{}, {"elder": True}, {"size": 4}], ids=["standard", "elder", "largest"])
def test_every_state_is_accessible(
    open_page: OpenPage,
    axe: Callable[[Page], None],
    no_overflow: Callable[[Page], None],
    chen: Holder,
    look: dict[str, bool | int],
) -> None:
    page = open_page(390, 844, cookies={"sessionid": session_of(chen)}, **look)

    def good(*addresses: str) -> None:
        for one in addresses:
            page.goto(f"/m/{one}")
            axe(page)
            no_overflow(page)

    wish = Wish(division_code="510107", bank_code="95903")
    draft = actions.save_draft(chen.pk, kind=CaseKind.APPLY, wish=wish, by=CLERK, at=now())
    good("", f"cases/{draft.number}?saved", "apply")
    case = returned(chen)
    good(f"cases/{case.number}", f"cases/{case.number}/correct", f"cases/{case.number}?corrected")
    page.get_by_role("link", name="去补正").click()
    page.get_by_role("button", name="提交补正").click()
    expect(page.get_by_role("alert")).to_contain_text("请按要求填写补正内容。")
    axe(page)
    Case.objects.filter(pk=case.pk).update(status="submitted", step_due_on=day_of(now()) - timedelta(days=9))
    actions.escalate_overdue(at=now())
    good(f"cases/{case.number}?new")


@pytest.mark.clause("B3")
def test_corrected_by_keyboard_alone(open_page: OpenPage, chen: Holder) -> None:
    case = returned(chen)
    page = open_page(390, 844, cookies={"sessionid": session_of(chen)})
    page.goto(f"/m/cases/{case.number}/correct")
    for field in ("合作银行", "领卡网点"):
        page.get_by_label(field).focus()
        page.keyboard.press("ArrowDown")
    page.get_by_label("收件地址").focus()
    page.keyboard.type("示例路 9 号")
    page.get_by_label("申领依据说明").focus()
    page.keyboard.type("租住")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")

    expect(page.get_by_text("还有 1 项需要到窗口补正")).to_be_visible()
    stored = Case.objects.get(pk=case.pk)
    assert (stored.status, stored.bank_id, stored.address) == ("correcting", "95901", "示例路 9 号")
