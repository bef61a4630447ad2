"""Read an outlet's stock: the day's balance by bank, and the printer's queue."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Final

from django.db import connection
from django.db.models import Q, QuerySet

from yikatong.core.actor import Actor
from yikatong.core.clock import BEIJING, day_of
from yikatong.registry.banks.models import Bank
from yikatong.registry.regions.models import Outlet
from yikatong.registry.stock.models import Blank, BlankMove, DayCount, PrintJob

_GONE: Final = ("issued", "spoiled", "returned", "missing")
_COUNTED: Final = ("received", *_GONE)
_COLUMNS: Final = ("opening", *_COUNTED)
_IN_HOUSE = (Blank.Status.IN_STOCK, Blank.Status.TAKEN)


@dataclass(frozen=True, slots=True)
class Balance:
    """日清 of one bank's blanks: opening + received − issued − spoiled − returned − missing = closing."""

    bank: Bank
    opening: int
    received: int
    issued: int
    spoiled: int
    returned: int
    missing: int
    closing: int
    day_count: DayCount | None
    shortage: int  # confirmed, and not yet written off card by card


def in_house(outlet: Outlet, bank_code: str) -> int:
    """Blanks of a bank that lie in the outlet, taken ones too."""
    return Blank.objects.filter(outlet=outlet, bank=bank_code, status__in=_IN_HOUSE).count()


def shortage(outlet: Outlet, bank_code: str) -> int:
    """Cards that the last confirmed count has missed and nobody has written off; 0 where it agreed or was more."""
    counts = DayCount.objects.filter(outlet=outlet, bank=bank_code, confirmed_at__isnull=False)
    last = counts.order_by("-day").first()
    if last is None or last.counted >= last.book:
        return 0
    gone = BlankMove.objects.filter(
        blank__outlet=outlet, blank__bank=bank_code, kind=BlankMove.Kind.MISSING, at__gte=last.at
    )
    return max(last.book - last.counted - gone.count(), 0)


def balances(outlet: Outlet, by: Actor, *, day: date) -> list[Balance]:
    """The balance of a day, of the banks whose cards were ever here."""
    rows = _sums(outlet, by.bank, day)
    banks, counts = Bank.objects.in_bulk(rows), DayCount.objects.filter(outlet=outlet, day=day)
    counted = {one.bank_id: one for one in counts}
    return [
        Balance(
            bank=banks[code],
            day_count=counted.get(code),
            shortage=shortage(outlet, code),
            closing=sums["opening"] + sums["received"] - sum(sums[kind] for kind in _GONE),
            **sums,
        )
        for code, sums in rows.items()
    ]


def opening(outlet: Outlet, bank_code: str, *, day: date) -> int:
    """Blanks of a bank in the house when the day began."""
    return _sums(outlet, bank_code, day).get(bank_code, {}).get("opening", 0)


def _sums(outlet: Outlet, bank_code: str, day: date) -> dict[str, dict[str, int]]:
    """By bank (one, or "" for all): what the day began with, and how many of each kind moved on it."""
    begin = datetime.combine(day, time.min, BEIJING)
    facts: dict[str, Any] = {
        "outlet": outlet.pk,
        "bank": bank_code,
        "day": day,
        "begin": begin,
        "end": begin + timedelta(days=1),
    }
    with connection.cursor() as cursor:
        cursor.execute(_SUMS, facts)
        return {code: dict(zip(_COLUMNS, sums, strict=True)) for code, *sums in cursor.fetchall()}


# From the last balance that was carried forward, and the moves since; without one, from the first move.
_SUMS: Final = f"""
SELECT k.code, coalesce(b.opening, 0) + coalesce(m.before, 0), {", ".join(f"m.{kind}" for kind in _COUNTED)}
FROM banks_bank k
LEFT JOIN LATERAL (
    SELECT d.opening, d.day::timestamp AT TIME ZONE 'Asia/Shanghai' AS since FROM stock_daybalance d
    WHERE d.outlet_id = %(outlet)s AND d.bank_id = k.code AND d.day <= %(day)s ORDER BY d.day DESC LIMIT 1
) b ON true
CROSS JOIN LATERAL (
    SELECT count(*) AS moves, sum(change) FILTER (WHERE at < %(begin)s) AS before,
        {", ".join(f"count(*) FILTER (WHERE at >= %(begin)s AND kind = '{kind}') AS {kind}" for kind in _COUNTED)}
    FROM stock_blankmove
    WHERE outlet_id = %(outlet)s AND bank_id = k.code AND at < %(end)s AND at >= coalesce(b.since, '-infinity')
) m
WHERE (%(bank)s = '' OR k.code = %(bank)s) AND (b.opening IS NOT NULL OR m.moves > 0) ORDER BY k.code
"""  # noqa: S608 - constants


def queue(outlet: Outlet, by: Actor, *, at: datetime) -> QuerySet[PrintJob]:
    """What is printed today: waiting and printing first, then what has ended."""
    begin = datetime.combine(day_of(at), time.min, BEIJING)
    jobs = PrintJob.objects.filter(outlet=outlet).select_related("case__bank", "blank")
    jobs = jobs.filter(Q(ended_at=None) | Q(ended_at__gte=begin))
    jobs = jobs.filter(case__bank=by.bank) if by.bank else jobs
    return jobs.order_by("ended_at", "created_at")
