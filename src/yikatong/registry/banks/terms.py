"""What a bank has promised on a day. Every rule that turns on a bank asks here."""

from datetime import date, datetime
from typing import Final

from django.db.models import Case, Exists, F, OuterRef, Q, QuerySet, Subquery, When

from yikatong.core.actor import Actor
from yikatong.core.asking import Question
from yikatong.core.clock import day_of
from yikatong.registry.banks import rules
from yikatong.registry.banks.models import Agreement, Bank


def in_force(bank_code: str, day: date) -> Agreement | None:
    """The agreement that holds on this day."""
    return next((one for one in _CONFIRMED(bank_code, day) if one.holds_on(day)), None)


def standing(bank_code: str | None, day: date) -> Agreement:
    """What holds for the cards there are: the agreement in force, or else the last one.

    An agreement that has run out takes no new cards, and its duties to those who hold one go on. A bank that never
    had one promises nothing.
    """
    found = _CONFIRMED.first(bank_code, day) if bank_code else None
    return found or Agreement(bank_id=bank_code or "")


def of_all(day: date) -> dict[str, Agreement]:
    """`standing` of every bank that has ever had an agreement."""
    latest = Agreement.objects.filter(status="confirmed", valid_from__lte=day).order_by("bank", "-valid_from")
    return {one.bank_id: one for one in latest.distinct("bank")}


def _confirmed(bank_code: str, day: date) -> QuerySet[Agreement]:
    """Begun by this day, the latest first; of two the one that began later has taken the other's place."""
    begun = Agreement.objects.filter(bank=bank_code, status="confirmed", valid_from__lte=day)
    return begun.order_by("-valid_from", "-confirmed_at")[:2]


_CONFIRMED: Final = Question(_confirmed, str, date)
_BANK: Final = Question(lambda code: Bank.objects.filter(pk=code), str)


def holding(day: date) -> Q:
    """Agreements in force on this day, as a condition on their table."""
    early = Q(ends_on__isnull=False, ended_at__isnull=False)
    return Q(status="confirmed", valid_from__lte=day) & (
        (~early & Q(valid_until__gt=day)) | (early & Q(ends_on__gt=day))
    )


def offered(day: date) -> QuerySet[Bank]:
    """The banks a holder may choose on this day, each with `keeps_account` and `joint_loss` as agreed."""
    held = Agreement.objects.filter(holding(day), bank=OuterRef("pk"), opens_accounts=True).order_by(
        "-valid_from"
    )
    promised = {
        name: Subquery(held.values(name)[:1]) for name in ("keeps_account", "joint_loss", "is_online")
    }
    return Bank.objects.filter(Exists(held), accepts_new=True).annotate(**promised).order_by("code")


def accepting(code: str, *, by: Actor, at: datetime) -> Bank:
    """A bank that takes new cards today.

    Raises NoBank, OtherBank (a bank's clerk takes for his own), BankClosedToNew, NoAgreement, OpensNoAccounts.
    """
    bank = _BANK.first(code)
    if bank is None:
        raise rules.NoBank
    if not rules.serves_bank(by, code):
        raise rules.OtherBank
    if not bank.accepts_new:
        raise rules.BankClosedToNew
    agreement = in_force(code, day_of(at))
    if agreement is None:
        raise rules.no_agreement(bank.name)
    if not agreement.opens_accounts:
        raise rules.OpensNoAccounts
    return bank


def check_delegated(matter: Agreement.Matter, *, by: Actor, at: datetime) -> None:
    """Whether a clerk at a bank's outlet may do this today; anyone else is not asked.

    Raises NoAgreement, OutletNotDelegated, MatterNotDelegated.
    """
    if not by.bank:
        return
    agreement = in_force(by.bank, day_of(at))
    if agreement is None:
        raise rules.no_agreement(Bank.objects.get(pk=by.bank).name)
    if by.outlet_id is None or not agreement.outlets.filter(pk=by.outlet_id).exists():
        raise rules.OutletNotDelegated
    if matter not in agreement.matters:
        raise rules.not_delegated(matter.label)


def delegated(*, by: Actor, at: datetime) -> frozenset[str]:
    """The matters a clerk at a bank's outlet may do today."""
    agreement = in_force(by.bank, day_of(at)) if by.bank else None
    if agreement is None or by.outlet_id is None:
        return frozenset()
    if not agreement.outlets.filter(pk=by.outlet_id).exists():
        return frozenset()
    return frozenset(agreement.matters)


#: The day an agreement ends, for ordering and for pages.
UNTIL = Case(When(ended_at__isnull=False, then=F("ends_on")), default=F("valid_until"))
