"""Cases: progress by number, the case with its timeline, checking it, and its receipt."""

from collections.abc import Callable

from django.http import HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from yikatong.core.actor import Actor
from yikatong.core.clock import day_of, now
from yikatong.core.errors import DomainError
from yikatong.core.permissions import Permission, may
from yikatong.portals.counter import history, panel, withdrawing
from yikatong.portals.counter.forms import CaseNumberForm, MatterForm, ReasonForm, WithdrawForm
from yikatong.portals.counter.walk import Walk
from yikatong.portals.shared import qr
from yikatong.portals.shared.staff import StaffRequest, staff_required
from yikatong.registry.cards import actions, elsewhere, following, queries
from yikatong.registry.cards.models import (
    CASE_TRANSITIONS,
    OPEN_CASES,
    CardStatus,
    Case,
    CaseKind,
    CaseStatus,
)
from yikatong.registry.cards.rules import CASE_NEXT_STEP, CancelReason, ChangeReason, FeeGround, ReplaceReason
from yikatong.registry.joint import queries as joint


@staff_required(Permission.HOLDER_FIND)
@require_http_methods(["GET", "HEAD", "POST"])
def progress(request: StaffRequest) -> HttpResponse:
    form = CaseNumberForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            number = form.cleaned_data["number"].strip()
            if number[:1].isalpha():  # 联办号 begins with a letter
                found = joint.joint(number, by=request.actor, at=now())
                return HttpResponseRedirect(f"/counter/joint/{found.number}/", status=303)
            case = queries.case(number, by=request.actor, at=now())
            return HttpResponseRedirect(f"/counter/cases/{case.number}/", status=303)
        except DomainError as refusal:
            form.refuse(refusal, "number")
    return render(
        request,
        "counter/progress.html",
        {"form": form, "nav": "progress"},
        status=422 if form.is_refused else 200,
    )


@staff_required(Permission.HOLDER_FIND)
@require_safe
def case(request: StaffRequest, number: str) -> HttpResponse:
    found = queries.case(number, by=request.actor, at=now())
    return _page(request, found, ReasonForm())


def _page(request: StaffRequest, found: Case, form: ReasonForm) -> HttpResponse:
    context = {
        "case": found,
        "reason": _reason(found),
        "steps": queries.timeline(found),
        "next": CASE_NEXT_STEP[found.status],
        "progress": following.progress(found, at=now()),
        "corrections": found.corrections.all(),
        "changed": [] if request.actor.bank else history.with_case(found),
        "fee_ground": fee_ground(found),
        "cover": _cover(found),
        "may_oversee": may(request.actor, Permission.CASE_OVERSEE)
        and request.actor.covers(found.division_code),
        "may_hand_over": may(request.actor, Permission.CARD_HAND_OVER),
        "is_open": found.status in OPEN_CASES,
        "may_withdraw": may(request.actor, Permission.CARD_APPLY)
        and CaseStatus.WITHDRAWN in CASE_TRANSITIONS[CaseStatus(found.status)],
        "may_check": may(request.actor, Permission.CARD_CHECK)
        and elsewhere.hindrance(found, by=request.actor) is None,
        "hindrance": _hindrance(found, request.actor),
        "panel": panel.of(found.holder, by=request.actor),
        "form": form,
        "is_new": "new" in request.GET,
    }
    status = (form.refusal.status if form.refusal else 422) if form.is_refused else 200
    return render(request, "counter/case.html", context, status=status)


def _hindrance(found: Case, by: Actor) -> DomainError | None:
    """What stands against approving it, while it waits for that."""
    waits = found.status == CaseStatus.SUBMITTED and may(by, Permission.CARD_CHECK)
    return queries.check_hindrance(found, by=by) if waits else None


def fee_ground(found: Case) -> str:
    """Why the fee is not taken, as people say it."""
    return FeeGround(found.fee_ground).label if found.fee_ground else ""


def _cover(found: Case) -> queries.LossCover | None:
    """Which halves a loss covers, for as long as the card is lost; its receipt is what the holder takes home."""
    card = found.card if found.kind == CaseKind.LOSS else None
    lost = card is not None and card.status in {CardStatus.LOST, CardStatus.TEMPORARILY_LOST}
    return queries.loss_cover(card, day=day_of(now())) if card and lost else None


def _reason(found: Case) -> str:
    return dict(ReplaceReason.choices + CancelReason.choices + ChangeReason.choices).get(
        found.reason, found.reason
    )


def _deciding(permission: Permission, act: Callable[..., object]) -> Callable[..., HttpResponseBase]:
    """A view that does one act on a case and returns to it."""

    @staff_required(permission)
    @require_POST
    def view(request: StaffRequest, number: str) -> HttpResponse:
        found = queries.case(number, by=request.actor, at=now())
        form = ReasonForm(request.POST)
        try:
            act(found.pk, by=request.actor, at=now())
        except DomainError as refusal:
            form.refuse(refusal)
            return _page(request, found, form)
        return HttpResponseRedirect(f"/counter/cases/{number}/?done=1", status=303)

    return view


check = _deciding(Permission.CARD_CHECK, actions.check)
retry = _deciding(Permission.CARD_CHECK, actions.retry)


@staff_required(Permission.CARD_CHECK)
@require_POST
def reject(request: StaffRequest, number: str) -> HttpResponse:
    found = queries.case(number, by=request.actor, at=now())
    form = ReasonForm(request.POST)
    if not form.is_valid():
        return _page(request, found, form)
    try:
        actions.reject(found.pk, reason=form.cleaned_data["reason"], by=request.actor, at=now())
    except DomainError as refusal:
        form.refuse(refusal)
        return _page(request, found, form)
    return HttpResponseRedirect(f"/counter/cases/{number}/?done=1", status=303)


@staff_required(Permission.CARD_APPLY)
@require_http_methods(["GET", "HEAD", "POST"])
def withdraw(request: StaffRequest, number: str) -> HttpResponse:
    """撤回, after a page that says what it undoes: there is no way back from it."""
    found = queries.case(number, by=request.actor, at=now())

    def act(_: MatterForm) -> str:
        actions.withdraw(found.pk, by=request.actor, at=now())
        return f"/counter/cases/{number}/?done=1"

    page = {
        "template": "counter/withdraw.html",
        "matter": {"title": f"撤回{found.get_kind_display()}"},
        "case": found,
        "undone": withdrawing.undone(found),
        "hindrance": queries.withdrawal_hindrance(found),
        "panel": panel.of(found.holder, by=request.actor),
    }
    return Walk(form=WithdrawForm, act=act, page=page, is_quick=True).answer(request)


@staff_required(Permission.HOLDER_FIND)
@require_safe
def receipt(request: StaffRequest, number: str) -> HttpResponse:
    """受理回执, 80 mm wide; masked, for it may be left lying about."""
    found = queries.case(number, by=request.actor, at=now())
    context = {
        "case": found,
        "panel": panel.of(found.holder, by=request.actor),
        "reason": _reason(found),
        "next": CASE_NEXT_STEP[found.status],
        "progress": following.progress(found, at=now()),
        "fee_ground": fee_ground(found),
        "cover": _cover(found),
        "corrections": found.corrections.filter(answered_at=None),
        "qr": qr.svg(found.number),
        "printed_at": now(),
    }
    return render(request, "counter/receipt.html", context)
