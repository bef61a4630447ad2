"""领卡, 社保启用 and 金融激活: two halves, activated apart from each other."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from yikatong.core.actor import SYSTEM, Actor
from yikatong.core.asking import Question
from yikatong.core.clock import day_of
from yikatong.core.permissions import Permission, require
from yikatong.registry.banks import actions as banks
from yikatong.registry.banks.models import Agreement
from yikatong.registry.banks.terms import check_delegated
from yikatong.registry.cards import refusals, rules
from yikatong.registry.cards.actions.desks import ACCOUNT, check_desk
from yikatong.registry.cards.actions.fees import check_paid
from yikatong.registry.cards.actions.moves import (
    file_done,
    locked_card,
    locked_case,
    move_card,
    move_case,
    note_card,
)
from yikatong.registry.cards.actions.representatives import is_child
from yikatong.registry.cards.models import LIVE, TRANSITIONS, Card, CardStatus, CaseKind, CaseStatus, ECard
from yikatong.registry.cards.rules import CancelReason, CardAct
from yikatong.registry.holders.actions import guardianship_for
from yikatong.registry.holders.models import Holder
from yikatong.registry.outlets.offering import check_offered


@transaction.atomic
def hand_over(case_id: UUID, *, by: Actor, at: datetime) -> Card:
    """Give the card to its holder (0 → A); the case is done. Of two clerks the second is refused.

    Raises FeeUnpaid for a replacement whose fee is not paid.
    """
    require(by, Permission.CARD_HAND_OVER)
    check_delegated(Agreement.Matter.HAND_OVER, by=by, at=at)
    case = locked_case(case_id, by=by)
    if case.status != CaseStatus.READY or case.card_id is None:
        raise rules.case_refusal(case.status, CaseStatus.DONE)
    check_paid(case)
    move_case(case, CaseStatus.DONE, by=by, at=at)
    card = locked_card(case.card_id, by=by)
    _check_there(card)
    return move_card(card, CardStatus.INACTIVE, CardAct.HAND_OVER, by=by, at=at)


@transaction.atomic
def activate(card_id: UUID, *, by: Actor, at: datetime) -> Card:
    """社保启用 (A → 1). The card in use until now ends, and the e-card moves over, in the same transaction."""
    require(by, Permission.CARD_HAND_OVER)
    check_delegated(Agreement.Matter.HAND_OVER, by=by, at=at)
    check_desk(CaseKind.ACTIVATE, by=by, at=at)
    others = _in_use_beside(card_id)
    card = locked_card(card_id, by=by)
    _check_there(card)
    if CardStatus.NORMAL not in TRANSITIONS[CardStatus(card.status)] or card.status != CardStatus.INACTIVE:
        raise rules.card_refusal(card.status, CardAct.ACTIVATE, CardStatus.NORMAL)
    for old in others:
        _end_replaced(old, by=by, at=at)
    if _keeps_account(card, others):
        banks.card_changed(card.account_id, card_number=card.number, by=by, at=at)
    move_card(card, CardStatus.NORMAL, CardAct.ACTIVATE, by=by, at=at, activated_at=at)
    ECard.objects.filter(holder_id=card.holder_id).exclude(card=card).update(card=card)
    file_done(CaseKind.ACTIVATE, card, by=by, at=at)
    return card


def _in_use_beside(card_id: UUID) -> list[Card]:
    """The holder's other live card, locked before the new one: whoever locks several takes the older first.

    Mostly the one that is replaced; where its holder was held for dead while the new one was made, nothing names it.
    It may be another bank's: its holder has left it.
    """
    return [locked_card(key, by=SYSTEM) for (key,) in _BESIDE(card_id)]


def _beside(card_id: UUID) -> QuerySet[Card, tuple[UUID]]:
    holder = Card.objects.filter(pk=card_id).values("holder_id")
    beside = Card.objects.filter(holder_id__in=holder, status__in=LIVE).exclude(pk=card_id)
    return beside.order_by("pk").values_list("pk")


_BESIDE: Final = Question(_beside, UUID)


def _keeps_account(card: Card, others: Iterable[Card]) -> bool:
    """换卡不换号. The card it replaces is mostly the one in use until now, which is at hand."""
    at_hand = next((one for one in others if one.pk == card.replaces_id), None)
    old = at_hand or card.replaces
    return old is not None and old.account_id == card.account_id


def _check_there(card: Card) -> None:
    """A card made while its holder died is neither handed over nor activated."""
    if card.holder.status != Holder.Status.ACTIVE:
        raise refusals.HolderNotActive("该持卡人已故、已合并或已迁出，卡片不能领取或启用。下一步：注销该卡。")


def _end_replaced(old: Card, *, by: Actor, at: datetime) -> None:
    """A lost card ends as 3, any other as 4; one that has ended already stays."""
    if TRANSITIONS[CardStatus(old.status)]:
        move_card(
            old, ending_of(old), CardAct.CANCEL, by=by, at=at, **ending_stamps(CancelReason.REPLACED, at)
        )


def ending_of(card: Card) -> CardStatus:
    lost = card.status in {CardStatus.LOST, CardStatus.TEMPORARILY_LOST}
    return CardStatus.LOST_CANCELLED if lost else CardStatus.CANCELLED


def ending_stamps(reason: str, at: datetime) -> dict[str, Any]:
    return {"cancelled_at": at, "cancel_reason": reason, "loss_ends_at": None}


@transaction.atomic
def activate_account(card_id: UUID, *, by: Actor, at: datetime) -> Card:
    """金融账户激活, on a card in the holder's hands. The card's own status does not move.

    For a child his guardian does it (Opinions 10); raises GuardianNeeded where none is registered.
    """
    require(by, Permission.CARD_HAND_OVER)
    check_delegated(Agreement.Matter.HAND_OVER, by=by, at=at)
    check_offered(ACCOUNT, by=by, at=at)
    card = locked_card(card_id, by=by)
    if card.status not in {CardStatus.INACTIVE, CardStatus.NORMAL}:
        raise rules.card_refusal(card.status, CardAct.ACTIVATE_ACCOUNT, card.status)
    if is_child(card.holder, day_of(at)):
        guardianship_for(card.holder, None, by=by, at=at)
    if card.account_id is None:
        raise refusals.NoAccount
    card.account = banks.activate(card.account_id, by=by, at=at)
    note_card(card, CardAct.ACTIVATE_ACCOUNT, old=card.status, by=by, at=at)
    return card
