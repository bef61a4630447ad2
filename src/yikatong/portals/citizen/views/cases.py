"""办事: what can be done, 申领, 补换, and how a case gets on."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import render

from yikatong.core.clock import now
from yikatong.portals.citizen import standing
from yikatong.portals.citizen.answers import SeeOther, answer
from yikatong.portals.citizen.forms import ApplyForm, ReplaceForm
from yikatong.portals.citizen.session import CitizenRequest, holder_required
from yikatong.portals.citizen.views.home import card_context
from yikatong.registry.cards import actions as cards
from yikatong.registry.cards import queries
from yikatong.registry.cards.models import CASE_TRANSITIONS, Case, CaseStatus
from yikatong.registry.cards.rules import CASE_NEXT_STEP, CASE_OWNER
from yikatong.registry.regions import profile
from yikatong.registry.regions.models import Division, Outlet


@holder_required
def cases(request: CitizenRequest) -> HttpResponse:
    own = [(case, standing.of_case(case)) for case in queries.cases_of(request.holder.id)[:20]]
    return render(request, "citizen/cases.html", card_context(request.holder) | {"cases": own})


@holder_required
def case(request: CitizenRequest, number: str) -> HttpResponse:
    found = queries.case(number, by=request.actor, at=now())
    context = {
        "case": found,
        "standing": standing.of_case(found),
        "progress": standing.progress(found),
        "timeline": queries.timeline(found),
        "owner": CASE_OWNER.get(found.status, ""),
        "advice": CASE_NEXT_STEP[found.status],
        "new": "new" in request.GET,
        "can_withdraw": CaseStatus.WITHDRAWN in CASE_TRANSITIONS[CaseStatus(found.status)],
    }
    return render(request, "citizen/case.html", context)


@holder_required
def withdraw(request: CitizenRequest, number: str) -> HttpResponse:
    found = queries.case(number, by=request.actor, at=now())
    if request.method == "POST":
        cards.withdraw(found.id, by=request.actor, at=now())
        return SeeOther(f"/m/cases/{found.number}")
    return render(request, "citizen/withdraw.html", {"case": found})


@holder_required
def apply(request: CitizenRequest) -> HttpResponse:
    def act(data: dict[str, Any]) -> Case:
        return cards.apply(request.holder.id, by=request.actor, at=now(), **_making(data))

    return _card_form(request, ApplyForm, "citizen/apply.html", act)


@holder_required
def replace(request: CitizenRequest) -> HttpResponse:
    def act(data: dict[str, Any]) -> Case:
        reason = data["reason"]
        return cards.replace(request.holder.id, reason=reason, by=request.actor, at=now(), **_making(data))

    return _card_form(request, ReplaceForm, "citizen/replace.html", act)


def _card_form(
    request: CitizenRequest, kind: type[ApplyForm], template: str, act: Callable[[dict[str, Any]], Case]
) -> HttpResponse:
    asked = request.GET.get("district") or request.POST.get("district") or request.holder.division_code[:6]
    form = kind(request.POST or None)
    context = card_context(request.holder) | _outlets(asked) | {"rules": profile.load(settings.PROVINCE)}
    return answer(request, form, template, lambda data: f"/m/cases/{act(data).number}?new", **context)


def _outlets(asked: str) -> dict[str, Any]:
    """Districts that have an outlet, by city, and the outlets of the one asked for, else of the nearest by code."""
    served = Outlet.objects.filter(is_open=True).values_list("division_code", flat=True).distinct()
    codes = {code[:6] for code in served}
    names = dict(
        Division.objects.filter(code__in=codes | {code[:4] + "00" for code in codes}).values_list(
            "code", "name"
        )
    )
    cities: dict[str, list[tuple[str, str]]] = {}
    for code in sorted(codes):
        cities.setdefault(names.get(code[:4] + "00", ""), []).append((code, names.get(code, code)))
    near = [code for code in sorted(codes) if code[:4] == asked[:4]] or sorted(codes) or [asked]
    district = asked if asked in codes else near[0]
    found = Outlet.objects.filter(is_open=True, division_code__startswith=district).order_by("number")
    return {"district": district, "cities": cities, "outlets": found}


def _making(data: dict[str, Any]) -> dict[str, Any]:
    return {
        "bank_code": data["bank"].code if data["bank"] else None,
        "outlet_id": data["outlet"].id,
        "division_code": data["outlet"].division_code,
        "delivery": data["delivery"],
    }
