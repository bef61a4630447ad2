"""What happens in the demonstration's town while it lives: queues at outlets, and now and then a lost card.

The losses are acts like any other, so that how fast one gets about is measured and not made up.
"""

from collections import deque
from collections.abc import Callable
from datetime import datetime, timedelta
from random import Random
from typing import Final

from django.db import DatabaseError, close_old_connections

from yikatong.cli.demo.uses import HOURS
from yikatong.core.actor import Actor, Channel, Role
from yikatong.core.clock import BEIJING, now
from yikatong.core.errors import DomainError
from yikatong.core.sm import sm2
from yikatong.registry.cards import actions as cards
from yikatong.registry.cards.models import Card, CardStatus
from yikatong.registry.outlets import actions as outlets
from yikatong.registry.outlets.models import QueueState
from yikatong.using.codes import actions as codes
from yikatong.using.codes.models import Device

QUEUE_EVERY: Final = timedelta(seconds=5)
#: The first losses once the terminals have signed in, one a second; then as a town has them.
LOSSES_AT: Final = (timedelta(seconds=310), timedelta(seconds=360), timedelta(seconds=430))
LOSS_EVERY: Final = timedelta(minutes=15)
FOUND_AFTER: Final = timedelta(seconds=100)
PHONE: Final = "手机（演示）"
_POOL: Final = 12


class Town:
    """`step` each second; what cannot be done now is left, and the town lives on."""

    def __init__(self, dice: Random, at: datetime) -> None:
        self._dice = dice
        self._queues: deque[QueueState] = deque(QueueState.objects.select_related("outlet"))
        self._next_queue = at
        self._losses: deque[datetime] = deque(at + one for one in LOSSES_AT)
        self._found: deque[tuple[datetime, Card]] = deque()

    def step(self, at: datetime) -> None:
        if self._queues and at >= self._next_queue:
            self._next_queue = at + QUEUE_EVERY
            _try(lambda: self._tell_queue(at))
        if at >= self._losses[0]:
            self._losses.popleft()
            if not self._losses:
                self._losses.append(at + LOSS_EVERY)
            _try(lambda: self._lose(at))
        if self._found and at >= self._found[0][0]:
            card = self._found.popleft()[1]
            _try(lambda: cards.release_loss(card.pk, by=_himself(card), at=now()))

    def _tell_queue(self, at: datetime) -> None:
        """As many wait as the hour has people about; at night nobody."""
        self._queues.rotate(-1)
        state = self._queues[0]
        busy = HOURS[at.astimezone(BEIJING).hour] / max(HOURS)
        waiting = round(busy * self._dice.uniform(0, 14)) if busy > 0.3 else 0
        outlets.machine_report(state.outlet, waiting=waiting, windows=state.windows, measured_at=at)

    def _lose(self, at: datetime) -> None:
        card = self._somebodys()
        if card is None:
            return
        cards.report_temporary_loss(card.pk, by=_himself(card), at=at)
        self._found.append((at + FOUND_AFTER, card))

    def _somebodys(self) -> Card | None:
        """The card of one who has a phone with fresh credentials, so that the offline lists must name it."""
        phones = Device.objects.filter(name=PHONE, status="active", ecard__card__status=CardStatus.NORMAL)
        phone = phones.select_related("ecard__card").order_by("?").first()
        if phone is None or phones.count() < _POOL:
            phone = self._new_phone() or phone
        if phone is None:
            return None
        card = phone.ecard.card
        codes.issue_credentials(phone.id, by=_himself(card), at=now())
        return card

    def _new_phone(self) -> Device | None:
        """Bound by somebody who has shown his code on the web until now; not by one of the people to be tried."""
        known = Device.objects.filter(name=PHONE).values("holder_id")
        others = Device.objects.filter(is_server=True, status="active", ecard__card__status=CardStatus.NORMAL)
        found = others.exclude(holder_id__in=known).select_related("ecard__card").order_by("number")
        one = found[self._dice.randrange(_POOL * 4) :].first()
        if one is None:
            return None
        key, by = sm2.generate().public, _himself(one.ecard.card)
        return codes.register_device(one.holder_id, public_key=key, name=PHONE, by=by, at=now())


def _himself(card: Card) -> Actor:
    return Actor(card.holder_id, "持卡人本人", Role.HOLDER, Channel.MOBILE)


def _try(act: Callable[[], object]) -> None:
    """Somebody who tries the demonstration may have changed the card, or stopped the database."""
    try:
        act()
    except (DomainError, DatabaseError):
        close_old_connections()
