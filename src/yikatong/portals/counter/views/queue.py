"""排队人数: what a clerk reports of his outlet, where no queue machine does."""

from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from yikatong.core.clock import now
from yikatong.core.errors import DomainError
from yikatong.core.permissions import Permission
from yikatong.portals.counter.stock_forms import QueueForm
from yikatong.portals.shared.staff import StaffRequest, staff_required
from yikatong.registry.outlets import actions, queries, rules
from yikatong.registry.regions.law import province
from yikatong.registry.regions.models import Outlet


@staff_required(Permission.CARD_HAND_OVER)
@require_http_methods(["GET", "HEAD", "POST"])
def page(request: StaffRequest) -> HttpResponse:
    outlet = Outlet.objects.filter(pk=request.actor.outlet_id).first() if request.actor.outlet_id else None
    if outlet is None:
        raise rules.NoOutletOfYours
    form = QueueForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            actions.report_queue(outlet.pk, **form.cleaned_data, by=request.actor, at=now())
            return HttpResponseRedirect(f"{request.path}?done=1", status=303)
        except DomainError as refusal:
            form.refuse(refusal)
    context = {
        "form": form,
        "outlet": outlet,
        "queue": queries.queues_of([outlet.pk], at=now()).get(outlet.pk),
        "stale_minutes": province().outlets.queue_minutes,
        "nav": "queue",
    }
    return render(request, "counter/queue.html", context, status=422 if form.is_refused else 200)
