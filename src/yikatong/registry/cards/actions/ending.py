"""注销: the end of a card, with its reason."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from yikatong.core.actor import Actor
from yikatong.core.permissions import Permission, require
from yikatong.registry.banks import actions as banks
from yikatong.registry.cards import refusals
from yikatong.registry.cards.actions.desks import check_desk
from yikatong.registry.cards.actions.handover import ending_of, ending_stamps
from yikatong.registry.cards.actions.moves import file_done, locked_card, locked_case, move_card, move_case
from yikatong.registry.cards.models import COMING, OPEN_CASES, Card, Case, CaseKind, CaseStatus, ECard
from yikatong.registry.cards.rules import CancelReason, CardAct
from yikatong.registry.holders.models import Holder


@transaction.atomic
def cancel(
    card_id: UUID, *, reason: str, authorisation_id: UUID | None = None, by: Actor, at: datetime
) -> Card:
    """注销 (0, A, 1 → 4; B, 2 → 3). The e-card ends with it (Sichuan art. 2)."""
    require(by, Permission.CARD_CANCEL)
    check_desk(CaseKind.CANCEL, by=by, at=at)
    if reason not in set(CancelReason.values) - {CancelReason.REPLACED}:
        raise refusals.WrongReason
    waiting = _waiting_case(card_id, by=by)
    card = locked_card(card_id, by=by)
    if reason == CancelReason.DECEASED and card.holder.status != Holder.Status.DECEASED:
        raise refusals.DeathFirst
    _check_nothing_else_open(card)
    stamps = ending_stamps(reason, at)
    note = ""
    if card.status in COMING and card.replaces_id is not None:
        # The old card may yet be replaced by another: one card replaces it at a time.
        note, stamps = "原卡继续有效，可重新补换", {**stamps, "replaces": None}
    move_card(card, ending_of(card), CardAct.CANCEL, by=by, at=at, note=note, **stamps)
    ECard.objects.filter(card=card, status=ECard.Status.ISSUED).update(
        status=ECard.Status.REMOVED, removed_at=at
    )
    banks.card_ended(card.account_id, by=by, at=at)
    if waiting is not None:
        move_case(waiting, CaseStatus.DONE, by=by, at=at, note="领取前已注销")
    file_done(CaseKind.CANCEL, card, by=by, at=at, reason=reason, authorisation_id=authorisation_id)
    return card


def _waiting_case(card_id: UUID, *, by: Actor) -> Case | None:
    """The case whose card has not been fetched; locked before its card, as at hand-over."""
    key = Case.objects.filter(card_id=card_id, status=CaseStatus.READY).values_list("pk", flat=True).first()
    case = locked_case(key, by=by) if key else None
    return case if case is not None and case.status == CaseStatus.READY else None


def _check_nothing_else_open(card: Card) -> None:
    """A replacement on its way would outlive the card it replaces; a card awaiting hand-over has its case."""
    opened = Case.objects.filter(holder_id=card.holder_id, status__in=OPEN_CASES)
    if opened.exclude(card=card, status=CaseStatus.READY).exists():
        raise refusals.HasOpenCase("此人有申领或补换正在办理，不能注销；请先撤回或办结。")
