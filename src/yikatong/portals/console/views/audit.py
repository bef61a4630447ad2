"""The audit log to read, newest first; the log itself says who read it."""

import json
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_safe

from yikatong.core import audit
from yikatong.core.actor import Channel
from yikatong.core.clock import now
from yikatong.core.models import AuditCheckpoint, AuditEntry
from yikatong.core.permissions import Permission
from yikatong.portals.console import auditing, events, exporting
from yikatong.portals.console.forms import AuditFilter
from yikatong.portals.shared.staff import StaffRequest, staff_required
from yikatong.registry.regions.models import Division

PAGE = 50
HEADERS = ("时间", "事件", "事件代码", "对象", "人员", "岗位", "单位", "渠道", "内容", "编号")


@staff_required(Permission.AUDIT_READ, channel=Channel.WEB)
def page(request: StaffRequest) -> HttpResponse:
    """Pages go on from an entry (`after`): a log of years is never counted nor leafed through by number."""
    form, at = AuditFilter(request.GET), now()
    found = form.apply(auditing.entries(request.actor))
    after = _after(request)
    rows = list((_older(found, *after) if after else found)[: PAGE + 1])
    more = rows[PAGE - 1].id if len(rows) > PAGE else None
    audit.record("audit:log:read", subject="audit:log", by=request.actor, at=at, **{"for": _asked(form)})
    newest = AuditCheckpoint.objects.order_by("-size").first()
    shown = {"form": form, "rows": rows[:PAGE], "more": more, "after": after, "checkpoint": newest}
    shown["most"] = settings.ENV.export_rows
    if region := auditing.region_of(request.actor):
        shown["region"] = Division.objects.filter(code=region.ljust(6, "0")).first()
    return render(request, "console/audit.html", shown)


@staff_required(Permission.AUDIT_READ, channel=Channel.WEB)
@require_safe
def file(request: StaffRequest) -> HttpResponseBase:
    """The entries of a period as a CSV file. That they were taken is an entry of the log, with their number."""
    form, at = AuditFilter(request.GET), now()
    if not form.has_period:
        raise exporting.NoPeriod
    # Up to now: neither this export's own entry nor what comes while it runs.
    found = form.apply(auditing.entries(request.actor)).filter(at__lt=at)
    rows = exporting.count(found)
    audit.record(
        "audit:log:exported", subject="audit:log", by=request.actor, at=at, rows=rows, **{"for": _asked(form)}
    )
    return exporting.file(f"审计记录-{exporting.stamp(at)}.csv", HEADERS, found[:rows], _row)


def _row(entry: AuditEntry) -> list[str]:
    return [
        exporting.moment(entry.at),
        events.said(entry.event),
        entry.event,
        entry.subject,
        entry.actor_name,
        events.role(entry.actor_role),
        entry.organisation,
        events.channel(entry.channel),
        json.dumps(entry.facts, ensure_ascii=False) if entry.facts else "",
        str(entry.id),
    ]


def _asked(form: AuditFilter) -> dict[str, str]:
    return {name: str(value) for name, value in form.data.items() if name in form.fields and value}


def _after(request: HttpRequest) -> tuple[datetime, UUID] | None:
    try:
        key = UUID(request.GET.get("after", ""))
    except ValueError:
        return None
    return AuditEntry.objects.filter(id=key).values_list("at", "id").first()


def _older(found: QuerySet[AuditEntry], at: datetime, key: UUID) -> QuerySet[AuditEntry]:
    return found.filter(Q(at__lt=at) | Q(at=at, id__lt=key), at__lte=at)
