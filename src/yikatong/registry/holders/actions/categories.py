"""优待类别: proven concessions with their periods (Guangdong art. 7, Ningxia art. 9)."""

from datetime import date, datetime
from uuid import UUID

from django.db import transaction

from yikatong.core.actor import Actor
from yikatong.core.constraints import refusing
from yikatong.core.errors import DomainError
from yikatong.core.permissions import Permission, require
from yikatong.registry.holders import rules
from yikatong.registry.holders.actions.records import locked, note
from yikatong.registry.holders.models import Category


class CategoryOverlaps(DomainError):
    code = "category_exists"
    message = "该优待类别在这一起始日期已经登记。"


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
    """Record a proven concession; `valid_until` is the first day on which it no longer holds."""
    require(by, Permission.HOLDER_REGISTER)
    holder = locked(holder_id, by=by)
    if kind not in Category.Kind.values or not source.strip():
        raise rules.BadCategory
    if valid_until is not None and valid_until <= valid_from:
        raise rules.BadCategory("截止日期应晚于起始日期，请核对。")
    with refusing({"category_once_a_period": CategoryOverlaps}):
        category = Category.objects.create(
            holder=holder,
            kind=kind,
            valid_from=valid_from,
            valid_until=valid_until,
            source=source.strip(),
            evidence=evidence,
        )
    note("category_added", holder, by=by, at=at, kind=kind)
    return category
