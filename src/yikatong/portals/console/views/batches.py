"""Production batches: open, exchange files with bank and card maker, and see each card's fate."""

from typing import Final

from django.core.paginator import Paginator
from django.http import HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from yikatong.core.actor import Channel
from yikatong.core.clock import now
from yikatong.core.errors import DomainError, NotFound
from yikatong.core.permissions import Permission
from yikatong.portals.console import exporting
from yikatong.portals.console.forms import OpenBatchForm, ReturnFileForm
from yikatong.portals.shared.staff import StaffRequest, staff_required
from yikatong.registry.cards import batches
from yikatong.registry.cards.models import Batch

staff = staff_required(Permission.BATCH_PRODUCE, channel=Channel.BATCH)


@require_http_methods(["GET", "HEAD", "POST"])
@staff
def index(request: StaffRequest) -> HttpResponse:
    batches.check_right(request.actor)
    form = OpenBatchForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            opened = batches.open_batch(form.cleaned_data["bank"], by=request.actor, at=now())
        except DomainError as refusal:
            form.refuse(refusal)
        else:
            return HttpResponseRedirect(reverse("console-batch", args=[opened.number]), status=303)
    page = Paginator(Batch.objects.select_related("bank").order_by("-created_at"), 20)
    shown = {
        "form": form,
        "waiting": batches.waiting_by_bank(),
        "page": page.get_page(request.GET.get("page")),
    }
    return render(request, "console/batches.html", shown, status=422 if form.is_refused else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@staff
def batch(request: StaffRequest, number: str) -> HttpResponse:
    found = _found(request, number)
    form = ReturnFileForm(request.POST or None, request.FILES or None)
    if request.method == "POST":
        try:
            done = _step(found, form, request)
        except DomainError as refusal:
            form.refuse(refusal)
            done = ""
        if done:
            return HttpResponseRedirect(f"{request.path}?done={done}", status=303)
    chosen = request.GET.get("fate", "")
    rows = batches.rows_with_fate(found)
    rows = rows.filter(fate=chosen) if chosen in batches.Fate.values else rows
    shown = {
        "batch": found,
        "form": form,
        "page": Paginator(rows, 100).get_page(request.GET.get("page")),
        "sums": batches.reconcile(found),
        "boxes": batches.boxes_of(found),
        "chosen": chosen if chosen in batches.Fate.values else "",
        "fates": dict(batches.Fate.choices),
        "steps": _way(found),
        "done": request.GET.get("done", ""),
    }
    return render(request, "console/batch.html", shown, status=_status(form))


def _status(form: ReturnFileForm) -> int:
    if not form.is_refused:
        return 200
    return form.refusal.status if form.refusal else 422


_STEPS: Final = (
    (Batch.Status.OPEN, "银行预开户"),
    (Batch.Status.PREOPENED, "送制卡"),
    (Batch.Status.PRODUCING, "制卡回盘"),
    (Batch.Status.RETURNED, "到网点领取"),
)


def _way(found: Batch) -> list[tuple[str, str]]:
    """Each step with its state: done, now, later."""
    here = [status for status, _ in _STEPS].index(Batch.Status(found.status))
    states = ["done" if place < here else "now" if place == here else "later" for place in range(len(_STEPS))]
    return [(label, state) for (_, label), state in zip(_STEPS, states, strict=True)]


def _step(found: Batch, form: ReturnFileForm, request: StaffRequest) -> str:
    """Send to the card maker, or take the file that came back; what was done, "" for an unfit form."""
    if "start" in request.POST:
        batches.start_production(found.pk, by=request.actor, at=now())
        return "sent"
    if not form.is_valid():
        return ""
    data = form.cleaned_data["file"].read()
    report = batches.take_incoming(found.pk, data, by=request.actor, at=now())
    return "again" if report.repeated else "taken"


#: As bank and card maker name the files they get.
_NAMES: Final = {"preopening": "KH", "production": "ZK"}


@staff
def download(request: StaffRequest, number: str, which: str) -> HttpResponse:
    found = _found(request, number)
    data = batches.take_file(found.pk, which, by=request.actor, at=now())
    name = f"{_NAMES[which]}-{found.bank_id}-{number}.txt"
    return HttpResponse(
        data,
        content_type="text/plain; charset=gb18030",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


@staff
def fates(request: StaffRequest, number: str) -> StreamingHttpResponse:
    """对账表: every card's fate, without a person."""
    found = _found(request, number)
    rows = batches.export_rows(found, by=request.actor, at=now())
    return exporting.rows(f"制卡对账-{number}.csv", batches.EXPORT_HEADERS, rows)


def _found(request: StaffRequest, number: str) -> Batch:
    batches.check_right(request.actor)
    found = Batch.objects.select_related("bank").filter(number=number).first()
    if found is None:
        raise NotFound("没有找到这个批次。请核对批次号。")
    return found
