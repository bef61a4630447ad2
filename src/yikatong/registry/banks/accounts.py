"""The account as the bank tells it: opened by its answer, moved by its answer."""

from datetime import datetime
from uuid import UUID

from yikatong.core import audit
from yikatong.core.actor import SYSTEM, Actor
from yikatong.core.fields import blind_index
from yikatong.core.models import AuditEntry
from yikatong.registry.banks.models import Bank, BankAccount, BankRequest, Hold
from yikatong.registry.banks.rules import TRANSITIONS, AccountDiffers, Status, number_fault


def account_index(number: str) -> bytes:
    return blind_index("account", number)


def opened(bank: Bank, holder_id: UUID, number: str, *, at: datetime) -> BankAccount:
    """An account the bank has opened over the line. Raises AccountDiffers for a number that cannot be."""
    if fault := number_fault(number, bank.bin):
        raise AccountDiffers(fault)
    if BankAccount.objects.filter(number_index=account_index(number)).exists():
        raise AccountDiffers("银行返回的账号重复")
    account = BankAccount.objects.create(
        holder_id=holder_id, bank=bank, number=number, number_index=account_index(number), opened_at=at
    )
    note("preopened", account, by=SYSTEM, at=at)
    return account


def follow(account_id: UUID, to: Status, *, at: datetime) -> BankAccount:
    """Take over what the bank says. Raises AccountDiffers where that cannot follow from what we know."""
    account = BankAccount.objects.select_for_update(no_key=True).get(pk=account_id)
    was = Status(account.status)
    if was == to:
        return account
    if to not in TRANSITIONS[was]:
        raise AccountDiffers(f"银行称账户为“{to.label}”，本地为“{was.label}”，请与银行核对。")
    account.status = to
    if to == Status.ACTIVE and account.activated_at is None:
        account.activated_at = at
    account.closed_at = at if to == Status.CLOSED else account.closed_at
    account.save(update_fields=["status", "activated_at", "closed_at"])
    note(to.value, account, by=SYSTEM, at=at)
    return account


def follow_holds(request: BankRequest, *, at: datetime) -> None:
    """The orders behind a freeze or an unfreeze stand as the bank has answered."""
    done = request.status == BankRequest.Status.DONE
    if done:
        request.holds.filter(status=Hold.Status.ASKED).update(status=Hold.Status.HELD, held_at=at)
        request.lifts.filter(status=Hold.Status.LIFTING).update(status=Hold.Status.LIFTED, lifted_at=at)
    else:
        request.holds.filter(status=Hold.Status.ASKED).update(status=Hold.Status.REFUSED)
        request.lifts.filter(status=Hold.Status.LIFTING).update(status=Hold.Status.HELD, lift_request=None)


def note(what: str, account: BankAccount, *, by: Actor, at: datetime) -> None:
    entry(what, account, by=by, at=at).save(force_insert=True)


def entry(what: str, account: BankAccount, *, by: Actor, at: datetime) -> AuditEntry:
    """The same, not yet stored: of many at once."""
    return audit.entry(
        f"banks:account:{what}", subject=f"account:{account.pk}", holder_id=account.holder_id, by=by, at=at
    )
