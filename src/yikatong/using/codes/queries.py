"""What is asked of devices and keys."""

from datetime import date
from uuid import UUID

from django.conf import settings
from django.db.models import Q, QuerySet

from yikatong.registry.cards.models import ECard
from yikatong.registry.holders.models import Category
from yikatong.registry.regions import profile
from yikatong.using.codes import keysets, rules
from yikatong.using.codes.models import Device, IssuerKey


def scene_names() -> dict[int, str]:
    """What this province calls the code of each scene, by the scene's number."""
    codes = profile.load(settings.PROVINCE).codes
    return {int(scene): codes.label(name) for scene, name in rules.SCENES.items()}


def ecard_of(holder_id: UUID) -> ECard | None:
    """The e-card in the holder's hands, with its card; None while none is issued."""
    issued = ECard.objects.filter(holder_id=holder_id, status=ECard.Status.ISSUED)
    return issued.select_related("card").first()


def devices_of(holder_id: UUID) -> QuerySet[Device]:
    """The devices a holder has bound, latest first; codes made by the server are no device of his."""
    own = Device.objects.filter(holder_id=holder_id, status=Device.Status.ACTIVE, is_server=False)
    return own.order_by("-registered_at", "-number")


def categories_on(holder_id: UUID, day: date) -> frozenset[str]:
    """Kinds of concession proven for that day; periods are half-open."""
    held = Category.objects.filter(holder_id=holder_id, valid_from__lte=day)
    return frozenset(held.filter(Q(valid_until=None) | Q(valid_until__gt=day)).values_list("kind", flat=True))


def concession_ends_on(holder_id: UUID, day: date) -> date | None:
    """The first day on which one of the concessions proven for `day` no longer holds."""
    held = Category.objects.filter(holder_id=holder_id, valid_from__lte=day, valid_until__gt=day)
    return held.order_by("valid_until").values_list("valid_until", flat=True).first()


def issuer_keys() -> QuerySet[IssuerKey]:
    """All keys there ever were, latest first."""
    return IssuerKey.objects.order_by("-key_id")


def checkpoint_publics() -> dict[int, bytes]:
    """Public keys of audit checkpoints, by key id."""
    return {row.key_id: keysets.checkpoint_key(keysets.unwrap(row)).public for row in issuer_keys()}
