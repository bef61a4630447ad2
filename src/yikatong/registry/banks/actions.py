"""Accounts behind the cards: opened ahead, activated, stopped with the card, closed."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Case, Value, When

from yikatong.core import audit
from yikatong.core.actor import Actor
from yikatong.core.fields import blind_index
from yikatong.core.permissions import Permission, require
from yikatong.registry.banks import rules
from yikatong.registry.banks.models import Bank, BankAccount
from yikatong.registry.banks.rules import TRANSITIONS, Status


def account_index(number: str) -> bytes:
    return blind_index("account", number)


def accepting(code: str) -> Bank:
    """A bank that takes new cards; raises NoBank, BankClosedToNew."""
    bank = Bank.objects.filter(pk=code).first()
    if bank is None:
        raise rules.NoBank
    if not bank.accepts_new:
        raise rules.BankClosedToNew
    return bank


@transaction.atomic
def preopen(holder_id: UUID, *, bank_code: str, number: str, by: Actor, at: datetime) -> BankAccount:
    """An account the bank has opened ahead of the card; usable only once the holder activates it."""
    account = BankAccount.objects.create(
        holder_id=holder_id,
        bank_id=bank_code,
        number=number,
        number_index=account_index(number),
        opened_at=at,
    )
    _note("preopened", account, by=by, at=at)
    return account


@transaction.atomic
def activate(account_id: UUID, *, by: Actor, at: datetime) -> BankAccount:
    """金融账户激活, also after a loss when a new card stands in front of the same account."""
    require(by, Permission.CARD_HAND_OVER)
    return _move(account_id, Status.ACTIVE, "激活", by=by, at=at, activated_at=at)


@transaction.atomic
def close(account_id: UUID, *, by: Actor, at: datetime) -> BankAccount:
    """The bank says that the account is closed."""
    require(by, Permission.BATCH_PRODUCE)
    return _move(account_id, Status.CLOSED, "销户", by=by, at=at, closed_at=at)


def stop_with_card(account_id: UUID | None, *, by: Actor, at: datetime) -> bool:
    """联动挂失: stop the account of a lost card where the bank has joined. Tells whether it is stopped."""
    account = _of_joint_bank(account_id)
    if account is None or account.status not in {Status.ACTIVE, Status.PREOPENED}:
        return account is not None and account.status == Status.LOST
    _move(account.pk, Status.LOST, "挂失", by=by, at=at)
    return True


def release_with_card(account_id: UUID | None, *, by: Actor, at: datetime) -> None:
    """The account follows when the loss of its card is undone: to what it was before."""
    account = _of_joint_bank(account_id)
    if account is not None and account.status == Status.LOST:
        was = Status.ACTIVE if account.activated_at else Status.PREOPENED
        _move(account.pk, was, "解挂", by=by, at=at)


def release_all(account_ids: Iterable[UUID]) -> int:
    """The accounts of cards whose temporary loss has ended, set-based; the cards' audit names it."""
    lost = BankAccount.objects.filter(pk__in=list(account_ids), status=Status.LOST, bank__joint_loss=True)
    was = Case(When(activated_at__isnull=True, then=Value(Status.PREOPENED)), default=Value(Status.ACTIVE))
    return lost.update(status=was)


def _of_joint_bank(account_id: UUID | None) -> BankAccount | None:
    accounts = BankAccount.objects.select_for_update(of=("self",), no_key=True)
    return accounts.filter(pk=account_id, bank__joint_loss=True).first() if account_id else None


def _move(
    account_id: UUID, to: Status, verb: str, *, by: Actor, at: datetime, **stamp: datetime
) -> BankAccount:
    account = BankAccount.objects.select_for_update(no_key=True).get(pk=account_id)
    if to not in TRANSITIONS[Status(account.status)]:
        raise rules.refusal(account.status, verb)
    account.status = to
    for name, value in stamp.items():
        setattr(account, name, value)
    account.save(update_fields=["status", *stamp])
    _note(to.value, account, by=by, at=at)
    return account


def _note(what: str, account: BankAccount, *, by: Actor, at: datetime) -> None:
    audit.record(
        f"banks:account:{what}", subject=f"account:{account.pk}", holder_id=account.holder_id, by=by, at=at
    )
