"""The platform's half of a card at the counter; the other half is the reader agent beside the browser."""

import json
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_POST, require_safe

from yikatong.core.clock import day_of, now
from yikatong.core.errors import DomainError
from yikatong.core.masking import mask_number
from yikatong.core.permissions import Permission, may
from yikatong.portals.counter import panel
from yikatong.portals.counter.matters import NoCard
from yikatong.portals.shared.staff import StaffRequest, staff_required
from yikatong.registry.banks.rules import OtherBank
from yikatong.registry.cards import refusals
from yikatong.registry.cards.actions import chips, reading
from yikatong.registry.cards.chip.contents import File
from yikatong.registry.cards.chip.faults import Fault, fault
from yikatong.registry.cards.models import Card, CardStatus
from yikatong.registry.cards.rules import is_served_by
from yikatong.registry.holders import queries as holders
from yikatong.registry.holders.models import Holder
from yikatong.registry.regions.queries import full_name


@staff_required(Permission.HOLDER_FIND)
@require_POST
def card_auth(request: StaffRequest) -> JsonResponse:
    """{"request"} of iReadCardBas_HSM_Step1 → {"answer"} for Step2; a refusal as problem details."""
    (text,) = _asked(request, "request")
    done = reading.authenticate(text, by=request.actor, at=now())
    return JsonResponse({"answer": done.answer})


@staff_required(Permission.CARD_HAND_OVER)
@require_safe
def chip(request: StaffRequest, holder_id: UUID) -> HttpResponse:
    """更新卡内信息, 重置和解锁卡密码."""
    holder = holders.get(holder_id, by=request.actor, at=now(), purpose="窗口办理：卡内信息与密码")
    side = panel.of(holder, by=request.actor)
    writes = may(request.actor, Permission.HOLDER_REGISTER)
    page = {
        "panel": side,
        "hindrance": _hindrance(side.card, request),
        "files": _shown(holder) if writes else [],
        "reader_url": settings.ENV.reader_url,
    }
    return render(request, "counter/chip.html", page)


@staff_required(Permission.HOLDER_REGISTER)
@require_POST
def write(request: StaffRequest, holder_id: UUID) -> JsonResponse:
    """{"card", "request", "file"} of iWriteCard_HSM_Step1 → {"answer", "data"} for Step2."""
    card, text, key = _asked(request, "card", "request", "file")
    answer, file = chips.write(card, text, key=key, holder_id=holder_id, by=request.actor, at=now())
    return JsonResponse({"answer": answer, "data": file.data})


@staff_required(Permission.CARD_HAND_OVER)
@require_POST
def puk(request: StaffRequest, holder_id: UUID) -> JsonResponse:
    """{"card", "request"} of Step1 of iReloadPIN and iUnblockPIN → {"answer"}."""
    card, text = _asked(request, "card", "request")
    answer = chips.prove_puk(card, text, holder_id=holder_id, by=request.actor, at=now())
    return JsonResponse({"answer": answer})


@sensitive_variables()  # the new PIN is in the text
@staff_required(Permission.CARD_HAND_OVER)
@require_POST
def pin(request: StaffRequest, holder_id: UUID) -> JsonResponse:
    """{"card", "request"} of Step2 of iReloadPIN and iUnblockPIN → {"answer"}."""
    card, text = _asked(request, "card", "request")
    answer = chips.set_pin(card, text, holder_id=holder_id, by=request.actor, at=now())
    return JsonResponse({"answer": answer})


def _hindrance(card: Card | None, request: StaffRequest) -> DomainError | None:
    if card is None:
        return NoCard()
    if not is_served_by(card, request.actor):
        return OtherBank()
    return None if card.status == CardStatus.NORMAL else refusals.ChipNotServed()


def _shown(holder: Holder) -> list[dict[str, object]]:
    """Files and, in words for the desk, what will be written; numbers masked."""
    day = day_of(now())
    permit = holders.work_permit(holder.pk, day)
    words = {
        "person": [
            holder.name, mask_number(holder.social_security_number), holder.get_sex_display(),
            f"{holder.birth_date:%Y-%m-%d}",
        ],
        "residence": [full_name(holder.division_code)],
        "permit": [mask_number(permit.number), f"至 {permit.valid_until:%Y-%m-%d}"] if permit else ["无"],
    }  # fmt: skip
    return [_row(one, words[one.key]) for one in chips.should_hold(holder, day)]


def _row(one: File, shown: list[str]) -> dict[str, object]:
    return {"key": one.key, "title": one.title, "wanted": one.wanted, "shown": shown}


def _asked(request: HttpRequest, *names: str) -> list[str]:
    """The named texts of a JSON object; CardFault -14 for anything else."""
    try:
        told = json.loads(request.body)
    except ValueError:
        raise fault(Fault.BAD_PARAMETERS) from None
    found = [told.get(name) if isinstance(told, dict) else None for name in names]
    texts = [one for one in found if isinstance(one, str)]
    if len(texts) != len(names):
        raise fault(Fault.BAD_PARAMETERS)
    return texts
