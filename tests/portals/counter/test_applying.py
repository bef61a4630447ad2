"""From application to activation, and all that is refused on the way."""

import pytest
from django.test import Client

from tests import cast
from tests.bank_sandbox import Sandbox
from tests.portals.counter.typed import application, everything, looks, text
from yikatong.registry.banks import tasks as bank_tasks
from yikatong.registry.banks.models import Agreement, BankAccount, BankRequest
from yikatong.registry.cards.models import Card, Case, CaseStatus


@pytest.mark.clause("G5", "N17", "B1")
def test_from_application_to_activation(desk: Client) -> None:
    holder = cast.wang_fang()
    base = f"/counter/holders/{holder.pk}"
    checked = desk.post(f"{base}/apply", application(step="check"))
    assert "蜀安银行" in text(checked)
    assert "武侯区社保经办大厅" in text(checked)
    assert Case.objects.count() == 0
    answer = desk.post(f"{base}/apply", application())
    case = Case.objects.get()
    assert answer.headers["Location"] == f"/counter/cases/{case.number}/?new=1"
    assert (case.division_code, case.outlet_id, case.created_by) == ("510107", cast.HALL, "李强")
    page = text(desk.get(answer.headers["Location"]))
    assert case.number in page
    assert "接下来：经办机构审核申请材料。" in page
    checker = cast.log_in(Client(), cast.chen_xiao())
    assert checker.post(f"/counter/cases/{case.number}/check").status_code == 303
    cast.make_card(Case.objects.get())
    steps = [desk.post(f"{base}/collect", {"verified": "yes", "do": do}) for do in ("hand_over", "activate")]
    assert [answer.headers["Location"] for answer in steps] == [
        f"{base}/collect?done=hand_over",
        f"{base}/collect?done=activate",
    ]
    card = Card.objects.get()
    assert (card.status, card.account and card.account.status) == ("1", "preopened")
    desk.post(f"{base}/collect", {"verified": "yes", "do": "activate_account"})
    card.refresh_from_db()
    assert card.account is not None
    assert card.account.status == "active"
    assert {"窗口办理：申领", "窗口办理：领卡与启用", "查询受理进度"} <= {purpose for _, purpose in looks()}


@pytest.mark.clause("G5", "B1")
def test_who_took_a_case_is_not_offered_to_approve_it(desk: Client) -> None:
    """A double F9, accept and approve, is what four eyes are against."""
    holder = cast.wang_fang()
    taken = desk.post(f"/counter/holders/{holder.pk}/apply", application()).headers["Location"]
    case = Case.objects.get()
    other = cast.apply(cast.register(cast.id_number(9), name="赵晚", phone="13900000009"))

    page = text(desk.get(taken))
    assert "四眼原则：本件由您受理" in page
    assert "请另一名审核人员在“待审核”中打开本件审核" in page
    assert 'form="check"' not in page
    assert 'data-key="F9"' not in page
    assert text(desk.get("/counter/check")).count("本人受理，由他人审核") == 1
    assert text(desk.get("/counter/")).count("本人受理，由他人审核") == 1
    assert 'form="check"' in text(desk.get(f"/counter/cases/{other.number}/"))

    before = everything()
    refused = desk.post(f"/counter/cases/{case.number}/check")
    assert (refused.status_code, "四眼原则：本件由您受理" in text(refused)) == (403, True)
    assert 'form="check"' not in text(refused)
    assert everything() == before

    checker = cast.log_in(Client(), cast.chen_xiao())
    page = text(checker.get(f"/counter/cases/{case.number}/"))
    assert ('form="check"' in page, "四眼原则" in page) == (True, False)
    assert "由他人审核" not in text(checker.get("/counter/check"))
    assert checker.post(f"/counter/cases/{case.number}/check").status_code == 303
    case.refresh_from_db()
    assert case.status == CaseStatus.CHECKED


def test_a_second_application_is_refused_and_nothing_typed_is_lost(desk: Client) -> None:
    holder = cast.wang_fang()
    cast.apply(holder)
    answer = desk.post(f"/counter/holders/{holder.pk}/apply", application(bank_code=cast.APART))
    page = text(answer)
    assert answer.status_code == 409
    assert "此人已有一件申领或补换正在办理，不能重复申请；请查询办理进度。" in page
    assert "依据：《广东省社会保障卡居民服务一卡通条例（参照）》第五条" in page
    assert f'<option value="{cast.APART}" selected>' in page
    assert Case.objects.count() == 1


def test_a_child_is_applied_for_by_a_guardian(desk: Client) -> None:
    child = cast.register(cast.id_number(9, born="20150601"), name="王小宝", phone="13900000009")
    assert "由监护人代为办理" in text(desk.get(f"/counter/holders/{child.pk}/apply"))
    assert "由监护人代为办理" not in text(desk.get(f"/counter/holders/{cast.wang_fang().pk}/apply"))


def test_who_has_a_card_is_told_before_he_fills_in(desk: Client) -> None:
    holder = cast.wang_fang()
    cast.card_in_use(holder)
    page = text(desk.get(f"/counter/holders/{holder.pk}/apply"))
    assert "现在不能办理申领" in page
    assert "一人一卡：此人已有社会保障卡。" in page
    assert 'name="bank_code"' not in page


def test_collecting_asks_for_the_document_only_while_there_is_a_step_to_do(desk: Client) -> None:
    holder = cast.wang_fang()
    page = f"/counter/holders/{holder.pk}/collect"
    confirmed = 'name="verified"'
    cast.make_card(cast.apply(holder))
    assert confirmed in text(desk.get(page))
    for do in ("hand_over", "activate", "activate_account"):
        assert confirmed in text(desk.get(page))
        desk.post(page, {"verified": "yes", "do": do})
    assert confirmed not in text(desk.get(page))
    assert "各步都已完成。" in text(desk.get(page))


def test_handing_over_before_the_card_is_there_is_refused(desk: Client) -> None:
    holder = cast.wang_fang()
    cast.apply(holder)
    answer = desk.post(f"/counter/holders/{holder.pk}/collect", {"verified": "yes", "do": "hand_over"})
    assert answer.status_code == 409
    assert "没有待领取的卡。" in text(answer)
    assert Case.objects.get().status == CaseStatus.SUBMITTED


def test_rejecting_needs_a_reason_the_applicant_can_read(desk: Client) -> None:
    case = cast.apply(cast.wang_fang())
    assert desk.post(f"/counter/cases/{case.number}/reject", {"reason": ""}).status_code == 422
    case.refresh_from_db()
    assert case.status == CaseStatus.SUBMITTED
    assert desk.post(f"/counter/cases/{case.number}/reject", {"reason": "相片不合格"}).status_code == 303
    assert "相片不合格" in text(desk.get(f"/counter/cases/{case.number}/"))
    case.refresh_from_db()
    assert case.status == CaseStatus.REJECTED


@pytest.mark.clause("G12")
def test_an_account_is_activated_once_the_bank_says_so(desk: Client, bank: Sandbox) -> None:
    Agreement.objects.update(is_online=True)
    holder = cast.wang_fang()
    case = cast.make_card(cast.apply(holder))
    base = f"/counter/holders/{holder.pk}/collect"
    desk.post(base, {"verified": "yes", "do": "hand_over"})
    desk.post(base, {"verified": "yes", "do": "activate_account"})
    page = text(desk.get(f"{base}?done=activate_account"))
    assert "金融账户：未激活，激活已通知银行。" in page
    desk.post(base, {"verified": "yes", "do": "activate_account"})
    assert BankRequest.objects.filter(act="activate").count() == 1
    bank_tasks.send(str(case.bank_id))
    assert BankAccount.objects.get().status == "active"


@pytest.mark.clause("G5", "B6")
def test_who_changes_the_bank_is_shown_all_that_changes(desk: Client) -> None:
    holder = cast.wang_fang()
    cast.card_in_use(holder)
    address = f"/counter/holders/{holder.pk}/replace"
    other = text(desk.post(address, application(reason="bank", bank_code=cast.APART) | {"step": "check"}))
    assert "换卡前后对照" in other
    assert "原账户及余额仍在蜀安银行，不会自动转移，由本人办理转账或销户。" in other
    same = text(desk.post(address, application(reason="damaged", bank_code="") | {"step": "check"}))
    assert "账号不变" in same
    assert "原账户及余额" not in same
