"""Departments' limits already set follow the public holidays entered after them (工作日, Sichuan art. 14)."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime
from typing import Final
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from yikatong.core import audit
from yikatong.core.actor import Actor
from yikatong.core.clock import day_of
from yikatong.core.workdays import Calendar
from yikatong.registry.joint import moves, plans, rules
from yikatong.registry.joint.models import JointItem, JointStep
from yikatong.registry.regions.calendar import calendar
from yikatong.registry.regions.law import province

_CHUNK: Final = 1_000
_FIRST: Final = (date.min, UUID(int=0))


def renew_limits(*, by: Actor, at: datetime) -> int:
    """Count the limits that run anew by the calendar in force; returns how many have moved. Restartable.

    What is over stays over, it was reported; the day by which an applicant was asked to correct stays, he was told.
    """
    place: tuple[date, UUID] | None = _FIRST
    total = 0
    while place is not None:
        moved, place = _chunk(place, at)
        total += moved
    audit.record("joint:limits:renewed", subject="calendar", by=by, at=at, rows=total)
    return total


@transaction.atomic
def _chunk(after: tuple[date, UUID], at: datetime) -> tuple[int, tuple[date, UUID] | None]:
    due, key = after
    running = JointItem.objects.filter(status__in=rules.CLOCKED, due_on__gte=day_of(at))
    later = running.filter(Q(due_on__gt=due) | Q(due_on=due, pk__gt=key)).select_related("joint")
    items = list(later.select_for_update(no_key=True, of=("self",)).order_by("due_on", "pk")[:_CHUNK])
    last = (items[-1].due_on, items[-1].pk) if len(items) == _CHUNK else None
    passed, days = _passed(items), calendar(day_of(at), until=items[-1].due_on if items else None)
    moved = [one for one in items if _renewed(one, passed[one.pk], days)]
    JointItem.objects.bulk_update(moved, ["due_on"])
    return len(moved), last  # type: ignore[return-value]  # what runs has a limit


def _passed(items: Iterable[JointItem]) -> dict[UUID, list[tuple[str, date]]]:
    """The steps of each part: its status, and the day it began."""
    steps: dict[UUID, list[tuple[str, date]]] = defaultdict(list)
    rows = JointStep.objects.filter(item__in=items).order_by("at", "pk")
    for item, status, begun in rows.values_list("item_id", "status", "at"):
        steps[item].append((status, day_of(begun)))
    return steps


def _renewed(item: JointItem, steps: list[tuple[str, date]], by: Calendar) -> bool:
    """Whether the limit moves; the part holds it then."""
    days = rules.limit(plans.plan_of(item.joint.kind, item.key), province().joint)
    due = due_after(steps, days, by)
    if due in {None, item.due_on}:
        return False
    item.due_on = due
    return True


def due_after(steps: Iterable[tuple[str, date]], days: int, by: Calendar) -> date | None:
    """Where `moves` would have put the limit, had this calendar been known all along."""
    due: date | None = None
    left: int | None = None
    for status, day in steps:
        match status:
            case JointItem.Status.SENDING:
                due, left = by.add(day, days if left is None else max(left, 1)), None
            case JointItem.Status.CORRECTING:
                left = by.between(day, due) if due is not None else None
            case JointItem.Status.ACCEPTED | moves.CORRECTED:
                pass
            case _:
                due = left = None
    return due
