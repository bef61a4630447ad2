"""Acts on e-cards, devices and their credentials. Keys and lists: `rotation`, `publish`."""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from functools import partial
from typing import Final
from uuid import UUID

from django.conf import settings
from django.db import transaction

from yikatong.core import audit
from yikatong.core.actor import Actor
from yikatong.core.asking import Question
from yikatong.core.clock import BEIJING, day_of
from yikatong.core.errors import NotFound
from yikatong.core.ids import uuid7
from yikatong.core.permissions import require_self
from yikatong.core.sm import sm2
from yikatong.registry.cards.models import COMING, LIVE, Card, ECard
from yikatong.registry.holders.models import Holder
from yikatong.registry.regions import profile
from yikatong.using.codes import hotlist, issuing, queries, rules
from yikatong.using.codes.credential import Limits, Scene, issue_credential
from yikatong.using.codes.hotlist import card_changed
from yikatong.using.codes.keyset import Keyset
from yikatong.using.codes.models import Device
from yikatong.using.codes.publish import publish_lists
from yikatong.using.codes.rotation import rotate_keys, withdraw_key
from yikatong.using.codes.short import LIFETIME_S, make_short_code

__all__ = [
    "IssuedCredential",
    "card_changed",
    "issue_credentials",
    "issue_ecard",
    "publish_lists",
    "register_device",
    "remove_ecard",
    "revoke_device",
    "rotate_keys",
    "server_code",
    "withdraw_key",
]

NAME_LONGEST: Final = 60


@dataclass(frozen=True, slots=True)
class IssuedCredential:
    """A credential for one scene as it goes to the device. `secret` (32 bytes) is its MAC key, told once.

    `tweak` (32 bytes, or none): the device presents this scene with its private key plus the tweak.
    """

    scene: int
    label: str
    credential: bytes
    secret: bytes = field(repr=False)
    expires_at: datetime
    tweak: bytes = field(repr=False)


@transaction.atomic
def issue_ecard(holder_id: UUID, *, by: Actor, at: datetime) -> ECard:
    """Issue the e-card to the card in force, again after a removal; one already there is returned as it is.

    Raises NoCard, CardNotActive, CardExpired, CardIsLost, HolderDeceased, HolderNotActive (Sichuan art. 2: 状态相同).
    """
    require_self(by, holder_id)
    holder = _holder(holder_id)
    card = rules.check_card(holder, _card(holder_id), day_of(at))
    ecard = ECard.objects.select_for_update().filter(holder=holder).first()
    if ecard is not None and ecard.status == ECard.Status.ISSUED and ecard.card_id == card.id:
        return ecard
    if ecard is None:
        ecard = ECard(holder=holder)
    elif ecard.status == ECard.Status.REMOVED:
        # It may have gone with a cancelled card: what was bound then is not bound again by itself.
        ecard.devices.filter(status=Device.Status.ACTIVE).update(status=Device.Status.REVOKED, revoked_at=at)
    ecard.card, ecard.number, ecard.issued_at = card, _ecard_number(card, at), at
    ecard.status, ecard.removed_at = ECard.Status.ISSUED, None
    ecard.save()
    _record("ecard:issued", ecard, by, at, card_id=str(card.id))
    hotlist.follow(card.id)
    return ecard


@transaction.atomic
def remove_ecard(holder_id: UUID, *, by: Actor, at: datetime) -> ECard:
    """Give the e-card back: its devices are released, offline terminals learn it. Raises NoECard."""
    require_self(by, holder_id)
    ecard = _ecard(holder_id)
    devices = ecard.devices.filter(status=Device.Status.ACTIVE)
    released = devices.update(status=Device.Status.REVOKED, revoked_at=at)
    ecard.status, ecard.removed_at = ECard.Status.REMOVED, at
    ecard.save(update_fields=["status", "removed_at"])
    _record("ecard:removed", ecard, by, at, devices=released)
    hotlist.follow(ecard.card_id)
    return ecard


@transaction.atomic
def register_device(holder_id: UUID, *, public_key: bytes, name: str, by: Actor, at: datetime) -> Device:
    """Bind a device by its SM2 public key (33 bytes, compressed). The same key again is the same device.

    Raises BadDeviceKey, DeviceKeyTaken, TooManyDevices, TooManyBindings, NoECard and the refusals of `issue_ecard`.
    """
    require_self(by, holder_id)
    if not sm2.is_public(public_key):
        raise rules.BadDeviceKey
    ecard = _usable_ecard(holder_id, at)
    known = Device.objects.filter(public_key=public_key, status=Device.Status.ACTIVE).first()
    if known is not None:
        if known.ecard_id != ecard.id:
            raise rules.DeviceKeyTaken
        return known
    most = profile.load(settings.PROVINCE).pass_.devices_max
    if queries.devices_of(holder_id).count() >= most:
        raise rules.TooManyDevices(most=most)
    _check_bindings(ecard, at)
    device = _new_device(ecard, public_key, name.strip()[:NAME_LONGEST] or "未命名设备", at)
    _record("device:registered", ecard, by, at, device=device.number)
    return device


@transaction.atomic
def revoke_device(device_id: UUID, *, by: Actor, at: datetime) -> Device:
    """Release a device: refused online at once, offline with the next list.

    Raises NotFound, DeviceRevoked.
    """
    device = _device(device_id, by)
    if device.status != Device.Status.ACTIVE:
        raise rules.DeviceRevoked
    device.status, device.revoked_at = Device.Status.REVOKED, at
    device.save(update_fields=["status", "revoked_at"])
    _record("device:revoked", device.ecard, by, at, device=device.number)
    hotlist.follow(device.ecard.card_id)
    return device


@transaction.atomic
def issue_credentials(
    device_id: UUID, *, by: Actor, at: datetime, scene_keys: bool = True
) -> list[IssuedCredential]:
    """Fresh credentials for all scenes, valid from `at` for the province's hours; only while usable.

    Each carries a key of its own, shifted by its tweak, so that scenes cannot compare keys either; without
    `scene_keys`, for a device that cannot shift, all carry the device's one key.
    Raises NotFound, DeviceRevoked, NoECard and the refusals of `issue_ecard`.
    """
    device = _device(device_id, by)
    card = _check_usable(device.ecard, at)
    rules.check_device(device, device.ecard)
    bounds = profile.load(settings.PROVINCE).pass_
    expires_at = _until(card, at, bounds.credential_hours)
    limits = Limits(bounds.per_use_fen, bounds.offline_total_fen, bounds.offline_uses)
    kinds = queries.categories_on(device.holder_id, day_of(at))
    make = partial(_credential, issuing.signing_keyset(at), device, limits, kinds, (at, expires_at))
    made = [make(scene, scene_key=scene_keys) for scene in rules.SCENES]
    # The later of both: a credential of before may still be in the device's hands.
    device.renewed_at, device.expires_at = at, max(expires_at, device.expires_at or expires_at)
    device.save(update_fields=["renewed_at", "expires_at"])
    _record("credentials:issued", device.ecard, by, at, device=device.number)
    return made


@transaction.atomic
def server_code(holder_id: UUID, scene: int, *, by: Actor, at: datetime) -> str:
    """The text of a short code for pages without JavaScript: one use, one minute, online terminals only.

    Raises UnknownScene, NoECard and the refusals of `issue_ecard`.
    """
    require_self(by, holder_id)
    if scene not in rules.SCENES:
        raise rules.UnknownScene
    ecard = _usable_ecard(holder_id, at)
    device = ecard.devices.filter(is_server=True, status=Device.Status.ACTIVE).first()
    device = device or _new_device(ecard, b"", "网页出码", at, is_server=True)
    expires_at = int(at.timestamp()) + LIFETIME_S
    return make_short_code(
        issuing.signing_keyset(at), device=device.number, scene=scene, expires_at=expires_at
    )


def _until(card: Card, at: datetime, hours: int) -> datetime:
    """A credential outlives neither its card nor a concession it tells of: it ends with the last day of either."""
    ends = [card.expires_on + timedelta(days=1), queries.concession_ends_on(card.holder_id, day_of(at))]
    midnights = (datetime.combine(day, time.min, BEIJING) for day in ends if day is not None)
    return min(at + timedelta(hours=hours), *midnights)


def _credential(
    keyset: Keyset,
    device: Device,
    limits: Limits,
    kinds: frozenset[str],
    period: tuple[datetime, datetime],
    scene: Scene,
    *,
    scene_key: bool,
) -> IssuedCredential:
    issued = issue_credential(
        keyset,
        device=device.number,
        scene=scene,
        generation=device.generation,
        device_public=bytes(device.public_key),
        not_before=int(period[0].timestamp()),
        expires_at=int(period[1].timestamp()),
        limits=limits,
        claims=rules.claims(scene, kinds),
        scene_key=scene_key,
    )
    label = profile.load(settings.PROVINCE).codes.label(rules.SCENES[scene])
    return IssuedCredential(scene, label, issued.credential, issued.secret, period[1], issued.tweak)


def _check_bindings(ecard: ECard, at: datetime) -> None:
    """Binding and releasing in a loop would swell the list that every terminal of the province carries."""
    bound = ecard.devices.filter(is_server=False, registered_at__gt=at - timedelta(days=1))
    if bound.count() >= rules.BINDINGS_A_DAY:
        raise rules.TooManyBindings(most=rules.BINDINGS_A_DAY)


# Locks are taken in one order everywhere: holder, card, e-card, device. A loss locks the card, so that no
# credential is made beside it that its list would not name.


_HOLDER: Final = Question(lambda key: Holder.objects.select_for_update(no_key=True).filter(id=key), UUID)
_CARD: Final = Question(lambda key: Card.objects.select_for_update(no_key=True).filter(id=key), UUID)
_ECARD: Final = Question(
    lambda holder: (
        ECard.objects.select_for_update(of=("self",), no_key=True)
        .select_related("holder")
        .filter(holder_id=holder, status=ECard.Status.ISSUED)
    ),
    UUID,
)
_DEVICE: Final = Question(
    lambda key: Device.objects.select_related("ecard__holder").filter(id=key, is_server=False), UUID
)
_DEVICE_LOCKED: Final = Question(
    lambda number: (
        Device.objects.select_for_update(of=("self",), no_key=True)
        .select_related("ecard__holder")
        .filter(number=number)
    ),
    int,
)


def _of_holder(statuses: Iterable[str]) -> Question[Card]:
    cards = Card.objects.select_for_update(no_key=True).filter(status__in=list(statuses))
    return Question(lambda holder: cards.filter(holder_id=holder).order_by("pk")[:1], UUID)


_LIVE_CARD, _COMING_CARD = _of_holder(LIVE), _of_holder(COMING)


def _holder(holder_id: UUID) -> Holder:
    holder = _HOLDER.first(holder_id)
    if holder is None:
        raise NotFound
    return holder


def _card(holder_id: UUID) -> Card | None:
    """The card in force, else the one on its way, so that a refusal names the right next step."""
    return _LIVE_CARD.first(holder_id) or _COMING_CARD.first(holder_id)


def _ecard(holder_id: UUID) -> ECard:
    ecard = _ECARD.first(holder_id)
    if ecard is None:
        raise rules.NoECard
    return ecard


def _usable_ecard(holder_id: UUID, at: datetime) -> ECard:
    holder = _holder(holder_id)
    rules.check_card(holder, _card(holder_id), day_of(at))
    ecard = _ecard(holder_id)
    _check_usable(ecard, at)
    return ecard


def _check_usable(ecard: ECard, at: datetime) -> Card:
    """The e-card's card, locked."""
    card = _CARD.first(ecard.card_id)
    return rules.check_card(ecard.holder, card, day_of(at))


def _device(device_id: UUID, by: Actor) -> Device:
    found = _DEVICE.first(device_id)
    if found is None:
        raise NotFound
    require_self(by, found.holder_id)
    _CARD(found.ecard.card_id)
    return _DEVICE_LOCKED(found.number)[0]


def _new_device(
    ecard: ECard, public_key: bytes, name: str, at: datetime, *, is_server: bool = False
) -> Device:
    return Device.objects.create(
        id=uuid7(),
        ecard=ecard,
        holder_id=ecard.holder_id,
        public_key=public_key,
        name=name,
        is_server=is_server,
        registered_at=at,
    )


def _ecard_number(card: Card, at: datetime) -> str:
    """签发号, 24 digits: division, day, ten at random."""
    return f"{card.division_code[:6]}{at.astimezone(BEIJING):%Y%m%d}{secrets.randbelow(10**10):010d}"


def _record(event: str, ecard: ECard, by: Actor, at: datetime, **facts: object) -> None:
    audit.record(
        f"codes:{event}", subject=f"ecard:{ecard.id}", by=by, at=at, holder_id=ecard.holder_id, **facts
    )
