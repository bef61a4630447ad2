"""办事: what can be done, 申领, 补换, and how a case gets on."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import render

from yikatong.core.clock import day_of, now
from yikatong.portals.citizen import standing
from yikatong.portals.citizen.answers import SeeOther, answer
from yikatong.portals.citizen.forms import ApplyForm, CorrectForm, ReplaceForm
from yikatong.portals.citizen.session import CitizenRequest, holder_required
from yikatong.portals.citizen.views.home import card_context
from yikatong.portals.shared import validity
from yikatong.registry.cards import actions as cards
from yikatong.registry.cards import following, queries
from yikatong.registry.cards.models import CASE_TRANSITIONS, Case, CaseKind, CaseStatus
from yikatong.registry.cards.rules import FeeGround, ReplaceReason
from yikatong.registry.holders.queries import certificate_on
from yikatong.registry.joint import queries as joint
from yikatong.registry.regions import profile
from yikatong.registry.regions.models import Division, Outlet

GO_ON: dict[str, str] = {CaseKind.APPLY: "/m/apply", CaseKind.REPLACE: "/m/card/replace"}


@holder_required
def cases(request: CitizenRequest) -> HttpResponse:
    joints = [(one, standing.of_joint(one)) for one in joint.of_holder(request.holder.id, at=now())[:10]]
    own = [(case, standing.of_case(case)) for case in queries.cases_of(request.holder.id)[:20]]
    return render(
        request, "citizen/cases.html", card_context(request.holder) | {"cases": own, "joints": joints}
    )


@holder_required
def case(request: CitizenRequest, number: str) -> HttpResponse:
    found = queries.case(number, by=request.actor, at=now())
    context = {
        "case": found,
        "standing": standing.of_case(found),
        "progress": following.progress(found, at=now()),
        "timeline": queries.timeline(found),
        "corrections": found.corrections.all(),
        "fee_ground": FeeGround(found.fee_ground).label if found.fee_ground else "",
        "go_on": GO_ON.get(found.kind, "") if found.status == CaseStatus.DRAFT else "",
        "waiting": found.corrections.filter(answered_at=None).count(),
        "new": "new" in request.GET,
        "saved": "saved" in request.GET,
        "corrected": "corrected" in request.GET,
        "can_withdraw": CaseStatus.WITHDRAWN in CASE_TRANSITIONS[CaseStatus(found.status)],
    }
    return render(request, "citizen/case.html", context)


@holder_required
def correct(request: CitizenRequest, number: str) -> HttpResponse:
    """补正: what can be put right from here; originals are shown at a counter."""
    found = queries.case(number, by=request.actor, at=now())
    waiting = list(found.corrections.filter(answered_at=None))
    if found.status != CaseStatus.CORRECTING:
        return SeeOther(f"/m/cases/{found.number}")
    form = CorrectForm(request.POST or None, items=[one.item for one in waiting], place=found.division_code)

    def act(_: dict[str, Any]) -> str:
        cards.correct(found.id, answers=form.given(), by=request.actor, at=now())
        return f"/m/cases/{found.number}?corrected"

    context = {
        "case": found,
        "here": [(one, form[one.item]) for one in waiting if one.item in form.fields],
        "elsewhere": [one for one in waiting if one.item not in form.fields],
    }
    return answer(request, form, "citizen/correct.html", act, **context)


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

    return _card_form(request, ApplyForm, CaseKind.APPLY, act)


@holder_required
def replace(request: CitizenRequest) -> HttpResponse:
    def act(data: dict[str, Any]) -> Case:
        reason = data["reason"]
        return cards.replace(request.holder.id, reason=reason, by=request.actor, at=now(), **_making(data))

    return _card_form(request, ReplaceForm, CaseKind.REPLACE, act)


def _card_form(
    request: CitizenRequest, form_kind: type[ApplyForm], kind: CaseKind, act: Callable[[dict[str, Any]], Case]
) -> HttpResponse:
    holder, draft = request.holder, queries.draft_of(request.holder.id, kind)
    chosen = draft.division_code[:6] if draft else holder.division_code[:6]
    asked = request.GET.get("district") or request.POST.get("district") or chosen
    # Who comes from another page with a bank in mind finds it chosen.
    wished = {name: request.GET[name] for name in ("bank", "reason") if name in request.GET}
    certificate = certificate_on(holder, day_of(now()))
    form = form_kind(
        request.POST or None,
        initial=_begun(draft) | wished,
        ask_validity=validity.is_wanted(certificate, day_of(now())),
    )
    if "save" in request.POST:
        return _save(request, kind, form, asked)
    context = (
        card_context(holder)
        | outlets_near(asked)
        | {"rules": profile.load(settings.PROVINCE), "draft": draft, "certificate": certificate}
    )
    context["under_way"] = queries.being_made(holder.id)
    if kind == CaseKind.APPLY:
        context["hindrance"] = cards.application_hindrance(holder, by=request.actor, at=now())
    if kind == CaseKind.REPLACE:
        context["fees"] = [
            (reason, ReplaceReason(reason).label, fee.fen, FeeGround(fee.ground).label if fee.ground else "")
            for reason, fee in cards.fees_of(holder, at=now()).items()
        ]
    template = f"citizen/{kind}.html"
    return answer(request, form, template, lambda data: f"/m/cases/{act(data).number}?new", **context)


def outlets_near(asked: str) -> dict[str, Any]:
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


def _save(request: CitizenRequest, kind: CaseKind, form: ApplyForm, district: str) -> HttpResponse:
    """Keep what is filled in and right; the rest may come later, here, at a kiosk or at a counter."""
    form.is_valid()
    data = form.cleaned_data
    wish = cards.Wish(
        division_code=data["outlet"].division_code if data.get("outlet") else district,
        reason=data.get("reason") or "",
        bank_code=data["bank"].code if data.get("bank") else "",
        outlet_id=data["outlet"].id if data.get("outlet") else None,
        delivery=data.get("delivery") or "0",
        address=data.get("address") or "",
    )
    saved = cards.save_draft(request.holder.id, kind=kind, wish=wish, by=request.actor, at=now())
    return SeeOther(f"/m/cases/{saved.number}?saved")


def _begun(draft: Case | None) -> dict[str, Any]:
    if draft is None:
        return {}
    said = {
        "bank": draft.bank_id, "outlet": draft.outlet_id, "delivery": draft.delivery,
        "address": draft.address, "reason": draft.reason,
    }  # fmt: skip
    return {name: value for name, value in said.items() if value}


def _making(data: dict[str, Any]) -> dict[str, Any]:
    return {
        "bank_code": data["bank"].code if data["bank"] else None,
        "outlet_id": data["outlet"].id,
        "division_code": data["outlet"].division_code,
        "delivery": data["delivery"],
        "address": data["address"] if data["delivery"] == "1" else "",
        "validity": validity.told(data),
    }
