"""The log of who looked, written in the same transaction as the look (Guangdong art. 17, PIPL art. 44)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from uuid import UUID

from django.db.models import F, Q, QuerySet
from django.db.models.functions import Left

from yikatong.core.actor import Actor, Role
from yikatong.core.clock import day_of
from yikatong.core.copying import copy_in
from yikatong.core.models import Look

_CITY: Final = 4  # digits of a division code that say its city, as the index has them


@dataclass(frozen=True, slots=True)
class Asked:
    """Which looks: those of the days `since` to `until`, both included, each of the rest only where it is given.

    `region`: a division-code prefix; only looks of staff whose own region lies within it.
    """

    since: date
    until: date
    region: str = ""
    looker: str = ""
    looker_ids: tuple[UUID, ...] = ()
    organisation: str = ""
    holder: UUID | None = None


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
    copy_in(
        Look(
            day=day_of(at),
            at=at,
            holder_id=holder_id,
            looker_id=by.id,
            looker_name=by.name,
            looker_role=by.role,
            looker_scope=by.scope,
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


def asked_for(asked: Asked, *, after: tuple[datetime, UUID] | None = None) -> QuerySet[Look]:
    """Latest first; behind the look `after` (its time and id). A page of it is read by index, day by day."""
    found = Look.objects.filter(day__gte=asked.since, day__lte=asked.until).order_by("-at", "-id")
    if asked.region:
        found = found.alias(city=Left(F("looker_scope"), _CITY)).filter(looker_scope__startswith=asked.region)
        found = found.filter(city=asked.region[:_CITY]) if len(asked.region) >= _CITY else found
    if asked.looker_ids:
        found = found.filter(looker_id__in=asked.looker_ids)
    exact = {"looker_name": asked.looker, "organisation": asked.organisation, "holder_id": asked.holder}
    found = found.filter(**{name: value for name, value in exact.items() if value})
    if after is None:
        return found
    at, key = after
    return found.filter(Q(at__lt=at) | Q(at=at, id__lt=key), at__lte=at, day__lte=day_of(at))
