"""Who may show a code, what each scene may learn, and which claims follow from a holder's categories."""

from collections.abc import Collection
from datetime import date
from typing import Final

from yikatong.core.errors import DomainError
from yikatong.registry.cards.models import Card, CardStatus, ECard
from yikatong.registry.holders.models import Category, Holder
from yikatong.registry.regions.law import ByLaw
from yikatong.registry.regions.profile import SceneName
from yikatong.using.codes.credential import Claims, Concession, Scene
from yikatong.using.codes.models import Device

SCENES: Final[dict[Scene, SceneName]] = {
    Scene.GENERAL: "general",
    Scene.MEDICAL: "medical",
    Scene.TRANSIT: "transit",
    Scene.VENUE: "venue",
}

FARE_FULL: Final = 0
# The transit table of fare classes; where several apply the first here counts, it is the most favourable.
FARE_CLASSES: Final[dict[Category.Kind, int]] = {
    Category.Kind.DISABLED: 3,
    Category.Kind.VETERAN: 4,
    Category.Kind.ELDER: 1,
    Category.Kind.STUDENT: 2,
    Category.Kind.LOW_INCOME: 5,
}
CONCESSIONS: Final[dict[Category.Kind, Concession]] = {
    Category.Kind.ELDER: Concession.SENIOR,
    Category.Kind.STUDENT: Concession.STUDENT,
    Category.Kind.DISABLED: Concession.DISABLED,
    Category.Kind.VETERAN: Concession.VETERAN,
    Category.Kind.LOW_INCOME: Concession.LOW_INCOME,
}


BINDINGS_A_DAY: Final = 20


class NoCard(ByLaw):
    code, articles = "no_card", ("S2",)
    message = "没有社会保障卡。请先申领社会保障卡，再签发电子社保卡。"


class CardNotActive(DomainError):
    code = "card_not_active"
    message = "社会保障卡尚未启用。请先启用社会保障卡。"


class CardExpired(ByLaw):
    code, articles = "card_expired", ("S2",)
    message = "社会保障卡已超过有效期，电子社保卡同时停用。请办理换卡。"


class CardIsLost(ByLaw):
    code, articles = "card_lost", ("S2",)
    message = "社会保障卡已挂失，电子社保卡同时停用。已找回的请先解除挂失，否则请办理补卡。"


class HolderDeceased(DomainError):
    code = "holder_deceased"
    message = "持卡人已登记身故。如登记有误，请到窗口更正。"


class HolderNotActive(DomainError):
    code = "holder_not_active"
    message = "持卡人档案已合并或迁出，不能签发电子社保卡。请到窗口核实。"


class NoECard(DomainError):
    code = "no_ecard"
    message = "尚未签发电子社保卡。请先签发。"


class DeviceRevoked(DomainError):
    code = "device_revoked"
    message = "该设备已解除绑定。请在本设备重新绑定。"


class TooManyDevices(DomainError):
    code = "too_many_devices"
    message = "绑定的设备已达上限。请先解除不用的设备。"


class TooManyBindings(DomainError):
    """facts: most. Each binding released again stands in every terminal's hotlist until its credentials end."""

    code = "too_many_bindings"
    status = 429
    message = "今天绑定设备的次数过多。请明天再试。"


class BadDeviceKey(DomainError):
    code = "bad_device_key"
    status = 422
    message = "设备公钥不正确。请更新应用后重试。"


class DeviceKeyTaken(DomainError):
    code = "device_key_taken"
    message = "该设备密钥已绑定其他持卡人。请重新打开应用后再绑定。"


class UnknownScene(DomainError):
    code = "unknown_scene"
    status = 422
    message = "没有这种码，请从列表中选择。"


def check_card(holder: Holder, card: Card | None, day: date) -> Card:
    """The e-card has the state of the card (Sichuan art. 2): return the card only while both can be used.

    A card is good through the day it says 有效期至.
    """
    if holder.status == Holder.Status.DECEASED:
        raise HolderDeceased
    if holder.status != Holder.Status.ACTIVE:
        raise HolderNotActive
    if card is None or card.status in {CardStatus.CANCELLED, CardStatus.LOST_CANCELLED}:
        raise NoCard
    if card.status in {CardStatus.LOST, CardStatus.TEMPORARILY_LOST}:
        raise CardIsLost
    if card.status != CardStatus.NORMAL:
        raise CardNotActive
    if is_expired(card, day):
        raise CardExpired
    return card


def is_expired(card: Card, day: date) -> bool:
    return card.expires_on < day


def check_device(device: Device, ecard: ECard) -> None:
    if ecard.status != ECard.Status.ISSUED:
        raise NoECard
    if device.status != Device.Status.ACTIVE:
        raise DeviceRevoked


def is_usable(device: Device) -> bool:
    """Whether codes of this device may pass: everything above it is in order."""
    ecard = device.ecard
    return (
        device.status == Device.Status.ACTIVE
        and ecard.status == ECard.Status.ISSUED
        and ecard.card.status == CardStatus.NORMAL
        and ecard.holder.status == Holder.Status.ACTIVE
    )


def claims(scene: Scene, kinds: Collection[str]) -> Claims:
    """Only what the scene may learn: a bus the fare class, a venue the concessions, all others nothing."""
    if scene is Scene.TRANSIT:
        return Claims(fare_class=fare_class(kinds))
    if scene is Scene.VENUE:
        return Claims(concessions=concessions(kinds))
    return Claims()


def fare_class(kinds: Collection[str]) -> int:
    return next((number for kind, number in FARE_CLASSES.items() if kind in kinds), FARE_FULL)


def concessions(kinds: Collection[str]) -> int:
    return sum((bit for kind, bit in CONCESSIONS.items() if kind in kinds), start=0)
