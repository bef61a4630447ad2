"""Begin at the desk: work lists, finding a holder, registering one."""

from django.conf import settings
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from yikatong.core.clock import day_of, now
from yikatong.core.errors import DomainError
from yikatong.core.permissions import Permission
from yikatong.portals.counter import lists, registering
from yikatong.portals.counter.forms import FindForm, RegisterForm
from yikatong.portals.counter.matters import MATTERS
from yikatong.portals.counter.walk import Walk
from yikatong.portals.shared.staff import StaffRequest, staff_required
from yikatong.registry.cards.models import CaseStatus
from yikatong.registry.holders import queries as holders
from yikatong.registry.holders.queries import Found

LIST_MAX = 100
EXACT = frozenset({"certificate", "card"})


@staff_required(Permission.HOLDER_FIND)
@require_safe
def workbench(request: StaffRequest) -> HttpResponse:
    at = now()
    context = {
        "waiting": lists.all_waiting(request.actor, day_of(at)),
        "mine": lists.cases_today(request.actor, at),
        "form": FindForm(),
        "reader_url": settings.ENV.reader_url,
        "day": day_of(at),
        "nav": "desk",
    }
    return render(request, "counter/workbench.html", context)


@staff_required(Permission.HOLDER_FIND)
@require_http_methods(["GET", "HEAD", "POST"])
def find(request: StaffRequest) -> HttpResponse:
    """A post, so that no number of a person stands in an address or a log of addresses."""
    matter = request.GET.get("for", "")
    matter = matter if matter in {*MATTERS, "collect", "veteran"} else ""
    form = FindForm(request.POST if request.method == "POST" else None)
    found: list[Found] | None = None
    if form.is_valid():
        try:
            found = holders.find(form.cleaned_data["q"], by=request.actor, at=now(), purpose="窗口查找持卡人")
        except DomainError as refusal:
            form.refuse(refusal, "q")
    if found and len(found) == 1 and found[0].matched in EXACT:
        return HttpResponseRedirect(_address(found[0], matter), status=303)
    context = {
        "form": form,
        "found": found,
        "reader_url": settings.ENV.reader_url,
        "for": matter,
        "nav": matter or "find",
    }
    return render(request, "counter/find.html", context, status=422 if form.is_refused else 200)


def _address(one: Found, matter: str) -> str:
    if matter:
        return reverse("counter-matter", args=[one.holder_id, matter])
    return reverse("counter-holder", args=[one.holder_id])


@staff_required(Permission.HOLDER_REGISTER)
@require_http_methods(["GET", "HEAD", "POST"])
def register(request: StaffRequest) -> HttpResponse:
    by = request.actor
    walk = Walk(
        form=RegisterForm,
        verify=lambda form: registering.verify(form.cleaned_data, by=by, at=now()),
        act=lambda form: registering.register(form.cleaned_data, by=by, at=now()),
        page={"template": "counter/register.html", "nav": "register", "reader_url": settings.ENV.reader_url},
        fields_at_fault=registering.FIELDS_AT_FAULT,
        link=registering.link,
    )
    return walk.answer(request)


@staff_required(Permission.CARD_CHECK)
@require_safe
def to_check(request: StaffRequest) -> HttpResponse:
    day = day_of(now())
    found = lists.waiting(request.actor, CaseStatus.SUBMITTED, day, LIST_MAX)
    return render(request, "counter/list.html", {"list": found, "title": "审核", "day": day, "nav": "check"})


@staff_required(Permission.HOLDER_FIND)
@require_safe
def to_do(request: StaffRequest, status: str) -> HttpResponse:
    """The whole of a list of which the desk shows the first: nothing that waits is out of reach."""
    if status not in {CaseStatus.READY, CaseStatus.FAILED}:
        raise Http404
    day = day_of(now())
    found = lists.waiting(request.actor, CaseStatus(status), day, LIST_MAX)
    return render(request, "counter/list.html", {"list": found, "title": found.title, "day": day})
