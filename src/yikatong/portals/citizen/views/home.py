"""首页、我的、设置、帮助."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST

from yikatong.core.clock import now
from yikatong.portals.citizen import standing
from yikatong.portals.citizen.answers import SeeOther
from yikatong.portals.citizen.forms import DisplayForm
from yikatong.portals.citizen.session import CitizenRequest, holder_required, safe_next
from yikatong.registry.cards import queries as cards
from yikatong.registry.cards.models import OPEN_CASES, CaseStatus
from yikatong.registry.catalogue.models import Domain
from yikatong.registry.holders.models import Holder
from yikatong.registry.regions import profile
from yikatong.using.usage import queries as usage

YEAR_S = 365 * 24 * 3600


@holder_required
def home(request: CitizenRequest) -> HttpResponse:
    return render(request, "citizen/home.html", card_context(request.holder) | _latest(request.holder))


@holder_required
def me(request: CitizenRequest) -> HttpResponse:
    return render(request, "citizen/me.html", card_context(request.holder))


def preferences(request: HttpRequest) -> HttpResponse:
    """Also for those not logged in: the text must be readable before anyone can log in."""
    return render(request, "citizen/settings.html")


@require_POST
def display(request: HttpRequest) -> HttpResponse:
    """Keep text size and elder mode in cookies of this browser; they say nothing about a person."""
    form = DisplayForm(request.POST)
    form.is_valid()
    response = SeeOther(safe_next(request))
    for name in ("fs", "elder"):
        if value := form.cleaned_data.get(name):
            response.set_cookie(name, value, max_age=YEAR_S, samesite="Lax", secure=request.is_secure())
    if form.cleaned_data.get("elder") and not form.cleaned_data.get("fs"):
        response.delete_cookie("fs")  # each mode begins with its own size
    return response


def help_page(request: HttpRequest) -> HttpResponse:
    rules = profile.load(settings.PROVINCE)
    return render(request, "citizen/help.html", {"rules": rules})


def card_context(holder: Holder) -> dict[str, Any]:
    """The holder and the card in force or coming, with their standing, masked."""
    card, at = cards.card_of(holder.id), now()
    return {
        "holder": holder,
        "card": card,
        "standing": standing.of_card(card, at=at) if card else None,
        "refusal": standing.why_no_code(holder, card, at=at),
    }


def _latest(holder: Holder) -> dict[str, Any]:
    """Matters under way, and uses of the last month: home looks into no more tables than that."""
    at = now() + timedelta(minutes=5)  # a terminal's clock may be a little fast
    running = [case for case in cards.cases_of(holder.id) if case.status in {*OPEN_CASES, CaseStatus.DRAFT}]
    return {
        "cases": [(case, standing.of_case(case)) for case in running[:3]],
        "uses": usage.of_holder(holder.id, 3, since=at - timedelta(days=31), before=at),
        "domains": Domain.objects.all()[:5],
    }
