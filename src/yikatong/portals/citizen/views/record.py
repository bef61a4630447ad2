"""我的登记信息: what is registered of the holder, who acts for him, and what has changed."""

from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST

from yikatong.core.clock import day_of, now
from yikatong.core.errors import NotFound
from yikatong.portals.citizen.answers import SeeOther
from yikatong.portals.citizen.session import CitizenRequest, holder_required
from yikatong.registry.cards import actions as cards
from yikatong.registry.holders.rules import Ground
from yikatong.registry.holders.validity import is_over
from yikatong.registry.matching.queries import asked_of
from yikatong.registry.matching.source import label_of


@holder_required
def page(request: CitizenRequest) -> HttpResponse:
    holder, today = request.holder, day_of(now())
    context = {
        "holder": holder,
        "today": today,
        "ground": Ground(holder.ground).label,
        "certificates": [
            (one, is_over(one, today))
            for one in holder.certificates.filter(is_current=True).order_by("-created_at")
        ],
        "life_events": holder.life_events.order_by("-at", "-pk")[:10],
        "asked": [(one, label_of(one.source)) for one in asked_of(holder.pk)],
        "categories": holder.categories.order_by("valid_from", "pk"),
        "proofs": holder.proofs.order_by("-created_at"),
        "guardianships": holder.guardianships.filter(ended_at=None, valid_until__gt=today),
        "authorisations": [
            (one, one.holds_on(today)) for one in holder.authorisations.order_by("-created_at")[:10]
        ],
    }
    return render(request, "citizen/record.html", context)


@require_POST
@holder_required
def end_authorisation(request: CitizenRequest) -> HttpResponse:
    """The holder takes an authorisation back himself, at any time."""
    try:
        key = UUID(request.POST.get("authorisation", ""))
    except ValueError:
        raise NotFound from None
    cards.end_authorisation(key, by=request.actor, at=now())
    return SeeOther("/m/record?ended=1")
