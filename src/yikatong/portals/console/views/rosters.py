"""Rosters: upload, watch, and take the faulty rows home as a table."""

from typing import Any
from uuid import UUID

from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from yikatong.core.actor import Actor, Channel
from yikatong.core.clock import day_of, now
from yikatong.core.errors import DomainError, NotFound
from yikatong.core.permissions import Permission
from yikatong.portals.console.forms import RosterForm
from yikatong.portals.shared.staff import StaffRequest, staff_required
from yikatong.registry.cards import rosters
from yikatong.registry.cards.models import Roster
from yikatong.registry.cards.rules import ROSTER_KINDS

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
staff = staff_required(Permission.ROSTER_IMPORT, channel=Channel.BATCH)


@require_http_methods(["GET", "HEAD", "POST"])
@staff
def index(request: StaffRequest) -> HttpResponse:
    form = RosterForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        file = form.cleaned_data["file"]
        try:
            at = now()
            said = {
                "kind": form.cleaned_data["kind"] or ROSTER_KINDS[0],
                "applicant": form.cleaned_data["applicant"],
            }
            received = rosters.receive(file, file.name, **said, by=request.actor, at=at)
        except DomainError as refusal:
            form.refuse(refusal)
        else:
            again = "?again=1" if received.created_at < at else ""
            return HttpResponseRedirect(reverse("console-roster", args=[received.pk]) + again, status=303)
    recent = Paginator(visible(request.actor).order_by("-created_at"), 20).get_page(request.GET.get("page"))
    status = 422 if form.is_refused else 200
    return render(request, "console/rosters.html", {"form": form, "page": recent}, status=status)


@staff
def roster(request: StaffRequest, roster_id: UUID) -> HttpResponse:
    found = _found(request, roster_id)
    faults = _faults(found, request)
    mine = {"is_mine": rosters.is_sender(found, request.actor), "kept_until": rosters.kept_until(found)}
    sent = rosters.routes(found.pk) if found.routed else []
    return render(request, "console/roster.html", {"roster": found, "page": faults, "routes": sent, **mine})


@staff
def faults(request: StaffRequest, roster_id: UUID) -> HttpResponse:
    found = _found(request, roster_id)
    return _xlsx(rosters.faults_xlsx(found.pk), f"roster-faults-{day_of(found.created_at):%Y%m%d}.xlsx")


@require_POST
@staff
def rows(request: StaffRequest, roster_id: UUID) -> HttpResponse:
    """What was sent, to be mended: of other people's data, so that a click is recorded and no crawler follows it."""
    found = _found(request, roster_id)
    try:
        content = rosters.given_xlsx(found.pk, by=request.actor, at=now())
    except DomainError as refusal:
        return render(
            request,
            "console/roster.html",
            {"roster": found, "page": _faults(found, request), "refusal": refusal.message},
            status=refusal.status,
        )
    return _xlsx(content, f"roster-rows-{day_of(found.created_at):%Y%m%d}.xlsx")


@staff
def template(request: StaffRequest) -> HttpResponse:  # noqa: ARG001
    return _xlsx(rosters.template_xlsx(), "roster-template.xlsx")


def _faults(found: Roster, request: StaffRequest) -> Page[Any]:
    return Paginator(found.faulty.defer("given").order_by("row", "column"), 50).get_page(
        request.GET.get("page")
    )


def visible(by: Actor) -> QuerySet[Roster]:
    return Roster.objects.defer("content").filter(scope__startswith=by.scope)


def _found(request: StaffRequest, roster_id: UUID) -> Roster:
    found = visible(request.actor).filter(pk=roster_id).first()
    if found is None:
        raise NotFound
    return found


def _xlsx(content: bytes, name: str) -> HttpResponse:
    return HttpResponse(
        content, content_type=XLSX, headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )
