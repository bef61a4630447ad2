"""What is asked of devices and keys."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.db.models import Q, QuerySet

from yikatong.registry.cards.models import ECard
from yikatong.registry.holders.models import Category
from yikatong.registry.regions import profile
from yikatong.using.codes import keysets, rules
from yikatong.using.codes.models import Device, IssuerKey, ListVersion


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


@dataclass(frozen=True, slots=True)
class ListStand:
    """How a held list stands beside the newest: `newest` 0 while none is published, `held` 0 for none in hand.

    `missed_at`: when the first version that is not held was published; None when none was.
    """

    kind: str
    scene: int
    name: str
    held: int
    newest: int
    made_at: datetime | None
    entries: int
    missed_at: datetime | None


def list_stands(held: Mapping[tuple[str, int], int]) -> list[ListStand]:
    """Held versions by (kind, scene) beside the newest, in the order given."""
    names = scene_names()
    facts: dict[str, Any] = {
        "kinds": [kind for kind, _ in held],
        "scenes": [scene for _, scene in held],
        "held": list(held.values()),
    }
    with connection.cursor() as cursor:
        cursor.execute(_STANDS, facts)
        return [
            ListStand(kind, scene, _list_name(kind, names.get(scene, str(scene))), *rest)
            for kind, scene, *rest in cursor.fetchall()
        ]


def newest_lists() -> list[ListStand]:
    """The trust list, and the hot list of every scene."""
    return list_stands({("trust", 0): 0} | {("hot", int(scene)): 0 for scene in rules.SCENES})


def _list_name(kind: str, scene: str) -> str:
    label = str(ListVersion.Kind(kind).label)
    return label if kind == ListVersion.Kind.TRUST else f"{label}（{scene}）"


_STANDS: Final = f"""
SELECT asked.kind, asked.scene, asked.held, coalesce(newest.version, 0), newest.made_at,
    coalesce(newest.entries, 0), missed.made_at
FROM unnest(%(kinds)s::text[], %(scenes)s::int[], %(held)s::bigint[]) WITH ORDINALITY AS asked (kind, scene, held, n)
LEFT JOIN LATERAL (
    SELECT version, made_at, entries FROM {ListVersion._meta.db_table} l
    WHERE l.kind = asked.kind AND l.scene = asked.scene ORDER BY version DESC LIMIT 1
) newest ON true
LEFT JOIN LATERAL (
    SELECT made_at FROM {ListVersion._meta.db_table} l
    WHERE l.kind = asked.kind AND l.scene = asked.scene AND l.version > asked.held ORDER BY version LIMIT 1
) missed ON true
ORDER BY asked.n
"""  # noqa: S608 - names of our own tables
