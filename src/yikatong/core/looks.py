"""The log of who looked, written in the same transaction as the look (Guangdong art. 17, PIPL art. 44)."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from django.db.models import QuerySet

from yikatong.core.actor import Actor, Role
from yikatong.core.clock import day_of
from yikatong.core.models import Look


def record(
    holder_ids: UUID | Iterable[UUID],
    *,
    by: Actor,
    at: datetime,
    purpose: str,
    fields: Sequence[str],
    ground: str = "",
) -> None:
    """Write one row per holder looked at. A holder's look at himself is no look by another, and is not written."""
    ids = [holder_ids] if isinstance(holder_ids, UUID) else list(holder_ids)
    Look.objects.bulk_create(
        Look(
            day=day_of(at),
            at=at,
            holder_id=holder_id,
            looker_id=by.id,
            looker_name=by.name,
            looker_role=by.role,
            organisation=by.organisation,
            channel=by.channel,
            purpose=purpose,
            ground=ground,
            fields=list(fields),
        )
        for holder_id in ids
        if not (by.role is Role.HOLDER and by.id == holder_id)
    )


def of_holder(
    holder_id: UUID, *, since: datetime | None = None, before: datetime | None = None
) -> QuerySet[Look]:
    """Looks at this holder's record, latest first; those in [since, before) from the tables of those days only."""
    found = Look.objects.filter(holder_id=holder_id).order_by("-at", "-id")
    if since is not None:
        found = found.filter(day__gte=day_of(since), at__gte=since)
    if before is not None:
        found = found.filter(day__lte=day_of(before), at__lt=before)
    return found
