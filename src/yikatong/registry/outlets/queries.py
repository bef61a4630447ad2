"""Read outlets as a visitor asks: what is near, open now, offers this, and how many wait there."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import connection

from yikatong.core.clock import BEIJING, day_of
from yikatong.registry.outlets import hours, rules
from yikatong.registry.outlets.hours import Change, Plan, Span, Standing
from yikatong.registry.outlets.models import HoursChange, OpenHours, QueueState
from yikatong.registry.regions.calendar import calendar
from yikatong.registry.regions.models import Outlet
from yikatong.registry.regions.nearest import Near, Point, nearest

#: So many are shown at the most: the hundredth is no near one.
MOST: Final = 100


@dataclass(frozen=True, slots=True)
class Queue:
    """排队情况 as it may be told: a stale report says only that it is one."""

    waiting: int
    windows: int | None
    at: datetime
    is_stale: bool


@dataclass(frozen=True, slots=True)
class Shown:
    """An outlet as a visitor sees it; `metres` from where he asked, None where he named no place."""

    outlet: Outlet
    standing: Standing | None
    queue: Queue | None
    metres: int | None = None

    @property
    def services(self) -> list[str]:
        return services_of(self.outlet)

    @property
    def facilities(self) -> list[str]:
        return [rules.FACILITIES[key] for key in self.outlet.facilities if key in rules.FACILITIES]


def services_of(outlet: Outlet) -> list[str]:
    return [*outlet.services, *([rules.AT_ONCE] if outlet.issues_at_once else [])]


def near(origin: Point, *, service: str = "", open_now: bool = False, at: datetime, most: int) -> list[Near]:
    """Open outlets, the nearest first; `open_now` leaves out those without hours entered."""
    where, facts = _fitting(service, open_now=open_now, at=at)
    return nearest("regions_outlet", origin, where=where, facts=facts, most=min(most, MOST))


def of_division(
    code: str, *, service: str = "", open_now: bool = False, at: datetime, most: int
) -> list[UUID]:
    """Open outlets of a division, by number; "" for all of the province."""
    where, facts = _fitting(service, open_now=open_now, at=at)
    fit = " AND ".join(["t.is_open", "t.division_code LIKE %(within)s", *where])
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT t.id FROM regions_outlet t WHERE {fit} ORDER BY t.number LIMIT %(most)s",  # noqa: S608 - constants
            facts | {"within": f"{code}%", "most": min(most, MOST)},
        )
        return [row[0] for row in cursor.fetchall()]


def offering(service: str) -> int:
    """How many open outlets offer this."""
    return Outlet.objects.filter(is_open=True, services__contains=[service]).count()


def shown(found: Iterable[Near] | Iterable[UUID], *, at: datetime) -> list[Shown]:
    """These outlets with hours and queue, in this order, in four queries."""
    given = [one if isinstance(one, Near) else Near(one, -1) for one in found]
    outlets = Outlet.objects.select_related("organisation").in_bulk([one.key for one in given])
    plans, queues = plans_of(outlets, at=at), queues_of(outlets, at=at)
    days = calendar(day_of(at))
    told = []
    for one in given:
        if one.key in outlets:
            now = hours.standing(plans[one.key], at, days)
            is_closed = now is not None and not now.is_open  # nobody waits behind a closed door
            queue = None if is_closed else queues.get(one.key)
            told.append(Shown(outlets[one.key], now, queue, one.metres if one.metres >= 0 else None))
    return told


def plans_of(keys: Iterable[UUID], *, at: datetime) -> dict[UUID, Plan]:
    """Week plans, with the changes from today on."""
    wanted = list(keys)
    weeks: dict[UUID, dict[int, list[Span]]] = {key: {} for key in wanted}
    for one in OpenHours.objects.filter(outlet__in=wanted):
        weeks[one.outlet_id].setdefault(one.kind, []).append(Span(one.opens, one.closes))
    changes: dict[UUID, list[Change]] = {key: [] for key in wanted}
    for change in HoursChange.objects.filter(outlet__in=wanted, until__gte=day_of(at)).order_by("created_at"):
        changes[change.outlet_id].append(_change(change))
    return {key: Plan(weeks[key], changes[key]) for key in wanted}


def queues_of(keys: Iterable[UUID], *, at: datetime) -> dict[UUID, Queue]:
    """The last report of each, if it is of today: yesterday's says nothing to anyone."""
    stale = rules.stale_after()
    rows = QueueState.objects.filter(outlet__in=list(keys))
    return {
        one.outlet_id: Queue(one.waiting, one.windows, one.at, at - one.at > stale)
        for one in rows
        if day_of(one.at) == day_of(at)
    }


def _change(one: HoursChange) -> Change:
    span = Span(one.opens, one.closes) if one.opens and one.closes else None
    return Change(one.since, one.until, span, one.reason)


def _fitting(service: str, *, open_now: bool, at: datetime) -> tuple[list[str], dict[str, Any]]:
    """Conditions on the row `t` of an outlet."""
    where: list[str] = []
    facts: dict[str, Any] = {}
    if service == rules.AT_ONCE:
        where.append("t.issues_at_once")
    elif service:
        where.append("t.services @> ARRAY[%(service)s]::varchar[]")
        facts["service"] = service
    if open_now:
        where.append(_OPEN_NOW)
        day = day_of(at)
        facts |= {
            "day": day,
            "kind": int(hours.kind_of(day, calendar(day))[0]),
            "time": at.astimezone(BEIJING).time(),
        }
    return where, facts


# The last change of the day decides, if there is one; else the plan of this kind of day. Not EXISTS: for the nearest
# twenty the planner would read the hours of all outlets into a table first.
_OPEN_NOW: Final = """
coalesce(
    (SELECT coalesce(c.opens <= %(time)s AND %(time)s < c.closes, false) FROM outlets_hourschange c
     WHERE c.outlet_id = t.id AND c.since <= %(day)s AND c.until >= %(day)s ORDER BY c.created_at DESC LIMIT 1),
    (SELECT true FROM outlets_openhours h
     WHERE h.outlet_id = t.id AND h.kind = %(kind)s AND h.opens <= %(time)s AND %(time)s < h.closes LIMIT 1),
    false)
"""
