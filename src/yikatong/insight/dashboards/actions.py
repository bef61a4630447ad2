"""Bring the counts up to date. Every act may be repeated: it replaces what it counts, whole minutes at a time.

No one is asked for permission and nothing is audited: these are jobs over counts, without persons in them.
"""

from collections.abc import Collection
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.db import connection, transaction

from yikatong.core.clock import BEIJING, day_of
from yikatong.core.errors import DomainError
from yikatong.insight.dashboards.models import Refresh, RefusalMinute, Stock, UseDay, UseHour, UseMinute
from yikatong.registry.cards.models import LIVE, Card, ECard
from yikatong.registry.holders.models import Holder
from yikatong.using.usage.models import Use

WINDOW = timedelta(minutes=5)
COMMIT_LAG = timedelta(seconds=20)  # a use may be seen this long after its time of arrival
LONG_STOP = timedelta(hours=2)
UPLOADS_WITHIN = timedelta(days=9)  # the gate accepts uses handed in up to seven days late, by business days
MINUTES_KEPT = timedelta(days=40)  # a month back to the same minute, with room
HOURS_KEPT = timedelta(days=400)
REFUSALS_KEPT = timedelta(days=8)  # a week, and the running day
USES_KEPT = timedelta(days=3 * 365)  # retention of uses: older days cannot be counted again
LARGE = 5_000_000  # holders; beyond, the stock is counted once a day
_LOCK = 0x1A51  # one counter at a time, over all workers

_KEYS = "city_code, domain_code, method, is_offline, outcome"
_TABLES = {
    "uses": Use._meta.db_table,
    "minutes": UseMinute._meta.db_table,
    "hours": UseHour._meta.db_table,
    "days": UseDay._meta.db_table,
    "refusals": RefusalMinute._meta.db_table,
    "stock": Stock._meta.db_table,
    "holders": Holder._meta.db_table,
    "cards": Card._meta.db_table,
    "ecards": ECard._meta.db_table,
    "keys": _KEYS,
}

# Rows that would stay as they are, are not written again: most of a refresh finds nothing new.
_MINUTES = """
WITH fresh AS MATERIALIZED (
    SELECT date_trunc('minute', received_at) AS minute, {keys}, count(*) AS count, sum(amount_fen) AS amount_fen
    FROM {uses} WHERE received_at >= %(first)s AND received_at < %(last)s AND day >= %(oldest)s
    GROUP BY 1, {keys}
), gone AS (
    DELETE FROM {minutes} AS old WHERE minute >= %(first)s AND minute < %(last)s
    AND NOT EXISTS (SELECT FROM fresh WHERE (fresh.minute, fresh.city_code, fresh.domain_code, fresh.method,
        fresh.is_offline, fresh.outcome) = (old.minute, old.city_code, old.domain_code, old.method,
        old.is_offline, old.outcome))
)
INSERT INTO {minutes} AS old (minute, {keys}, count, amount_fen)
SELECT minute, {keys}, count, amount_fen FROM fresh
ON CONFLICT (minute, {keys}) DO UPDATE SET count = excluded.count, amount_fen = excluded.amount_fen
WHERE (old.count, old.amount_fen) IS DISTINCT FROM (excluded.count, excluded.amount_fen)
"""

_HOURS = """
WITH fresh AS MATERIALIZED (
    SELECT date_trunc('hour', minute) AS hour, {keys}, sum(count) AS count, sum(amount_fen) AS amount_fen
    FROM {minutes} WHERE minute >= %(first)s AND minute < %(last)s
    GROUP BY 1, {keys}
), gone AS (
    DELETE FROM {hours} AS old WHERE hour >= %(first)s AND hour < %(last)s
    AND NOT EXISTS (SELECT FROM fresh WHERE (fresh.hour, fresh.city_code, fresh.domain_code, fresh.method,
        fresh.is_offline, fresh.outcome) = (old.hour, old.city_code, old.domain_code, old.method,
        old.is_offline, old.outcome))
)
INSERT INTO {hours} AS old (hour, {keys}, count, amount_fen)
SELECT hour, {keys}, count, amount_fen FROM fresh
ON CONFLICT (hour, {keys}) DO UPDATE SET count = excluded.count, amount_fen = excluded.amount_fen
WHERE (old.count, old.amount_fen) IS DISTINCT FROM (excluded.count, excluded.amount_fen)
"""

_DAYS = """
WITH fresh AS MATERIALIZED (
    SELECT (hour AT TIME ZONE 'Asia/Shanghai')::date AS day, {keys},
        sum(count) AS count, sum(amount_fen) AS amount_fen
    FROM {hours} WHERE hour >= %(first)s AND hour < %(last)s
    GROUP BY 1, {keys}
), gone AS (
    DELETE FROM {days} AS old WHERE day >= %(first_day)s AND day < %(last_day)s
    AND NOT EXISTS (SELECT FROM fresh WHERE (fresh.day, fresh.city_code, fresh.domain_code, fresh.method,
        fresh.is_offline, fresh.outcome) = (old.day, old.city_code, old.domain_code, old.method,
        old.is_offline, old.outcome))
)
INSERT INTO {days} AS old (day, {keys}, count, amount_fen)
SELECT day, {keys}, count, amount_fen FROM fresh
ON CONFLICT (day, {keys}) DO UPDATE SET count = excluded.count, amount_fen = excluded.amount_fen
WHERE (old.count, old.amount_fen) IS DISTINCT FROM (excluded.count, excluded.amount_fen)
"""

_REFUSALS = """
WITH fresh AS MATERIALIZED (
    SELECT date_trunc('minute', received_at) AS minute, place_id, count(*) AS count
    FROM {uses} WHERE received_at >= %(first)s AND received_at < %(last)s
    AND outcome <> 0 AND place_id IS NOT NULL
    GROUP BY 1, 2
), gone AS (
    DELETE FROM {refusals} AS old WHERE minute >= %(first)s AND minute < %(last)s
    AND NOT EXISTS (SELECT FROM fresh WHERE (fresh.minute, fresh.place_id) = (old.minute, old.place_id))
)
INSERT INTO {refusals} AS old (minute, place_id, count) SELECT minute, place_id, count FROM fresh
ON CONFLICT (minute, place_id) DO UPDATE SET count = excluded.count WHERE old.count <> excluded.count
"""

# A holder's city is a district where districts are the board's tiles, else the prefecture.
_STOCK = """
WITH divided AS (
    SELECT 'holders' AS kind, division_code FROM {holders} WHERE status = 'active'
    UNION ALL SELECT 'cards', division_code FROM {cards} WHERE status = ANY(%(live)s)
    UNION ALL SELECT 'ecards', c.division_code FROM {ecards} e JOIN {cards} c ON c.id = e.card_id
        WHERE e.status = 'issued'
), fresh AS MATERIALIZED (
    SELECT CASE WHEN left(division_code, 6) = ANY(%(cities)s) THEN left(division_code, 6)
        ELSE left(division_code, 4) || '00' END AS city_code, kind, count(*) AS count
    FROM divided GROUP BY 1, 2
), gone AS (
    DELETE FROM {stock} AS old WHERE day = %(day)s
    AND NOT EXISTS (SELECT FROM fresh WHERE (fresh.city_code, fresh.kind) = (old.city_code, old.kind))
)
INSERT INTO {stock} AS old (day, city_code, kind, count) SELECT %(day)s, city_code, kind, count FROM fresh
ON CONFLICT (day, city_code, kind) DO UPDATE SET count = excluded.count WHERE old.count <> excluded.count
"""


class UsesGone(DomainError):
    code, status = "uses_gone", 409
    message = "该日期的用卡记录已过保存期限，不能重新统计，原有统计保留；请选择较近的日期。"


def refresh_minutes(*, at: datetime, window: timedelta = WINDOW) -> int:
    """Count again the minutes from `at - window` to the one of `at`; returns how many rows changed.

    A use counts in the minute it arrived, so a late upload never changes a minute that has passed.
    """
    first, last = _minutes(at, window)
    return _count(first, last, at=at)


def catch_up(*, at: datetime) -> int:
    """Count what has arrived since the last count; after a long stop whole days again. Returns changed rows.

    Looks only into the business days whose uses are still accepted: planning over three years of partitions takes
    longer than counting. What arrives later than that is refused; those refusals, and refusals by place, are
    counted by the next `refresh_minutes`.
    """
    counted = Refresh.objects.filter(kind=Refresh.Kind.USES).first()
    missed = at - counted.at if counted else WINDOW
    if counted and missed > LONG_STOP:
        return rebuild(max(day_of(counted.at), day_of(at - USES_KEPT)), day_of(at), at=at)
    first, last = _minutes(at, max(missed, timedelta()) + COMMIT_LAG)
    return _count(first, last, at=at, oldest=day_of(at - UPLOADS_WITHIN))


def rebuild(first: date, last: date, *, at: datetime) -> int:
    """Count again whole Beijing days, both included, one transaction a day; returns how many rows changed.

    Raises UsesGone for days whose uses retention has deleted: counting them again would empty their history.
    """
    if first < day_of(at - USES_KEPT):
        raise UsesGone(first=str(first))
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    return sum(_count(_midnight(day), _midnight(day + timedelta(days=1)), at=at) for day in days)


def take_stock(*, cities: Collection[str], at: datetime) -> int:
    """Count holders, live cards and e-cards of the day by city (`cities`: the tiles of the profile)."""
    facts = {"day": day_of(at), "cities": list(cities), "live": [str(status) for status in LIVE]}
    with transaction.atomic():
        _one_at_a_time()
        changed = _run(_STOCK, facts)
        _stamp(Refresh.Kind.STOCK, at)
    return changed


def is_stock_due(*, at: datetime, large: int = LARGE) -> bool:
    """Whether to count holders and cards now: at any time while they are few, else once a day.

    The count reads three tables whole: 1.4 seconds for half a million holders here, minutes for ninety million.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT reltuples FROM pg_class WHERE oid = %s::regclass", [Holder._meta.db_table])
        is_large = cursor.fetchone()[0] > large
    return not (is_large and Stock.objects.filter(day=day_of(at)).exists())


@transaction.atomic
def forget(*, at: datetime) -> int:
    """Drop minutes and hours older than the board compares with; their days stay. Returns how many rows went."""
    minutes, _ = UseMinute.objects.filter(minute__lt=at - MINUTES_KEPT).delete()
    refusals, _ = RefusalMinute.objects.filter(minute__lt=at - REFUSALS_KEPT).delete()
    hours, _ = UseHour.objects.filter(hour__lt=at - HOURS_KEPT).delete()
    return minutes + hours + refusals


@transaction.atomic
def _count(first: datetime, last: datetime, *, at: datetime, oldest: date | None = None) -> int:
    """`oldest`: the first business day looked into, for a quick count; without it everything is counted."""
    _one_at_a_time()
    span: dict[str, Any] = {"first": first, "last": last, "oldest": oldest or date(1970, 1, 1)}
    changed = _run(_MINUTES, span)
    if oldest is None:
        changed += _run(_REFUSALS, span)
    hours = {
        "first": _floor(first, minutes=60),
        "last": _floor(last - timedelta(microseconds=1), minutes=60) + timedelta(hours=1),
    }
    changed += _run(_HOURS, hours) + _count_days(first, last, today=None if oldest is None else day_of(at))
    if first <= at < last:  # counting old days again does not make the board new
        _stamp(Refresh.Kind.USES, at)
    return changed


def _count_days(first: datetime, last: datetime, *, today: date | None) -> int:
    """Days the span touches. `today` is left for a full count: the board reads it by its hours."""
    first_day, last_day = day_of(first), day_of(last - timedelta(microseconds=1)) + timedelta(days=1)
    last_day = min(last_day, today) if today else last_day
    if first_day >= last_day:
        return 0
    span = {
        "first": _midnight(first_day),
        "last": _midnight(last_day),
        "first_day": first_day,
        "last_day": last_day,
    }
    return _run(_DAYS, span)


def _minutes(at: datetime, window: timedelta) -> tuple[datetime, datetime]:
    """Whole minutes: a count replaces them whole."""
    return _floor(at - window, minutes=1), _floor(at, minutes=1) + timedelta(minutes=1)


def _one_at_a_time() -> None:
    """Two workers counting the same minute would each delete what the other has just written."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])


def _run(statement: str, facts: dict[str, Any]) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement.format_map(_TABLES), facts)  # table names are those of our own models
        return int(cursor.rowcount)


def _stamp(kind: Refresh.Kind, at: datetime) -> None:
    Refresh.objects.update_or_create(kind=kind, defaults={"at": at})


def _floor(at: datetime, *, minutes: int) -> datetime:
    """Beijing keeps whole hours from UTC, so hours begin together."""
    at = at.astimezone(UTC)
    return at.replace(minute=at.minute - at.minute % minutes, second=0, microsecond=0)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), BEIJING)
