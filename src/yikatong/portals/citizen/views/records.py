"""用卡记录 and 谁查过我的信息 (PIPL art. 44, Guangdong art. 17)."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import TypeVar

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.dateparse import parse_datetime

from yikatong.core import looks as log
from yikatong.core.clock import BEIJING, now
from yikatong.core.models import Look
from yikatong.portals.citizen.session import CitizenRequest, holder_required
from yikatong.registry.holders.models import Holder
from yikatong.using.usage import queries as usage
from yikatong.using.usage.queries import SeenUse

PAGE = 20
MONTH, MONTHS = timedelta(days=31), 3
KEPT = timedelta(days=3 * 365)
AHEAD = timedelta(minutes=5)  # a terminal's clock may be a little fast
FIELDS = {
    "name": "姓名",
    "certificate": "证件号码",
    "number": "社会保障号码",
    "social_security_number": "社会保障号码",
    "phone": "手机号码",
    "address": "通讯地址",
    "cards": "卡",
    "card": "卡",
    "account": "银行账户",
    "cases": "受理单",
    "categories": "优待类别",
    "birth_date": "出生日期",
}

T = TypeVar("T")


@holder_required
def uses(request: CitizenRequest) -> HttpResponse:
    """Latest first; `before` (ISO 8601) is where the page before ended."""
    before = _moment(request.GET.get("before", ""))

    def month(since: datetime, until: datetime) -> list[SeenUse]:
        return usage.of_holder(request.holder.id, PAGE + 1, since=since, before=until)

    rows, more = _walk(month, lambda use: use.used_at, before, request.holder)
    return render(request, "citizen/uses.html", {"uses": rows, "more": more, "later": before})


@holder_required
def looks(request: CitizenRequest) -> HttpResponse:
    """Latest first, in the same way."""
    before = _moment(request.GET.get("before", ""))

    def month(since: datetime, until: datetime) -> Sequence[Look]:
        return list(log.of_holder(request.holder.id, since=since, before=until)[: PAGE + 1])

    found, more = _walk(month, lambda look: look.at, before, request.holder)
    rows = [
        (look, "、".join(dict.fromkeys(FIELDS.get(name, name) for name in look.fields))) for look in found
    ]
    return render(request, "citizen/looks.html", {"looks": rows, "more": more, "later": before})


def _walk(
    month: Callable[[datetime, datetime], Sequence[T]],
    time_of: Callable[[T], datetime],
    before: datetime | None,
    holder: Holder,
) -> tuple[list[T], str]:
    """A page of rows before `before`, and where to go on ("" at the end), month by month.

    One query over all years would plan for and lock a thousand tables: a few readers at once would use up the
    locks of the whole database.
    """
    rows: list[T] = []
    at = now()
    first, newest = max(holder.created_at, at - KEPT), at + AHEAD
    until = min(before or newest, newest)
    for _ in range(MONTHS):
        if until <= first - MONTH:
            return rows, ""
        since = until - MONTH
        rows += month(since, until)
        if len(rows) > PAGE:
            # Rows of one moment stay together, or the next page would begin behind some of them.
            cut = time_of(rows[PAGE])
            shown = [row for row in rows[:PAGE] if time_of(row) > cut] or rows[:PAGE]
            return shown, time_of(shown[-1]).isoformat()
        until = since
    return rows, until.isoformat() if until > first else ""


def _moment(text: str) -> datetime | None:
    try:
        moment = parse_datetime(text.replace(" ", "+"))
    except ValueError:
        return None
    return moment if moment is None or moment.tzinfo else moment.replace(tzinfo=BEIJING)
