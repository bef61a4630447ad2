"""生命事项: what happens to a person happens to his cards in the same act, and has a number for its receipt."""

from datetime import date, datetime
from uuid import UUID

from django.db import transaction

from yikatong.core import looks
from yikatong.core.actor import Actor
from yikatong.core.permissions import Permission, require
from yikatong.registry.banks import actions as banks
from yikatong.registry.cards import refusals
from yikatong.registry.cards.actions.aftermath import file, follow_end, follow_return
from yikatong.registry.cards.models import Case
from yikatong.registry.cards.rules import CancelReason, ChangeReason
from yikatong.registry.holders import actions as holders
from yikatong.registry.holders.actions import life
from yikatong.registry.holders.models import Holder, LifeEvent
from yikatong.registry.holders.validity import UNTOLD, Validity


@transaction.atomic
def change_name(holder_id: UUID, *, name: str, evidence: str, by: Actor, at: datetime) -> Case:
    """姓名变更; the card shows the former name until it is replaced. Refusals of `holders.change_name`."""
    holder = holders.change_name(holder_id, name=name, evidence=evidence, by=by, at=at)
    return file(holder, ChangeReason.NAME, note=_tell_banks(holder, by=by, at=at), by=by, at=at)


@transaction.atomic
def change_number(
    holder_id: UUID, *, number: str, evidence: str, validity: Validity = UNTOLD, by: Actor, at: datetime
) -> Case:
    """证件号码变更; the old number still finds the person. Refusals of `holders.change_number`.

    With another birth date, guardianship and concession are counted anew, and the note says so.
    """
    holder, recounted = holders.change_number(
        holder_id, number=number, evidence=evidence, validity=validity, by=by, at=at
    )
    said = [f"{what}：{after}" for what, _, after in recounted if what not in {"出生日期", "性别"}]
    told = _tell_banks(holder, by=by, at=at)
    return file(holder, ChangeReason.NUMBER, note="；".join([*said, *filter(None, [told])]), by=by, at=at)


def _tell_banks(holder: Holder, *, by: Actor, at: datetime) -> str:
    """The banks of his accounts learn name and number over the line; to the others he goes himself. In words."""
    certificate = holder.certificates.filter(is_current=True).order_by("-created_at").first()
    told, to_visit = banks.renamed(
        holder.pk, certificate=certificate.number if certificate else "", name=holder.name, by=by, at=at
    )
    for bank in told:
        looks.record(
            holder.pk, by=by, at=at, purpose=f"提供给{bank}变更客户信息", fields=("姓名", "证件号码")
        )
    words = [f"已通知{bank}变更客户信息" for bank in told]
    return "；".join(words + [f"请本人持证件到{bank}变更客户信息" for bank in to_visit])


@transaction.atomic
def move(
    holder_id: UUID, *, division_code: str, address: str = "", evidence: str, by: Actor, at: datetime
) -> Case:
    """所在地变更 within the province: the card stays good. Refusals of `holders.move`."""
    place = {"division_code": division_code, "address": address, "evidence": evidence}
    holder = holders.move(holder_id, **place, by=by, at=at)
    return file(holder, ChangeReason.MOVED, by=by, at=at)


@transaction.atomic
def record_death(holder_id: UUID, *, on: date, evidence: str, by: Actor, at: datetime) -> Case:
    """死亡: in one act the record, every card, the e-card and the devices end; the gate refuses at once.

    The banks freeze or stop the accounts, as agreed. A card that lies with its maker is destroyed when it comes.

    Raises HolderEnded, WrongDeathDate, EvidenceMissing.
    """
    require(by, Permission.CARD_CANCEL)
    holder = holders.locked(holder_id, by=by)
    kind = LifeEvent.Kind.DECEASED
    life.end(holder, Holder.Status.DECEASED, kind, on=on, evidence=evidence, by=by, at=at)
    return follow_end(holder, CancelReason.DECEASED, by=by, at=at)


@transaction.atomic
def record_leaving(holder_id: UUID, *, reason: str, evidence: str, by: Actor, at: datetime) -> Case:
    """迁出: settled abroad, nationality lost, or moved to another province. Raises WrongReason, HolderEnded …"""
    require(by, Permission.CARD_CANCEL)
    if reason not in {CancelReason.EMIGRATED, CancelReason.MOVED}:
        raise refusals.WrongReason
    holder, said = holders.locked(holder_id, by=by), CancelReason(reason)
    kind = LifeEvent.Kind.LEFT
    life.end(holder, Holder.Status.LEFT, kind, evidence=evidence, reason=said.label, by=by, at=at)
    return follow_end(holder, said, by=by, at=at)


@transaction.atomic
def restore(holder_id: UUID, *, reason: str, by: Actor, at: datetime) -> Case:
    """A death that was none is undone: cards in the holder's hands live again, as they were, applications go on
    and what a bank has held for the death alone is free again. What cannot be as it was stands on the receipt.

    Who had left and came back applies anew. Devices are bound again by the holder himself.
    Raises Forbidden (supervisors only), NotEnded, ReasonTooShort.
    """
    require(by, Permission.HOLDER_CORRECT)
    holder = holders.locked(holder_id, by=by)
    ended = life.restore(holder, reason=reason, by=by, at=at)
    missing = []
    if ended.kind == LifeEvent.Kind.DECEASED:
        missing = follow_return(holder, CancelReason.DECEASED, ended.at, by=by, at=at)
    return file(holder, ChangeReason.RESTORED, note="；".join(missing), by=by, at=at)
