"""How the terminals are: who is in contact, whose hot list is old, who holds uses back."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from yikatong.registry.access.models import Terminal, TerminalState
from yikatong.using.codes.models import ListVersion

ONLINE_WITHIN = timedelta(minutes=10)
SILENT_AFTER = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Group:
    city_code: str
    domain_code: str
    count: int
    online: int
    silent: int
    queueing: int
    queued_uses: int


@dataclass(frozen=True, slots=True)
class ListAge:
    """How long terminals have been without the newest hot list: the 99th percentile, and how many never said.

    `p99` None: no list has been published yet, or no terminal has told its version.
    """

    p99: timedelta | None
    untold: int


@dataclass(frozen=True, slots=True)
class Fleet:
    """Enrolled terminals, by city and domain."""

    groups: tuple[Group, ...]
    lists: ListAge

    @property
    def count(self) -> int:
        return sum(group.count for group in self.groups)

    @property
    def online(self) -> int:
        return sum(group.online for group in self.groups)

    @property
    def offline(self) -> int:
        return self.count - self.online

    @property
    def silent(self) -> int:
        return sum(group.silent for group in self.groups)

    @property
    def queueing(self) -> int:
        return sum(group.queueing for group in self.groups)

    @property
    def queued_uses(self) -> int:
        return sum(group.queued_uses for group in self.groups)

    def of_city(self, code: str) -> int:
        return sum(group.count for group in self.groups if group.city_code == code)

    def of_domain(self, code: str) -> int:
        return sum(group.count for group in self.groups if group.domain_code == code)


_WHICH = f"""
FROM {Terminal._meta.db_table} t LEFT JOIN {TerminalState._meta.db_table} s ON s.terminal_id = t.id
WHERE t.status = 'enrolled'
AND (%(cities)s::text[] IS NULL OR t.city_code = ANY(%(cities)s))
AND (%(domain)s::text IS NULL OR t.domain_code = %(domain)s)
"""
_GROUPS = f"""
SELECT t.city_code, t.domain_code, count(*),
    count(*) FILTER (WHERE s.seen_at >= %(online_since)s),
    count(*) FILTER (WHERE s.seen_at IS NULL OR s.seen_at < %(silent_before)s),
    count(*) FILTER (WHERE s.offline_uses > 0),
    coalesce(sum(s.offline_uses), 0)::bigint
{_WHICH} GROUP BY 1, 2
"""
# A list is as old as the first one of its scene that the terminal has not fetched; a terminal as the oldest of its
# scenes. Few versions are held at one time, so each is looked up once.
_LISTS = f"""
WITH fleet AS (
    SELECT t.id, t.scenes, coalesce(s.hot_versions, '{{}}') AS told {_WHICH}
), held AS (
    SELECT id, scene, coalesce((told ->> scene::text)::bigint, 0) AS version
    FROM fleet, unnest(scenes) AS scene WHERE told <> '{{}}'
), aged AS (
    SELECT scene, version, coalesce((
        SELECT %(at)s - made_at FROM {ListVersion._meta.db_table} l
        WHERE l.kind = 'hot' AND l.scene = one.scene AND l.version > one.version ORDER BY l.version LIMIT 1
    ), interval '0') AS age FROM (SELECT DISTINCT scene, version FROM held) one
), worst AS (
    SELECT max(age) AS age FROM held JOIN aged USING (scene, version) GROUP BY id
), ranked AS (
    SELECT age, sum(count(*)) OVER (ORDER BY age) AS upto, sum(count(*)) OVER () AS whole FROM worst GROUP BY age
)
SELECT (SELECT min(age) FROM ranked WHERE upto >= 0.99 * whole), (SELECT count(*) FROM fleet WHERE told = '{{}}')
"""  # noqa: S608


def fleet(cities: tuple[str, ...] | None, *, domain: str | None = None, at: datetime) -> Fleet:
    """Enrolled terminals of these cities (None: all) and this domain (None: all)."""
    facts: dict[str, Any] = {
        "cities": None if cities is None else list(cities),
        "domain": domain,
        "at": at,
        "online_since": at - ONLINE_WITHIN,
        "silent_before": at - SILENT_AFTER,
    }
    with connection.cursor() as cursor:
        cursor.execute(_GROUPS, facts)
        groups = tuple(Group(*row) for row in cursor.fetchall())
        cursor.execute(_LISTS, facts)
        p99, untold = cursor.fetchone()
    return Fleet(groups, ListAge(p99, untold))
