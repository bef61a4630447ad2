"""Boxes of made cards 卡箱 at an outlet: which are here, and what lies at each position."""

from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from yikatong.core.permissions import Permission
from yikatong.portals.shared.staff import StaffRequest, staff_required
from yikatong.registry.cards import batches


@staff_required(Permission.CARD_HAND_OVER)
@require_safe
def index(request: StaffRequest) -> HttpResponse:
    asked = request.GET.get("q", "").strip()
    found = batches.boxes_at(request.actor)
    if any(box.number == asked for box in found):
        return HttpResponseRedirect(reverse("counter-box", args=[asked]))
    context = {"boxes": found, "asked": asked, "waiting": sum(box.waiting for box in found), "nav": "boxes"}
    return render(request, "counter/boxes.html", context)


@staff_required(Permission.CARD_HAND_OVER)
@require_safe
def contents(request: StaffRequest, box: str) -> HttpResponse:
    """Positions by case numbers: a list is no reason to look at anyone."""
    cards = list(batches.cards_in(box, request.actor))
    context = {
        "number": box,
        "cards": [(row, batches.held(row)) for row in cards],
        "batch": cards[0].batch,
        "waiting": sum(batches.held(row) == "waiting" for row in cards),
        "nav": "boxes",
    }
    return render(request, "counter/box.html", context)
