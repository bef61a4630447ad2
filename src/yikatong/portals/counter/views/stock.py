"""立等可取 at the desk: the day's balance of blank cards, the printer's queue, and issuing a card at once."""

from collections.abc import Callable
from typing import Any, Final
from uuid import UUID

from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from yikatong.core.clock import day_of, now
from yikatong.core.errors import DomainError
from yikatong.core.permissions import Permission
from yikatong.portals.counter.stock_forms import CountForm, PackForm, ReceiveForm, SpoilForm
from yikatong.portals.shared.forms import DeskForm
from yikatong.portals.shared.staff import StaffRequest, staff_required
from yikatong.registry.cards import queries as cards
from yikatong.registry.stock import actions, queries

_ACTS: Final[dict[str, tuple[type[DeskForm], Callable[..., object], str]]] = {
    "receive": (ReceiveForm, actions.receive, "空白卡已入库。"),
    "return": (PackForm, actions.give_back, "空白卡已退回。"),
    "spoil": (SpoilForm, actions.spoil, "废卡已登记。"),
    "count": (CountForm, actions.count, "今日盘点已登记。"),
}


@staff_required(Permission.CARD_HAND_OVER)
@require_http_methods(["GET", "HEAD", "POST"])
def page(request: StaffRequest) -> HttpResponse:
    outlet, at = actions.outlet_of(request.actor), now()
    forms = {key: kind(by=request.actor, prefix=key) for key, (kind, _, _) in _ACTS.items()}
    asked = request.POST.get("act", "")
    if asked in _ACTS:
        kind, act, _ = _ACTS[asked]
        form = forms[asked] = kind(request.POST, by=request.actor, prefix=asked)
        if _done(form, act, request):
            return HttpResponseRedirect(f"{request.path}?done={asked}", status=303)
    context = {
        "outlet": outlet,
        "day": day_of(at),
        "balances": queries.balances(outlet, request.actor, day=day_of(at)),
        "jobs": queries.queue(outlet, request.actor, at=at)[:50],
        "forms": forms,
        "form": forms.get(asked, forms["receive"]),
        "done": _ACTS[key][2] if (key := request.GET.get("done", "")) in _ACTS else "",
        "nav": "stock",
    }
    refused = asked in _ACTS and forms[asked].is_refused
    return render(request, "counter/stock.html", context, status=422 if refused else 200)


def _done(form: DeskForm, act: Callable[..., object], request: StaffRequest) -> bool:
    given: dict[str, Any] = {}
    try:
        if form.is_valid():
            given = {name: form.cleaned_data[name] for name in form.fields}
            act(**given, by=request.actor, at=now())
            return True
    except DomainError as refusal:
        form.refuse(refusal)
    return False


@staff_required(Permission.CARD_HAND_OVER)
@require_POST
def issue(request: StaffRequest, number: str) -> HttpResponse:
    found = cards.case(number, by=request.actor, at=now())
    actions.issue_at_once(found.pk, by=request.actor, at=now())
    return HttpResponseRedirect(reverse("counter-stock"), status=303)


@staff_required(Permission.CARD_HAND_OVER)
@require_POST
def spoil_job(request: StaffRequest, job_id: UUID) -> HttpResponse:
    """The printer stopped half way: the clerk throws the card away, and the next blank is taken."""
    actions.print_failed(job_id, reason="打印中断", by=request.actor, at=now())
    return HttpResponseRedirect(reverse("counter-stock"), status=303)
