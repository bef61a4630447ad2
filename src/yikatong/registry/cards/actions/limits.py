"""Limits already set follow the public holidays entered after them (工作日, Sichuan art. 14)."""

from collections.abc import Callable
from datetime import date, datetime
from functools import cache
from typing import Final
from uuid import UUID

from django.db import connection, transaction

from yikatong.core import audit
from yikatong.core.actor import Actor
from yikatong.core.clock import day_of
from yikatong.registry.cards import rules
from yikatong.registry.cards.models import CLOCKED, Case, CaseStatus
from yikatong.registry.regions.calendar import calendar
from yikatong.registry.regions.law import province

_CHUNK: Final = 2_000
_FIRST: Final = (date.min, UUID(int=0))

# Each with the moment its time began: batch and making have one limit. What is over stays over, it was reported; the
# day by which a holder was asked to correct stays too, he was told.
_RUNNING: Final = f"""
SELECT c.id, c.status, c.days_left, c.step_due_on, (
    SELECT max(s.at) FROM cards_casestep s
    WHERE s.case_id = c.id AND s.status = CASE c.status WHEN 'producing' THEN 'preopened' ELSE c.status END)
FROM cards_case c
WHERE c.status IN ({", ".join(f"'{status.value}'" for status in CLOCKED)})
    AND c.step_due_on >= %(day)s AND (c.step_due_on, c.id) > (%(due)s, %(id)s)
ORDER BY c.step_due_on, c.id LIMIT %(chunk)s
"""  # noqa: S608 - constants
# A case that has gone on meanwhile has its limit by the new calendar already.
_RENEW: Final = """
UPDATE cards_case c SET step_due_on = v.due_on
FROM unnest(%s::uuid[], %s::text[], %s::date[]) AS v (id, status, due_on)
WHERE c.id = v.id AND c.status = v.status
"""


def renew_limits(*, by: Actor, at: datetime) -> int:
    """Count the limits that run anew by the calendar in force; returns how many have moved. Restartable."""
    place: tuple[date, UUID] | None = _FIRST
    total = 0
    while place is not None:
        moved, place = _chunk(place, at)
        total += moved
    audit.record("cards:limits:renewed", subject="calendar", by=by, at=at, rows=total)
    return total


@transaction.atomic
def _chunk(after: tuple[date, UUID], at: datetime) -> tuple[int, tuple[date, UUID] | None]:
    workday = cache(calendar(day_of(at)).add)
    with connection.cursor() as cursor:
        cursor.execute(_RUNNING, {"day": day_of(at), "due": after[0], "id": after[1], "chunk": _CHUNK})
        rows = cursor.fetchall()
        moved = [
            (key, status, due)
            for key, status, left, old, begun in rows
            if begun is not None and (due := _due(status, left, day_of(begun), workday)) != old
        ]
        if moved:
            cursor.execute(_RENEW, [list(column) for column in zip(*moved, strict=True)])
    return len(moved), (rows[-1][3], rows[-1][0]) if len(rows) == _CHUNK else None


def _due(status: str, left: int | None, begun: date, workday: Callable[[date, int], date]) -> date | None:
    step = CaseStatus.PREOPENED if status == CaseStatus.PRODUCING else CaseStatus(status)
    return rules.due_on(Case(status=step, days_left=left), step, begun, province(), workday)
