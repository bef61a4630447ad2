"""优待类别: proven concessions, switched on and off by their dates (Guangdong art. 7, Ningxia art. 9)."""

from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from django.db import connection, transaction

from yikatong.core import audit
from yikatong.core.actor import SYSTEM, Actor
from yikatong.core.clock import day_of
from yikatong.core.constraints import refusing
from yikatong.core.errors import DomainError, NotFound
from yikatong.core.models import AuditEntry
from yikatong.core.permissions import Permission, require
from yikatong.registry.holders import refusals, rules
from yikatong.registry.holders.actions.records import active, locked, note
from yikatong.registry.holders.models import Category

_CHUNK: Final = 1_000
# A period that passed while no job ran goes straight to its end.
_BEGIN: Final = """
UPDATE holders_category SET state = CASE WHEN valid_until <= %(day)s THEN 'off' ELSE 'on' END
WHERE id IN (SELECT id FROM holders_category WHERE state = 'coming' AND valid_from <= %(day)s
             ORDER BY valid_from LIMIT %(most)s FOR UPDATE SKIP LOCKED)
RETURNING holder_id, id, state
"""
_END: Final = """
UPDATE holders_category SET state = 'off'
WHERE id IN (SELECT id FROM holders_category WHERE state = 'on' AND valid_until <= %(day)s
             ORDER BY valid_until LIMIT %(most)s FOR UPDATE SKIP LOCKED)
RETURNING holder_id, id, state
"""


class CategoryOverlaps(DomainError):
    code = "category_exists"
    message = "该优待类别在这一起始日期已经登记，不需要重复登记；期限有误的，请先终止原登记。"


@transaction.atomic
def add_category(  # noqa: PLR0913 - the fields of one proof
    holder_id: UUID,
    *,
    kind: str,
    valid_from: date,
    valid_until: date | None = None,
    source: str,
    evidence: str = "",
    by: Actor,
    at: datetime,
) -> Category:
    """Record a proven concession; `valid_until` is the first day on which it no longer holds.

    Raises HolderEnded, BadCategory, NotYetElder, CategoryOverlaps.
    """
    require(by, Permission.HOLDER_REGISTER)
    holder = active(holder_id, by=by)
    rules.check_category(holder, kind, source, valid_from, valid_until)
    with refusing({"category_once_a_period": CategoryOverlaps}):
        category = Category.objects.create(
            holder=holder,
            kind=kind,
            valid_from=valid_from,
            valid_until=valid_until,
            source=source.strip(),
            evidence=evidence.strip()[:100] or None,
            state=rules.state_on(valid_from, valid_until, day_of(at)),
            created_at=at,
            created_by=by.name,
        )
    note("category_added", holder, by=by, at=at, category=str(category.pk))
    return category


@transaction.atomic
def end_category(
    category_id: UUID, *, on: date | None = None, reason: str, by: Actor, at: datetime
) -> Category:
    """The concession holds no longer from a day on (today); one that has not begun never held.

    Raises EndsInThePast, CategoryEnded, ReasonTooShort.
    """
    require(by, Permission.HOLDER_REGISTER)
    holder_id = Category.objects.filter(pk=category_id).values_list("holder_id", flat=True).first()
    if holder_id is None:
        raise NotFound("没有找到这项优待类别。请核对后重试。")
    holder, today = locked(holder_id, by=by), day_of(at)
    category, last = Category.objects.select_for_update().get(pk=category_id), on or today
    if last < today:
        raise refusals.EndsInThePast
    if category.valid_until is not None and category.valid_until <= last:
        raise refusals.CategoryEnded
    category.end_reason, category.valid_until = rules.reason(reason), max(last, category.valid_from)
    category.state = rules.state_on(category.valid_from, category.valid_until, today)
    category.save(update_fields=["valid_until", "end_reason", "state"])
    note(
        "category_ended", holder, by=by, at=at, category=str(category.pk), on=category.valid_until.isoformat()
    )
    return category


def switch_categories(*, at: datetime) -> int:
    """Switch on what begins today, and off what ends; how many. Set-based, restartable, each with its audit."""
    total = 0
    for statement in (_BEGIN, _END):
        while switched := _switch(statement, at):
            total += switched
    return total


@transaction.atomic
def _switch(statement: str, at: datetime) -> int:
    facts: dict[str, Any] = {"day": day_of(at), "most": _CHUNK}
    with connection.cursor() as cursor:
        cursor.execute(statement, facts)
        switched = cursor.fetchall()
    audit.record_all(_switched(holder_id, category, state, at) for holder_id, category, state in switched)
    return len(switched)


def _switched(holder_id: UUID, category: UUID, state: str, at: datetime) -> AuditEntry:
    """It names the entry and not its kind: the log is no register of illness and poverty."""
    event, subject = f"holders:holder:category_{state}", f"holder:{holder_id}"
    return audit.entry(event, subject=subject, holder_id=holder_id, by=SYSTEM, at=at, category=str(category))
