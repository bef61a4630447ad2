"""Work on cases as a clerk and a supervisor meet it: in every size, and by keyboard alone."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from playwright.sync_api import Page, expect

from tests import cast
from tests.portals.conftest import OpenPage
from yikatong.core.actor import Role
from yikatong.core.clock import day_of, now
from yikatong.registry.cards import actions
from yikatong.registry.cards.actions import Wish
from yikatong.registry.cards.models import Case, CaseKind

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def head() -> dict[str, str]:
    """周主任, a supervisor, is logged in."""
    cast.set_stage()
    user = cast.staff("周主任", "zhou", role=Role.SUPERVISOR, scope="51", organisation="省社保卡中心")
    return {"sessionid": cast.log_in(Client(), user).cookies["sessionid"].value}


@pytest.fixture
def late(head: dict[str, str]) -> Case:
    case = cast.apply(cast.wang_fang())
    Case.objects.filter(pk=case.pk).update(step_due_on=day_of(now()) - timedelta(days=20))
    actions.escalate_overdue(at=now())
    actions.give_order(case.pk, order="今日办结，办结后报告。", by=cast.supervisor(), at=now())
    return Case.objects.get(pk=case.pk)


@pytest.fixture
def returned(head: dict[str, str]) -> Case:
    case = cast.apply(cast.register(cast.id_number(9), name="阿米娜·买买提", phone="13900000009"))
    wanted = {"bank": "请另选银行", "outlet": "网点暂停", "address": "缺门牌号", "photo": "照片过期"}
    return actions.ask_correction(case.pk, items=wanted, by=cast.supervisor(), at=now())


@pytest.fixture
def unpaid(head: dict[str, str]) -> Case:
    holder = cast.register(cast.id_number(7), name="李小花", phone="13900000007")
    cast.card_in_use(holder)
    return actions.replace(
        holder.pk, reason="damaged", outlet_id=cast.HALL, division_code="510107", by=cast.clerk(), at=now()
    )


@pytest.fixture
def draft(head: dict[str, str]) -> Case:
    holder = cast.register(cast.id_number(5), name="赵小川", phone="13900000005")
    wish = Wish(division_code="510107", bank_code=cast.JOINT)
    return actions.save_draft(holder.pk, kind=CaseKind.APPLY, wish=wish, by=cast.clerk(), at=now())


@pytest.fixture
def cases(late: Case, returned: Case, unpaid: Case, draft: Case) -> tuple[Case, Case, Case, Case]:
    """Four cases in four states."""
    return late, returned, unpaid, draft


@pytest.mark.parametrize("look", [{}, {"elder": True}, {"size": 4}], ids=["standard", "elder", "largest"])
def test_every_page_is_accessible(
    open_page: OpenPage,
    axe: Callable[[Page], None],
    no_overflow: Callable[[Page], None],
    head: dict[str, str],
    cases: tuple[Case, Case, Case, Case],
    look: dict[str, bool | int],
) -> None:
    late, returned, unpaid, draft = cases
    pages = [f"cases/{late.number}/{one}" for one in ("", "ask", "order", "receipt")]
    pages += [f"cases/{returned.number}/{one}" for one in ("", "correct", "receipt")]
    pages += [f"cases/{unpaid.number}/{one}" for one in ("", "fee", "waive", "receipt")]
    pages += [f"cases/{draft.number}/?saved=1", f"holders/{draft.holder_id}/apply", "overdue", ""]
    page = open_page(cookies=head, **look)
    for one in pages:
        page.goto(f"/counter/{one}")
        axe(page)
        if "receipt" not in one:
            no_overflow(page)
    page.set_viewport_size({"width": 390, "height": 844})
    for one in (f"cases/{late.number}/", f"cases/{returned.number}/correct", "overdue"):
        page.goto(f"/counter/{one}")
        no_overflow(page)


@pytest.mark.clause("B3")
def test_returned_and_corrected_by_keyboard_alone(
    open_page: OpenPage, head: dict[str, str], returned: Case
) -> None:
    page = open_page(cookies=head)
    page.goto(f"/counter/cases/{returned.number}/")
    page.keyboard.press("F9")
    page.wait_for_url("**/correct")
    bank = page.get_by_label("合作银行")
    bank.focus()
    page.keyboard.press("ArrowDown")
    for field, words in (("收件地址", "示例路 9 号 2 栋"), ("照片", "新照片已采集")):
        page.get_by_label(field).focus()
        page.keyboard.type(words)
    page.get_by_label("领卡网点").focus()
    page.keyboard.press("ArrowDown")
    page.get_by_label("已核对本人或代办人身份").focus()
    page.keyboard.press("Space")
    page.keyboard.press("F9")

    expect(page.get_by_role("heading", name="补正", exact=True)).to_be_visible()
    stored = Case.objects.get(pk=returned.pk)
    assert (stored.status, stored.address, stored.outlet_id) == ("submitted", "示例路 9 号 2 栋", cast.HALL)
