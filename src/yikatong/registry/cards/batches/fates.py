"""Reconciliation 对账 of a batch: each card has exactly one fate, and the counts add up to the batch."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db.models import Case as When
from django.db.models import CharField, Count, Exists, OuterRef, Q, QuerySet, TextChoices, Value
from django.db.models import When as Is

from yikatong.core.actor import Actor
from yikatong.registry.cards.batches.bulk import HOLDER_STEP, check_right, note_batch
from yikatong.registry.cards.batches.opening import BANK_STEP
from yikatong.registry.cards.models import Batch, BatchRow, CardEvent, CaseStatus
from yikatong.registry.cards.rules import CardAct
from yikatong.registry.regions.queries import full_names

Result = BatchRow.Result


class Fate(TextChoices):
    """Where a row of a batch is now. The order is that of the way."""

    AT_BANK = "at_bank", "等待银行开户"
    TO_MAKER = "to_maker", "已开户，待送制卡"
    AT_MAKER = "at_maker", "制卡中"
    WAITING = "waiting", "制成，待领取"
    COLLECTED = "collected", "制成，已领取"
    VOID = "void", "制成，领取前已注销"
    REFUSED = "refused", "银行退回，待处理"
    UNMADE = "unmade", "制卡失败，待处理"
    AGAIN = "again", "失败后已重新送办"
    ENDED = "ended", "失败后已终止"
    SPOILED = "spoiled", "持卡人已不在册，成卡作废销毁"
    STOPPED = "stopped", "持卡人已不在册，没有制卡"


class Part(TextChoices):
    """What the fates are parts of: the counts of bank and maker."""

    PENDING = "pending", "在办"
    MADE = "made", "制成"
    BANK = "bank", "银行退回"
    MAKER = "maker", "制卡失败"
    HOLDER = "holder", "持卡人已不在册"


#: Told even where there is none; a holder who has died or left meanwhile is rare.
_ALWAYS: Final = (Part.PENDING, Part.MADE, Part.BANK, Part.MAKER)


@dataclass(frozen=True, slots=True)
class Line:
    """A fate with its count, for a table whose last line is the sum."""

    fate: Fate
    count: int


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """`parts` and `lines` both sum to `rows`."""

    rows: int
    parts: dict[Part, int]
    lines: list[Line]

    @property
    def adds_up(self) -> bool:
        return self.rows == sum(self.parts.values()) == sum(one.count for one in self.lines)


def rows_with_fate(batch: Batch) -> QuerySet[Any]:
    """The rows in order, each with `fate`, and `next_batch` with the number of the batch that took it up again."""
    later = BatchRow.objects.filter(case=OuterRef("case"), batch__number__gt=OuterRef("batch__number"))
    given = CardEvent.objects.filter(card=OuterRef("case__card"), kind=CardAct.HAND_OVER)
    rows = batch.lines.select_related("batch", "case__outlet").annotate(
        is_again=Exists(later),
        is_given=Exists(given),
        next_batch=later.order_by("batch__number").values("batch__number")[:1],
    )
    return rows.annotate(fate=_fate()).order_by("number")


def _fate() -> When:
    failed, ended = Q(result=Result.FAILED), (CaseStatus.REJECTED, CaseStatus.WITHDRAWN, CaseStatus.ABANDONED)
    waits = Q(case__status__in=(CaseStatus.FAILED, CaseStatus.CORRECTING), is_again=False)
    return When(
        Is(result=Result.MADE, case__status=CaseStatus.READY, then=Value(Fate.WAITING)),
        Is(result=Result.MADE, is_given=True, then=Value(Fate.COLLECTED)),
        Is(result=Result.MADE, then=Value(Fate.VOID)),
        Is(failed & Q(failed_step=HOLDER_STEP, position__isnull=False), then=Value(Fate.SPOILED)),
        Is(failed & Q(failed_step=HOLDER_STEP), then=Value(Fate.STOPPED)),
        Is(failed & waits & Q(failed_step=BANK_STEP), then=Value(Fate.REFUSED)),
        Is(failed & waits, then=Value(Fate.UNMADE)),
        Is(failed & Q(case__status__in=ended), then=Value(Fate.ENDED)),
        Is(failed, then=Value(Fate.AGAIN)),
        Is(case__status=CaseStatus.PRODUCING, then=Value(Fate.AT_MAKER)),
        Is(case__account__isnull=False, then=Value(Fate.TO_MAKER)),
        default=Value(Fate.AT_BANK),
        output_field=CharField(),
    )


def reconcile(batch: Batch) -> Reconciliation:
    """How many rows have which fate; fates that nobody has are left out."""
    rows = rows_with_fate(batch).order_by()
    by_fate = {one["fate"]: one["count"] for one in rows.values("fate").annotate(count=Count("pk"))}
    counted = batch.lines.order_by().values_list("result", "failed_step").annotate(count=Count("pk"))
    parts = dict.fromkeys(_ALWAYS, 0)
    for result, step, count in counted:
        parts[_part(result, step)] = parts.get(_part(result, step), 0) + count
    lines = [Line(fate, by_fate[fate]) for fate in Fate if fate in by_fate]
    return Reconciliation(batch.rows, parts, lines)


def _part(result: str, step: str) -> Part:
    if result == Result.FAILED:
        return {BANK_STEP: Part.BANK, HOLDER_STEP: Part.HOLDER}.get(step, Part.MAKER)
    return Part.MADE if result == Result.MADE else Part.PENDING


@dataclass(frozen=True, slots=True)
class BoxOfBatch:
    """A box of a batch; `places` names where its cards belong: more than one must be sorted out on arrival."""

    number: str
    cards: int
    places: list[str]


def boxes_of(batch: Batch) -> list[BoxOfBatch]:
    """装箱清单 of a batch."""
    found: dict[str, BoxOfBatch] = {}
    areas = full_names(
        {code[:6] for code in batch.lines.order_by().values_list("case__division_code", flat=True).distinct()}
    )
    rows = batch.lines.filter(position__isnull=False).order_by()
    counted = rows.values_list("box", "case__outlet__name", "case__division_code").annotate(cards=Count("pk"))
    for box, outlet, division, cards in counted.order_by("box", "case__outlet__name"):
        place = outlet or f"{areas[division[:6]] or division[:6]}（未选网点）"
        before = found.get(box, BoxOfBatch(box, 0, []))
        places = before.places if place in before.places else [*before.places, place]
        found[box] = BoxOfBatch(box, before.cards + cards, places)
    return list(found.values())


def export_rows(batch: Batch, *, by: Actor, at: datetime) -> Iterator[tuple[str, ...]]:
    """Every row for a spreadsheet, by case numbers and without a person; the copy is noted in the audit log."""
    check_right(by)
    note_batch("fates_exported", batch, by=by, at=at, rows=batch.rows)
    return (_cells(row) for row in rows_with_fate(batch).iterator(chunk_size=2_000))


EXPORT_HEADERS = (
    "批次号", "序号", "受理号", "领卡网点", "去向", "失败环节", "失败原因", "箱号", "箱内位置", "重新送办批次",
)  # fmt: skip


def _cells(row: Any) -> tuple[str, ...]:
    fate, again = str(Fate(row.fate).label), str(row.next_batch or "")
    outlet = row.case.outlet.name if row.case.outlet else ""
    place = "" if row.position is None else str(row.position)
    told = (row.failed_step, row.failure, row.box, place, again)
    return (row.batch.number, str(row.number), row.case.number, outlet, fate, *told)
