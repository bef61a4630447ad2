"""What the board shows, from counts and small tables; uses themselves are never read here.

Counts follow the minute of arrival. A number that is not known is None, and is never shown as zero.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from typing import Any

from django.db import connection
from django.db.models import Min, Sum

from yikatong.core.clock import BEIJING, day_of
from yikatong.core.errors import NotFound
from yikatong.insight.dashboards import terminals
from yikatong.insight.dashboards.models import Refresh, Stock, UseDay, UseHour, UseMinute
from yikatong.insight.dashboards.periods import Period, Range, Span, period
from yikatong.insight.dashboards.scope import Scope
from yikatong.insight.dashboards.terminals import Fleet
from yikatong.registry.catalogue.models import Domain
from yikatong.using.codes.reasons import Reason
from yikatong.using.usage.models import Use


@dataclass(slots=True)
class Tally:
    """Uses counted together. `offline` are the accepted ones that a terminal decided without the gate."""

    accepted: int = 0
    refused: int = 0
    offline: int = 0
    amount_fen: int = 0

    @property
    def total(self) -> int:
        return self.accepted + self.refused

    @property
    def success(self) -> float | None:
        """Share accepted, 0–1; None where nothing was asked."""
        return self.accepted / self.total if self.total else None

    @property
    def offline_share(self) -> float | None:
        return self.offline / self.accepted if self.accepted else None

    def add(self, row: "Row") -> None:
        if row.outcome:
            self.refused += row.count
            return
        self.accepted += row.count
        self.amount_fen += row.amount_fen
        self.offline += row.count if row.is_offline else 0


@dataclass(frozen=True, slots=True)
class Row:
    city_code: str
    domain_code: str
    method: int
    is_offline: bool
    outcome: int
    count: int
    amount_fen: int


@dataclass(frozen=True, slots=True)
class Part:
    """One domain, city or method with its tally. `terminals` None: not asked; 0: nothing is connected there."""

    code: str
    name: str
    tally: Tally
    terminals: int | None = None
    is_partner: bool = False

    @property
    def is_known(self) -> bool:
        """Without a terminal and without a use there is nothing to count, which is not the same as none."""
        return bool(self.tally.total) or self.terminals != 0


@dataclass(frozen=True, slots=True)
class Point:
    """An hour or a day of the series; `tally` None: still to come, or before the first count."""

    start: datetime
    tally: Tally | None


@dataclass(frozen=True, slots=True)
class Holding:
    """A stock today, and what it was the day before (None: not counted then)."""

    count: int
    before: int | None


@dataclass(frozen=True, slots=True)
class Board:
    at: datetime
    period: Period
    updated_at: datetime | None
    total: Tally
    before: Tally | None  # None: the history does not reach so far back
    domains: list[Part]
    cities: list[Part]
    elsewhere: Tally  # of no city of the profile
    methods: list[Part]
    reasons: list[tuple[str, int]]
    series: list[Point]
    fleet: Fleet
    stock: dict[str, Holding] = field(default_factory=dict)


def board(
    scope: Scope, range_: Range, *, at: datetime, city: str | None = None, domain: str | None = None
) -> Board:
    """Everything of one page; raises NotFound for a city outside the scope and for an unknown domain."""
    asked = _Asked(scope, city, domain)
    span = period(range_, at)
    rows = list(_rows(span.now, asked))
    fleet = terminals.fleet(asked.cities, domain=domain, at=at)
    cities, elsewhere = _by_city(rows, asked, fleet)
    return Board(
        at=at,
        period=span,
        updated_at=updated_at(),
        total=_sum(rows),
        before=_sum(_rows(span.before, asked)) if _known_since() <= span.before.start else None,
        domains=_by_domain(rows, fleet),
        cities=cities,
        elsewhere=elsewhere,
        methods=_by_method(rows),
        reasons=_by_reason(rows),
        series=_series(span, asked),
        fleet=fleet,
        stock={} if domain else _stock(asked.cities, at),
    )


def updated_at() -> datetime | None:
    """When uses were last counted; None: never."""
    return Refresh.objects.filter(kind=Refresh.Kind.USES).values_list("at", flat=True).first()


@dataclass(frozen=True)
class _Asked:
    scope: Scope
    city: str | None
    domain: str | None

    def __post_init__(self) -> None:
        if self.city is not None and self.city not in {tile.code for tile in self.scope.tiles}:
            raise NotFound
        if self.domain is not None and not Domain.objects.filter(code=self.domain).exists():
            raise NotFound

    @property
    def cities(self) -> tuple[str, ...] | None:
        return (self.city,) if self.city is not None else self.scope.cities


# Whole days come from the days, the running one from its hours, the running hour from its minutes.
_SOURCE = f"""(
    SELECT day::timestamp AT TIME ZONE 'Asia/Shanghai' AS start, city_code, domain_code, method, is_offline, outcome,
        count, amount_fen
    FROM {UseDay._meta.db_table} WHERE day >= %(first_day)s AND day < %(today)s
    UNION ALL
    SELECT hour, city_code, domain_code, method, is_offline, outcome, count, amount_fen
    FROM {UseHour._meta.db_table} WHERE hour >= %(midnight)s AND hour < %(edge)s
    UNION ALL
    SELECT minute, city_code, domain_code, method, is_offline, outcome, count, amount_fen
    FROM {UseMinute._meta.db_table} WHERE minute >= %(edge)s AND minute < %(end)s
) AS counted
WHERE (%(cities)s::text[] IS NULL OR city_code = ANY(%(cities)s))
AND (%(domain)s::text IS NULL OR domain_code = %(domain)s)
"""  # noqa: S608 - our own table names
_ROWS = f"""
SELECT city_code, domain_code, method, is_offline, outcome, sum(count)::bigint, sum(amount_fen)::bigint
FROM {_SOURCE} GROUP BY 1, 2, 3, 4, 5
"""  # noqa: S608
_SERIES = f"""
SELECT date_trunc(%(grain)s, start AT TIME ZONE 'Asia/Shanghai') AT TIME ZONE 'Asia/Shanghai',
    '', '', 0, is_offline, outcome, sum(count)::bigint, sum(amount_fen)::bigint
FROM {_SOURCE} GROUP BY 1, is_offline, outcome
"""  # noqa: S608


def _rows(span: Span, asked: _Asked) -> Iterator[Row]:
    for values in _fetch(_ROWS, span, asked):
        yield Row(*values)


def _fetch(statement: str, span: Span, asked: _Asked, **facts: Any) -> list[tuple[Any, ...]]:
    today = day_of(span.end)
    facts |= {
        "first_day": day_of(span.start),
        "today": today,
        "midnight": datetime.combine(today, time(), BEIJING),
        "edge": span.end.replace(minute=0, second=0, microsecond=0),
        "end": span.end,
        "cities": None if asked.cities is None else list(asked.cities),
        "domain": asked.domain,
    }
    with connection.cursor() as cursor:
        cursor.execute(statement, facts)
        found: list[tuple[Any, ...]] = cursor.fetchall()
    return found


def _sum(rows: Iterable[Row]) -> Tally:
    tally = Tally()
    for row in rows:
        tally.add(row)
    return tally


def _grouped(rows: Iterable[Row], key: str) -> defaultdict[Any, Tally]:
    groups: defaultdict[Any, Tally] = defaultdict(Tally)
    for row in rows:
        groups[getattr(row, key)].add(row)
    return groups


def _by_domain(rows: list[Row], fleet: Fleet) -> list[Part]:
    """Every domain of the catalogue, the busiest first; then codes the catalogue does not know."""
    groups = _grouped(rows, "domain_code")
    names = {domain.code: domain.name for domain in Domain.objects.all()}
    codes = [*names, *(code for code in groups if code not in names)]
    parts = [
        Part(code, names.get(code, code or "未归类"), groups[code], fleet.of_domain(code)) for code in codes
    ]
    return sorted(parts, key=lambda part: -part.tally.accepted)


def _by_city(rows: list[Row], asked: _Asked, fleet: Fleet) -> tuple[list[Part], Tally]:
    groups = _grouped(rows, "city_code")
    tiles = [tile for tile in asked.scope.tiles if asked.city in {None, tile.code}]
    parts = [
        Part(tile.code, tile.short, groups[tile.code], fleet.of_city(tile.code), tile.partner)
        for tile in tiles
    ]
    known = {tile.code for tile in tiles}
    return parts, _sum(row for row in rows if row.city_code not in known)


def _by_method(rows: list[Row]) -> list[Part]:
    groups = _grouped(rows, "method")
    return [Part(str(method.value), method.label, groups[method.value]) for method in Use.Method]


def _by_reason(rows: list[Row]) -> list[tuple[str, int]]:
    """Sentences of the closed list with their counts, the commonest first."""
    counts: defaultdict[int, int] = defaultdict(int)
    for row in rows:
        if row.outcome:
            counts[row.outcome] += row.count
    known = {reason.value: reason.sentence for reason in Reason}
    ordered = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    return [(known.get(number, f"原因 {number}"), count) for number, count in ordered]


def _series(span: Period, asked: _Asked) -> list[Point]:
    """The 24 hours of a day, or the days of a week or month up to today."""
    hourly = span.range is Range.DAY
    found: defaultdict[datetime, Tally] = defaultdict(Tally)
    for start, *values in _fetch(_SERIES, span.now, asked, grain="hour" if hourly else "day"):
        found[start.astimezone(UTC)].add(Row(*values))
    step = timedelta(hours=1) if hourly else timedelta(days=1)
    count = 24 if hourly else (span.now.end - span.now.start) // step + 1
    starts = [span.now.start + step * n for n in range(count)]
    since = _known_since()
    return [
        Point(start.astimezone(BEIJING), found[start] if since <= start < span.now.end else None)
        for start in starts
    ]


def _known_since() -> datetime:
    """The first day counted at all: before it, nothing is known."""
    first = UseDay.objects.aggregate(first=Min("day"))["first"]
    hour = UseHour.objects.aggregate(first=Min("hour"))["first"]
    days = [*([first] if first else []), *([day_of(hour)] if hour else [])]
    return datetime.combine(min(days), time(), BEIJING) if days else datetime.max.replace(tzinfo=UTC)


def _stock(cities: tuple[str, ...] | None, at: datetime) -> dict[str, Holding]:
    """By `Stock.Kind`; a kind not counted yet is missing."""
    days = list(
        Stock.objects.filter(day__lte=day_of(at))
        .order_by("-day")
        .values_list("day", flat=True)
        .distinct()[:2]
    )
    counted = Stock.objects.filter(day__in=days)
    if cities is not None:
        counted = counted.filter(city_code__in=cities)
    sums = {
        (row["day"], row["kind"]): row["n"] for row in counted.values("day", "kind").annotate(n=Sum("count"))
    }
    if not days:
        return {}
    before = days[1] if len(days) > 1 and days[1] == days[0] - timedelta(days=1) else None
    return {
        str(kind): Holding(sums.get((days[0], kind), 0), sums.get((before, kind), 0) if before else None)
        for kind in Stock.Kind
    }
