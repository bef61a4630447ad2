"""Who looked at holders' records, for the auditor (Guangdong art. 17); reading it is itself noted."""

from uuid import UUID

from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from yikatong.core import audit
from yikatong.core.actor import Channel
from yikatong.core.clock import day_of, now
from yikatong.core.models import Look
from yikatong.core.permissions import Permission
from yikatong.portals.console.forms import LookFilter, NumberForm
from yikatong.portals.shared.staff import StaffRequest, staff_required
from yikatong.registry.holders import queries as holders

PAGE = 50


@require_http_methods(["GET", "HEAD", "POST"])
@staff_required(Permission.AUDIT_READ, channel=Channel.WEB)
def page(request: StaffRequest) -> HttpResponse:
    """One day, or one holder over a month. A holder's number is posted: it stands in no address."""
    number, at = NumberForm(request.POST if request.method == "POST" else None), now()
    if number.is_valid():
        if holder := holders.key_of_number(number.cleaned_data["number"], by=request.actor, at=at):
            return HttpResponseRedirect(f"{reverse('console-looks')}?holder={holder}", status=303)
        number.add_error("number", "没有找到这个证件号码的持卡人，请核对。")
    form = LookFilter(request.GET)
    wanted = form.wanted(day_of(at))
    rows = _looks(wanted)
    asked = {name: str(value) for name, value in wanted.items() if value}
    audit.record("audit:looks:read", subject="audit:looks", by=request.actor, at=at, **asked)
    shown = {"form": number, "filter": form, "wanted": wanted, "rows": rows[:PAGE], "more": len(rows) > PAGE}
    return render(request, "console/looks.html", shown, status=422 if number.is_refused else 200)


def _looks(wanted: dict[str, object]) -> list[Look]:
    """Latest first, one more than a page, from the tables of the asked days only."""
    since, until, holder, looker = (wanted[name] for name in ("since", "until", "holder", "looker"))
    found = Look.objects.filter(day__gte=since, day__lte=until).order_by("-at", "-id")
    if isinstance(holder, UUID):
        found = found.filter(holder_id=holder)
    if looker:
        found = found.filter(looker_name=looker)
    return list(found[: PAGE + 1])
