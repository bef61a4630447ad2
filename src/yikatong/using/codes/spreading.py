"""How fast a loss gets about: seen by the gate, listed for offline terminals, answered by the bank."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Exists, OuterRef, QuerySet

from yikatong.core.actor import Actor
from yikatong.registry.banks.models import BankAct, BankRequest
from yikatong.registry.cards.models import CardEvent, CardStatus
from yikatong.registry.cards.rules import CardAct
from yikatong.using.codes.models import Device, HotEntry, LossSpread, Standing

_LOST: Final = (CardStatus.LOST, CardStatus.TEMPORARILY_LOST)
_KINDS: Final = (CardAct.LOSS, CardAct.TEMPORARY_LOSS)
#: A loss reported again as formal stopped the card when it was first reported.
_FIRST: Final = (CardStatus.NORMAL, CardStatus.INACTIVE)
SHOWN: Final = timedelta(days=30)

# Seconds of each leg since `since`: today's and all, median and worst; what has not arrived counts as waiting.
_LEGS: Final = """
WITH legs AS (
    SELECT s.reported_at, l.leg, l.due, extract(epoch FROM l.at - s.reported_at)::float8 AS seconds
    FROM codes_lossspread s
    JOIN cards_cardevent e ON e.id = s.event_id
    JOIN cards_card c ON c.id = e.card_id
    LEFT JOIN banks_bankrequest b ON b.id = s.bank_request_id
    CROSS JOIN LATERAL (VALUES
        ('gate', true, s.gate_at),
        ('list', s.needs_list, s.list_at),
        ('bank', b.id IS NOT NULL AND b.status <> 'refused', CASE WHEN b.status = 'done' THEN b.settled_at END)
    ) AS l (leg, due, at)
    WHERE s.reported_at >= %(since)s AND c.division_code LIKE %(scope)s
)
SELECT leg,
    count(seconds) FILTER (WHERE reported_at >= %(today)s),
    percentile_cont(0.5) WITHIN GROUP (ORDER BY seconds) FILTER (WHERE reported_at >= %(today)s),
    max(seconds) FILTER (WHERE reported_at >= %(today)s),
    count(seconds),
    percentile_cont(0.5) WITHIN GROUP (ORDER BY seconds),
    max(seconds),
    count(*) FILTER (WHERE due AND seconds IS NULL)
FROM legs WHERE due GROUP BY leg
"""


@dataclass(frozen=True, slots=True)
class Leg:
    """One way a loss goes. Times in seconds, None before the first; `waiting` has not arrived."""

    name: str
    today: int = 0
    today_median: float | None = None
    today_worst: float | None = None
    month: int = 0
    month_median: float | None = None
    month_worst: float | None = None
    waiting: int = 0


@transaction.atomic
def note_loss(card_id: UUID, *, at: datetime) -> LossSpread | None:
    """Called by the job that follows a card's change: it reads on its own connection what the gate reads.

    Notes once that the loss is visible, and what else it has to reach; None when the card is not lost.
    """
    events = CardEvent.objects.filter(card_id=card_id, kind__in=_KINDS, from_status__in=_FIRST)
    event = events.select_related("card").order_by("-at", "-pk").first()
    if event is None or event.card.status not in _LOST:
        return None
    devices = Device.objects.filter(ecard__card_id=card_id)
    unseen = Standing.objects.filter(device__in=devices).exclude(card_status__in=_LOST)
    listed = HotEntry.objects.filter(
        device_number__in=devices.values("number"), removed_version=None, is_ended=False
    )
    spread, _ = LossSpread.objects.get_or_create(
        event=event,
        defaults={
            "reported_at": event.at,
            "gate_at": None if unseen.exists() else at,
            "needs_list": listed.exists(),
            "bank_request": _request_of(event),
        },
    )
    return spread


def _request_of(event: CardEvent) -> BankRequest | None:
    asked = BankRequest.objects.filter(
        account_id=event.card.account_id, act=BankAct.REPORT_LOSS, created_at__gte=event.at
    )
    return asked.order_by("serial").first() if event.card.account_id else None


def note_lists(*, at: datetime) -> int:
    """After lists have been published: losses all of whose references stand in one. Returns how many."""
    waiting = HotEntry.objects.filter(
        device_number__in=Device.objects.filter(ecard__card=OuterRef(OuterRef("event__card"))).values(
            "number"
        ),
        added_version=None,
    )
    unlisted = LossSpread.objects.filter(~Exists(waiting), needs_list=True, list_at=None)
    return LossSpread.objects.filter(pk__in=list(unlisted.values_list("pk", flat=True))).update(list_at=at)


def legs(by: Actor, *, today: datetime) -> list[Leg]:
    """Gate, list and bank: since `today` (the midnight before now) and in the last thirty days."""
    facts: dict[str, Any] = {"since": today - SHOWN, "today": today, "scope": f"{by.scope}%"}
    with connection.cursor() as cursor:
        cursor.execute(_LEGS, facts)
        found = {row[0]: Leg(*row) for row in cursor.fetchall()}
    return [found.get(name) or Leg(name) for name in ("gate", "list", "bank")]


def latest(by: Actor) -> QuerySet[LossSpread]:
    """The losses of the actor's region, the latest first."""
    spreads = LossSpread.objects.select_related("event__card", "bank_request__bank")
    return spreads.filter(event__card__division_code__startswith=by.scope).order_by("-reported_at", "-pk")
