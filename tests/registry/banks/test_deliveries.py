"""Agreed data: each day's list is expected, fetched, taken once; what came late or never stays in sight."""

from collections.abc import Callable
from datetime import date, datetime, timedelta

import pytest

from tests.agreements import agree
from tests.bank_sandbox import Sandbox, account_number
from tests.registry.conftest import APART, AT, JOINT, LI_QIANG
from yikatong.core.clock import BEIJING, day_of, now
from yikatong.core.models import AuditEntry
from yikatong.registry.banks import deliveries, queries, tasks
from yikatong.registry.banks.models import BankAccount, BankRequest, Delivery
from yikatong.registry.cards import actions as cards
from yikatong.registry.cards.models import Card
from yikatong.registry.holders.models import Holder

Carry = Callable[..., Card]
YESTERDAY = day_of(AT) - timedelta(days=1)


@pytest.fixture
def agreed(partners: None) -> None:
    """The bank that has not joined delivers by eight in the morning."""
    agree(APART, delivers_by=8)


def owed(day: date = YESTERDAY) -> Delivery:
    return Delivery.objects.create(bank_id=APART, day=day, due_at=deliveries.due_at(8, day))


@pytest.mark.clause("G12", "K3")
def test_a_list_is_expected_each_day_also_for_days_nobody_looked(agreed: None) -> None:
    assert deliveries.expect(at=AT) == 1
    assert deliveries.expect(at=AT) == 0
    one = Delivery.objects.get()
    assert (one.bank_id, one.day) == (APART, YESTERDAY)
    assert one.due_at == datetime(2026, 11, 20, 8, tzinfo=BEIJING)
    assert deliveries.expect(at=AT + timedelta(days=3)) == 3
    assert Delivery.objects.count() == 4


@pytest.mark.clause("G12", "K3")
def test_lateness_is_seen_before_and_after_it_came(agreed: None) -> None:
    delivery, due = owed(), datetime(2026, 11, 20, 8, tzinfo=BEIJING)
    assert delivery.late_by(due) is None
    assert delivery.late_by(due + timedelta(hours=2)) == timedelta(hours=2)
    days = [YESTERDAY, YESTERDAY - timedelta(days=1)]
    row = queries.delivered(days, at=due + timedelta(hours=2))[0]
    assert (row.days, row.in_time, row.owed) == ([(delivery, timedelta(hours=2)), (None, None)], 0, 1)
    deliveries.take(delivery.pk, [], at=due + timedelta(hours=3))
    row = queries.delivered(days, at=due + timedelta(days=1))[0]
    assert (row.days[0][1], row.in_time, row.owed) == (timedelta(hours=3), 0, 0)


@pytest.mark.clause("G12", "B2", "K3")
def test_an_account_stopped_at_its_bank_is_known_here_the_next_day(
    wang_fang: Holder, carry: Carry, agreed: None
) -> None:
    """Its holder called the bank, for this bank has not joined in losses."""
    card = carry(wang_fang, bank_code=APART)
    account = BankAccount.objects.get(cards=card)
    delivery = deliveries.take(owed().pk, [(account.number, "lost"), (account_number(), "active")], at=AT)
    account.refresh_from_db()
    assert (account.status, delivery.rows, delivery.followed, delivery.differing) == ("lost", 2, 1, 1)
    assert AuditEntry.objects.filter(event="banks:delivery:received").count() == 1

    again = deliveries.take(delivery.pk, [(account.number, "active")], at=AT)
    account.refresh_from_db()
    assert (account.status, again.rows) == ("lost", 2), "taken once"


def test_what_cannot_be_is_counted_and_changes_nothing(wang_fang: Holder, carry: Carry, agreed: None) -> None:
    account = BankAccount.objects.get(cards=carry(wang_fang, bank_code=APART))
    BankAccount.objects.update(status="closed", closed_at=AT)
    delivery = deliveries.take(owed().pk, [(account.number, "active")], at=AT)
    strange = deliveries.take(owed(YESTERDAY - timedelta(days=1)).pk, [(account.number, "sold")], at=AT)
    account.refresh_from_db()
    assert (account.status, delivery.differing, strange.differing) == ("closed", 1, 1)


def test_an_old_list_does_not_undo_what_happened_since(
    wang_fang: Holder, carry: Carry, bank: Sandbox
) -> None:
    """The list says how the day ended; the card was lost this morning."""
    card = carry(wang_fang)
    account = BankAccount.objects.get(cards=card)
    agree(JOINT, delivers_by=8)
    deliveries.expect(at=now())
    cards.report_loss(card.pk, by=LI_QIANG, at=now())
    delivery = Delivery.objects.get()
    deliveries.take(delivery.pk, [(account.number, "closed")], at=now())
    account.refresh_from_db()
    assert account.status == "active", "its answer is still awaited"
    tasks.send(JOINT)
    Delivery.objects.update(received_at=None)
    deliveries.take(delivery.pk, [(account.number, "active")], at=now())
    account.refresh_from_db()
    assert (account.status, BankRequest.objects.get().status) == ("lost", "done")


@pytest.mark.clause("G12", "K3")
def test_the_job_fetches_what_is_owed_and_asks_again(
    wang_fang: Holder, carry: Carry, agreed: None, bank: Sandbox
) -> None:
    account = BankAccount.objects.get(cards=carry(wang_fang, bank_code=APART))
    request = {"number": f"T{account.number}", "bank": APART, "act": "report_loss", "account": account.number}
    bank.wire.post("/v1/requests", request)
    bank.was_yesterday(account.number)
    bank.goes_wrong("away", "deliver")
    assert tasks.collect(timestamp=0) == 0
    delivery = Delivery.objects.get()
    assert (delivery.tries, delivery.trouble, delivery.received_at) == (1, "银行系统暂停服务", None)
    assert tasks.collect(timestamp=0) == 1
    assert tasks.collect(timestamp=0) == 0
    delivery.refresh_from_db()
    account.refresh_from_db()
    assert (delivery.rows, delivery.trouble, account.status) == (1, "", "lost")


def test_a_bank_without_a_line_owes_and_is_not_asked(agreed: None) -> None:
    assert tasks.collect(timestamp=0) == 0
    assert Delivery.objects.get().tries == 0
