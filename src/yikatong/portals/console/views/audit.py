"""The audit log to read, newest first; the log itself says who read it."""

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import render

from yikatong.core.actor import Channel
from yikatong.core.models import AuditCheckpoint, AuditEntry
from yikatong.core.permissions import Permission
from yikatong.portals.console.forms import AuditFilter
from yikatong.portals.shared.staff import StaffRequest, staff_required


@staff_required(Permission.AUDIT_READ, channel=Channel.WEB)
def page(request: StaffRequest) -> HttpResponse:
    form = AuditFilter(request.GET)
    page = Paginator(form.apply(AuditEntry.objects.order_by("-at", "-id")), 50).get_page(
        request.GET.get("page")
    )
    newest = AuditCheckpoint.objects.order_by("-size").first()
    return render(request, "console/audit.html", {"form": form, "page": page, "checkpoint": newest})
