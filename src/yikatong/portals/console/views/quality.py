"""数据质量: what authoritative sources say otherwise, settled one by one by a supervisor."""

from collections.abc import Callable
from typing import Final
from uuid import UUID

from django.core.paginator import Paginator
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from yikatong.core.actor import Channel
from yikatong.core.clock import now
from yikatong.core.errors import DomainError
from yikatong.core.permissions import Permission
from yikatong.portals.console.forms import IssueFilter, SettleForm
from yikatong.portals.shared.staff import StaffRequest, staff_required
from yikatong.registry.holders.refusals import ReasonTooShort
from yikatong.registry.matching import actions, queries
from yikatong.registry.matching.models import UNSETTLED, Issue
from yikatong.registry.matching.source import label_of

staff = staff_required(Permission.HOLDER_CORRECT, channel=Channel.WEB)
_ACTS: Final[dict[str, Callable[..., Issue]]] = {
    "keep": actions.keep,
    "take": actions.take,
    "ask": actions.ask,
}


@require_safe
@staff
def index(request: StaffRequest) -> HttpResponse:
    """No person is named in the list: a list is no reason to look at anyone."""
    form = IssueFilter(request.GET or None)
    wanted = form.wanted()
    found = Paginator(queries.visible(request.actor, **wanted), 50).get_page(request.GET.get("page"))
    rows = [(one, label_of(one.source)) for one in found]
    context = {
        "filter": form, "page": found, "rows": rows, "stands": queries.stands(), "wanted": wanted, "at": now(),
    }  # fmt: skip
    return render(request, "console/quality.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@staff
def issue(request: StaffRequest, issue_id: UUID) -> HttpResponse:
    """Both values, and what to do: keep ours, take theirs, or have the holder asked."""
    form = SettleForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            act = _ACTS[form.cleaned_data["how"]]
            act(issue_id, note=form.cleaned_data["note"], by=request.actor, at=now())
        except DomainError as refusal:
            form.refuse(refusal, "note" if isinstance(refusal, ReasonTooShort) else None)
        else:
            return HttpResponseRedirect(reverse("console-quality") + "?done=1", status=303)
    found = queries.get(issue_id, by=request.actor, at=now())
    status = 200
    if form.is_refused:
        status = form.refusal.status if form.refusal else 422
    context = {
        "issue": found,
        "label": label_of(found.source),
        "form": form,
        "is_open": found.status in UNSETTLED,
    }
    return render(request, "console/issue.html", context, status=status)
