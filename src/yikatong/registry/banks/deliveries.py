"""Agreed data 约定数据: each day's list of account statuses, expected, fetched, taken once, and late in sight."""

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Final
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from yikatong.core import audit
from yikatong.core.actor import SYSTEM
from yikatong.core.clock import BEIJING, day_of
from yikatong.registry.banks import accounts
from yikatong.registry.banks.models import Agreement, Bank, BankAccount, BankRequest, Delivery
from yikatong.registry.banks.requests import OPEN
from yikatong.registry.banks.rules import AccountDiffers, Status

#: Days made up for when nobody has expected anything for a while.
BACK_MOST: Final = 31
_CHUNK: Final = 1_000


@transaction.atomic
def expect(*, at: datetime) -> int:
    """Write down what the banks owe up to yesterday; returns how many lists more."""
    yesterday = day_of(at) - timedelta(days=1)
    agreed = _agreed()
    owed = [
        Delivery(bank_id=bank, day=day, due_at=due_at(hour, day))
        for bank, mine in agreed.items()
        for day in _days(bank, yesterday)
        if (hour := _hour(mine, day)) is not None
    ]
    return len(Delivery.objects.bulk_create(owed, ignore_conflicts=True))


def _agreed() -> dict[str, list[Agreement]]:
    """Agreements by bank, the latest first, of the banks that have ever agreed to deliver."""
    found: dict[str, list[Agreement]] = {}
    for one in Agreement.objects.filter(status="confirmed").order_by("-valid_from", "-confirmed_at"):
        found.setdefault(one.bank_id, []).append(one)
    return {bank: mine for bank, mine in found.items() if any(one.delivers_by is not None for one in mine)}


def _hour(agreements: list[Agreement], day: date) -> int | None:
    """The hour agreed for the list of this day; None where nothing was agreed."""
    return next((one.delivers_by for one in agreements if one.holds_on(day)), None)


def due_at(hour: int, day: date) -> datetime:
    """The next morning, at the hour agreed."""
    return datetime.combine(day + timedelta(days=1), time(hour), BEIJING)


def _days(bank: str, until: date) -> list[date]:
    last = Delivery.objects.filter(bank=bank).order_by("-day").values_list("day", flat=True).first()
    begin = max(last + timedelta(days=1), until - timedelta(days=BACK_MOST)) if last else until
    return [begin + timedelta(days=n) for n in range((until - begin).days + 1)]


def owed(*, at: datetime) -> list[Delivery]:
    """Lists that have not come, the oldest first; a bank may send its list as soon as the day is over."""
    waiting = Delivery.objects.filter(received_at=None, day__lt=day_of(at)).select_related("bank")
    return list(waiting.order_by("day", "bank"))


@transaction.atomic
def put_off(delivery_id: UUID, *, trouble: str) -> Delivery:
    """The bank did not deliver; it is asked again."""
    delivery = Delivery.objects.select_for_update().get(pk=delivery_id)
    if delivery.received_at is None:
        delivery.tries += 1
        delivery.trouble = trouble[:100]
        delivery.save(update_fields=["tries", "trouble"])
    return delivery


@transaction.atomic
def take(delivery_id: UUID, rows: list[tuple[str, str]], *, at: datetime) -> Delivery:
    """Take a list once: accounts follow it where nothing newer is known; what cannot be is counted, not overwritten."""
    delivery = Delivery.objects.select_for_update(of=("self",)).select_related("bank").get(pk=delivery_id)
    if delivery.received_at is not None:
        return delivery
    told = {accounts.account_index(number): status for number, status in rows}
    known = _known(delivery.bank, list(told))
    delivery.differing = len(told) - len(known)  # accounts nobody here has heard of
    for account in _older(known, delivery.day):
        delivery.followed += (moved := _follow(account, told[bytes(account.number_index)], at=at)) is True
        delivery.differing += moved is None
    delivery.rows, delivery.received_at, delivery.trouble, delivery.tries = (
        len(rows),
        at,
        "",
        delivery.tries + 1,
    )
    delivery.save()
    facts: Mapping[str, object] = {"bank": delivery.bank_id, "day": str(delivery.day), "rows": len(rows)}
    audit.record("banks:delivery:received", subject=f"bank_delivery:{delivery.pk}", by=SYSTEM, at=at, **facts)
    return delivery


def _known(bank: Bank, indexes: list[bytes]) -> list[BankAccount]:
    found: list[BankAccount] = []
    for begin in range(0, len(indexes), _CHUNK):
        part = indexes[begin : begin + _CHUNK]
        found += BankAccount.objects.filter(bank=bank, number_index__in=part)
    return found


def _older(known: list[BankAccount], day: date) -> list[BankAccount]:
    """Accounts about which we have heard nothing since the end of that day, and wait for nothing.

    By their keys, the order in which whoever locks many accounts does.
    """
    end = datetime.combine(day + timedelta(days=1), time.min, BEIJING)
    since = Q(settled_at__gte=end) | Q(ends_at__gte=end, status="done") | Q(status__in=OPEN)
    newer = BankRequest.objects.filter(since, account__in=known).values_list("account", flat=True)
    heard = set(newer)
    return sorted((one for one in known if one.pk not in heard), key=lambda one: one.pk)


def _follow(account: BankAccount, told: str, *, at: datetime) -> bool | None:
    """Whether it has moved; None where the bank and we cannot both be right."""
    if told == account.status:
        return False
    if told not in Status.values:
        return None
    try:
        with transaction.atomic():
            accounts.follow(account.pk, Status(told), at=at)
    except AccountDiffers:
        return None
    return True
