"""草稿: an application begun in one channel and finished in another (Sichuan art. 14, Guangdong art. 5)."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction

from yikatong.core.actor import Actor
from yikatong.core.permissions import Permission, require
from yikatong.registry.banks.terms import accepting
from yikatong.registry.cards import refusals
from yikatong.registry.cards.actions.applications import applicant, live_card, outlet_of
from yikatong.registry.cards.actions.desks import check_desk
from yikatong.registry.cards.actions.moves import due_on, note_case, open_case, taken_draft
from yikatong.registry.cards.models import OPEN_CASES, Case, CaseKind, CaseStatus
from yikatong.registry.cards.rules import ReplaceReason
from yikatong.registry.holders.models import Holder


@dataclass(frozen=True, slots=True)
class Wish:
    """What is known so far; whatever is given is checked, what is missing may come later."""

    division_code: str
    reason: str = ""
    bank_code: str = ""
    outlet_id: UUID | None = None
    delivery: str = "0"
    address: str = ""


@transaction.atomic
def save_draft(holder_id: UUID, *, kind: CaseKind, wish: Wish, by: Actor, at: datetime) -> Case:
    """Keep an application that is not finished; a later one of the same matter replaces what it says.

    Raises HasCard, NoLiveCard, HasComingCard, HasOpenCase, NoBank, NoOutlet, WrongReason, BadDelivery.
    """
    require(by, Permission.CARD_APPLY if kind == CaseKind.APPLY else Permission.CARD_REPLACE)
    check_desk(kind, by=by, at=at)
    holder = applicant(holder_id, by=by)
    old = live_card(holder)
    _check(holder, kind, wish, has_card=old is not None)
    case = Case(kind=kind, holder=holder)
    draft = taken_draft(case, by=by, at=at)
    filled = _filled(draft or case, wish, by=by, at=at)
    if draft is None:
        return open_case(filled, status=CaseStatus.DRAFT, by=by, at=at)
    filled.step_due_on = due_on(filled, CaseStatus.DRAFT, at)
    filled.save()
    note_case(filled, by=by, at=at)
    return filled


def _check(holder: Holder, kind: CaseKind, wish: Wish, *, has_card: bool) -> None:
    if has_card != (kind == CaseKind.REPLACE):
        raise refusals.HasCard if has_card else refusals.NoLiveCard
    open_now = Case.objects.filter(
        holder=holder, status__in=OPEN_CASES, kind__in=[CaseKind.APPLY, CaseKind.REPLACE]
    )
    if open_now.exists():
        raise refusals.HasOpenCase
    if wish.reason and kind == CaseKind.REPLACE and wish.reason not in ReplaceReason.values:
        raise refusals.WrongReason
    if wish.delivery not in {"0", "1"}:
        raise refusals.BadDelivery


def _filled(case: Case, wish: Wish, *, by: Actor, at: datetime) -> Case:
    case.division_code, case.reason, case.delivery = wish.division_code, wish.reason, wish.delivery
    case.bank = accepting(wish.bank_code, by=by, at=at) if wish.bank_code else None
    case.outlet = outlet_of(wish.outlet_id)
    case.address = wish.address.strip()[:200] or None
    return case
