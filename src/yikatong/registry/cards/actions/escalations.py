"""超期督办: a step over its limit rises to the supervisors of its region, once (Sichuan art. 14)."""

from datetime import date, datetime
from typing import Final
from uuid import UUID

from django.db import connection, transaction

from yikatong.core import audit
from yikatong.core.actor import SYSTEM, Actor
from yikatong.core.clock import day_of
from yikatong.core.errors import NotFound
from yikatong.core.ids import uuid7
from yikatong.core.permissions import Permission, require
from yikatong.registry.cards import refusals
from yikatong.registry.cards.models import CLOCKED, Case, Escalation

_CHUNK: Final = 2_000
_FIRST: Final = (date.min, UUID(int=0))

# By the index of the clocked, from where the last chunk ended; a case held by another act waits an hour.
_LATE: Final = f"""
SELECT c.id, c.status, c.step_due_on, c.division_code, c.holder_id FROM cards_case c
WHERE c.status IN ({", ".join(f"'{status.value}'" for status in CLOCKED)})
    AND c.step_due_on < %(day)s AND (c.step_due_on, c.id) > (%(due)s, %(id)s)
ORDER BY c.step_due_on, c.id LIMIT %(chunk)s FOR NO KEY UPDATE OF c SKIP LOCKED
"""  # noqa: S608 - constants


def escalate_overdue(*, at: datetime) -> int:
    """Report each late step that has not been; returns how many. A job of each hour, restartable."""
    place: tuple[date, UUID] | None = _FIRST
    total = 0
    while place is not None:
        made, place = _chunk(place, at)
        total += made
    return total


@transaction.atomic
def _chunk(after: tuple[date, UUID], at: datetime) -> tuple[int, tuple[date, UUID] | None]:
    with connection.cursor() as cursor:
        cursor.execute(_LATE, {"day": day_of(at), "due": after[0], "id": after[1], "chunk": _CHUNK})
        rows = cursor.fetchall()
    known = set(
        Escalation.objects.filter(case__in=[row[0] for row in rows]).values_list(
            "case_id", "status", "due_on"
        )
    )
    fresh = [row for row in rows if row[:3] not in known]
    Escalation.objects.bulk_create(
        Escalation(id=uuid7(), case_id=case, status=status, due_on=due, division_code=division, at=at)
        for case, status, due, division, _ in fresh
    )
    audit.record_all(
        audit.entry(
            "cards:case:escalated", subject=f"case:{case}", holder_id=holder, by=SYSTEM, at=at, status=status
        )
        for case, status, _, _, holder in fresh
    )
    return len(fresh), (rows[-1][2], rows[-1][0]) if len(rows) == _CHUNK else None


@transaction.atomic
def give_order(case_id: UUID, *, order: str, by: Actor, at: datetime) -> Escalation:
    """督办意见 of a supervisor on the step that is late now; whoever opens the case reads it."""
    require(by, Permission.CASE_OVERSEE)
    if not order.strip():
        raise refusals.NoteMissing("请填写督办意见，承办人员可以看到。")
    found = Escalation.objects.select_for_update(no_key=True).filter(case_id=case_id, closed_at=None)
    escalation = found.order_by("-at", "-id").first()
    if escalation is None or not by.covers(escalation.division_code):
        raise NotFound("这件受理单当前没有超期督办。")
    escalation.order, escalation.ordered_at, escalation.ordered_by = order.strip()[:200], at, by.name
    escalation.save(update_fields=["order", "ordered_at", "ordered_by"])
    holder = Case.objects.values_list("holder_id", flat=True).get(pk=case_id)
    audit.record("cards:case:ordered", subject=f"case:{case_id}", holder_id=holder, by=by, at=at)
    return escalation
