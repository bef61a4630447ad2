"""How fast a loss gets about: seen by the gate, listed, held by terminals and partners, answered by the bank."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db import connection, transaction
from django.db.models import QuerySet

from yikatong.core.actor import Actor
from yikatong.registry.access.models import Terminal, TerminalState
from yikatong.registry.banks.models import BankAct, BankRequest
from yikatong.registry.cards.models import CardEvent, CardStatus
from yikatong.registry.cards.rules import CardAct
from yikatong.using.codes.models import Device, HotEntry, ListVersion, LossSpread, Standing

_LOST: Final = (CardStatus.LOST, CardStatus.TEMPORARILY_LOST)
_KINDS: Final = (CardAct.LOSS, CardAct.TEMPORARY_LOSS)
#: A loss reported again as formal stopped the card when it was first reported.
_FIRST: Final = (CardStatus.NORMAL, CardStatus.INACTIVE)
DAY: Final = timedelta(days=1)
SHOWN: Final = timedelta(days=7)
LISTED: Final = timedelta(days=30)
#: Two heartbeats: who has not told of a list by then is behind.
GRACE: Final = timedelta(minutes=2)
STAGES: Final = ("gate", "list", "most", "all", "bank", "partners")

# Seconds of each stage since `since`: of the last day and of the week; what has not arrived counts as waiting.
_LEGS: Final = """
WITH stages AS (
    SELECT s.reported_at, l.stage, extract(epoch FROM l.at - s.reported_at)::float8 AS seconds
    FROM codes_lossspread s
    LEFT JOIN banks_bankrequest b ON b.id = s.bank_request_id
    CROSS JOIN LATERAL (VALUES
        ('gate', true, s.gate_at),
        ('list', s.needs_list, s.list_at),
        ('most', s.needs_list, s.most_at),
        ('all', s.needs_list, s.all_at),
        ('bank', b.id IS NOT NULL AND b.status <> 'refused', CASE WHEN b.status = 'done' THEN b.settled_at END),
        ('partners', s.needs_partners, s.partners_at)
    ) AS l (stage, due, at)
    WHERE l.due AND s.reported_at >= %(since)s AND s.division_code LIKE %(scope)s
)
SELECT stage,
    count(seconds) FILTER (WHERE reported_at >= %(day)s),
    percentile_cont(ARRAY[0.5, 0.95]) WITHIN GROUP (ORDER BY seconds) FILTER (WHERE reported_at >= %(day)s),
    max(seconds) FILTER (WHERE reported_at >= %(day)s),
    count(seconds),
    percentile_cont(ARRAY[0.5, 0.95]) WITHIN GROUP (ORDER BY seconds),
    max(seconds),
    count(*) FILTER (WHERE seconds IS NULL)
FROM stages GROUP BY stage
"""

# A terminal knows every list made before the first one it has missed. Few versions are held at one time, so each is
# looked up once, however many terminals there are.
_FLEET: Final = f"""
WITH fleet AS (
    SELECT t.id, t.scenes, s.hot_versions AS told
    FROM {Terminal._meta.db_table} t JOIN {TerminalState._meta.db_table} s ON s.terminal_id = t.id
    WHERE t.status = 'enrolled' AND t.city_code LIKE %(scope)s
), held AS (
    SELECT id, scene, coalesce((told ->> scene::text)::bigint, 0) AS version FROM fleet, unnest(scenes) AS scene
), missing AS (
    SELECT scene, version, (
        SELECT made_at FROM {ListVersion._meta.db_table} l
        WHERE l.kind = 'hot' AND l.scene = one.scene AND l.version > one.version ORDER BY l.version LIMIT 1
    ) AS made_at FROM (SELECT DISTINCT scene, version FROM held) one
), known AS (
    SELECT id, coalesce(min(made_at), 'infinity') AS upto FROM held JOIN missing USING (scene, version) GROUP BY id
)
"""  # noqa: S608 - names of our own tables
# A hair above 0.05: where 19 of 20 know a list, that is the 95 of 100.
_ARRIVED: Final = f"""
{_FLEET}, reach AS (
    SELECT percentile_disc(0.05 + 1e-9) WITHIN GROUP (ORDER BY upto) AS most, min(upto) AS every FROM known
)
UPDATE codes_lossspread s SET
    most_at = coalesce(s.most_at, CASE WHEN s.listed_in < reach.most THEN %(at)s::timestamptz END),
    all_at = coalesce(s.all_at, CASE WHEN s.listed_in < reach.every THEN %(at)s::timestamptz END)
FROM reach
WHERE s.most_at IS NULL AND s.listed_in < reach.most OR s.all_at IS NULL AND s.listed_in < reach.every
"""  # noqa: S608
_BEHIND: Final = f"""
{_FLEET}
SELECT t.number, t.name, p.name, known.upto, s.seen_at, s.hot_versions <> '{{}}', count(*) OVER ()
FROM known JOIN {Terminal._meta.db_table} t USING (id)
JOIN {TerminalState._meta.db_table} s ON s.terminal_id = t.id
JOIN catalogue_place p ON p.id = t.place_id
WHERE known.upto < %(before)s ORDER BY known.upto, t.number LIMIT %(most)s
"""  # noqa: S608
# A loss whose references all stand in a list; what was released before it was listed has nothing left to name.
_LISTED: Final = """
WITH stand AS (
    SELECT w.event_id, bool_and(h.id IS NULL OR h.added_version IS NOT NULL) AS is_whole, max(l.made_at) AS made_at
    FROM codes_lossspread w
    JOIN cards_cardevent v ON v.id = w.event_id
    LEFT JOIN cards_ecard e ON e.card_id = v.card_id
    LEFT JOIN codes_device d ON d.ecard_id = e.id
    LEFT JOIN codes_hotentry h ON h.device_number = d.number AND h.removed_version IS NULL
    LEFT JOIN codes_listversion l ON l.kind = 'hot' AND l.scene = h.scene AND l.version = h.added_version
    WHERE w.needs_list AND w.list_at IS NULL GROUP BY w.event_id
)
UPDATE codes_lossspread s SET list_at = %(at)s, listed_in = coalesce(stand.made_at, %(at)s::timestamptz),
    needs_partners = EXISTS (SELECT FROM codes_partner WHERE is_wired)
FROM stand WHERE stand.event_id = s.event_id AND stand.is_whole
"""


@dataclass(frozen=True, slots=True)
class Took:
    """How many arrived, and the seconds it took them; None before the first."""

    count: int = 0
    median: float | None = None
    most: float | None = None  # 95 of 100 were as fast
    worst: float | None = None


@dataclass(frozen=True, slots=True)
class Leg:
    """One stage of a loss's way; `waiting` has not arrived."""

    name: str
    day: Took = Took()
    week: Took = Took()
    waiting: int = 0


@dataclass(frozen=True, slots=True)
class Behind:
    """A terminal that has missed a list: `since` the first it has not told of was published.

    `has_told`: it has said which lists it holds, some time.
    """

    number: int
    name: str
    place: str
    since: datetime
    seen_at: datetime | None
    has_told: bool


@transaction.atomic
def note_loss(card_id: UUID, *, at: datetime) -> LossSpread | None:
    """Called by the job that follows a card's change: it reads on its own connection what the gate reads.

    Notes once that the loss is visible, and what else it has to reach; None when the card is not lost.
    """
    events = CardEvent.objects.filter(card_id=card_id, kind__in=_KINDS, from_status__in=_FIRST)
    event = events.select_related("card").order_by("-at", "-pk").first()
    if event is None or event.card.status not in _LOST:
        return None
    devices = Device.objects.filter(ecard__card_id=card_id)
    unseen = Standing.objects.filter(device__in=devices).exclude(card_status__in=_LOST)
    listed = HotEntry.objects.filter(
        device_number__in=devices.values("number"), removed_version=None, is_ended=False
    )
    spread, _ = LossSpread.objects.get_or_create(
        event=event,
        defaults={
            "division_code": event.card.division_code,
            "reported_at": event.at,
            "gate_at": None if unseen.exists() else at,
            "needs_list": listed.exists(),
            "bank_request": _request_of(event),
        },
    )
    return spread


def _request_of(event: CardEvent) -> BankRequest | None:
    asked = BankRequest.objects.filter(
        account_id=event.card.account_id, act=BankAct.REPORT_LOSS, created_at__gte=event.at
    )
    return asked.order_by("serial").first() if event.card.account_id else None


def note_lists(*, at: datetime) -> int:
    """After lists have been published: losses all of whose references stand in one. Returns how many."""
    with connection.cursor() as cursor:
        cursor.execute(_LISTED, {"at": at})
        return int(cursor.rowcount)


def note_terminals(*, at: datetime) -> int:
    """Losses whose list terminals have now said they hold; returns how many have moved on.

    Counts every enrolled terminal that was ever in contact; one that is stopped or retired accepts nothing.
    """
    with connection.cursor() as cursor:
        cursor.execute(_ARRIVED, {"at": at, "scope": "%"})
        return int(cursor.rowcount)


def behind(by: Actor, *, at: datetime, most: int) -> tuple[list[Behind], int]:
    """Terminals of the actor's region without a list for longer than GRACE, the longest first; and how many in all."""
    facts: dict[str, Any] = {"scope": f"{by.scope}%", "before": at - GRACE, "most": most}
    with connection.cursor() as cursor:
        cursor.execute(_BEHIND, facts)
        rows = cursor.fetchall()
    return [Behind(*row[:-1]) for row in rows], rows[0][-1] if rows else 0


def legs(by: Actor, *, at: datetime) -> list[Leg]:
    """Each stage: of the last day, and of the last seven."""
    facts: dict[str, Any] = {"since": at - SHOWN, "day": at - DAY, "scope": f"{by.scope}%"}
    with connection.cursor() as cursor:
        cursor.execute(_LEGS, facts)
        found = {row[0]: _leg(*row) for row in cursor.fetchall()}
    return [found.get(name) or Leg(name) for name in STAGES]


def _leg(name: str, *row: Any) -> Leg:
    day, day_marks, day_worst, week, week_marks, week_worst, waiting = row
    return Leg(name, _took(day, day_marks, day_worst), _took(week, week_marks, week_worst), waiting)


def _took(count: int, marks: list[float] | None, worst: float | None) -> Took:
    return Took(count, marks[0], marks[1], worst) if marks else Took(count)


def latest(by: Actor, *, at: datetime) -> QuerySet[LossSpread]:
    """The losses of the last thirty days in the actor's region, the latest first."""
    spreads = LossSpread.objects.select_related("event__card", "bank_request__bank")
    return spreads.filter(reported_at__gte=at - LISTED, division_code__startswith=by.scope).order_by(
        "-reported_at", "-pk"
    )
