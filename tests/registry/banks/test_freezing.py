"""Accounts held by order of an authority: paper obligatory, the bank's word decides, the last order lifted frees."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import psycopg
import pytest

from tests.agreements import agree
from tests.bank_sandbox import Sandbox
from tests.registry.conftest import JOINT, LEADER, LI_QIANG, SUPERVISOR
from yikatong.core import env
from yikatong.core.clock import day_of, now
from yikatong.core.errors import DomainError, Forbidden
from yikatong.core.models import AuditEntry
from yikatong.registry.banks import freezing, tasks
from yikatong.registry.banks.freezing import Order
from yikatong.registry.banks.models import BankAccount, BankRequest, Hold
from yikatong.registry.banks.rules import BankNotOnline
from yikatong.registry.cards import actions as cards
from yikatong.registry.cards.models import Card
from yikatong.registry.holders.models import Holder

Carry = Callable[..., Card]


@pytest.fixture
def account(wang_fang: Holder, carry: Carry) -> BankAccount:
    """In use, at a bank that works over the line."""
    card = carry(wang_fang)
    agree(JOINT, is_online=True)
    return BankAccount.objects.get(cards=card)


def order(number: str = "（2026）川 0107 执 88 号", **changes: Any) -> Order:
    given = Order(
        authority="court",
        authority_name="武侯区人民法院",
        document=number,
        reason="执行案件",
        contact="028-00000001",
        ordered_on=day_of(now()),
        until=day_of(now()) + timedelta(days=365),
    )
    return replace(given, **changes)


def freeze(account: BankAccount, given: Order | None = None) -> Hold:
    return freezing.freeze(account.pk, given or order(), by=SUPERVISOR, at=now())


def lift(hold: Hold) -> Hold:
    words = {"document": "（2026）川 0107 执 88 号之一", "reason": "案件执行完毕"}
    return freezing.unfreeze(hold.pk, **words, by=SUPERVISOR, at=now())


def stands(hold: Hold) -> tuple[str, str]:
    found = Hold.objects.select_related("account").get(pk=hold.pk)
    return found.status, found.account.status


@pytest.mark.clause("G12", "B6")
def test_an_order_holds_the_account_once_the_bank_has_said_so(account: BankAccount, bank: Sandbox) -> None:
    hold = freeze(account)
    assert stands(hold) == ("asked", "active")
    assert tasks.send(JOINT) == 1
    assert stands(hold) == ("held", "frozen")
    assert [str(one) for one in freezing.seen_by(account.holder_id)] == [
        "武侯区人民法院 （2026）川 0107 执 88 号"
    ]

    assert stands(lift(hold)) == ("lifting", "frozen")
    assert tasks.send(JOINT) == 1
    assert stands(hold) == ("lifted", "active")
    assert freezing.seen_by(account.holder_id) == []
    events = AuditEntry.objects.filter(event__startswith="banks:hold").order_by("pk")
    assert [(one.event, one.facts["document"]) for one in events] == [
        ("banks:hold:asked", "（2026）川 0107 执 88 号"),
        ("banks:hold:lifting", "（2026）川 0107 执 88 号"),
    ]
    with pytest.raises(freezing.NotHeld):
        lift(hold)


@pytest.mark.clause("B6")
def test_of_two_orders_the_last_one_lifted_frees(account: BankAccount, bank: Sandbox) -> None:
    first = freeze(account)
    second = freeze(
        account, order("武公冻字〔2026〕7 号", authority="police", authority_name="武侯区公安分局")
    )
    assert tasks.send(JOINT) == 2
    assert (stands(first)[0], stands(second)[0]) == ("held", "held")

    assert stands(lift(first)) == ("lifted", "frozen"), "the bank is not asked while another order stands"
    assert tasks.send(JOINT) == 0
    lift(second)
    tasks.send(JOINT)
    assert stands(second) == ("lifted", "active")


@pytest.mark.clause("B6")
def test_an_account_comes_back_as_it_was(account: BankAccount, bank: Sandbox) -> None:
    card = Card.objects.get(account=account)
    cards.report_loss(card.pk, by=LI_QIANG, at=now())
    hold = freeze(account)
    assert tasks.send(JOINT) == 2
    lift(hold)
    tasks.send(JOINT)
    assert stands(hold) == ("lifted", "lost")


@pytest.mark.clause("B6")
def test_a_bank_that_was_away_freezes_when_it_is_back(
    account: BankAccount, bank_away: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    hold = freeze(account)
    assert tasks.send(JOINT) == 0
    assert stands(hold) == ("asked", "active")
    assert BankRequest.objects.get(act="freeze").trouble == "无法连接银行接口"

    monkeypatch.setenv("YIKATONG_BANKS_FILE", str(bank_away.channels))
    env.load.cache_clear()
    BankRequest.objects.update(next_try_at=now())
    assert tasks.send(JOINT) == 1
    assert stands(hold) == ("held", "frozen")


def test_the_bank_s_refusal_is_seen(account: BankAccount, bank: Sandbox) -> None:
    bank.goes_wrong("refuse", "freeze", reason="账户余额为零且已睡眠")
    hold = freeze(account)
    tasks.send(JOINT)
    assert stands(hold) == ("refused", "active")
    assert freezing.seen_by(account.holder_id) == []
    freeze(account)  # the same paper may be tried again


@pytest.mark.parametrize(
    ("changes", "refused"),
    [
        ({"document": " "}, "freeze_order_invalid"),
        ({"reason": ""}, "freeze_order_invalid"),
        ({"authority_name": "院"}, "freeze_order_invalid"),
        ({"authority": "death"}, "freeze_order_invalid"),
        ({"ordered_on": day_of(now()) + timedelta(days=2)}, "freeze_order_invalid"),
        ({"until": day_of(now()) - timedelta(days=2)}, "freeze_order_invalid"),
    ],
)
def test_no_paper_no_order(account: BankAccount, changes: dict[str, Any], refused: str) -> None:
    with pytest.raises(DomainError) as refusal:
        freeze(account, order(**changes))
    assert refusal.value.code == refused
    assert not Hold.objects.exists()
    assert not BankRequest.objects.filter(act="freeze").exists()


def test_the_same_paper_is_not_taken_twice_and_not_by_everyone(account: BankAccount) -> None:
    freeze(account)
    with pytest.raises(freezing.HeldAlready):
        freeze(account)
    for by in (LI_QIANG, LEADER):
        with pytest.raises(Forbidden):
            freezing.freeze(account.pk, order("另一份"), by=by, at=now())
    agree(JOINT, is_online=False)
    with pytest.raises(BankNotOnline, match="没有联机办理，请联系银行办理：95901"):
        freeze(account, order("另一份"))
    assert Hold.objects.count() == 1


def test_two_clerks_with_one_paper_on_two_connections(
    account: BankAccount, bank: Sandbox, database_dsn: str
) -> None:
    """The database itself keeps one standing order a paper."""
    hold = freeze(account)
    with psycopg.connect(database_dsn) as other, pytest.raises(psycopg.errors.UniqueViolation):
        other.execute(
            "INSERT INTO banks_hold SELECT (jsonb_populate_record(h, jsonb_build_object('id', gen_random_uuid()))).*"
            " FROM banks_hold h WHERE id = %s",
            [hold.pk],
        )
