"""Accounts opened over the line: an approved case goes on by itself, or waits with the bank's reason."""

from collections.abc import Callable

import pytest
from procrastinate.contrib.django.models import ProcrastinateJob

from tests.agreements import agree
from tests.bank_sandbox import Sandbox
from tests.registry.conftest import JOINT, LI_QIANG, SUPERVISOR, herself
from yikatong.adapters.production_sandbox import whole_round
from yikatong.core.clock import now
from yikatong.core.models import Look
from yikatong.registry.banks import tasks
from yikatong.registry.banks.models import BankAccount, BankRequest
from yikatong.registry.cards import actions
from yikatong.registry.cards.batches.opening import NothingToProduce
from yikatong.registry.cards.models import Card, Case
from yikatong.registry.cards.tasks import account_answered
from yikatong.registry.holders.models import Holder

Carry = Callable[..., Card]


@pytest.fixture
def on_line(partners: None) -> None:
    agree(JOINT, is_online=True)


def approved(holder: Holder) -> Case:
    case = actions.apply(holder.pk, bank_code=JOINT, division_code="510107", by=LI_QIANG, at=now())
    return actions.check(case.pk, by=SUPERVISOR, at=now())


def answered() -> None:
    """The bank is asked, and the job that it deferred is done."""
    tasks.send(JOINT)
    for job in ProcrastinateJob.objects.filter(task_name="cards.account_answered"):
        account_answered(**job.args)


def status_of(case: Case) -> tuple[str, str]:
    found = Case.objects.get(pk=case.pk)
    return found.status, found.steps.latest("at", "pk").note


@pytest.mark.clause("G5", "G12", "B1", "B6")
def test_an_approved_case_has_its_account_without_a_file(
    wang_fang: Holder, on_line: None, bank: Sandbox
) -> None:
    case = approved(wang_fang)
    assert status_of(case) == ("checked", "")
    with pytest.raises(NothingToProduce):
        whole_round(JOINT, by=SUPERVISOR, at=now())
    look = Look.objects.filter(holder_id=wang_fang.pk).latest("at")
    assert (look.purpose, look.fields) == ("提供给蜀安银行预开户", ["姓名", "证件号码", "手机号码"])

    answered()
    assert status_of(case) == ("preopened", "银行已联机开户")
    assert whole_round(JOINT, by=SUPERVISOR, at=now()).made == 1
    assert Card.objects.get().account == BankAccount.objects.get()


@pytest.mark.clause("G5", "B1")
def test_a_bank_that_refuses_leaves_the_case_with_its_reason(
    wang_fang: Holder, on_line: None, bank: Sandbox
) -> None:
    case = approved(wang_fang)
    bank.goes_wrong("refuse", "open", reason="客户身份待核实")
    answered()
    assert status_of(case) == ("failed", "银行：客户身份待核实")
    actions.retry(case.pk, note="已补正", by=SUPERVISOR, at=now())
    answered()
    assert status_of(case) == ("preopened", "银行已联机开户")
    assert list(BankRequest.objects.order_by("serial").values_list("status", flat=True)) == [
        "refused",
        "done",
    ]


def test_an_account_for_a_withdrawn_case_is_closed_again(
    wang_fang: Holder, on_line: None, bank: Sandbox
) -> None:
    case = approved(wang_fang)
    actions.withdraw(case.pk, by=herself(wang_fang), at=now())
    answered()
    answered()
    assert (status_of(case)[0], BankAccount.objects.get().status) == ("withdrawn", "closed")
    assert BankRequest.objects.count() == 2


@pytest.mark.clause("G5", "B6")
def test_another_card_before_the_same_account(
    wang_fang: Holder, carry: Carry, on_line: None, bank: Sandbox
) -> None:
    agree(JOINT, is_online=False)
    old = carry(wang_fang)
    agree(JOINT, is_online=True)
    actions.report_loss(old.pk, by=LI_QIANG, at=now())
    tasks.send(JOINT)
    wish = {"reason": "lost", "division_code": "510107", "by": LI_QIANG, "at": now()}
    case = actions.replace(wang_fang.pk, **wish)  # type: ignore[arg-type]
    actions.check(case.pk, by=SUPERVISOR, at=now())
    assert status_of(case) == ("preopened", "沿用原账号")
    whole_round(JOINT, by=SUPERVISOR, at=now())
    actions.take_fee(case.pk, receipt="SJ000001", by=LI_QIANG, at=now())
    new = actions.hand_over(case.pk, by=LI_QIANG, at=now())
    actions.activate(new.pk, by=LI_QIANG, at=now())
    assert BankAccount.objects.get().status == "lost"
    tasks.send(JOINT)
    assert BankAccount.objects.get().status == "active"
    assert Card.objects.get(pk=new.pk).account_id == old.account_id
