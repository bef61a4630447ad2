"""A loss as the job that follows it sees it."""

from tests import cast
from yikatong.core.clock import now
from yikatong.registry.cards import actions as cards
from yikatong.registry.cards.models import Card
from yikatong.using.codes import tasks
from yikatong.using.codes.models import LossSpread


def lost(card: Card) -> LossSpread:
    cards.report_temporary_loss(card.pk, by=cast.clerk(), at=now())
    tasks.card_changed(str(card.pk))
    return LossSpread.objects.select_related("event").get()
