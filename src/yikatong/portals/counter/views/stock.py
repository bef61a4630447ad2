"""立等可取 at the desk: the day's balance of blank cards, the printer's queue, and issuing a card at once."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any, Final
from uuid import UUID

from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from yikatong.core.clock import day_of, now
from yikatong.core.errors import DomainError, NotFound
from yikatong.core.permissions import Permission, may
from yikatong.portals.counter.stock_forms import CountForm, MissingForm, PackForm, ReceiveForm, SpoilForm
from yikatong.portals.shared.forms import DeskForm
from yikatong.portals.shared.staff import StaffRequest, staff_required
from yikatong.registry.cards import queries as cards
from yikatong.registry.stock import actions, queries

_ACTS: Final[dict[str, tuple[type[DeskForm], Callable[..., object], str]]] = {
    "receive": (ReceiveForm, actions.receive, "空白卡已入库。"),
    "return": (PackForm, actions.give_back, "空白卡已退回。"),
    "spoil": (SpoilForm, actions.spoil, "废卡已登记。"),
    "count": (CountForm, actions.count, "今日盘点已登记，请另一人复核。"),
    "missing": (MissingForm, actions.write_off, "短少已核销。"),
}

_DONE: Final = {key: words for key, (_, _, words) in _ACTS.items()} | {"confirm": "盘点已复核。"}


@staff_required(Permission.CARD_HAND_OVER)
@require_http_methods(["GET", "HEAD", "POST"])
def page(request: StaffRequest) -> HttpResponse:
    outlet, at = actions.outlet_of(request.actor), now()
    forms = {key: kind(by=request.actor, prefix=key) for key, (kind, _, _) in _ACTS.items()}
    asked = request.POST.get("act", "")
    if asked == "confirm":
        return _confirm(request)
    if asked in _ACTS:
        kind, act, _ = _ACTS[asked]
        form = forms[asked] = kind(request.POST, by=request.actor, prefix=asked)
        if _done(form, act, request):
            return HttpResponseRedirect(f"{request.path}?done={asked}", status=303)
    day = _day(request.GET.get("day", ""), day_of(at))
    context = {
        "outlet": outlet,
        "day": day,
        "before": day - timedelta(days=1),
        "after": day + timedelta(days=1) if day < day_of(at) else None,
        "may_write_off": may(request.actor, Permission.CASE_OVERSEE),
        "balances": queries.balances(outlet, request.actor, day=day),
        "jobs": queries.queue(outlet, request.actor, at=at)[:50],
        "forms": forms,
        "form": forms.get(asked, forms["receive"]),
        "done": _DONE.get(request.GET.get("done", ""), ""),
        "nav": "stock",
    }
    refused = asked in _ACTS and forms[asked].is_refused
    return render(request, "counter/stock.html", context, status=422 if refused else 200)


def _confirm(request: StaffRequest) -> HttpResponse:
    """复核 of a count by another one; a refusal is a page of its own."""
    try:
        count_id = UUID(request.POST.get("count", ""))
    except ValueError:
        raise NotFound from None
    actions.confirm_count(count_id, by=request.actor, at=now())
    return HttpResponseRedirect(f"{request.path}?done=confirm", status=303)


def _day(text: str, today: date) -> date:
    """The day asked for; a strange one, or one to come, is today."""
    try:
        return min(max(date.fromisoformat(text), date(2000, 1, 1)), today)
    except ValueError:
        return today


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
