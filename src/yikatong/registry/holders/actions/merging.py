"""合并: two records of one person become one, and two again where that was wrong."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import models

from yikatong.core.actor import Actor
from yikatong.core.errors import DomainError, NotFound
from yikatong.registry.holders import rules
from yikatong.registry.holders.actions import life
from yikatong.registry.holders.actions.records import ended_refusal, locked
from yikatong.registry.holders.models import (
    Category,
    Certificate,
    Guardianship,
    Holder,
    LifeEvent,
    Merge,
    Proof,
)
from yikatong.registry.holders.signals import holder_ended

#: What goes over with a person: table, and the column that names him.
_FOLLOWS: Final[tuple[tuple[str, Any, str], ...]] = (
    ("certificates", Certificate, "holder"),
    ("categories", Category, "holder"),
    ("proofs", Proof, "holder"),
    ("guardianships", Guardianship, "ward"),
    ("wards", Guardianship, "guardian"),
)


class MergeSelf(DomainError):
    code, status = "merge_self", 422
    message = "这是同一条登记，不能与自己合并。请填写另一条登记的证件号码。"


class MergeUndone(DomainError):
    code = "merge_undone"
    message = "这次合并已经撤销，不需要再次撤销。"


class MergeCannotBeUndone(DomainError):
    code = "merge_changed_since"
    message = "合并之后，保留的登记已经死亡、迁出或又被合并，请先恢复该登记再撤销合并。"


def pair(kept_id: UUID, gone_id: UUID, *, by: Actor) -> tuple[Holder, Holder]:
    """Both rows, locked in the order of their keys, and both there; raises MergeSelf, HolderEnded, NotFound."""
    if kept_id == gone_id:
        raise MergeSelf
    found = {key: locked(key, by=by) for key in sorted((kept_id, gone_id))}
    for holder in found.values():
        if holder.status != Holder.Status.ACTIVE:
            raise ended_refusal(holder)
    return found[kept_id], found[gone_id]


def merge(kept: Holder, gone: Holder, *, reason: str, evidence: str, by: Actor, at: datetime) -> Merge:
    """Certificates, concessions, proofs and guardianships go over; the other record stays, readable, and ended."""
    said, proof = rules.reason(reason), life.evidence_of(evidence)
    life.check_end(gone, Holder.Status.MERGED)
    moved: dict[str, Any] = {name: _moved(model, column, kept, gone) for name, model, column in _FOLLOWS}
    flags = Certificate.objects.filter(pk__in=moved["certificates"]).values_list("pk", "is_current")
    moved["current"] = [str(key) for key, is_current in flags if is_current]
    taken = Certificate.objects.filter(holder=kept, is_current=True).exclude(pk__in=moved["certificates"])
    for kind in set(taken.values_list("kind", flat=True)):
        Certificate.objects.filter(pk__in=moved["certificates"], kind=kind).update(is_current=False)
    gone.status, gone.merged_into = Holder.Status.MERGED, kept
    gone.save(update_fields=["status", "merged_into"])
    facts: dict[str, Any] = {"evidence": proof, "reason": said, "by": by, "at": at}
    for holder in (kept, gone):
        life.happened(holder, LifeEvent.Kind.MERGED, **facts)
    holder_ended.send(Holder, holder_id=gone.pk, by=by, at=at)
    return Merge.objects.create(
        kept=kept, gone=gone, moved=moved, evidence=proof, reason=said, at=at, actor_name=by.name
    )


def _moved(model: Any, column: str, kept: Holder, gone: Holder) -> list[str]:
    """Move the rows that do not stand there already; returns their keys."""
    rows = model.objects.filter(**{column: gone})
    keys = [row.pk for row in rows if not _stands(row, kept)]
    model.objects.filter(pk__in=keys).update(**{column: kept})
    return [str(key) for key in keys]


def _stands(row: models.Model, kept: Holder) -> bool:
    """Whether the kept record has the same already, which then stays where it is."""
    if isinstance(row, Category):
        return kept.categories.filter(kind=row.kind, valid_from=row.valid_from).exists()
    if isinstance(row, Guardianship):
        if kept.pk in {row.ward_id, row.guardian_id}:  # nobody becomes his own guardian
            return True
        same = Guardianship.objects.filter(ward=kept, kind=row.kind, number_index=row.number_index)
        return row.ward_id != kept.pk and row.ended_at is None and same.filter(ended_at=None).exists()
    return False


def unmerge(merge_id: UUID, *, reason: str, by: Actor, at: datetime) -> Merge:
    """They were two after all: what went over goes back. Raises MergeUndone, MergeCannotBeUndone, ReasonTooShort."""
    known = Merge.objects.filter(pk=merge_id).values_list("kept_id", "gone_id").first()
    if known is None:
        raise NotFound("没有找到这次合并。请核对后重试。")
    rows = {key: locked(key, by=by) for key in sorted(known)}
    merged, kept, gone = Merge.objects.get(pk=merge_id), rows[known[0]], rows[known[1]]
    if merged.undone_at is not None:
        raise MergeUndone
    if kept.status != Holder.Status.ACTIVE or gone.merged_into_id != kept.pk:
        raise MergeCannotBeUndone
    said = rules.reason(reason)
    for name, model, column in _FOLLOWS:
        back = model.objects.filter(pk__in=merged.moved[name], **{column: kept})
        back.update(**{column: gone})
    _flags(merged.moved["current"], gone)
    gone.status, gone.merged_into = Holder.Status.ACTIVE, None
    gone.save(update_fields=["status", "merged_into"])
    for holder in (kept, gone):
        life.happened(holder, LifeEvent.Kind.UNMERGED, reason=said, by=by, at=at)
    merged.undone_at, merged.undo_reason, merged.undone_by = at, said, by.name
    merged.save(update_fields=["undone_at", "undo_reason", "undone_by"])
    return merged


def _flags(current: Iterable[str], gone: Holder) -> None:
    Certificate.objects.filter(holder=gone, pk__in=list(current)).update(is_current=True)
