"""Accounts behind the cards: opened ahead, activated, stopped with the card, closed."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Case, Exists, OuterRef, Value, When

from yikatong.core import audit
from yikatong.core.actor import SYSTEM, Actor
from yikatong.core.clock import day_of
from yikatong.core.permissions import Permission, require
from yikatong.core.storing import store
from yikatong.registry.banks import requests, rules, terms
from yikatong.registry.banks.accounts import account_index, entry, locked, note
from yikatong.registry.banks.models import Bank, BankAccount, BankAct, BankRequest
from yikatong.registry.banks.rules import TRANSITIONS, Status


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
    note("preopened", account, by=by, at=at)
    return account


@transaction.atomic
def activate(account_id: UUID, *, by: Actor, at: datetime) -> BankAccount:
    """金融账户激活, also after a loss when a new card stands in front of the same account.

    A bank on line is asked, and the account is active once it has said so.
    """
    require(by, Permission.CARD_HAND_OVER)
    account = locked(account_id)
    if terms.standing(account.bank_id, day_of(at)).is_online:
        if Status.ACTIVE not in TRANSITIONS[Status(account.status)]:
            raise rules.refusal(account.status, "激活")
        act = BankAct.ACTIVATE
        if not account.requests.filter(act=act, status__in=requests.OPEN).exists():
            requests.ask(act, account.bank, holder_id=account.holder_id, account=account, by=by, at=at)
        return account
    return _move(account_id, Status.ACTIVE, "激活", by=by, at=at, activated_at=at)


@transaction.atomic
def close(account_id: UUID, *, by: Actor, at: datetime) -> BankAccount:
    """The bank says that the account is closed."""
    require(by, Permission.BATCH_PRODUCE)
    return _move(account_id, Status.CLOSED, "销户", by=by, at=at, closed_at=at)


def stop_with_card(
    account_id: UUID | None, *, by: Actor, at: datetime, ends_at: datetime | None = None
) -> BankRequest | None:
    """联动挂失: have the bank stop the account of a lost card; None where it has not joined.

    The bank ends a temporary loss itself at `ends_at`, so that it ends even while the line is down.
    """
    account = _of_joint_bank(account_id, at)
    if account is None:
        return None
    freed = account.requests.filter(act=BankAct.UNFREEZE, status__in=requests.OPEN)
    if account.status not in {Status.ACTIVE, Status.PREOPENED, Status.LOST} and not freed.exists():
        return None
    act = BankAct.REPORT_LOSS
    return requests.ask(
        act, account.bank, holder_id=account.holder_id, account=account, ends_at=ends_at, by=by, at=at
    )


def release_with_card(account_id: UUID | None, *, by: Actor, at: datetime) -> BankRequest | None:
    """The account follows when the loss of its card is undone, also while the bank has not yet answered the loss."""
    account = _account(account_id)
    if account is None:
        return None
    asked = account.requests.filter(act=BankAct.REPORT_LOSS, status__in=requests.OPEN)
    if account.status != Status.LOST and not asked.exists():
        return None
    return requests.ask(
        BankAct.RELEASE, account.bank, holder_id=account.holder_id, account=account, by=by, at=at
    )


def release_all(account_ids: Iterable[UUID], *, at: datetime) -> int:
    """The accounts of cards whose temporary loss has ended, set-based; the banks end theirs at the same moment.

    Only what a bank has stopped because we told it to, with that end.
    """
    told = BankRequest.objects.filter(
        account=OuterRef("pk"), act=BankAct.REPORT_LOSS, status="done", ends_at__lte=at
    )
    lost = BankAccount.objects.filter(Exists(told), pk__in=list(account_ids), status=Status.LOST)
    found = list(lost.select_for_update(of=("self",), no_key=True).order_by("pk"))
    for account in found:
        account.status = Status.ACTIVE if account.activated_at else Status.PREOPENED
    was = Case(When(activated_at__isnull=True, then=Value(Status.PREOPENED)), default=Value(Status.ACTIVE))
    BankAccount.objects.filter(pk__in=[account.pk for account in found]).update(status=was)
    audit.record_all(entry(account.status, account, by=SYSTEM, at=at) for account in found)
    return len(found)


@transaction.atomic
def card_changed(account_id: UUID | None, *, card_number: str, by: Actor, at: datetime) -> BankRequest | None:
    """换卡不换号: tell the bank which card now stands in front of the account; None where it has no line."""
    if account_id is None:
        return None
    account = locked(account_id)
    if account.status == Status.CLOSED or not terms.standing(account.bank_id, day_of(at)).is_online:
        return None
    return requests.ask(
        BankAct.CHANGE_CARD,
        account.bank,
        holder_id=account.holder_id,
        account=account,
        content={"card": card_number},
        by=by,
        at=at,
    )


@transaction.atomic
def card_ended(account_id: UUID | None, *, by: Actor, at: datetime) -> BankRequest | None:
    """Tell the bank that no card stands in front of the account any more; the account stays. None without a line."""
    account = _account(account_id)
    if account is None or account.status == Status.CLOSED:
        return None
    if not terms.standing(account.bank_id, day_of(at)).is_online:
        return None
    return requests.ask(
        BankAct.END_CARD, account.bank, holder_id=account.holder_id, account=account, by=by, at=at
    )


@transaction.atomic
def close_unused(account_id: UUID | None, *, by: Actor, at: datetime) -> BankRequest | None:
    """An account opened for a card that will not be made is closed again; None where a card stands before it."""
    account = _account(account_id)
    if account is None or account.status != Status.PREOPENED or account.cards.exists():
        return None
    if not terms.standing(account.bank_id, day_of(at)).is_online:
        return None
    act = BankAct.CLOSE
    if account.requests.filter(act=act).exists():
        return None
    return requests.ask(act, account.bank, holder_id=account.holder_id, account=account, by=by, at=at)


@transaction.atomic
def renamed(
    holder_id: UUID, *, certificate: str, name: str, by: Actor, at: datetime
) -> tuple[list[str], list[str]]:
    """Tell the banks of a holder's accounts his new name and number.

    Returns the names of banks told over the line, and of those without one, to which he goes himself.
    """
    told, to_visit = [], []
    mine = BankAccount.objects.select_for_update(of=("self",), no_key=True).select_related("bank")
    for account in mine.filter(holder_id=holder_id).exclude(status=Status.CLOSED).order_by("pk"):
        if not terms.standing(account.bank_id, day_of(at)).is_online:
            to_visit.append(account.bank.name)
            continue
        content = {"certificate": certificate, "name": name}
        requests.ask(
            BankAct.RENAME, account.bank, holder_id=holder_id, account=account, content=content, by=by, at=at
        )
        told.append(account.bank.name)
    return sorted(set(told)), sorted(set(to_visit))


@transaction.atomic
def open_online(  # noqa: PLR0913 - what an opening consists of
    bank: Bank,
    *,
    holder_id: UUID,
    case_id: UUID,
    certificate: str,
    name: str,
    phone: str,
    by: Actor,
    at: datetime,
) -> BankRequest | None:
    """Ask for an account over the line; None where the bank opens by file only."""
    if not terms.standing(bank.pk, day_of(at)).is_online:
        return None
    content = {"prefix": bank.bin, "certificate": certificate, "name": name, "phone": phone}
    return requests.ask(
        BankAct.OPEN, bank, holder_id=holder_id, case_id=case_id, content=content, by=by, at=at
    )


def _account(account_id: UUID | None) -> BankAccount | None:
    return locked(account_id) if account_id else None


def _of_joint_bank(account_id: UUID | None, at: datetime) -> BankAccount | None:
    account = _account(account_id)
    joint = account is not None and terms.standing(account.bank_id, day_of(at)).joint_loss
    return account if joint else None


def _move(
    account_id: UUID, to: Status, verb: str, *, by: Actor, at: datetime, **stamp: datetime
) -> BankAccount:
    account = locked(account_id)
    if to not in TRANSITIONS[Status(account.status)]:
        raise rules.refusal(account.status, verb)
    account.status = to
    for name, value in stamp.items():
        setattr(account, name, value)
    store(entry(to.value, account, by=by, at=at), changed={account: ["status", *stamp]})
    return account
