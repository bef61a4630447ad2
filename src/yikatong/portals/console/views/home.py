"""Where the console begins: what waits, and what went wrong."""

from django.db.models import Count
from django.http import HttpResponse
from django.shortcuts import render

from yikatong.core.actor import Channel
from yikatong.core.errors import Forbidden
from yikatong.core.permissions import Permission, may
from yikatong.portals.console.views import rosters
from yikatong.portals.shared.staff import StaffRequest, staff_required
from yikatong.registry.access import queries as terminals
from yikatong.registry.access.models import Terminal
from yikatong.registry.cards.models import Batch
from yikatong.registry.regions.law import province

OWN = (Permission.ROSTER_IMPORT, Permission.BATCH_PRODUCE, Permission.TERMINAL_MANAGE, Permission.AUDIT_READ)


@staff_required(channel=Channel.WEB)
def page(request: StaffRequest) -> HttpResponse:
    if not any(may(request.actor, permission) for permission in OWN):
        raise Forbidden
    shown: dict[str, object] = {}
    if may(request.actor, Permission.ROSTER_IMPORT):
        shown["rosters"] = rosters.visible(request.actor).order_by("-created_at")[:5]
    if may(request.actor, Permission.BATCH_PRODUCE) and province().code.startswith(request.actor.scope):
        shown["batches"] = Batch.objects.select_related("bank").order_by("-created_at")[:5]
    if may(request.actor, Permission.TERMINAL_MANAGE):
        counts = dict(
            terminals.visible_to(request.actor).order_by().values_list("status").annotate(count=Count("id"))
        )
        shown["terminals"] = [
            (label, counts.get(value, 0), value) for value, label in Terminal.Status.choices
        ]
    return render(request, "console/home.html", shown)
