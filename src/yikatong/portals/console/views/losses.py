"""How fast losses reach the gate, the offline lists, the terminals, the banks and the partners; and who is behind."""

from typing import Final

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from yikatong.core.actor import Channel
from yikatong.core.clock import now
from yikatong.core.permissions import Permission
from yikatong.portals.shared.staff import StaffRequest, staff_required
from yikatong.using.codes import partners, spreading

_NAMES: Final = {
    "gate": "在线闸机",
    "list": "离线名单发布",
    "most": "95% 终端取得名单",
    "all": "全部终端取得名单",
    "bank": "银行",
    "partners": "伙伴平台",
}
_BEHIND_SHOWN: Final = 20


@require_safe
@staff_required(Permission.BANK_MANAGE, channel=Channel.WEB)
def page(request: StaffRequest) -> HttpResponse:
    at = now()
    late, late_count = spreading.behind(request.actor, at=at, most=_BEHIND_SHOWN)
    context = {
        "legs": [(_NAMES[leg.name], leg) for leg in spreading.legs(request.actor, at=at)],
        "page": Paginator(spreading.latest(request.actor, at=at), 50).get_page(request.GET.get("page")),
        "late": late,
        "late_count": late_count,
        "partners": partners.stands(),
        "at": at,
    }
    return render(request, "console/losses.html", context)
