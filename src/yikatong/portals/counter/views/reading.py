"""The platform's half of reading a card at the counter; the other half is the reader agent beside the browser."""

import json

from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_POST

from yikatong.core.clock import now
from yikatong.core.permissions import Permission
from yikatong.portals.shared.staff import StaffRequest, staff_required
from yikatong.registry.cards.actions import reading
from yikatong.registry.cards.chip.faults import Fault, fault


@staff_required(Permission.HOLDER_FIND)
@require_POST
def card_auth(request: StaffRequest) -> JsonResponse:
    """{"request"} of iReadCardBas_HSM_Step1 → {"answer"} for Step2; a refusal as problem details."""
    done = reading.authenticate(_asked(request), by=request.actor, at=now())
    return JsonResponse({"answer": done.answer})


def _asked(request: HttpRequest) -> str:
    try:
        told = json.loads(request.body)
    except ValueError:
        raise fault(Fault.BAD_PARAMETERS) from None
    asked = told.get("request") if isinstance(told, dict) else None
    if not isinstance(asked, str):
        raise fault(Fault.BAD_PARAMETERS)
    return asked
