"""A clerk serves the chip of a card in use: what changed is written into it, its PIN set anew or unblocked.

The key device's values leave together with what may be done with them, and each leaves its trace: an event of the
card, an entry of the audit, and for what is personal a look the holder can see.
"""

from datetime import date, datetime
from uuid import UUID

from django.db import transaction

from yikatong.core import audit, looks
from yikatong.core.actor import Actor
from yikatong.core.clock import day_of
from yikatong.core.errors import Invalid
from yikatong.core.permissions import Permission, require
from yikatong.registry.cards import refusals
from yikatong.registry.cards.actions.moves import locked_card, note_card
from yikatong.registry.cards.actions.notices import tell_holder
from yikatong.registry.cards.actions.reading import registered_here
from yikatong.registry.cards.chip import authentication, contents
from yikatong.registry.cards.chip.contents import File, Held
from yikatong.registry.cards.chip.faults import Fault, fault
from yikatong.registry.cards.chip.hsm import card_hsm
from yikatong.registry.cards.chip.keys import CardKey, Chip
from yikatong.registry.cards.chip.requests import UNBLOCK, CardInfo, KeyRequest, SecureRequest
from yikatong.registry.cards.models import Card, CardStatus
from yikatong.registry.cards.rules import CardAct
from yikatong.registry.holders import queries as holders
from yikatong.registry.holders.models import Holder

PURPOSE = "窗口写卡"


def should_hold(holder: Holder, day: date) -> tuple[File, ...]:
    """What the chip of this holder's card should say on that day; raises NameTooLong."""
    proof = holders.work_permit(holder.pk, day)
    permit = None
    if proof is not None and proof.valid_until is not None:
        permit = contents.Permit(proof.number, proof.issuer, proof.valid_from, proof.valid_until)
    held = Held(
        social_security_number=holder.social_security_number,
        name=holder.name,
        sex=holder.sex,
        ethnicity=holder.ethnicity,
        birth_date=holder.birth_date,
        division=holder.division_code,
        permit=permit,
    )
    return contents.files(held)


@transaction.atomic
def write(info: str, text: str, *, key: str, holder_id: UUID, by: Actor, at: datetime) -> tuple[str, File]:
    """The answer to Step1 of iWriteCard (`text`), and the file `key` as the register has it.

    The event says that both were given; what the card holds, a reading tells.

    CardFault, CardUnknown, ChipNotServed, HsmUnavailable; Invalid for a file there is not, NameTooLong.
    """
    require(by, Permission.HOLDER_REGISTER)
    request = KeyRequest.read(text)
    if request.key is not CardKey.UKSSSE:
        raise fault(Fault.KEY_LEVEL)
    card = _served(info, holder_id, by=by)
    file = {one.key: one for one in should_hold(card.holder, day_of(at))}.get(key)
    if file is None:
        raise Invalid("没有这项卡内信息，请刷新页面后重试。")
    answer = authentication.prove(request, _chip(card), card_hsm())
    note_card(card, CardAct.WRITE_CHIP, old=card.status, by=by, at=at, note=f"{file.title}：写卡数据已给出")
    looks.record(card.holder_id, by=by, at=at, purpose=PURPOSE, fields=contents.FIELDS[key])
    return answer, file


@transaction.atomic
def prove_puk(info: str, text: str, *, holder_id: UUID, by: Actor, at: datetime) -> str:
    """The answer to Step1 of iReloadPIN and iUnblockPIN. The card stays as it is, so it leaves no event."""
    require(by, Permission.CARD_HAND_OVER)
    request = KeyRequest.read(text)
    if request.key is not CardKey.PUK:
        raise fault(Fault.KEY_LEVEL)
    card = _served(info, holder_id, by=by)
    answer = authentication.prove(request, _chip(card), card_hsm())
    audit.record("cards:card:puk_proven", subject=f"card:{card.pk}", holder_id=card.holder_id, by=by, at=at)
    return answer


@transaction.atomic
def set_pin(info: str, text: str, *, holder_id: UUID, by: Actor, at: datetime) -> str:
    """The answer to Step2 of iReloadPIN (the new PIN, sealed for this card) or of iUnblockPIN; the holder is told.

    The PIN is neither kept nor logged. CardFault, CardUnknown, ChipNotServed, HsmUnavailable.
    """
    require(by, Permission.CARD_HAND_OVER)
    request = SecureRequest.read(text)
    card = _served(info, holder_id, by=by)
    answer = authentication.secure(request, _chip(card), card_hsm())
    act = CardAct.UNBLOCK_PIN if request.head == UNBLOCK else CardAct.SET_PIN
    note_card(card, act, old=card.status, by=by, at=at)
    tell_holder(
        card.holder_id,
        f"您的社会保障卡于 {day_of(at):%Y-%m-%d} 在窗口办理了“{act.label}”。不是您本人办理的，请立即挂失。",
        f"card.{act.value}",
    )
    return answer


def _served(info: str, holder_id: UUID, *, by: Actor) -> Card:
    """The card that lies there, locked: in use, and of this holder; at a bank's outlet one of its cards."""
    meant = CardInfo.read(info)
    card = locked_card(registered_here(meant.identification, by=by).pk, by=by)
    if (card.number, card.holder_id) != (meant.card_number, holder_id):
        raise fault(Fault.DIFFERS)
    if card.status != CardStatus.NORMAL:
        raise refusals.ChipNotServed
    return card


def _chip(card: Card) -> Chip:
    return Chip.of(card.identification, card.reset_info)
