"""Requests to banks: what waits, since when and why, and what a bank has refused."""

from datetime import timedelta
from uuid import UUID

from django.core.paginator import Paginator
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from yikatong.core.actor import Channel
from yikatong.core.clock import day_of, now
from yikatong.core.errors import DomainError
from yikatong.core.permissions import Permission
from yikatong.portals.shared.staff import StaffRequest, staff_required
from yikatong.registry.banks import queries, replies, requests
from yikatong.registry.banks.models import Contradiction, WrittenAnswer
from yikatong.registry.cards import delegation

SHOWN_DAYS = 7
MEASURED = timedelta(days=30)
staff = staff_required(Permission.BANK_MANAGE, channel=Channel.WEB)


@require_safe
@staff
def index(request: StaffRequest) -> HttpResponse:
    return _page(request)


@require_POST
@staff
def retry(request: StaffRequest, request_id: UUID) -> HttpResponse:
    try:
        requests.retry_now(request_id, by=request.actor, at=now())
    except DomainError as refusal:
        return _page(request, refusal)
    return HttpResponseRedirect(reverse("console-banks") + "?sent=1", status=303)


def _page(request: StaffRequest, refusal: DomainError | None = None) -> HttpResponse:
    requests.check_right(request.actor)
    at = now()
    days = [day_of(at) - timedelta(days=n) for n in range(1, SHOWN_DAYS + 1)]
    shown = {
        "lines": queries.lines(at=at),
        "page": Paginator(requests.waiting(), 50).get_page(request.GET.get("page")),
        "refused": requests.refused()[:50],
        "days": days,
        "delivered": queries.delivered(days, at=at),
        "outlets": delegation.measures(since=at - MEASURED, day=day_of(at)),
        "at": at,
        "patience": at - replies.PATIENCE,
        "to_confirm": WrittenAnswer.objects.filter(status="proposed").count(),
        "contradictions": Contradiction.objects.filter(status="open").count(),
        "refusal": refusal,
    }
    return render(request, "console/banks.html", shown, status=refusal.status if refusal else 200)
