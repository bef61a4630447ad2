"""Who is behind a phone, and what the demonstration shows on screen."""

from datetime import datetime
from uuid import UUID

from yikatong.core.fields import blind_index
from yikatong.registry.holders.models import Holder
from yikatong.registry.holders.queries import with_number
from yikatong.using.identity import rules
from yikatong.using.identity.models import ECardPassword, SentMessage


def holders_of_phone(phone: str) -> list[Holder]:
    """Everyone who gave this phone, the first registered first: families share one.

    A newborn who awaits his number has nothing to log in for yet; his guardian follows his matter.
    """
    holders = with_number().filter(phone_index=blind_index("phone", phone), status=Holder.Status.ACTIVE)
    return list(holders.order_by("created_at", "id"))


def has_password(holder_id: UUID) -> bool:
    return ECardPassword.objects.filter(holder_id=holder_id).exists()


def locked_until(holder_id: UUID, *, at: datetime) -> datetime | None:
    """When the e-card password can be tried again; None while it can."""
    held = ECardPassword.objects.filter(holder_id=holder_id, locked_until__gt=at).first()
    return held.locked_until if held else None


def latest_message(phone: str) -> SentMessage | None:
    """The last message to a phone. Only the demonstration may show its text on screen."""
    index = blind_index("phone", rules.phone(phone))
    return SentMessage.objects.filter(phone_index=index).order_by("-at", "-id").first()
