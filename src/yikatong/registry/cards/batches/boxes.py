"""Boxes 装箱: where a made card lies until its holder comes, box and position."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

from django.db.models import Count, Exists, Max, Min, OuterRef, Q, QuerySet

from yikatong.core.actor import Actor
from yikatong.core.errors import NotFound
from yikatong.core.permissions import Permission, require
from yikatong.registry.cards.batches.files import BadPlace, MakeAnswer
from yikatong.registry.cards.models import BatchRow, CardEvent, CaseStatus
from yikatong.registry.cards.rules import CardAct

#: A region looks at its oldest boxes; an outlet has never so many.
BOXES_MOST: Final = 200
_BOXES_READ: Final = 5_000
_BOX_CHARACTERS: Final = 20
_POSITION_DIGITS: Final = 4


class Place(NamedTuple):
    box: str
    position: int


@dataclass(frozen=True, slots=True)
class Box:
    """A box with cards that still wait for their holders. `full`: how many it came with."""

    number: str
    batch: str
    full: int
    waiting: int
    positions: tuple[int, int]  # the first and the last one that is taken
    arrived_at: datetime


def place_words(box: str, position: int | None) -> str:
    """As it is said at a desk and written on the timeline."""
    return f"{box} 箱第 {position} 位" if box else "未装箱"


def places_of(made: Iterable[MakeAnswer]) -> dict[int, Place]:
    """箱号 and 位置 of each made card; raises BadPlace where two cards, or a card and one still waiting, share one."""
    places: dict[int, Place] = {}
    rows: dict[Place, int] = {}
    for one in made:
        place = _place(one)
        if place in rows:
            raise _twice(one.row, place)
        places[one.row], rows[place] = place, one.row
    for box, position in _waiting_in({place.box for place in rows}):
        if (row := rows.get(Place(box, position))) is not None:
            raise _twice(row, Place(box, position))
    return places


def _place(one: MakeAnswer) -> Place:
    box, _, position = one.place.rpartition("-")
    is_number = position.isascii() and position.isdecimal() and len(position) <= _POSITION_DIGITS
    if not box or len(box) > _BOX_CHARACTERS or not is_number or int(position) == 0:
        raise BadPlace(
            f"序号 {one.row} 的装箱位置是“{one.place}”，应为“箱号-位置”，没有导入。下一步：请制卡机构补齐后重新导出。",
            row=one.row,
        )
    return Place(box, int(position))


def _twice(row: int, place: Place) -> BadPlace:
    where = place_words(*place)
    return BadPlace(
        f"序号 {row} 的装箱位置 {where} 已有另一张卡，没有导入。下一步：请制卡机构核对装箱后重新导出。",
        row=row,
    )


def _waiting_in(numbers: set[str]) -> list[tuple[str, int]]:
    waiting = BatchRow.objects.filter(box__in=numbers, position__isnull=False, case__status=CaseStatus.READY)
    return [
        (box, position) for box, position in waiting.values_list("box", "position") if position is not None
    ]


def place_of(case_id: UUID) -> Place | None:
    """Where the card of this case lies; None of one that was made at an outlet, or not yet."""
    found = BatchRow.objects.filter(case=case_id, result=BatchRow.Result.MADE, position__isnull=False)
    row = found.only("box", "position").first()
    return Place(row.box, row.position) if row is not None and row.position is not None else None


def boxes_at(by: Actor) -> list[Box]:
    """Boxes of the actor's outlet or region in which cards wait, the oldest first; at most BOXES_MOST.

    From the few cards that wait to their boxes: of those that were ever made there are millions.
    """
    require(by, Permission.CARD_HAND_OVER)
    left = Q(case__status=CaseStatus.READY)
    boxed = _within(by).filter(position__isnull=False).order_by()
    here = boxed.filter(left).values_list("box", flat=True).distinct()[:_BOXES_READ]
    rows = boxed.filter(box__in=list(here)).values("box")
    found = rows.annotate(
        batch_number=Min("batch__number"),
        full=Count("pk"),
        waiting=Count("pk", filter=left),
        first=Min("position"),
        last=Max("position"),
        arrived=Min("batch__returned_at"),
    )
    return [
        Box(
            one["box"],
            one["batch_number"],
            one["full"],
            one["waiting"],
            (one["first"], one["last"]),
            one["arrived"],
        )
        for one in found.order_by("arrived", "box")[:BOXES_MOST]
    ]


def cards_in(box: str, by: Actor) -> QuerySet[Any]:
    """The cards of a box, place by place; raises NotFound for a box that holds none of the actor's."""
    require(by, Permission.CARD_HAND_OVER)
    given = CardEvent.objects.filter(card=OuterRef("case__card"), kind=CardAct.HAND_OVER)
    rows = _within(by).filter(box=box, position__isnull=False).select_related("case", "batch")
    rows = rows.annotate(is_given=Exists(given))
    if not rows.exists():
        raise NotFound("没有找到这个卡箱。请核对箱号。")
    return rows.order_by("position", "pk")


def held(row: Any) -> str:
    """Of a row of `cards_in`: waiting for its holder, given to him, or void (ended before it was fetched)."""
    if row.case.status == CaseStatus.READY:
        return "waiting"
    return "given" if row.is_given else "void"


def _within(by: Actor) -> QuerySet[BatchRow]:
    """Cards made for this actor's outlet, and those of his region that chose none; of his bank only at a bank's."""
    rows = BatchRow.objects.filter(position__isnull=False, case__division_code__startswith=by.scope)
    if by.bank:
        rows = rows.filter(case__bank=by.bank)
    if by.outlet_id:
        rows = rows.filter(Q(case__outlet=by.outlet_id) | Q(case__outlet=None))
    return rows
