"""Work on a case under way: what has taken too long, what is to be corrected, and the fee."""

from collections.abc import Callable
from typing import Any

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_safe

from yikatong.core.actor import Actor
from yikatong.core.clock import day_of, now
from yikatong.core.errors import DomainError
from yikatong.core.permissions import Permission
from yikatong.portals.counter import lists, panel
from yikatong.portals.counter.case_forms import AskForm, CorrectForm, FeeForm, OrderForm, WaiveForm
from yikatong.portals.counter.forms import MatterForm
from yikatong.portals.counter.walk import Walk
from yikatong.portals.shared.staff import StaffRequest, staff_required
from yikatong.registry.cards import actions, queries, refusals
from yikatong.registry.cards.models import Case

View = Callable[..., HttpResponseBase]


@staff_required(Permission.CASE_OVERSEE)
@require_safe
def overdue(request: StaffRequest) -> HttpResponse:
    """超期督办 of the supervisor's region, the longest first, by step."""
    day = day_of(now())
    chosen = request.GET.get("step", "")
    found = lists.overdue(request.actor, day, chosen)
    return render(
        request,
        "counter/overdue.html",
        {"found": found, "parts": lists.overdue_parts(request.actor, day), "day": day, "nav": "overdue"},
    )


@staff_required(Permission.HOLDER_FIND)
@require_safe
def elsewhere(request: StaffRequest) -> HttpResponse:
    """通办件: what this region issues for others' counters, and what it has taken for other cities."""
    to_issue, taken = lists.elsewhere_lists(request.actor)
    context = {"to_issue": to_issue, "taken": taken, "day": day_of(now()), "nav": "elsewhere"}
    return render(request, "counter/elsewhere.html", context)


def _work(
    permission: Permission,
    title: str,
    submit: str,
    form: Callable[[Case], Callable[..., MatterForm]],
    act: Callable[..., object],
    **fields_at_fault: type[DomainError],
) -> View:
    """A page with one form about one case; after the act, the case."""

    @staff_required(permission)
    @require_http_methods(["GET", "HEAD", "POST"])
    def view(request: StaffRequest, number: str) -> HttpResponse:
        found = queries.case(number, by=request.actor, at=now())

        def done(filled: MatterForm) -> str:
            act(found, filled, by=request.actor, at=now())
            return f"/counter/cases/{number}/?done=1"

        page: dict[str, object] = {
            "template": "counter/casework.html",
            "matter": {"title": title, "submit": submit},
            "case": found,
            "corrections": found.corrections.filter(answered_at=None),
            "panel": panel.of(found.holder, by=request.actor),
        }
        at_fault = {refusal: name for name, refusal in fields_at_fault.items()}
        walk = Walk(form=form(found), act=done, page=page, is_quick=True, fields_at_fault=at_fault)
        return walk.answer(request)

    return view


def _ask(found: Case, form: Any, *, by: Actor, at: Any) -> None:
    actions.ask_correction(found.pk, items=form.wanted(), by=by, at=at)


def _correct(found: Case, form: Any, *, by: Actor, at: Any) -> None:
    actions.correct(found.pk, answers=form.given(), by=by, at=at)


def _pay(found: Case, form: MatterForm, *, by: Actor, at: Any) -> None:
    actions.take_fee(found.pk, receipt=form.cleaned_data["receipt"], by=by, at=at)


def _waive(found: Case, form: MatterForm, *, by: Actor, at: Any) -> None:
    given = form.cleaned_data
    actions.waive_fee(found.pk, ground=given["ground"], note=given["note"], by=by, at=at)


def _order(found: Case, form: MatterForm, *, by: Actor, at: Any) -> None:
    actions.give_order(found.pk, order=form.cleaned_data["order"], by=by, at=at)


def _same(kind: type[MatterForm]) -> Callable[[Case], Callable[..., MatterForm]]:
    return lambda _: kind


def _of_case(found: Case) -> Callable[..., MatterForm]:
    return lambda *args, **kwargs: CorrectForm(*args, case=found, **kwargs)


ask = _work(Permission.CARD_CHECK, "退回补正", "退回申请人补正", _same(AskForm), _ask)
correct = _work(Permission.CARD_APPLY, "受理补正", "确认补正", _of_case, _correct)
fee = _work(
    Permission.CARD_HAND_OVER, "收费登记", "确认已收费", _same(FeeForm), _pay, receipt=refusals.ReceiptUsed
)
waive = _work(
    Permission.CASE_OVERSEE,
    "免收工本费",
    "确认免收",
    _same(WaiveForm),
    _waive,
    note=refusals.WaiverNoteMissing,
)
order = _work(Permission.CASE_OVERSEE, "督办", "提交督办意见", _same(OrderForm), _order)
