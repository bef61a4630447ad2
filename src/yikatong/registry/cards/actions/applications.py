"""申领 and 补换: cases that end in a card."""

from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import transaction
from django.db.models import prefetch_related_objects

from yikatong.core import audit
from yikatong.core.actor import Actor, Role
from yikatong.core.asking import Question
from yikatong.core.clock import day_of
from yikatong.core.constraints import refusing
from yikatong.core.errors import DomainError
from yikatong.core.permissions import Permission, require
from yikatong.registry.banks.terms import accepting
from yikatong.registry.cards import elsewhere, refusals
from yikatong.registry.cards.actions.desks import check_desk
from yikatong.registry.cards.actions.fees import fee_of
from yikatong.registry.cards.actions.moves import due_on, locked_case, move_case, submit
from yikatong.registry.cards.actions.openings import ask_for_account
from yikatong.registry.cards.actions.representatives import is_child, stand_in
from yikatong.registry.cards.models import (
    COMING,
    LIVE,
    Card,
    CardStatus,
    Case,
    CaseKind,
    CaseStatus,
)
from yikatong.registry.cards.queries import check_hindrance, withdrawal_hindrance
from yikatong.registry.cards.rules import ReplaceReason
from yikatong.registry.holders.actions import (
    check_certificate,
    check_ground,
    guardianship_for,
    record_validity,
)
from yikatong.registry.holders.actions import locked as locked_holder
from yikatong.registry.holders.models import Holder
from yikatong.registry.holders.queries import certificate_on
from yikatong.registry.holders.rules import awaits_number
from yikatong.registry.holders.validity import UNTOLD, Validity, of
from yikatong.registry.regions.models import Outlet

_ONE_OPEN = {"case_one_open_for_a_card": refusals.HasOpenCase}
CARD_CASES = (CaseKind.APPLY, CaseKind.REPLACE)


@transaction.atomic
def apply(  # noqa: PLR0913 - the fields of the form
    holder_id: UUID,
    *,
    bank_code: str,
    outlet_id: UUID | None = None,
    division_code: str,
    delivery: str = "0",
    address: str = "",
    reason: str = "",
    guardianship_id: UUID | None = None,
    authorisation_id: UUID | None = None,
    validity: Validity = UNTOLD,
    by: Actor,
    at: datetime,
) -> Case:
    """申领 a first card, free of charge. Raises HasCard, HasComingCard, HasOpenCase, NoBank, NotOffered …

    The ground must be proven (GroundUnproven); for a child the guardian acts (GuardianNeeded), for others
    perhaps an agent (AgentNotAuthorised).
    `address`: where a card by post goes, if not to the registered one. A draft of this holder becomes the case.
    `validity` of his certificate, where it is told with the application; one that has run out is refused
    (CertificateExpired).
    """
    require(by, Permission.CARD_APPLY)
    check_desk(CaseKind.APPLY, by=by, at=at)
    holder = applicant(holder_id, by=by)
    if live_card(holder) is not None:
        raise refusals.HasCard
    check_ground(holder, at=at)
    _prove_certificate(holder, validity, by=by, at=at)
    case = Case(
        kind=CaseKind.APPLY, holder=holder, division_code=division_code, delivery=delivery, reason=reason[:20]
    )
    case.bank = accepting(bank_code, by=by, at=at)
    case.outlet, case.address = outlet_of(outlet_id), address.strip() or None
    _check_delivery(case)
    stand_in(case, holder, guardianship_id=guardianship_id, authorisation_id=authorisation_id, by=by, at=at)
    elsewhere.route(case, by=by, at=at)
    with refusing(_ONE_OPEN):
        return submit(case, by=by, at=at)


def application_hindrance(holder: Holder, *, by: Actor, at: datetime) -> DomainError | None:
    """Why this holder cannot apply now: he has died or left, or lacks the proof of his ground, a child's guardian.

    A clerk also renews a certificate that has run out first; the holder himself tells its new period as he applies.
    """
    try:
        _check_active(holder)
        check_ground(holder, at=at)
        if by.role is not Role.HOLDER:
            check_certificate(holder, at=at)
        if is_child(holder, day_of(at)):
            guardianship_for(holder, None, by=by, at=at)
    except DomainError as refusal:
        return refusal
    return None


def certificate_hindrance(holder: Holder, *, at: datetime) -> DomainError | None:
    """That every certificate of his is recorded as run out; None where one is in force or nothing is recorded."""
    try:
        check_certificate(holder, at=at)
    except DomainError as refusal:
        return refusal
    return None


@transaction.atomic
def replace(  # noqa: PLR0913 - the fields of the form
    holder_id: UUID,
    *,
    reason: str,
    bank_code: str | None = None,
    outlet_id: UUID | None = None,
    division_code: str,
    delivery: str = "0",
    guardianship_id: UUID | None = None,
    authorisation_id: UUID | None = None,
    address: str = "",
    fee_ground: str = "",
    fee_note: str = "",
    validity: Validity = UNTOLD,
    by: Actor,
    at: datetime,
) -> Case:
    """补换 the live card: lost (after a formal loss), damaged, badly made, expired, changed, or another bank.

    The old card keeps its status until the new one is activated. The bank stays unless another is chosen.
    `fee_ground` (with `fee_note`) is recorded by staff where the fee is not taken; a proven category needs none.
    `validity` as for `apply`.
    """
    require(by, Permission.CARD_REPLACE)
    check_desk(CaseKind.REPLACE, by=by, at=at)
    holder = applicant(holder_id, by=by)
    old = live_card(holder)
    if old is None:
        raise refusals.NoLiveCard
    _check_reason(reason, old)
    _prove_certificate(holder, validity, by=by, at=at)
    fee = fee_of(holder, reason, claimed=fee_ground, note=fee_note, by=by, at=at)
    case = Case(
        kind=CaseKind.REPLACE,
        holder=holder,
        old_card=old,
        reason=reason,
        fee_fen=fee.fen,
        fee_ground=fee.ground,
        fee_note=fee.note[:100],
        division_code=division_code,
        address=address.strip() or None,
    )
    case.bank = accepting(bank_code or (old.account.bank_id if old.account else ""), by=by, at=at)
    case.outlet, case.delivery = outlet_of(outlet_id), delivery
    _check_delivery(case)
    stand_in(case, holder, guardianship_id=guardianship_id, authorisation_id=authorisation_id, by=by, at=at)
    elsewhere.route(case, by=by, at=at)
    with refusing(_ONE_OPEN):
        return submit(case, by=by, at=at)


@transaction.atomic
def check(case_id: UUID, *, by: Actor, at: datetime) -> Case:
    """审核 passed: the bank is next. Raises FourEyes for a case he took himself, NotPlaceOfIssue for 通办件."""
    require(by, Permission.CARD_CHECK)
    case = locked_case(case_id, by=by)
    if case.status == CaseStatus.SUBMITTED and (hindrance := check_hindrance(case, by=by)):
        raise hindrance
    if awaits_number(case.holder):
        raise refusals.NumberAwaited
    note = elsewhere.checked_words(case)
    return ask_for_account(move_case(case, CaseStatus.CHECKED, by=by, at=at, note=note), by=by, at=at)


@transaction.atomic
def time_check(case_id: UUID, *, by: Actor, at: datetime) -> Case:
    """The clock of the check: it stands while the holder's number is awaited, and begins when it has come."""
    require(by, Permission.CARD_APPLY)
    case = locked_case(case_id, by=by)
    if case.status == CaseStatus.SUBMITTED:
        waits = awaits_number(case.holder)
        case.step_due_on = None if waits else due_on(case, CaseStatus.SUBMITTED, at)
        case.save(update_fields=["step_due_on"])
        audit.record(
            "cards:case:timed", subject=f"case:{case.pk}", holder_id=case.holder_id, by=by, at=at, waits=waits
        )
    return case


@transaction.atomic
def reject(case_id: UUID, *, reason: str, by: Actor, at: datetime) -> Case:
    require(by, Permission.CARD_CHECK)
    if not reason.strip():
        raise refusals.NoteMissing
    case = elsewhere.at_place_of_issue(locked_case(case_id, by=by), by=by)
    return move_case(case, CaseStatus.REJECTED, by=by, at=at, note=reason.strip())


@transaction.atomic
def withdraw(case_id: UUID, *, by: Actor, at: datetime) -> Case:
    """The holder takes the application back; not once it lies with the bank or the card maker."""
    require(by, Permission.CARD_APPLY)
    case = locked_case(case_id, by=by)
    if hindrance := withdrawal_hindrance(case):
        raise hindrance
    return move_case(case, CaseStatus.WITHDRAWN, by=by, at=at)


@transaction.atomic
def retry(case_id: UUID, *, note: str = "", by: Actor, at: datetime) -> Case:
    """A failed case goes again: to the bank, or, with its account open, to the next production batch."""
    require(by, Permission.CARD_CHECK)
    case = elsewhere.at_place_of_issue(locked_case(case_id, by=by), by=by)
    to = CaseStatus.PREOPENED if case.account_id else CaseStatus.CHECKED
    case = move_case(case, to, by=by, at=at, note=note)
    return ask_for_account(case, by=by, at=at) if to == CaseStatus.CHECKED else case


_LIVE_OR_COMING: Final = Question(
    lambda holder: (
        Card.objects.select_for_update(of=("self",), no_key=True)
        .select_related("account")
        .filter(holder_id=holder, status__in=[*LIVE, *COMING])
        .order_by("pk")
    ),
    UUID,
)
_OUTLET: Final = Question(lambda key: Outlet.objects.filter(pk=key, is_open=True), UUID)


def live_card(holder: Holder) -> Card | None:
    """The live card, locked. Raises HasComingCard while a new card waits."""
    found = {card.status: card for card in _LIVE_OR_COMING(holder.pk)}
    if any(status in found for status in COMING):
        raise refusals.HasComingCard
    return next(iter(found.values()), None)


def applicant(holder_id: UUID, *, by: Actor) -> Holder:
    """The holder, locked, who may have a new card; his certificates are at hand. Raises HolderNotActive."""
    holder = locked_holder(holder_id, by=by)
    _check_active(holder)
    prefetch_related_objects([holder], "certificates")  # what follows asks for them three times
    return holder


def _check_active(holder: Holder) -> None:
    if holder.status != Holder.Status.ACTIVE:
        raise refusals.HolderNotActive


def _prove_certificate(holder: Holder, validity: Validity, *, by: Actor, at: datetime) -> None:
    """What the application tells of the certificate is recorded; then there must be one that has not run out."""
    told = certificate_on(holder, day_of(at))
    if validity.is_told and validity != of(told):
        record_validity(holder.pk, validity=validity, certificate_id=told.pk, by=by, at=at)
        holder.refresh_from_db(fields=["certificates"])
    check_certificate(holder, at=at)


def _check_reason(reason: str, old: Card) -> None:
    if reason not in ReplaceReason.values:
        raise refusals.WrongReason
    if reason == ReplaceReason.LOST and old.status != CardStatus.LOST:
        raise refusals.LossFirst
    if reason != ReplaceReason.LOST and old.status != CardStatus.NORMAL:
        raise refusals.WrongReason("该卡已挂失，补卡原因请选择“丢失”；找到卡片的请先解除挂失。")


def outlet_of(outlet_id: UUID | None) -> Outlet | None:
    """An outlet that is open, or none where none was chosen. Raises NoOutlet."""
    if outlet_id is None:
        return None
    outlet = _OUTLET.first(outlet_id)
    if outlet is None:
        raise refusals.NoOutlet
    return outlet


def _check_delivery(case: Case) -> None:
    if case.delivery not in {"0", "1"} or (
        case.delivery == "1" and not (case.address or case.holder.address)
    ):
        raise refusals.BadDelivery
