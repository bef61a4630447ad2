"""Loss, and what comes after it."""

import pytest
from django.test import Client

from tests import cast
from tests.bank_sandbox import Sandbox
from tests.portals.counter.typed import application, text
from yikatong.core.clock import BEIJING, now
from yikatong.registry.banks import tasks as bank_tasks
from yikatong.registry.banks.models import BankRequest
from yikatong.registry.cards import actions as card_acts
from yikatong.registry.cards.models import Case


@pytest.mark.clause("G5", "S14", "B2")
@pytest.mark.parametrize(("kind", "status"), [("temporary", "B"), ("formal", "2")])
def test_a_loss_takes_one_page(desk: Client, kind: str, status: str) -> None:
    holder = cast.wang_fang()
    card = cast.card_in_use(holder)
    page = text(desk.get(f"/counter/holders/{holder.pk}/loss"))
    assert "社会保障功能和蜀安银行金融账户同时挂失。" in page
    answer = desk.post(f"/counter/holders/{holder.pk}/loss", {"loss": kind, "verified": "yes"})
    case = Case.objects.latest("created_at")
    assert answer.headers["Location"] == f"/counter/cases/{case.number}/?new=1"
    card.refresh_from_db()
    assert (card.status, case.kind) == (status, "loss")


@pytest.mark.clause("B2", "S14")
def test_the_paper_taken_home_says_what_was_stopped_and_until_when(desk: Client) -> None:
    holder = cast.wang_fang()
    card = cast.card_in_use(holder, bank_code=cast.APART)
    desk.post(f"/counter/holders/{holder.pk}/loss", {"loss": "temporary", "verified": "yes"})
    number = Case.objects.latest("created_at").number
    card.refresh_from_db()
    assert card.loss_ends_at is not None
    ends = f"临时挂失，{card.loss_ends_at.astimezone(BEIJING):%Y-%m-%d %H:%M}自动解除"
    advice = "只挂失社会保障功能；金融账户须另向天府惠民银行挂失，请拨打 95903。"

    receipt, page = f"/counter/cases/{number}/receipt", f"/counter/cases/{number}/"
    for address in (receipt, page):
        assert ends in text(desk.get(address))
        assert advice in text(desk.get(address))

    card_acts.release_loss(card.pk, by=cast.supervisor(), at=now())
    assert ends in text(desk.get(receipt))
    assert advice not in text(desk.get(receipt))


def test_a_formal_loss_has_no_end_on_its_receipt(desk: Client) -> None:
    holder = cast.wang_fang()
    cast.card_in_use(holder)
    desk.post(f"/counter/holders/{holder.pk}/loss", {"loss": "formal", "verified": "yes"})

    receipt = text(desk.get(f"/counter/cases/{Case.objects.latest('created_at').number}/receipt"))

    assert "正式挂失，一直有效" in receipt
    assert "已通知蜀安银行停用金融账户" in receipt


def test_a_bank_that_has_not_joined_is_named_with_its_hotline(desk: Client) -> None:
    holder = cast.wang_fang()
    cast.card_in_use(holder, bank_code=cast.APART)
    page = text(desk.get(f"/counter/holders/{holder.pk}/loss"))
    assert "只挂失社会保障功能；金融账户须另向天府惠民银行挂失，请拨打 95903。" in page


def test_loss_needs_the_document_seen(desk: Client) -> None:
    holder = cast.wang_fang()
    card = cast.card_in_use(holder)
    answer = desk.post(f"/counter/holders/{holder.pk}/loss", {"loss": "formal"})
    assert answer.status_code == 422
    card.refresh_from_db()
    assert card.status == "1"


def test_a_replacement_for_loss_asks_for_the_loss_first(desk: Client) -> None:
    holder = cast.wang_fang()
    cast.card_in_use(holder)
    form = application(reason="lost", bank_code="")
    answer = desk.post(f"/counter/holders/{holder.pk}/replace", form)
    assert answer.status_code == 409
    assert "以丢失为由补卡，须先办理正式挂失。" in text(answer)
    desk.post(f"/counter/holders/{holder.pk}/loss", {"loss": "formal", "verified": "yes"})
    assert desk.post(f"/counter/holders/{holder.pk}/replace", form).status_code == 303
    case = Case.objects.latest("created_at")
    assert (case.kind, case.bank_id, case.fee_fen) == ("replace", cast.JOINT, 2000)


def test_release_and_cancel(desk: Client) -> None:
    holder = cast.wang_fang()
    card = cast.card_in_use(holder)
    card_acts.report_temporary_loss(card.pk, by=cast.clerk(), at=now())
    assert desk.post(f"/counter/holders/{holder.pk}/release", {"verified": "yes"}).status_code == 303
    card.refresh_from_db()
    assert card.status == "1"
    form = {"reason": "request", "verified": "yes"}
    assert "本人申请" in text(desk.post(f"/counter/holders/{holder.pk}/cancel", form))
    card.refresh_from_db()
    assert card.status == "1"  # the check page changes nothing
    assert desk.post(f"/counter/holders/{holder.pk}/cancel", form | {"step": "confirm"}).status_code == 303
    card.refresh_from_db()
    assert (card.status, card.cancel_reason) == ("4", "request")


@pytest.mark.clause("B2")
def test_the_desk_sees_how_far_a_loss_has_come_at_the_bank(desk: Client, bank: Sandbox) -> None:
    holder = cast.wang_fang()
    card = cast.card_in_use(holder)
    card_acts.report_loss(card.pk, by=cast.clerk(), at=now())
    address = f"/counter/holders/{holder.pk}/"
    assert "蜀安银行（挂失已通知银行，等待确认）" in text(desk.get(address))
    bank.goes_wrong("lost")
    bank_tasks.send(cast.JOINT)
    assert "蜀安银行（挂失已通知银行，等待确认）" in text(desk.get(address)), "nothing is taken for granted"
    BankRequest.objects.update(next_try_at=now())
    bank_tasks.send(cast.JOINT)
    assert "蜀安银行（已挂失）" in text(desk.get(address))
