"""Read what a bank has done about an account."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from statistics import median
from typing import Any, Final

from django.db import connection
from django.db.models import Count, Min, Q

from yikatong.core.clock import BEIJING, day_of
from yikatong.registry.banks import terms
from yikatong.registry.banks.connector import connector
from yikatong.registry.banks.models import Agreement, Bank, BankAccount, BankAct, BankRequest, Delivery
from yikatong.registry.banks.requests import OPEN


class Half(StrEnum):
    """How far a loss has come in the bank half."""

    NONE = "none"  # no account
    APART = "apart"  # the bank has not joined: its holder calls it
    ASKED = "asked"
    STOPPED = "stopped"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class BankHalf:
    """`at`: since when; `reason`: why the bank refused."""

    state: Half
    at: datetime | None = None
    reason: str = ""


def lost_half(account: BankAccount | None) -> BankHalf:
    """The bank half of a card that is lost."""
    if account is None:
        return BankHalf(Half.NONE)
    acts = [BankAct.REPORT_LOSS, BankAct.RELEASE]
    asked = BankRequest.objects.filter(account=account, act__in=acts).order_by("-serial").first()
    if account.status == BankAccount.Status.LOST:
        return BankHalf(Half.STOPPED, asked.settled_at if asked else None)
    if asked is None or asked.act == BankAct.RELEASE or asked.status == BankRequest.Status.DONE:
        return BankHalf(Half.APART)  # never told of this loss, or told of one that is over
    if asked.status in OPEN:
        return BankHalf(Half.ASKED, asked.created_at, asked.trouble)
    return BankHalf(Half.REFUSED, asked.settled_at, asked.reason)


def is_asked(account: BankAccount | None, act: BankAct) -> bool:
    """Whether the bank still owes an answer to this act."""
    return (
        account is not None and BankRequest.objects.filter(account=account, act=act, status__in=OPEN).exists()
    )


@dataclass(frozen=True, slots=True)
class Line:
    """How the line to a bank stands; `median_s` from asking to answer, of what was answered since midnight."""

    bank: Bank
    terms: Agreement
    is_reached: bool
    waiting: int
    oldest: datetime | None
    trouble: str
    done: int
    refused: int
    median_s: float | None


def lines(*, at: datetime) -> list[Line]:
    """Every bank's line, today. Bank by bank, as the indexes are: asked of all at once, every request ever is read."""
    midnight = datetime.combine(day_of(at), time.min, BEIJING)
    wire, agreed = connector(), terms.of_all(day_of(at))
    return [
        _line(
            bank,
            agreed.get(bank.pk) or Agreement(bank=bank),
            midnight,
            is_reached=wire.reaches(bank.pk),
        )
        for bank in Bank.objects.order_by("pk")
    ]


def _counts(bank: Bank, midnight: datetime) -> dict[str, Any]:
    open_ones = Q(status__in=OPEN)
    of_today = BankRequest.objects.filter(open_ones | Q(settled_at__gte=midnight), bank=bank)
    return of_today.aggregate(
        waiting=Count("pk", filter=open_ones),
        oldest=Min("created_at", filter=open_ones),
        done=Count("pk", filter=Q(status="done")),
        refused=Count("pk", filter=Q(status="refused")),
    )


def _line(bank: Bank, agreed: Agreement, midnight: datetime, *, is_reached: bool) -> Line:
    answered = BankRequest.objects.filter(bank=bank, status="done", settled_at__gte=midnight)
    took = sorted(
        (done - asked).total_seconds()
        for done, asked in answered.order_by("-settled_at").values_list("settled_at", "created_at")[:5_000]
        if done
    )
    in_trouble = (
        BankRequest.objects.filter(bank=bank, status__in=OPEN).exclude(trouble="").order_by("-next_try_at")
    )
    return Line(
        bank=bank,
        terms=agreed,
        is_reached=is_reached,
        trouble=in_trouble.values_list("trouble", flat=True).first() or "",
        median_s=median(took) if took else None,
        **_counts(bank, midnight),
    )


@dataclass(frozen=True, slots=True)
class Answered:
    """What a bank has answered of one kind since a day; `median_s` from asking to answer, of what it carried out."""

    act: str
    done: int
    refused: int
    by_hand: int
    open: int
    median_s: float | None


_ANSWERED: Final = """
SELECT act, count(*) FILTER (WHERE status = 'done'), count(*) FILTER (WHERE status = 'refused'),
    count(*) FILTER (WHERE by_hand), count(*) FILTER (WHERE status IN ('waiting', 'unknown')),
    percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM settled_at - created_at))
        FILTER (WHERE status = 'done' AND NOT by_hand)
FROM banks_bankrequest WHERE bank_id = %s AND created_at >= %s GROUP BY act ORDER BY act
"""


def answered(bank_code: str, *, since: datetime) -> list[Answered]:
    """The bank's service on its line, act by act."""
    with connection.cursor() as cursor:
        cursor.execute(_ANSWERED, [bank_code, since])
        rows = cursor.fetchall()
    return [Answered(BankAct(row[0]).label, *row[1:]) for row in rows]


@dataclass(frozen=True, slots=True)
class Delivered:
    """A bank's agreed lists of the last days, the newest first, each with how late it was or is."""

    bank: Bank
    delivers_by: int
    days: list[tuple[Delivery | None, timedelta | None]]
    in_time: int  # of the last thirty
    owed: int


def delivered(days: list[date], *, at: datetime, bank: str = "") -> list[Delivered]:
    """The banks that deliver (or the one named), with their lists of these days; None where nothing was agreed yet."""
    found: dict[str, list[Delivery]] = {}
    since = day_of(at) - timedelta(days=30)
    for one in Delivery.objects.filter(day__gte=since):
        found.setdefault(one.bank_id, []).append(one)
    agreed = terms.of_all(day_of(at))
    banks = [one for one in Bank.objects.order_by("pk") if one.pk in agreed and bank in {"", one.pk}]
    hours = [(one, agreed[one.pk].delivers_by) for one in banks]
    return [_delivered(one, hour, found.get(one.pk, []), days, at) for one, hour in hours if hour is not None]


def _delivered(bank: Bank, hour: int, lists: list[Delivery], days: list[date], at: datetime) -> Delivered:
    by_day = {one.day: one for one in lists}
    shown = [(one, one.late_by(at) if one else None) for one in map(by_day.get, days)]
    in_time = sum(one.received_at is not None and one.late_by(at) is None for one in lists)
    return Delivered(bank, hour, shown, in_time, sum(one.received_at is None for one in lists))
