"""服务网点: what each offers, when it is open, its queue machine; kept by the supervisors of its region."""

from typing import Any
from uuid import UUID

from django.core.paginator import Paginator
from django.db.models import Q, QuerySet
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from yikatong.core.actor import Actor, Channel
from yikatong.core.clock import day_of, now
from yikatong.core.errors import DomainError, NotFound
from yikatong.core.permissions import Permission
from yikatong.portals.console.outlet_forms import ChangeForm, FactsForm, OutletFilter, WeekForm
from yikatong.portals.shared.forms import DeskForm
from yikatong.portals.shared.staff import StaffRequest, staff_required
from yikatong.registry.outlets import actions, queries
from yikatong.registry.outlets.models import HoursChange, QueueMachine
from yikatong.registry.regions.models import Outlet

staff = staff_required(Permission.OUTLET_KEEP, channel=Channel.WEB)


@staff
def index(request: StaffRequest) -> HttpResponse:
    form = OutletFilter(request.GET)
    text = form.cleaned_data["text"] if form.is_valid() else ""
    found = visible(request.actor).order_by("number")
    if text:
        found = found.filter(Q(number__startswith=text) | Q(name__contains=text))
    page = Paginator(found, 50).get_page(request.GET.get("page"))
    rows = queries.shown([one.pk for one in page], at=now())
    return render(request, "console/outlets.html", {"form": form, "page": page, "rows": rows})


@require_http_methods(["GET", "HEAD", "POST"])
@staff
def outlet(request: StaffRequest, outlet_id: UUID) -> HttpResponse:
    """Each form posts by itself; a machine's key is shown in the answer of the POST that made it, and never again."""
    found, at = visible(request.actor).filter(pk=outlet_id).first(), now()
    if found is None:
        raise NotFound("没有找到这个服务网点。")
    plan = queries.plans_of([found.pk], at=at)[found.pk]
    asked = request.POST.get("act", "")
    forms: dict[str, DeskForm] = {
        "facts": FactsForm(initial=FactsForm.of(found)),
        "week": WeekForm(initial=WeekForm.of(plan.week)),
        "change": ChangeForm(),
    }
    key, form = "", forms["facts"]
    if request.method == "POST":
        is_form = asked in forms
        if is_form:
            form = forms[asked] = _given(asked, request)
        try:
            if not is_form or form.is_valid():
                key = _act(asked, found, form, request)
        except DomainError as refusal:
            form.is_bound = True
            form.refuse(refusal)
        if not key and not form.is_refused:
            return HttpResponseRedirect(f"{request.path}?done=1", status=303)
    context = {
        "outlet": found, "forms": forms, "form": form, "key": key, "asked": asked,
        "one": queries.shown([found.pk], at=at)[0],
        "changes": HoursChange.objects.filter(outlet=found, until__gte=day_of(at)),
        "machine": QueueMachine.objects.filter(pk=found.pk).first(),
        "done": "done" in request.GET,
    }  # fmt: skip
    return render(request, "console/outlet.html", context, status=422 if form.is_refused else 200)


def _given(asked: str, request: StaffRequest) -> DeskForm:
    kinds: dict[str, type[DeskForm]] = {"facts": FactsForm, "week": WeekForm, "change": ChangeForm}
    return kinds[asked](request.POST)


def _act(asked: str, found: Outlet, form: DeskForm, request: StaffRequest) -> str:
    """Carry out what was asked; returns the machine's key when one was made."""
    common: dict[str, Any] = {"by": request.actor, "at": now()}
    match asked:
        case "facts":
            actions.describe(found.pk, **form.cleaned_data, **common)
        case "week" if isinstance(form, WeekForm):
            actions.set_week(found.pk, week=form.week, **common)
        case "change":
            actions.change_hours(found.pk, **form.cleaned_data, **common)
        case "take-back":
            actions.take_back_change(_uuid(request.POST.get("change", "")), **common)
        case "key":
            return actions.renew_machine_key(found.pk, **common)
        case "stop":
            actions.stop_machine(found.pk, **common)
    return ""


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise NotFound from None


def visible(by: Actor) -> QuerySet[Outlet]:
    return Outlet.objects.filter(division_code__startswith=by.scope)
