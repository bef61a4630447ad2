"""换银行: choose freely, see what changes and what stays, and only then go on to apply."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from yikatong.portals.citizen.session import CitizenRequest, holder_required
from yikatong.portals.citizen.views.home import card_context
from yikatong.registry.banks.models import Bank
from yikatong.registry.cards import rules
from yikatong.registry.cards.changes import of_replacement
from yikatong.registry.cards.models import CardStatus
from yikatong.registry.cards.rules import ReplaceReason
from yikatong.registry.regions.law import province


@require_safe
@holder_required
def choose(request: CitizenRequest) -> HttpResponse:
    context: dict[str, Any] = card_context(request.holder)
    banks = Bank.objects.filter(accepts_new=True).order_by("code")
    chosen, card = banks.filter(pk=request.GET.get("bank", "")).first(), context["card"]
    if card is not None and chosen is not None:
        context["changes"] = of_replacement(card, chosen, province())
        context["keeps"] = rules.stays(card.account, chosen)
        context["fee_fen"] = rules.fee_fen(ReplaceReason.BANK, province())
    context |= {"banks": banks, "chosen": chosen, "rules": province()}
    context["may_change"] = card is not None and card.status == CardStatus.NORMAL
    return render(request, "citizen/bank.html", context)
