"""How fast losses reach the gate, the offline lists and the banks."""

from datetime import datetime, time

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from yikatong.core.actor import Channel
from yikatong.core.clock import BEIJING, day_of, now
from yikatong.core.permissions import Permission
from yikatong.portals.shared.staff import StaffRequest, staff_required
from yikatong.using.codes import spreading

_NAMES = {"gate": "在线闸机", "list": "离线名单", "bank": "银行"}


@require_safe
@staff_required(Permission.BANK_MANAGE, channel=Channel.WEB)
def page(request: StaffRequest) -> HttpResponse:
    at = now()
    midnight = datetime.combine(day_of(at), time.min, BEIJING)
    legs = [(_NAMES[leg.name], leg) for leg in spreading.legs(request.actor, today=midnight)]
    found = Paginator(spreading.latest(request.actor), 50).get_page(request.GET.get("page"))
    return render(request, "console/losses.html", {"legs": legs, "page": found, "at": at})
