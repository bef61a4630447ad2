"""Who looked at holders' records, for the auditor (Guangdong art. 17); reading it is itself noted."""

from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.http import HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from yikatong.core import audit
from yikatong.core import looks as log
from yikatong.core.actor import Channel
from yikatong.core.clock import day_of, now
from yikatong.core.models import Look, StaffUser
from yikatong.core.permissions import Permission
from yikatong.portals.console import events, exporting
from yikatong.portals.console.auditing import region_of
from yikatong.portals.console.forms import LOOKS_DAYS, LookFilter, NumberForm
from yikatong.portals.shared.staff import StaffRequest, staff_required
from yikatong.registry.holders import queries as holders
from yikatong.registry.regions.models import Division

PAGE = 50
ORGANISATIONS = 200
HEADERS = ("时间", "查询人", "岗位", "单位", "渠道", "为了", "依据", "看了", "持卡人（内部编号）")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_required(Permission.AUDIT_READ, channel=Channel.WEB)
def page(request: StaffRequest) -> HttpResponse:
    """Some days, or one holder over a month. A holder's number is posted: it stands in no address."""
    number, at = NumberForm(request.POST if request.method == "POST" else None), now()
    if number.is_valid():
        if holder := holders.key_of_number(number.cleaned_data["number"], by=request.actor, at=at):
            return HttpResponseRedirect(f"{reverse('console-looks')}?holder={holder}", status=303)
        number.add_error("number", "没有找到这个证件号码的持卡人，请核对。")
    form, after = LookFilter(request.GET), _after(request.GET.get("after", ""))
    asked = form.asked(day_of(at), region_of(request.actor))
    rows = list(log.asked_for(asked, after=after)[: PAGE + 1])
    audit.record("audit:looks:read", subject="audit:looks", by=request.actor, at=at, **_facts(asked))
    shown = {
        "form": number,
        "filter": form,
        "wanted": asked,
        "rows": rows[:PAGE],
        "more": _place(rows[PAGE - 1]) if len(rows) > PAGE else "",
        "after": after,
        "region": Division.objects.filter(code=asked.region.ljust(6, "0")).first() if asked.region else None,
        "most": settings.ENV.export_rows,
        "organisations": _organisations(asked.region),
    }
    return render(request, "console/looks.html", shown, status=422 if number.is_refused else 200)


@require_safe
@staff_required(Permission.AUDIT_READ, channel=Channel.WEB)
def file(request: StaffRequest) -> HttpResponseBase:
    """What the page lists, whole, as a CSV file; that it was taken is in the audit log, with the number of rows."""
    form, at = LookFilter(request.GET), now()
    asked = form.asked(day_of(at), region_of(request.actor))
    if form.was_cut:
        raise exporting.NoPeriod(f"一次最多导出 {LOOKS_DAYS} 天。下一步：缩短起止日期，分几次导出。")
    found = log.asked_for(asked).filter(at__lt=at)
    rows = exporting.count(found)
    audit.record(
        "audit:looks:exported", subject="audit:looks", by=request.actor, at=at, rows=rows, **_facts(asked)
    )
    return exporting.file(f"查询记录-{exporting.stamp(at)}.csv", HEADERS, found[:rows], _row)


def _row(look: Look) -> list[str]:
    return [
        exporting.moment(look.at),
        look.looker_name,
        events.role(look.looker_role),
        look.organisation,
        events.channel(look.channel),
        look.purpose,
        look.ground,
        "、".join(look.fields),
        str(look.holder_id),
    ]


def _facts(asked: log.Asked) -> dict[str, str]:
    return {name: str(value) for name, value in asdict(asked).items() if value and name != "looker_ids"}


def _organisations(region: str) -> list[str]:
    found = (
        StaffUser.objects.filter(scope__startswith=region).exclude(organisation="").order_by("organisation")
    )
    return list(found.values_list("organisation", flat=True).distinct()[:ORGANISATIONS])


def _place(look: Look) -> str:
    """Where a page ends: microseconds and key, so that looks of one moment fall on no seam."""
    return f"{(look.at - _EPOCH) // timedelta(microseconds=1)}.{look.id}"


def _after(text: str) -> tuple[datetime, UUID] | None:
    """A strange place is the beginning."""
    micros, _, key = text.partition(".")
    with suppress(ValueError, OverflowError):
        return _EPOCH + timedelta(microseconds=int(micros)), UUID(key)
    return None
