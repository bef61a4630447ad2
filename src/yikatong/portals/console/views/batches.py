"""Production batches: open, exchange files with bank and card maker, and see each card's fate."""

from django.core.paginator import Paginator
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from yikatong.core.actor import Channel
from yikatong.core.clock import now
from yikatong.core.errors import DomainError, NotFound
from yikatong.core.permissions import Permission
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
            done = False
        if done:
            return HttpResponseRedirect(request.path, status=303)
    rows = Paginator(found.lines.select_related("case").order_by("number"), 100).get_page(
        request.GET.get("page")
    )
    shown = {"batch": found, "form": form, "page": rows, "report": batches.report_of(found)}
    return render(request, "console/batch.html", shown, status=422 if form.is_refused else 200)


def _step(found: Batch, form: ReturnFileForm, request: StaffRequest) -> bool:
    """Send to the card maker, or take the return that the batch's state awaits; False for an unfit form."""
    if "start" in request.POST:
        batches.start_production(found.pk, by=request.actor, at=now())
    elif form.is_valid():
        take = batches.take_preopening_return if found.status == Batch.Status.OPEN else batches.take_return
        take(found.pk, form.cleaned_data["file"].read(), by=request.actor, at=now())
    else:
        return False
    return True


@staff
def download(request: StaffRequest, number: str, which: str) -> HttpResponse:
    return HttpResponse(
        batches.take_file(_found(request, number).pk, which, by=request.actor, at=now()),
        content_type="text/plain; charset=gb18030",
        headers={"Content-Disposition": f'attachment; filename="{which}-{number}.txt"'},
    )


def _found(request: StaffRequest, number: str) -> Batch:
    batches.check_right(request.actor)
    found = Batch.objects.select_related("bank").filter(number=number).first()
    if found is None:
        raise NotFound
    return found
