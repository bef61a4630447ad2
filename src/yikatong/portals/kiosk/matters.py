"""What can be done at the machine: progress, application, loss."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse, HttpResponseRedirect
from django.views.decorators.http import require_safe

from yikatong.core.clock import day_of, now
from yikatong.core.errors import DomainError
from yikatong.portals.kiosk.forms import ApplyForm, LossForm
from yikatong.portals.kiosk.session import KioskRequest, known
from yikatong.portals.kiosk.views import page
from yikatong.portals.shared import validity
from yikatong.registry.cards import actions, following, queries
from yikatong.registry.cards.actions.desks import desk_hindrance
from yikatong.registry.cards.models import COMING, LIVE, Card, CardStatus, Case, CaseKind, CaseStatus
from yikatong.registry.holders.queries import certificate_on
from yikatong.registry.regions.law import province

SHOWN = 4
_LOSABLE = frozenset({CardStatus.INACTIVE, CardStatus.NORMAL, CardStatus.TEMPORARILY_LOST})


@known
@require_safe
def progress(request: KioskRequest) -> HttpResponse:
    """The holder's matters, the open ones first; a draft of another channel can be finished here."""
    found = list(queries.cases_of(request.holder.pk)[:20])
    found.sort(key=lambda one: one.status not in _OPEN)
    shown = [(one, following.progress(one, at=now())) for one in found[:SHOWN]]
    return page(request, "progress", {"cases": shown, "holder": request.holder})


_OPEN = frozenset(CaseStatus) - {
    CaseStatus.DONE,
    CaseStatus.REJECTED,
    CaseStatus.WITHDRAWN,
    CaseStatus.ABANDONED,
}


@known
@require_safe
def case(request: KioskRequest, number: str) -> HttpResponse:
    found = queries.case(number, by=request.actor, at=now())
    context = {
        "case": found,
        "progress": following.progress(found, at=now()),
        "corrections": found.corrections.filter(answered_at=None),
        "new": "new" in request.GET,
        "may_finish": found.status == CaseStatus.DRAFT and found.kind == CaseKind.APPLY,
        "holder": request.holder,
    }
    return page(request, "case", context)


@known
def apply(request: KioskRequest) -> HttpResponse:
    """Bank and outlet, then everything once more, then the act."""
    holder = request.holder
    card, draft = queries.card_of(holder.pk), queries.draft_of(holder.pk, CaseKind.APPLY)
    certificate = certificate_on(holder, day_of(now()))
    form = ApplyForm(
        request.POST or None,
        division_code=holder.division_code,
        ask_validity=validity.is_wanted(certificate, day_of(now())),
        initial=_begun(draft),
    )
    template, status, refusal = "apply", 200, None
    if request.method == "POST":
        status = 422
        if form.is_valid():
            template, status = "apply_check", 200
            if "confirm" in request.POST:
                try:
                    made = _apply(request, form)
                    return HttpResponseRedirect(f"/kiosk/progress/{made.number}?new=1", status=303)
                except DomainError as error:
                    template, refusal, status = "apply", error, error.status
        if "back" in request.POST:
            template, status = "apply", 200
    context = {
        "form": form,
        "refusal": refusal,
        "draft": draft,
        "certificate": certificate,
        "told": validity.told(form.cleaned_data) if template == "apply_check" else None,
        "under_way": queries.being_made(holder.pk),
        "not_here": desk_hindrance(CaseKind.APPLY, by=request.actor, at=now()),
        "hindrance": actions.application_hindrance(holder, by=request.actor, at=now()),
        "has_card": card is not None and card.status in {*LIVE, *COMING},
        "chosen": form.cleaned_data if template == "apply_check" else {},
        "outlet": next((one for one in form.outlets if str(one.pk) == form["outlet"].value()), None),
        "days": province().limits.ordinary.total,
        "holder": holder,
    }
    return page(request, template, context, status)


def _begun(draft: Case | None) -> dict[str, Any]:
    if draft is None:
        return {}
    return {"bank": draft.bank_id, "outlet": str(draft.outlet_id or "")}


def _apply(request: KioskRequest, form: ApplyForm) -> Case:
    outlet = next(one for one in form.outlets if str(one.pk) == form.cleaned_data["outlet"])
    return actions.apply(
        request.holder.pk,
        bank_code=form.cleaned_data["bank"].code,
        outlet_id=UUID(form.cleaned_data["outlet"]),
        division_code=outlet.division_code,
        validity=validity.told(form.cleaned_data),
        by=request.actor,
        at=now(),
    )


@known
def loss(request: KioskRequest) -> HttpResponse:
    """Which kind, then what it means, then the act: the province says which may be done here."""
    card = queries.card_of(request.holder.pk)
    form = LossForm(request.POST or None)
    template, status, refusal = "loss", 200, None
    if request.method == "POST" and card is not None and "back" not in request.POST:
        status = 422
        if form.is_valid():
            template, status = "loss_check", 200
            if "confirm" in request.POST:
                try:
                    _report(request, card, form.cleaned_data["kind"])
                    return HttpResponseRedirect("/kiosk/loss/done", status=303)
                except DomainError as error:
                    template, refusal, status = "loss", error, error.status
    rules = province().loss
    context = {
        "form": form,
        "refusal": refusal,
        "not_here": desk_hindrance(CaseKind.LOSS, by=request.actor, at=now()),
        "card": card,
        "may_lose": card is not None and card.status in _LOSABLE,
        "kind": form.cleaned_data.get("kind", "") if form.is_bound and form.is_valid() else "",
        "kinds": [
            kind
            for kind, channels in (("temporary", rules.temporary_channels), ("formal", rules.formal_channels))
            if "kiosk" in channels and not (kind == "temporary" and card and card.status != CardStatus.NORMAL)
        ],
        "rules": rules,
        "cover": queries.loss_cover(card, day=day_of(now())) if card else None,
        "holder": request.holder,
    }
    return page(request, template, context, status)


def _report(request: KioskRequest, card: Card, kind: str) -> None:
    act = actions.report_temporary_loss if kind == "temporary" else actions.report_loss
    act(card.pk, by=request.actor, at=now())


@known
@require_safe
def loss_done(request: KioskRequest) -> HttpResponse:
    card = queries.card_of(request.holder.pk)
    if card is None or card.status not in {CardStatus.TEMPORARILY_LOST, CardStatus.LOST}:
        return HttpResponseRedirect("/kiosk/loss", status=303)
    filed = queries.cases_of(request.holder.pk).filter(kind=CaseKind.LOSS).first()
    context = {
        "card": card,
        "case": filed,
        "cover": queries.loss_cover(card, day=day_of(now())),
        "holder": request.holder,
    }
    return page(request, "loss_done", context)
