"""挂失 and 解挂. A temporary loss ends by itself; whether a formal one may be undone, the province says."""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import transaction

from yikatong.core import audit
from yikatong.core.actor import SYSTEM, Actor
from yikatong.core.clock import BEIJING
from yikatong.core.models import AuditEntry
from yikatong.core.permissions import Permission, require
from yikatong.registry.banks import actions as banks
from yikatong.registry.cards import refusals, rules
from yikatong.registry.cards.actions.desks import check_desk
from yikatong.registry.cards.actions.moves import file_done, locked_card, move_card, tell_codes
from yikatong.registry.cards.models import LIVE, OPEN_CASES, Card, CardEvent, CardStatus, Case, CaseKind
from yikatong.registry.cards.rules import CardAct
from yikatong.registry.regions.law import province

_CHUNK: Final = 500


@transaction.atomic
def report_temporary_loss(
    card_id: UUID, *, authorisation_id: UUID | None = None, by: Actor, at: datetime
) -> Card:
    """临时挂失 (1 → B) for the days of the profile. Where the bank has joined, its half stops too."""
    require(by, Permission.CARD_LOSS)
    check_desk(CaseKind.LOSS, by=by, at=at)
    loss = province().loss
    rules.check_channel(by.channel, loss.temporary_channels, CardAct.TEMPORARY_LOSS)
    card = locked_card(card_id, by=by)
    ends = at + timedelta(days=loss.temporary_days)
    to, act = CardStatus.TEMPORARILY_LOST, CardAct.TEMPORARY_LOSS
    move_card(card, to, act, by=by, at=at, lost_at=at, loss_ends_at=ends)
    return _stopped(card, authorisation_id, by=by, at=at)


@transaction.atomic
def report_loss(card_id: UUID, *, authorisation_id: UUID | None = None, by: Actor, at: datetime) -> Card:
    """正式挂失 (A, 1, B → 2), until released where the province allows, or replaced."""
    require(by, Permission.CARD_LOSS)
    check_desk(CaseKind.LOSS, by=by, at=at)
    rules.check_channel(by.channel, province().loss.formal_channels, CardAct.LOSS)
    card = locked_card(card_id, by=by)
    others = Card.objects.filter(holder_id=card.holder_id, status__in=LIVE)
    if card.status == CardStatus.INACTIVE and others.exists():
        raise refusals.LossOfNewCard
    # A temporary loss made formal began when it was first reported.
    since = card.lost_at if card.status == CardStatus.TEMPORARILY_LOST else at
    move_card(card, CardStatus.LOST, CardAct.LOSS, by=by, at=at, lost_at=since, loss_ends_at=None)
    return _stopped(card, authorisation_id, by=by, at=at)


def _stopped(card: Card, authorisation_id: UUID | None, *, by: Actor, at: datetime) -> Card:
    banks.stop_with_card(card.account_id, ends_at=card.loss_ends_at, by=by, at=at)
    file_done(CaseKind.LOSS, card, authorisation_id=authorisation_id, note=_until_when(card), by=by, at=at)
    return card


def _until_when(card: Card) -> str:
    """What the receipt says of a loss years later, when the card itself is long another's business."""
    if card.loss_ends_at is None:
        return "正式挂失，一直有效"
    return f"临时挂失，{card.loss_ends_at.astimezone(BEIJING):%Y-%m-%d %H:%M}自动解除"


@transaction.atomic
def release_loss(card_id: UUID, *, authorisation_id: UUID | None = None, by: Actor, at: datetime) -> Card:
    """解挂 (B, 2 → 1). A formal loss: only where and how the profile allows."""
    require(by, Permission.CARD_LOSS)
    check_desk(CaseKind.RELEASE, by=by, at=at)
    card = locked_card(card_id, by=by)
    if card.status == CardStatus.LOST:
        _check_formal_release(card, by=by)
    if card.status not in {CardStatus.LOST, CardStatus.TEMPORARILY_LOST}:
        raise rules.card_refusal(card.status, CardAct.RELEASE, CardStatus.NORMAL)
    move_card(card, CardStatus.NORMAL, CardAct.RELEASE, by=by, at=at, lost_at=None, loss_ends_at=None)
    banks.release_with_card(card.account_id, by=by, at=at)
    file_done(CaseKind.RELEASE, card, authorisation_id=authorisation_id, by=by, at=at)
    return card


def _check_formal_release(card: Card, *, by: Actor) -> None:
    loss = province().loss
    if not loss.formal_releasable:
        raise refusals.FormalLossFinal
    rules.check_channel(by.channel, loss.release_channels, CardAct.RELEASE)
    if card.activated_at is None:
        raise refusals.LostBeforeActivation
    if Case.objects.filter(old_card=card, status__in=OPEN_CASES).exists():
        raise refusals.HasOpenCase("该卡正在办理补卡，不能解除挂失；需要解挂的请先撤回补卡申请。")


def release_ended_losses(*, at: datetime) -> int:
    """End the temporary losses whose time is over; returns how many. A job of each minute, restartable."""
    total = 0
    while chunk := _release_chunk(at):
        total += chunk
    return total


@transaction.atomic
def _release_chunk(at: datetime) -> int:
    """Set-based, each card with its event and audit. A card held by another act waits a minute."""
    ending = Card.objects.select_for_update(skip_locked=True, no_key=True).filter(
        status=CardStatus.TEMPORARILY_LOST, loss_ends_at__lte=at
    )
    cards = list(ending.order_by("loss_ends_at")[:_CHUNK])
    ids = [card.pk for card in cards]
    Card.objects.filter(pk__in=ids).update(status=CardStatus.NORMAL, lost_at=None, loss_ends_at=None)
    banks.release_all([card.account_id for card in cards if card.account_id], at=at)
    CardEvent.objects.bulk_create(_ended_event(card, at) for card in cards)
    audit.record_all(_ended_entry(card, at) for card in cards)
    tell_codes(ids)
    return len(cards)


def _ended_event(card: Card, at: datetime) -> CardEvent:
    return CardEvent(
        card=card,
        at=at,
        kind=CardAct.LOSS_ENDED,
        from_status=CardStatus.TEMPORARILY_LOST,
        to_status=CardStatus.NORMAL,
        actor_name=SYSTEM.name,
        channel=SYSTEM.channel,
    )


def _ended_entry(card: Card, at: datetime) -> AuditEntry:
    event = f"cards:card:{CardAct.LOSS_ENDED}"
    return audit.entry(event, subject=f"card:{card.pk}", holder_id=card.holder_id, by=SYSTEM, at=at)
