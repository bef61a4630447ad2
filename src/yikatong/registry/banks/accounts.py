"""The account as the bank tells it: opened by its answer, moved by its answer."""

from datetime import datetime
from typing import Final
from uuid import UUID

from yikatong.core import audit
from yikatong.core.actor import SYSTEM, Actor
from yikatong.core.asking import Question
from yikatong.core.fields import blind_index
from yikatong.core.models import AuditEntry
from yikatong.core.storing import store
from yikatong.registry.banks.models import Bank, BankAccount, BankAct, BankRequest, Hold
from yikatong.registry.banks.rules import TRANSITIONS, AccountDiffers, Status, number_fault

#: What a hold is asked by, and what ends it.
_HOLDING: Final = frozenset({BankAct.FREEZE, BankAct.REPORT_LOSS})
_FREEING: Final = frozenset({BankAct.UNFREEZE, BankAct.RELEASE})

_LOCKED: Final = Question(
    lambda key: (
        BankAccount.objects.select_for_update(of=("self",), no_key=True).select_related("bank").filter(pk=key)
    ),
    UUID,
)


def locked(account_id: UUID) -> BankAccount:
    """The account's row, locked, with its bank. Raises DoesNotExist."""
    account = _LOCKED.first(account_id)
    if account is None:
        raise BankAccount.DoesNotExist
    return account


def account_index(number: str) -> bytes:
    return blind_index("account", number)


def opened(bank: Bank, holder_id: UUID, number: str, *, at: datetime) -> BankAccount:
    """An account the bank has opened over the line. Raises AccountDiffers for a number that cannot be."""
    if fault := number_fault(number, bank.bin):
        raise AccountDiffers(fault)
    if BankAccount.objects.filter(number_index=account_index(number)).exists():
        raise AccountDiffers("银行返回的账号重复")
    index = account_index(number)
    account = BankAccount(holder_id=holder_id, bank=bank, number=number, number_index=index, opened_at=at)
    store(account, entry("preopened", account, by=SYSTEM, at=at))
    return account


def follow(account_id: UUID, to: Status, *, at: datetime) -> BankAccount:
    """Take over what the bank says. Raises AccountDiffers where that cannot follow from what we know."""
    account = locked(account_id)
    was = Status(account.status)
    if was == to:
        return account
    if to not in TRANSITIONS[was]:
        raise AccountDiffers(f"银行称账户为“{to.label}”，本地为“{was.label}”，请与银行核对。")
    account.status = to
    if to == Status.ACTIVE and account.activated_at is None:
        account.activated_at = at
    account.closed_at = at if to == Status.CLOSED else account.closed_at
    changed = {account: ["status", "activated_at", "closed_at"]}
    store(entry(to.value, account, by=SYSTEM, at=at), changed=changed)
    return account


def follow_holds(request: BankRequest, *, at: datetime) -> None:
    """The orders behind a freeze or an unfreeze stand as the bank has answered."""
    done, state = request.status == BankRequest.Status.DONE, Hold.Status
    if request.act in _HOLDING:
        held = {"status": state.HELD, "held_at": at}
        request.holds.filter(status=state.ASKED).update(**(held if done else {"status": state.REFUSED}))
    if request.act in _FREEING:
        lifted = {"status": state.LIFTED, "lifted_at": at}
        held_on = {"status": state.HELD, "lift_request": None}
        request.lifts.filter(status=state.LIFTING).update(**(lifted if done else held_on))


def note(what: str, account: BankAccount, *, by: Actor, at: datetime) -> None:
    store(entry(what, account, by=by, at=at))


def entry(what: str, account: BankAccount, *, by: Actor, at: datetime) -> AuditEntry:
    """The same, not yet stored: of many at once."""
    return audit.entry(
        f"banks:account:{what}", subject=f"account:{account.pk}", holder_id=account.holder_id, by=by, at=at
    )
