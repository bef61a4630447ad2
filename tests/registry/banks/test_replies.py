"""Settled by hand: a bank's paper, recorded by one and confirmed by another; the line's later word never overwrites."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from tests.agreements import agree
from tests.bank_sandbox import Sandbox, account_number
from tests.registry.conftest import JOINT, LI_QIANG, SUPERVISOR
from yikatong.core.actor import Actor, Channel, Role
from yikatong.core.clock import day_of, now
from yikatong.core.errors import DomainError, Forbidden
from yikatong.core.models import AuditEntry
from yikatong.registry.banks import replies, requests, tasks
from yikatong.registry.banks.models import BankAccount, BankRequest, Contradiction, WrittenAnswer
from yikatong.registry.banks.replies import Paper
from yikatong.registry.banks.rules import AlreadySettled
from yikatong.registry.cards import actions as cards
from yikatong.registry.cards.models import Card, Case
from yikatong.registry.cards.tasks import account_answered
from yikatong.registry.holders.models import Holder

Carry = Callable[..., Card]
OTHER = Actor(UUID(int=6), "刘主任", Role.SUPERVISOR, Channel.WEB, scope="51", organisation="省社保卡中心")


@pytest.fixture
def card(wang_fang: Holder, carry: Carry) -> Card:
    return carry(wang_fang)


def lost(card: Card, *, days: int = 0) -> BankRequest:
    """Asked so many days ago, and the bank has been silent since."""
    cards.report_loss(card.pk, by=LI_QIANG, at=now())
    BankRequest.objects.update(created_at=now() - timedelta(days=days))
    return BankRequest.objects.get(act="report_loss")


def unknown(card: Card, bank: Sandbox) -> BankRequest:
    """The bank has stopped the account, and its answer was lost."""
    request = lost(card)
    bank.goes_wrong("lost", "report_loss")
    tasks.send(JOINT)
    return BankRequest.objects.get(pk=request.pk)


def paper(**changes: Any) -> Paper:
    given = {
        "is_done": True,
        "document": "蜀安函〔2026〕31 号",
        "answered_on": day_of(now()),
        "status": "lost",
    }
    return Paper(**(given | changes))


def settled(request: BankRequest, given: Paper | None = None) -> WrittenAnswer:
    written = replies.record(request.pk, given or paper(), by=SUPERVISOR, at=now())
    return replies.confirm(written.pk, by=OTHER, at=now())


def stands(request: BankRequest) -> tuple[str, bool, str]:
    found = BankRequest.objects.select_related("account").get(pk=request.pk)
    return found.status, found.by_hand, found.account.status if found.account else ""


@pytest.mark.clause("G12", "B6")
def test_a_paper_counts_once_another_has_confirmed_it(card: Card, bank_away: Sandbox) -> None:
    request = lost(card, days=3)
    written = replies.record(request.pk, paper(), by=SUPERVISOR, at=now())
    assert stands(request) == ("waiting", False, "active")
    with pytest.raises(replies.FourEyesOfAnswer, match="登记书面答复的人不能自己复核"):
        replies.confirm(written.pk, by=SUPERVISOR, at=now())
    with pytest.raises(replies.AnswerWaits):
        replies.record(request.pk, paper(document="另一份"), by=OTHER, at=now())
    assert stands(request) == ("waiting", False, "active")

    replies.confirm(written.pk, by=OTHER, at=now())

    assert stands(request) == ("done", True, "lost")
    assert requests.claim(JOINT, at=now()) is None, "it is not sent any more"
    events = AuditEntry.objects.filter(event__startswith="banks:written").order_by("pk")
    assert [(one.event, one.actor_name, one.facts["document"]) for one in events] == [
        ("banks:written:recorded", "周主任", "蜀安函〔2026〕31 号"),
        ("banks:written:confirmed", "刘主任", "蜀安函〔2026〕31 号"),
    ]


@pytest.mark.clause("B6")
def test_a_bank_that_may_yet_answer_is_waited_for(card: Card, bank_away: Sandbox) -> None:
    request = lost(card)
    with pytest.raises(replies.TooEarly):
        replies.record(request.pk, paper(), by=SUPERVISOR, at=now())
    with pytest.raises(Forbidden):
        replies.record(request.pk, paper(), by=LI_QIANG, at=now())
    assert not WrittenAnswer.objects.exists()


@pytest.mark.clause("B6")
def test_the_line_that_agrees_later_is_noted(card: Card, bank: Sandbox) -> None:
    request = unknown(card, bank)
    written = settled(request)
    assert tasks.compare(0) == 1
    written.refresh_from_db()
    assert written.verified_at is not None
    assert not Contradiction.objects.exists()
    assert tasks.compare(0) == 0, "once"


@pytest.mark.clause("B6")
def test_the_line_that_differs_opens_an_issue_and_overwrites_nothing(card: Card, bank: Sandbox) -> None:
    request = unknown(card, bank)
    settled(request, paper(is_done=False, status="", reason="账户有在途业务"))
    assert stands(request) == ("refused", True, "active")

    assert tasks.compare(0) == 1

    found = Contradiction.objects.get()
    assert (found.status, found.is_done, found.account_status) == ("open", True, "lost")
    assert stands(request) == ("refused", True, "active"), "nothing is overwritten"
    assert tasks.compare(0) == 0
    with pytest.raises(replies.NoNote):
        replies.take(found.pk, note="无", by=SUPERVISOR, at=now())

    replies.take(found.pk, note="与银行王经理电话核对，账户确已停用", by=SUPERVISOR, at=now())

    assert stands(request) == ("done", False, "lost")
    assert Contradiction.objects.get().status == "taken"
    with pytest.raises(replies.Settled):
        replies.keep(found.pk, note="再次核对无误", by=SUPERVISOR, at=now())


def test_the_paper_may_be_kept(card: Card, bank: Sandbox) -> None:
    request = unknown(card, bank)
    settled(request, paper(is_done=False, status=""))
    tasks.compare(0)
    found = Contradiction.objects.get()
    replies.keep(found.pk, note="银行更正：接口返回有误", by=OTHER, at=now())
    assert stands(request) == ("refused", True, "active")
    assert (Contradiction.objects.get().status, Contradiction.objects.get().settled_by) == ("kept", "刘主任")


@pytest.mark.clause("B6")
def test_an_answer_already_under_way_is_compared_too(card: Card, bank: Sandbox) -> None:
    """A worker has told the bank; before its answer is here, two supervisors settle by paper."""
    request = lost(card, days=2)
    claimed = requests.claim(JOINT, at=now())
    assert claimed is not None
    settled(request, paper(is_done=False, status=""))
    assert tasks._call(tasks.connector(), claimed)
    assert stands(request) == ("refused", True, "active")
    assert Contradiction.objects.get().is_done


def test_a_request_that_never_arrived_leaves_the_paper_alone(card: Card, bank: Sandbox) -> None:
    settled(lost(card, days=2))
    assert tasks.compare(0) == 0
    assert WrittenAnswer.objects.get().verified_at is None
    assert not Contradiction.objects.exists()


def test_an_account_opened_on_paper_moves_its_case_on(wang_fang: Holder, bank_away: Sandbox) -> None:
    agree(JOINT, is_online=True)
    case = cards.apply(wang_fang.pk, bank_code=JOINT, division_code="510107", by=LI_QIANG, at=now())
    cards.check(case.pk, by=SUPERVISOR, at=now())
    request = BankRequest.objects.get(act="open")
    BankRequest.objects.update(created_at=now() - timedelta(days=2))
    with pytest.raises(replies.BadAnswer, match="银行返回的账号校验不符，请核对书面答复上的账号"):
        replies.record(request.pk, paper(account="6229519000000000001"), by=SUPERVISOR, at=now())

    settled(request, paper(account=account_number()))
    account_answered(str(request.pk))

    assert Case.objects.get(pk=case.pk).status == "preopened"
    assert BankAccount.objects.get(holder_id=wang_fang.pk).status == "preopened"


@pytest.mark.parametrize(
    "changes",
    [
        {"document": ""},
        {"status": ""},
        {"status": "stopped"},
        {"answered_on": day_of(now()) + timedelta(days=2)},
        {"answered_on": day_of(now()) - timedelta(days=30)},
    ],
)
def test_a_paper_without_what_it_needs_is_refused(
    card: Card, bank_away: Sandbox, changes: dict[str, Any]
) -> None:
    request = lost(card, days=2)
    with pytest.raises(DomainError) as refusal:
        replies.record(request.pk, paper(**changes), by=SUPERVISOR, at=now())
    assert refusal.value.code == "written_answer_invalid"
    assert not WrittenAnswer.objects.exists()


def test_what_was_sent_back_may_be_recorded_anew(card: Card, bank_away: Sandbox) -> None:
    request = lost(card, days=2)
    written = replies.record(request.pk, paper(), by=SUPERVISOR, at=now())
    replies.drop(written.pk, by=OTHER, at=now())
    with pytest.raises(replies.NotProposed):
        replies.confirm(written.pk, by=OTHER, at=now())
    settled(request, paper(document="蜀安函〔2026〕32 号"))
    with pytest.raises(AlreadySettled):
        replies.record(request.pk, paper(), by=SUPERVISOR, at=now())
    assert stands(request) == ("done", True, "lost")
