"""A clerk reads a card that lies on his reader: the key device's values, for the holder to see in his log."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction

from yikatong.core import looks
from yikatong.core.actor import Actor
from yikatong.core.errors import NotFound
from yikatong.core.permissions import Permission, require
from yikatong.registry.banks.rules import OtherBank
from yikatong.registry.cards.chip import authentication
from yikatong.registry.cards.chip.faults import Fault, fault
from yikatong.registry.cards.chip.hsm import card_hsm
from yikatong.registry.cards.chip.messages import AuthRequest
from yikatong.registry.cards.models import Card
from yikatong.registry.cards.rules import is_served_by

PURPOSE = "窗口读卡"


class CardUnknown(NotFound):
    code = "card_not_registered"
    message = "该卡不在本省登记，不能读取卡内信息。请核验本人证件，或请持卡人到发卡地办理。"


@dataclass(frozen=True, slots=True)
class Authenticated:
    """`answer` is what iReadCardBas_HSM_Step2 wants."""

    card_id: UUID
    holder_id: UUID
    answer: str


@transaction.atomic
def authenticate(text: str, *, by: Actor, at: datetime) -> Authenticated:
    """The values for the card of `text` (iReadCardBas_HSM_Step1), whatever its status: a clerk serves lost ones too.

    Cards of the whole province (全省通办, Guangdong art. 5), for a bank's clerk those of his bank only.
    CardFault, CardUnknown, OtherBank, HsmUnavailable.
    """
    require(by, Permission.HOLDER_FIND)
    request = AuthRequest.read(text)
    card = registered_here(request.chip.identification, by=by)
    if not is_served_by(card, by):
        raise OtherBank
    if not authentication.is_ours(request.chip, card.reset_info):
        raise fault(Fault.DIFFERS)
    answer = authentication.answer(request, card_hsm()).text()
    looks.record(card.holder_id, by=by, at=at, purpose=PURPOSE, fields=authentication.OPENED)
    return Authenticated(card.pk, card.holder_id, answer)


def registered_here(identification: str, *, by: Actor) -> Card:
    """The card of the clerk's province with that 卡识别码; CardUnknown."""
    here = Card.objects.filter(holder__division_code__startswith=by.scope[:2])
    card = here.filter(identification=identification).first()
    if card is None:
        raise CardUnknown
    return card
