"""The audit log to read, newest first; the log itself says who read it."""

from datetime import datetime
from uuid import UUID

from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from yikatong.core import audit
from yikatong.core.actor import Channel
from yikatong.core.clock import now
from yikatong.core.models import AuditCheckpoint, AuditEntry
from yikatong.core.permissions import Permission
from yikatong.portals.console.forms import AuditFilter
from yikatong.portals.shared.staff import StaffRequest, staff_required

PAGE = 50


@staff_required(Permission.AUDIT_READ, channel=Channel.WEB)
def page(request: StaffRequest) -> HttpResponse:
    """Pages go on from an entry (`after`): a log of years is never counted nor leafed through by number."""
    form, at = AuditFilter(request.GET), now()
    found = form.apply(AuditEntry.objects.order_by("-at", "-id"))
    after = _after(request)
    rows = list((_older(found, *after) if after else found)[: PAGE + 1])
    more = rows[PAGE - 1].id if len(rows) > PAGE else None
    asked = {name: str(value) for name, value in form.data.items() if name in form.fields and value}
    audit.record("audit:log:read", subject="audit:log", by=request.actor, at=at, **{"for": asked})
    newest = AuditCheckpoint.objects.order_by("-size").first()
    shown = {"form": form, "rows": rows[:PAGE], "more": more, "after": after, "checkpoint": newest}
    return render(request, "console/audit.html", shown)


def _after(request: HttpRequest) -> tuple[datetime, UUID] | None:
    try:
        key = UUID(request.GET.get("after", ""))
    except ValueError:
        return None
    return AuditEntry.objects.filter(id=key).values_list("at", "id").first()


def _older(found: QuerySet[AuditEntry], at: datetime, key: UUID) -> QuerySet[AuditEntry]:
    return found.filter(Q(at__lt=at) | Q(at=at, id__lt=key), at__lte=at)
