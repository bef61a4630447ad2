"""王芳 holds a card; 李强 shares her phone; 赵敏 is a clerk. All invented; numbers carry true check digits."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from yikatong.core.actor import Actor, Channel, Role
from yikatong.registry.cards.models import Card, CardStatus
from yikatong.registry.holders.models import Holder

AT = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
WANG = "510105199003072346"
LI = "510105198811230011"
PHONE = "13900000001"

MakeHolder = Callable[..., Holder]
MakeCard = Callable[..., Card]


def of(holder: Holder) -> Actor:
    return Actor(id=holder.id, name="持卡人", role=Role.HOLDER, channel=Channel.MOBILE)


def clerk() -> Actor:
    return Actor(id=None, name="赵敏", role=Role.CLERK, channel=Channel.COUNTER, scope="5101")


def admin() -> Actor:
    return Actor(id=None, name="管理员", role=Role.ADMIN, channel=Channel.WEB)


def card_of(holder: Holder) -> Card:
    return Card.objects.get(holder=holder)


def set_status(card: Card, status: CardStatus) -> None:
    """As the cards room would; its own tests prove how it gets there."""
    ends = AT + timedelta(days=7) if status == CardStatus.TEMPORARILY_LOST else None
    Card.objects.filter(id=card.id).update(status=status, loss_ends_at=ends)
