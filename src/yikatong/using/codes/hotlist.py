"""Which references offline terminals must refuse: kept in step with card, e-card, holder and device."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import connection, transaction
from django.db.models import QuerySet
from procrastinate.contrib.django import app

from yikatong.registry.cards.models import ECard
from yikatong.using.codes import issuing, keysets, rules
from yikatong.using.codes.keyset import Keyset
from yikatong.using.codes.models import Device, HotEntry
from yikatong.using.codes.reference import Reference, make_references

# The same words as `rules.is_usable`, for all devices at once.
_OUT_OF_STEP: Final = """
SELECT DISTINCT e.card_id
FROM codes_device d
JOIN cards_ecard e ON e.id = d.ecard_id
JOIN cards_card c ON c.id = e.card_id
JOIN holders_holder h ON h.id = e.holder_id
WHERE d.expires_at > %(at)s AND NOT d.is_server AND d.number >= %(first)s AND d.number < %(last)s
  AND (d.status = 'active' AND e.status = 'issued' AND c.status = '1' AND h.status = 'active')
      = EXISTS (SELECT FROM codes_hotentry x
                WHERE x.device_number = d.number AND x.removed_version IS NULL AND NOT x.is_ended)
"""


def follow(card_id: UUID) -> None:
    """Have `card_changed` run once the caller's transaction has committed."""
    app.configure_task("codes.card_changed").defer(card_id=str(card_id))


@transaction.atomic
def card_changed(card_id: UUID, *, at: datetime) -> int:
    """Bring the entries of a card's devices in step with its state; returns how many changed. Idempotent.

    The next list carries them. A card whose e-card has moved to its successor has nothing left to stop.
    """
    # Before anything is read: whoever came first has committed when we look.
    issuing.lock()
    ecard = ECard.objects.filter(card_id=card_id).first()
    if ecard is None:
        return 0
    shown = Device.objects.filter(ecard=ecard, is_server=False, expires_at__gt=at)
    keys = [keysets.unwrap(row) for row in issuing.live(at).filter(withdrawn_at=None)]
    devices = shown.select_related("ecard__card", "ecard__holder")
    return sum(_end(device) if rules.is_usable(device) else _stop(device, keys, at) for device in devices)


def out_of_step(*, at: datetime, part: int = 0, parts: int = 1) -> list[UUID]:
    """Cards that `card_changed` would change something for; of the devices' numbers one `part` of so many `parts`."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(max(number), 0) FROM codes_device")
        width = cursor.fetchone()[0] // parts + 1
        cursor.execute(_OUT_OF_STEP, {"at": at, "first": part * width, "last": (part + 1) * width})
        return [card_id for (card_id,) in cursor.fetchall()]


def _stop(device: Device, keys: Iterable[Keyset], at: datetime) -> int:
    """Name every reference under which a credential of this device may still be carried."""
    until = device.expires_at or at
    wanted = {entry for keyset in keys for entry in _references(keyset, device)}
    present = _standing(device)
    resumed = present.filter(is_ended=True).update(is_ended=False, expires_at=until)
    known = {(entry.scene, bytes(entry.reference)) for entry in present}
    missing = [
        HotEntry(
            scene=scene,
            reference=reference,
            device_number=device.number,
            created_at=at,
            expires_at=until,
        )
        for scene, reference in sorted(wanted - known)
    ]
    HotEntry.objects.bulk_create(missing)
    return resumed + len(missing)


def _end(device: Device) -> int:
    """What was never published vanishes; what was leaves with the next list."""
    standing = _standing(device).filter(is_ended=False)
    forgotten, _ = standing.filter(added_version=None).delete()
    return forgotten + standing.update(is_ended=True)


def _standing(device: Device) -> QuerySet[HotEntry]:
    return HotEntry.objects.filter(device_number=device.number, removed_version=None)


def _references(keyset: Keyset, device: Device) -> Iterable[tuple[int, bytes]]:
    entries = [Reference(device.number, scene, device.generation) for scene in rules.SCENES]
    return zip(map(int, rules.SCENES), make_references(keyset.reference_key, entries), strict=True)
