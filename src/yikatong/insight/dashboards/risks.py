"""Open risks a leader should act on, the gravest first: each is counted by one statement over small tables."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum
from typing import Any

from django.db import connection
from django.db.models import Q

from yikatong.core.clock import day_of
from yikatong.insight.dashboards.models import Refresh, RefusalMinute
from yikatong.insight.dashboards.scope import Scope
from yikatong.insight.dashboards.terminals import Fleet, Group
from yikatong.registry.cards.models import CLOCKED, Case
from yikatong.registry.catalogue.models import Place

BURST_TIMES = 5  # the last hour against the place's mean hour
BURST_REFUSALS_MIN = 10  # two refusals after none are no burst
BURSTS_SHOWN = 3
STALLED_AFTER = timedelta(minutes=2)


class Level(IntEnum):
    HIGH = 3
    MIDDLE = 2
    LOW = 1

    @property
    def label(self) -> str:
        return {3: "高", 2: "中", 1: "低"}[self.value]


@dataclass(frozen=True, slots=True)
class Risk:
    """`since` None: the state of this moment."""

    level: Level
    text: str
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Burst:
    """Refusals of a place in the last hour, and of its mean hour in the week before."""

    place: str
    refused: int
    mean: float
    since: datetime


# Places judged by refusals alone: those without any in the last hour are never looked at.
_BURSTS = f"""
WITH recent AS (
    SELECT place_id, sum(count)::bigint AS refused, min(minute) AS since
    FROM {RefusalMinute._meta.db_table} WHERE minute >= %(hour)s AND minute < %(at)s
    GROUP BY 1 HAVING sum(count) >= %(least)s
), usual AS (
    SELECT place_id, sum(count) / 168.0 AS mean
    FROM {RefusalMinute._meta.db_table} WHERE minute >= %(week)s AND minute < %(hour)s
    AND place_id IN (SELECT place_id FROM recent) GROUP BY 1
)
SELECT p.name, r.refused, coalesce(u.mean, 0)::float8, r.since
FROM recent r JOIN {Place._meta.db_table} p ON p.id = r.place_id LEFT JOIN usual u USING (place_id)
WHERE r.refused > %(times)s * coalesce(u.mean, 0)
AND (%(prefixes)s::text[] IS NULL OR p.division_code LIKE ANY(%(prefixes)s))
ORDER BY r.refused DESC, p.number
"""  # noqa: S608 - our own table names


def open_risks(
    scope: Scope, fleet: Fleet, *, list_max_age: timedelta, at: datetime, city: str | None = None
) -> list[Risk]:
    """Risks within the scope (or one city of it), the gravest first."""
    cities = (city,) if city else scope.cities
    names = {tile.code: tile.short for tile in scope.tiles}
    found = [
        *_stalled(at),
        *_bursts(bursts(cities, at=at)),
        *_old_lists(fleet, list_max_age),
        *_silent(fleet, names),
        *_queues(fleet, names),
        *_overdue(cities, at),
    ]
    return sorted(found, key=lambda risk: -risk.level)


def bursts(cities: tuple[str, ...] | None, *, at: datetime) -> list[Burst]:
    """Places whose refusals of the last hour exceed five times their mean hour, the most refusals first."""
    facts: dict[str, Any] = {
        "at": at,
        "hour": at - timedelta(hours=1),
        "week": at - timedelta(hours=1, days=7),
        "least": BURST_REFUSALS_MIN,
        "times": BURST_TIMES,
        "prefixes": None if cities is None else [prefix(code) + "%" for code in cities],
    }
    with connection.cursor() as cursor:
        cursor.execute(_BURSTS, facts)
        return [Burst(*row) for row in cursor.fetchall()]


def prefix(city_code: str) -> str:
    """What the codes of a city's divisions begin with: four digits, two of a whole province, six of a district."""
    for ending in ("0000", "00"):
        if city_code.endswith(ending):
            return city_code.removesuffix(ending)
    return city_code


def _stalled(at: datetime) -> Iterator[Risk]:
    """Without this the board would show old numbers as if they were now."""
    last = Refresh.objects.filter(kind=Refresh.Kind.USES).first()
    if last is None or at - last.at > STALLED_AFTER:
        yield Risk(Level.HIGH, "用卡统计停止更新，数字已旧", last.at if last else None)


def _bursts(found: list[Burst]) -> Iterator[Risk]:
    for burst in found[:BURSTS_SHOWN]:
        usual = f"平时每小时 {burst.mean:.1f} 次" if burst.mean else "此前一周没有拒绝"
        yield Risk(Level.HIGH, f"{burst.place} 近 1 小时拒绝 {burst.refused} 次，{usual}", burst.since)
    if len(found) > BURSTS_SHOWN:
        yield Risk(Level.HIGH, f"另有 {len(found) - BURSTS_SHOWN} 处场所拒绝突增")


def _old_lists(fleet: Fleet, list_max_age: timedelta) -> Iterator[Risk]:
    if fleet.lists.p99 is not None and fleet.lists.p99 > list_max_age:
        hours = int(fleet.lists.p99.total_seconds() // 3600)
        yield Risk(Level.HIGH, f"部分终端名单已过旧 {hours} 小时，将拒绝离线核验")


def _silent(fleet: Fleet, names: dict[str, str]) -> Iterator[Risk]:
    if fleet.silent:
        most = _most(fleet, "silent", names)
        yield Risk(Level.MIDDLE, f"{fleet.silent} 台终端超过 24 小时未联系{most}")


def _queues(fleet: Fleet, names: dict[str, str]) -> Iterator[Risk]:
    if fleet.queueing:
        most = _most(fleet, "queueing", names)
        yield Risk(Level.LOW, f"{fleet.queueing} 台终端有离线用卡 {fleet.queued_uses} 笔待上传{most}")


def _most(fleet: Fleet, what: str, names: dict[str, str]) -> str:
    """，成都最多, where more than one city is concerned."""
    by_city: dict[str, int] = {}
    for group in fleet.groups:
        by_city[group.city_code] = by_city.get(group.city_code, 0) + _number(group, what)
    concerned = {code: number for code, number in by_city.items() if number}
    if len(concerned) < 2:
        return ""
    code = max(concerned, key=lambda key: concerned[key])
    return f"，{names.get(code, '其他地区')}最多"


def _number(group: Group, what: str) -> int:
    return int(getattr(group, what))


def _overdue(cities: tuple[str, ...] | None, at: datetime) -> Iterator[Risk]:
    late = Case.objects.filter(status__in=CLOCKED, step_due_on__lt=day_of(at))
    if cities is not None:
        within = Q()
        for code in cities:
            within |= Q(division_code__startswith=prefix(code))
        late = late.filter(within)
    if count := late.count():
        yield Risk(Level.MIDDLE, f"{count} 件受理单超过办理时限")
