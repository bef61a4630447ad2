"""What a withdrawal undoes, said before it is done."""

import pytest
from django.test import Client

from tests import cast
from tests.portals.counter.typed import everything, text
from yikatong.core.clock import now
from yikatong.registry.cards import actions as card_acts
from yikatong.registry.cards import batches
from yikatong.registry.cards.models import CaseStatus

WITHDRAWAL = {"verified": "yes", "step": "confirm"}


@pytest.mark.clause("G5", "B1")
def test_a_withdrawal_says_what_it_undoes_before_it_is_done(desk: Client) -> None:
    case = cast.apply(cast.wang_fang())
    address = f"/counter/cases/{case.number}/withdraw"
    assert f'href="{address}"' in text(desk.get(f"/counter/cases/{case.number}/"))
    before = everything()

    asked = text(desk.get(address))
    words = ("撤回申领", "本件不再审核。", "不制卡，申请人仍没有社会保障卡。", "撤回后不能恢复", "确认撤回")
    assert [one for one in words if one not in asked] == []
    assert "工本费" not in asked
    unverified = desk.post(address, {"step": "confirm"})
    assert (unverified.status_code, "请确认已核验本人身份证件" in text(unverified)) == (422, True)
    assert everything() == before

    done = desk.post(address, WITHDRAWAL)
    assert done.headers["Location"] == f"/counter/cases/{case.number}/?done=1"
    case.refresh_from_db()
    assert case.status == CaseStatus.WITHDRAWN
    page = text(desk.get(done.headers["Location"]))
    assert "已办理。接下来：需要时可以重新申请。" in page
    assert "申请人撤回" not in page

    before = everything()
    again = desk.post(address, WITHDRAWAL)
    assert (again.status_code, "受理单当前为“已撤回”，不能转为“已撤回”" in text(again)) == (409, True)
    assert everything() == before


@pytest.mark.clause("G5", "B2")
def test_a_withdrawn_replacement_leaves_the_old_card_as_it_is(desk: Client) -> None:
    holder = cast.wang_fang()
    card = cast.card_in_use(holder)
    card_acts.report_loss(card.pk, by=cast.clerk(), at=now())
    case = card_acts.replace(holder.pk, reason="lost", division_code="510107", by=cast.clerk(), at=now())
    card_acts.check(case.pk, by=cast.supervisor(), at=now())

    page = text(desk.get(f"/counter/cases/{case.number}/withdraw"))
    assert "已通过的审核作废，不再送银行预开户。" in page
    assert "不制新卡；原卡仍为“正式挂失”，不因撤回而改变。" in page
    assert "工本费 ¥20.00不再收取，已经收取的请当场退还。" in page
    assert desk.post(f"/counter/cases/{case.number}/withdraw", WITHDRAWAL).status_code == 303
    card.refresh_from_db()
    case.refresh_from_db()
    assert (card.status, case.status) == ("2", CaseStatus.WITHDRAWN)


@pytest.mark.clause("G5", "B1")
def test_what_lies_with_the_bank_is_not_withdrawn_at_the_counter(desk: Client) -> None:
    case = cast.apply(cast.wang_fang())
    card_acts.check(case.pk, by=cast.supervisor(), at=now())
    batches.open_batch(cast.JOINT, by=cast.supervisor(), at=now())
    before = everything()
    page = text(desk.get(f"/counter/cases/{case.number}/withdraw"))
    assert ("申请已送银行或制卡机构办理，不能撤回" in page, "确认撤回" in page) == (True, False)
    refused = desk.post(f"/counter/cases/{case.number}/withdraw", WITHDRAWAL)
    assert (refused.status_code, "申请已送银行或制卡机构办理，不能撤回" in text(refused)) == (409, True)
    assert everything() == before
