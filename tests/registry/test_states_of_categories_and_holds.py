"""Categories and holds: every act, and every answer of a bank, in every state, with its exact outcome."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import transaction

from tests.agreements import agree
from tests.refusals.stage import Stage
from tests.registry.conftest import AT, JOINT, SUPERVISOR
from yikatong.core.clock import day_of
from yikatong.core.errors import DomainError
from yikatong.core.models import AuditEntry
from yikatong.registry.banks import accounts, freezing
from yikatong.registry.banks.freezing import Order
from yikatong.registry.banks.holds import HOLD_MOVES, STANDING, Hold
from yikatong.registry.banks.models import BankAccount, BankRequest
from yikatong.registry.holders import actions as holders
from yikatong.registry.holders.models import Category

State, Held = Category.State, Hold.Status
TODAY, BY = day_of(AT), {"by": SUPERVISOR, "at": AT}
WEEK = timedelta(days=7)
#: Period of a category in each state; one that is off has ended, or never held.
PERIODS = {
    State.COMING: (TODAY + WEEK, TODAY + 4 * WEEK),
    State.ON: (TODAY - WEEK, TODAY + WEEK),
    State.OFF: (TODAY - 2 * WEEK, TODAY - WEEK),
}
ENDED = "该优待类别在这一日期之前已经终止，不需要再次终止。"
KNOWN = "该优待类别在这一起始日期已经登记，不需要重复登记；期限有误的，请先终止原登记。"
PAST = "终止日期不能早于今天：已经享受的优待不因终止而改变。请填写今天或以后的日期。"


@pytest.fixture
def stage(places: None, partners: None, settings: Any, tmp_path: Any) -> Stage:
    return Stage(tmp_path, settings)


def outcome(act: Callable[[], object]) -> str:
    """ "" for an act that is done, else what it was refused with."""
    try:
        with transaction.atomic():
            act()
    except DomainError as refusal:
        return refusal.message
    return ""


@pytest.mark.clause("A4", "G7")
@pytest.mark.parametrize("old", list(State))
def test_every_act_on_a_category_in_every_state(stage: Stage, old: State) -> None:
    """Entered again, ended today, on a later day and in the past, and switched by the job."""
    since, until = PERIODS[old]
    category = Category.objects.create(
        holder=stage.enter(), kind="disabled", source="残联名单", valid_from=since, valid_until=until, state=old,
        evidence="1", created_at=AT,
    )  # fmt: skip
    again = {
        "kind": "disabled",
        "valid_from": since,
        "valid_until": until,
        "source": "残联名单",
        "evidence": "1",
    }
    begun, over = old != State.COMING, old == State.OFF
    acts: dict[str, tuple[Callable[[], object], str, tuple[str, date]]] = {
        "add": (lambda: holders.add_category(category.holder_id, **again, **BY), KNOWN, (old, until)),
        "end today": (
            lambda: holders.end_category(category.pk, reason="证件注销", **BY),
            ENDED if over else "",
            (old, until) if over else (State.OFF, TODAY if begun else since),
        ),
        "end later": (
            lambda: holders.end_category(category.pk, on=TODAY + timedelta(days=3), reason="证件注销", **BY),
            ENDED if over else "",
            (old, until) if over else (old, TODAY + timedelta(days=3)) if begun else (State.OFF, since),
        ),
        "end in the past": (
            lambda: holders.end_category(category.pk, on=TODAY - timedelta(days=1), reason="证件注销", **BY),
            PAST,
            (old, until),
        ),
        "switch": (lambda: holders.switch_categories(at=AT), "", (old, until)),
        "switch when it begins": (
            lambda: holders.switch_categories(at=AT + WEEK),
            "",
            (State.ON if old == State.COMING else State.OFF, until),
        ),
        "switch when it is over": (
            lambda: holders.switch_categories(at=AT + 5 * WEEK),
            "",
            (State.OFF, until),
        ),
    }
    for name, (act, words, (state, end)) in acts.items():
        with transaction.atomic():
            told = AuditEntry.objects.count()
            assert (name, outcome(act)) == (name, words)
            category.refresh_from_db()
            assert (name, category.state, category.valid_until) == (name, state, end)
            moved = (state, end) != (old, until)
            assert (name, AuditEntry.objects.count() > told) == (name, moved)
            assert Category.objects.count() == 1
            transaction.set_rollback(True)


def order(number: str = "（2026）川 0107 执 88 号") -> Order:
    return Order(
        authority="court",
        authority_name="武侯区人民法院",
        document=number,
        reason="执行案件",
        ordered_on=TODAY,
    )


LIFT = {"document": "（2026）川 0107 执 88 号之一", "reason": "案件执行完毕"}
FROZEN = "这份文书已经登记冻结，不需要重复办理。"
FREE = "这项冻结已经解除或银行没有办理，不需要解冻；请刷新列表。"
IN_FORCE = {*STANDING, Held.LIFTING}


def _answered(request: BankRequest | None, status: str) -> None:
    assert request is not None
    request.status = status
    accounts.follow_holds(request, at=AT)


@pytest.mark.clause("G12", "B6")
@pytest.mark.parametrize("old", list(Held))
def test_every_act_on_a_hold_in_every_state(stage: Stage, old: Held) -> None:
    """The same paper, the paper that lifts it, and what the bank answers to either; all by the table."""
    account = BankAccount.objects.get(cards=stage.carried())
    agree(JOINT, is_online=True)
    hold = freezing.freeze(account.pk, order(), **BY)
    lifting = freezing.unfreeze(hold.pk, **LIFT, **BY)
    Hold.objects.update(status=old)
    acts: dict[str, tuple[Callable[[], object], str, Held]] = {
        "freeze again": (
            lambda: freezing.freeze(account.pk, order(), **BY),
            FROZEN if old in IN_FORCE else "",
            old,
        ),
        "unfreeze": (
            lambda: freezing.unfreeze(hold.pk, **LIFT, **BY),
            "" if old in STANDING else FREE,
            Held.LIFTING if old in STANDING else old,
        ),
        "the bank has frozen": (
            lambda: _answered(hold.request, "done"), "", Held.HELD if old == Held.ASKED else old,
        ),
        "the bank has not": (
            lambda: _answered(hold.request, "refused"), "", Held.REFUSED if old == Held.ASKED else old,
        ),
        "the bank has freed it": (
            lambda: _answered(lifting.lift_request, "done"), "", Held.LIFTED if old == Held.LIFTING else old,
        ),
        "the bank has not freed it": (
            lambda: _answered(lifting.lift_request, "refused"), "", Held.HELD if old == Held.LIFTING else old,
        ),
    }  # fmt: skip
    for name, (act, words, to) in acts.items():
        with transaction.atomic():
            asked = BankRequest.objects.count()
            assert (name, outcome(act)) == (name, words)
            now = Held(Hold.objects.get(pk=hold.pk).status)
            assert (name, now) == (name, to)
            assert now == old or now in HOLD_MOVES[old], f"{name}: {old} → {now} is on no table"
            # A refusal asks the bank for nothing; what the paper orders is asked once.
            ordered = not words and name in {"freeze again", "unfreeze"}
            assert (name, BankRequest.objects.count() - asked) == (name, int(ordered))
            transaction.set_rollback(True)


@pytest.mark.clause("G12")
@pytest.mark.parametrize("old", list(Held))
def test_another_order_keeps_the_account_held(stage: Stage, old: Held) -> None:
    """While another stands, lifting this one frees nothing and asks the bank nothing."""
    account = BankAccount.objects.get(cards=stage.carried())
    agree(JOINT, is_online=True)
    hold = freezing.freeze(account.pk, order(), **BY)
    freezing.freeze(account.pk, order("（2026）川 0107 执 99 号"), **BY)
    Hold.objects.filter(pk=hold.pk).update(status=old)
    asked = BankRequest.objects.count()
    words = outcome(lambda: freezing.unfreeze(hold.pk, **LIFT, **BY))
    assert words == ("" if old in STANDING else FREE)
    assert Hold.objects.get(pk=hold.pk).status == (Held.LIFTED if old in STANDING else old)
    assert BankRequest.objects.count() == asked
