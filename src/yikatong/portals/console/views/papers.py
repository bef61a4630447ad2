"""Answers on paper: recorded by one, confirmed by another, compared with the line once it is back."""

from uuid import UUID

from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from yikatong.core.actor import Channel
from yikatong.core.clock import now
from yikatong.core.errors import DomainError, NotFound
from yikatong.core.permissions import Permission
from yikatong.portals.console.bank_forms import DecideForm, PaperForm
from yikatong.portals.shared.staff import StaffRequest, staff_required
from yikatong.registry.banks import replies, requests
from yikatong.registry.banks.models import BankRequest, Contradiction, WrittenAnswer

staff = staff_required(Permission.BANK_MANAGE, channel=Channel.WEB)
_ACTS = {"confirm": replies.confirm, "drop": replies.drop}


@require_safe
@staff
def index(request: StaffRequest) -> HttpResponse:
    return _page(request)


@require_http_methods(["GET", "HEAD", "POST"])
@staff
def record(request: StaffRequest, request_id: UUID) -> HttpResponse:
    requests.check_right(request.actor)
    asked = BankRequest.objects.select_related("bank").filter(pk=request_id).first()
    if asked is None:
        raise NotFound
    form = PaperForm(request.POST or None, request=asked)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        paper = replies.Paper(
            is_done=given["outcome"] == "done",
            document=given["document"],
            answered_on=given["answered_on"],
            reason=given["reason"],
            account=given.get("account", ""),
            status=given.get("status", ""),
        )
        try:
            replies.record(asked.pk, paper, by=request.actor, at=now())
        except DomainError as refusal:
            form.refuse(refusal)
        else:
            return _to("recorded")
    context = {"form": form, "asked": asked, "at": now()}
    return render(request, "console/paper.html", context, status=422 if form.is_refused else 200)


@require_POST
@staff
def decide(request: StaffRequest, written_id: UUID, act: str) -> HttpResponse:
    if act not in _ACTS:
        raise NotFound
    try:
        _ACTS[act](written_id, by=request.actor, at=now())
    except DomainError as refusal:
        return _page(request, refusal)
    return _to(act)


@require_http_methods(["GET", "HEAD", "POST"])
@staff
def contradiction(request: StaffRequest, contradiction_id: UUID) -> HttpResponse:
    """Both answers side by side, and which of them holds."""
    requests.check_right(request.actor)
    rows = Contradiction.objects.select_related("written__request__bank")
    found = rows.filter(pk=contradiction_id).first()
    if found is None:
        raise NotFound
    form = DecideForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        act = replies.keep if form.cleaned_data["how"] == "keep" else replies.take
        try:
            act(found.pk, note=form.cleaned_data["note"], by=request.actor, at=now())
        except DomainError as refusal:
            form.refuse(refusal, "note" if isinstance(refusal, replies.NoNote) else None)
        else:
            return _to("settled")
    context = {"found": found, "form": form, "is_open": found.status == Contradiction.Status.OPEN}
    return render(request, "console/contradiction.html", context, status=422 if form.is_refused else 200)


_SAID = {
    "recorded": "书面答复已登记，等待另一名业务主管复核。",
    "confirm": "已按书面答复办结；银行接口恢复后自动核对。",
    "drop": "已退回。",
    "settled": "已处理，记入审计。",
}


def _page(request: StaffRequest, refusal: DomainError | None = None) -> HttpResponse:
    requests.check_right(request.actor)
    written = WrittenAnswer.objects.select_related("request__bank").order_by("-recorded_at")
    shown = {
        "proposed": written.filter(status=WrittenAnswer.Status.PROPOSED)[:100],
        "confirmed": written.filter(status=WrittenAnswer.Status.CONFIRMED).select_related(
            "request__bank", "contradiction"
        )[:50],
        "contradictions": Contradiction.objects.filter(status=Contradiction.Status.OPEN)
        .select_related("written__request__bank")
        .order_by("found_at"),
        "done": _SAID.get(request.GET.get("done", ""), ""),
        "actor_id": request.actor.id,
        "refusal": refusal,
    }
    return render(request, "console/papers.html", shown, status=refusal.status if refusal else 200)


def _to(done: str) -> HttpResponse:
    return HttpResponseRedirect(reverse("console-papers") + f"?done={done}", status=303)
