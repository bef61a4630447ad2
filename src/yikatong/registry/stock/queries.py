"""Read an outlet's stock: the day's balance by bank, and the printer's queue."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from django.db.models import Count, Q, QuerySet, Sum

from yikatong.core.actor import Actor
from yikatong.core.clock import BEIJING, day_of
from yikatong.registry.banks.models import Bank
from yikatong.registry.regions.models import Outlet
from yikatong.registry.stock.models import Blank, BlankMove, DayCount, PrintJob

_COUNTED = ("received", "issued", "spoiled", "returned", "missing")
_COLUMNS = ("opening", *_COUNTED, "closing")
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
    begin = datetime.combine(day, time.min, BEIJING)
    end = begin + timedelta(days=1)
    moves = BlankMove.objects.filter(blank__outlet=outlet, at__lt=end)
    moves = moves.filter(blank__bank=by.bank) if by.bank else moves
    today = Q(at__gte=begin)
    kinds = {kind: Count("pk", filter=today & Q(kind=kind)) for kind in _COUNTED}
    summed = moves.values("blank__bank").annotate(
        opening=Sum("change", filter=~today, default=0), closing=Sum("change", default=0), **kinds
    )
    rows: dict[str, dict[str, Any]] = {
        row["blank__bank"]: dict(row) for row in summed.order_by("blank__bank")
    }
    banks, counts = Bank.objects.in_bulk(rows), DayCount.objects.filter(outlet=outlet, day=day)
    counted = {one.bank_id: one for one in counts}
    return [
        Balance(
            bank=banks[code],
            day_count=counted.get(code),
            shortage=shortage(outlet, code),
            **{name: row[name] for name in _COLUMNS},
        )
        for code, row in rows.items()
    ]


def queue(outlet: Outlet, by: Actor, *, at: datetime) -> QuerySet[PrintJob]:
    """What is printed today: waiting and printing first, then what has ended."""
    begin = datetime.combine(day_of(at), time.min, BEIJING)
    jobs = PrintJob.objects.filter(outlet=outlet).select_related("case__bank", "blank")
    jobs = jobs.filter(Q(ended_at=None) | Q(ended_at__gte=begin))
    jobs = jobs.filter(case__bank=by.bank) if by.bank else jobs
    return jobs.order_by("ended_at", "created_at")
