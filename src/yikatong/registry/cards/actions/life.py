"""生命事项: what happens to a person happens to his cards in the same act, and has a number for its receipt."""

from datetime import date, datetime
from uuid import UUID

from django.db import transaction

from yikatong.core.actor import Actor
from yikatong.core.errors import DomainError
from yikatong.core.permissions import Permission, require
from yikatong.registry.cards import refusals
from yikatong.registry.cards.actions.handover import ending_of, ending_stamps
from yikatong.registry.cards.actions.moves import locked_card, move_card, move_case, open_done, revive_card
from yikatong.registry.cards.models import (
    CASE_TRANSITIONS,
    COMING,
    LIVE,
    OPEN_CASES,
    TRANSITIONS,
    Authorisation,
    BatchRow,
    Card,
    CardStatus,
    Case,
    CaseKind,
    CaseStatus,
    ECard,
)
from yikatong.registry.cards.rules import CancelReason, CardAct, ChangeReason
from yikatong.registry.holders import actions as holders
from yikatong.registry.holders.actions import life, merging
from yikatong.registry.holders.models import Holder, LifeEvent, Merge

#: How a case ends whose holder has ended, the best first; one that lies with bank or maker runs to its end.
_CASE_ENDS = (CaseStatus.WITHDRAWN, CaseStatus.REJECTED, CaseStatus.DONE)


class MergeOtherWay(DomainError):
    code = "merge_other_way"
    message = "保留的登记没有社会保障卡，而并入的登记有。请改为保留有卡的一方。"


@transaction.atomic
def change_name(holder_id: UUID, *, name: str, evidence: str, by: Actor, at: datetime) -> Case:
    """姓名变更; the card shows the former name until it is replaced. Refusals of `holders.change_name`."""
    holder = holders.change_name(holder_id, name=name, evidence=evidence, by=by, at=at)
    return _file(holder, ChangeReason.NAME, by=by, at=at)


@transaction.atomic
def change_number(holder_id: UUID, *, number: str, evidence: str, by: Actor, at: datetime) -> Case:
    """证件号码变更; the old number still finds the person. Refusals of `holders.change_number`."""
    holder = holders.change_number(holder_id, number=number, evidence=evidence, by=by, at=at)
    return _file(holder, ChangeReason.NUMBER, by=by, at=at)


@transaction.atomic
def move(
    holder_id: UUID, *, division_code: str, address: str = "", evidence: str, by: Actor, at: datetime
) -> Case:
    """所在地变更 within the province: the card stays good. Refusals of `holders.move`."""
    place = {"division_code": division_code, "address": address, "evidence": evidence}
    holder = holders.move(holder_id, **place, by=by, at=at)
    return _file(holder, ChangeReason.MOVED, by=by, at=at)


@transaction.atomic
def record_death(holder_id: UUID, *, on: date, evidence: str, by: Actor, at: datetime) -> Case:
    """死亡: in one act the record, every card, the e-card and the devices end; the gate refuses at once.

    Raises HolderEnded, WrongDeathDate, EvidenceMissing.
    """
    require(by, Permission.CARD_CANCEL)
    holder = holders.locked(holder_id, by=by)
    kind = LifeEvent.Kind.DECEASED
    life.end(holder, Holder.Status.DECEASED, kind, on=on, evidence=evidence, by=by, at=at)
    return _ended(holder, CancelReason.DECEASED, by=by, at=at)


@transaction.atomic
def record_leaving(holder_id: UUID, *, reason: str, evidence: str, by: Actor, at: datetime) -> Case:
    """迁出: settled abroad, nationality lost, or moved to another province. Raises WrongReason, HolderEnded …"""
    require(by, Permission.CARD_CANCEL)
    if reason not in {CancelReason.EMIGRATED, CancelReason.MOVED}:
        raise refusals.WrongReason
    holder, said = holders.locked(holder_id, by=by), CancelReason(reason)
    kind = LifeEvent.Kind.LEFT
    life.end(holder, Holder.Status.LEFT, kind, evidence=evidence, reason=said.label, by=by, at=at)
    return _ended(holder, said, by=by, at=at)


@transaction.atomic
def restore(holder_id: UUID, *, reason: str, by: Actor, at: datetime) -> Case:
    """A death that was none is undone: cards in the holder's hands live again, as they were.

    Who had left and came back applies anew. Devices are bound again by the holder himself.
    Raises Forbidden (supervisors only), NotEnded, ReasonTooShort.
    """
    require(by, Permission.HOLDER_CORRECT)
    holder = holders.locked(holder_id, by=by)
    ended = life.restore(holder, reason=reason, by=by, at=at)
    if ended.kind == LifeEvent.Kind.DECEASED:
        _revive(holder, CancelReason.DECEASED, ended.at, by=by, at=at)
    return _file(holder, ChangeReason.RESTORED, by=by, at=at)


@transaction.atomic
def merge(kept_id: UUID, gone_id: UUID, *, reason: str, evidence: str, by: Actor, at: datetime) -> Merge:
    """合并 two records of one person; the cards of the one that goes are cancelled as issued twice.

    Raises Forbidden (supervisors only), MergeSelf, HolderEnded, MergeOtherWay, InProduction, ReasonTooShort,
    EvidenceMissing.
    """
    require(by, Permission.HOLDER_CORRECT)
    kept, gone = merging.pair(kept_id, gone_id, by=by)
    having = [*LIVE, *COMING]
    if gone.cards.filter(status__in=having).exists() and not kept.cards.filter(status__in=having).exists():
        raise MergeOtherWay
    merged = merging.merge(kept, gone, reason=reason, evidence=evidence, by=by, at=at)
    Authorisation.objects.filter(holder=gone, ended_at=None).update(ended_at=at)
    _ended(gone, CancelReason.DUPLICATE, by=by, at=at)
    if Case.objects.filter(holder=gone, status__in=OPEN_CASES).exists():
        raise refusals.InProduction("并入的登记有申请已送银行或制卡机构办理，制成或退回后再合并。")
    _file(kept, ChangeReason.MERGED, by=by, at=at)
    return merged


@transaction.atomic
def unmerge(merge_id: UUID, *, reason: str, by: Actor, at: datetime) -> Merge:
    """They were two persons: what went over goes back, and the cards ended by the merge live again.

    Raises Forbidden (supervisors only), MergeUndone, MergeCannotBeUndone, ReasonTooShort.
    """
    require(by, Permission.HOLDER_CORRECT)
    merged = merging.unmerge(merge_id, reason=reason, by=by, at=at)
    gone = holders.locked(merged.gone_id, by=by)
    _revive(gone, CancelReason.DUPLICATE, merged.at, by=by, at=at)
    for holder in (merged.kept, gone):
        _file(holder, ChangeReason.UNMERGED, by=by, at=at)
    return merged


def _ended(holder: Holder, reason: CancelReason, *, by: Actor, at: datetime) -> Case:
    """Cases, then cards, then the e-card: the order of locks that every act keeps."""
    _close_cases(holder, by=by, at=at)
    for key in holder.cards.exclude(status__in=_FINAL).order_by("pk").values_list("pk", flat=True):
        card = locked_card(key, by=by)
        if TRANSITIONS[CardStatus(card.status)]:
            move_card(card, ending_of(card), CardAct.CANCEL, by=by, at=at, **ending_stamps(reason, at))
    ECard.objects.filter(holder=holder, status=ECard.Status.ISSUED).update(
        status=ECard.Status.REMOVED, removed_at=at
    )
    return _file(holder, reason, kind=CaseKind.CANCEL, by=by, at=at)


_FINAL = [status for status, ways in TRANSITIONS.items() if not ways]


def _close_cases(holder: Holder, *, by: Actor, at: datetime) -> None:
    opened = Case.objects.select_for_update(of=("self",), no_key=True).filter(
        holder=holder, status__in=[*OPEN_CASES, CaseStatus.DRAFT]
    )
    for case in opened.order_by("pk"):
        to = next((one for one in _CASE_ENDS if one in CASE_TRANSITIONS[CaseStatus(case.status)]), None)
        if to is None or case.batch_rows.filter(result=BatchRow.Result.PENDING).exists():
            continue  # the card comes back from its maker, and is never handed over
        move_case(case, to, by=by, at=at, note=f"持卡人登记为“{holder.get_status_display()}”")


def _revive(holder: Holder, reason: CancelReason, ended_at: datetime, *, by: Actor, at: datetime) -> None:
    """The cards which that very act ended go back to what they were."""
    ended = holder.cards.filter(cancel_reason=reason, cancelled_at=ended_at).order_by("pk")
    for key in ended.values_list("pk", flat=True):
        revive_card(locked_card(key, by=by), by=by, at=at)


def _file(holder: Holder, reason: str, *, kind: CaseKind = CaseKind.CHANGE, by: Actor, at: datetime) -> Case:
    """受理单 of a matter that ends where it began."""
    card: Card | None = holder.cards.order_by("-issued_on", "-pk").first()
    case = Case(kind=kind, holder=holder, card=card, division_code=holder.division_code, reason=reason)
    return open_done(case, by=by, at=at)
