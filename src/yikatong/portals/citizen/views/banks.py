"""换银行: choose freely, see what changes and what stays, and only then go on to apply."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from yikatong.core.clock import day_of, now
from yikatong.portals.citizen.session import CitizenRequest, holder_required
from yikatong.portals.citizen.views.home import card_context
from yikatong.registry.banks.models import Bank
from yikatong.registry.banks.terms import offered
from yikatong.registry.cards import actions
from yikatong.registry.cards.changes import of_replacement
from yikatong.registry.cards.models import Card, CardStatus
from yikatong.registry.cards.rules import FeeGround, ReplaceReason
from yikatong.registry.regions.law import province


@require_safe
@holder_required
def choose(request: CitizenRequest) -> HttpResponse:
    context: dict[str, Any] = card_context(request.holder)
    today = day_of(now())
    banks = list(offered(today))
    asked, card = request.GET.get("bank", ""), context["card"]
    chosen = next((bank for bank in banks if bank.pk == asked), None)
    if card is not None and chosen is not None:
        reason = _reason(card, chosen)
        fee = actions.fees_of(request.holder, at=now())[reason]
        changes = of_replacement(card, chosen, province(), day=today)
        context |= {"changes": changes, "reason": reason, "fee": fee}
        context["fee_ground"] = FeeGround(fee.ground).label if fee.ground else ""
    context |= {"banks": banks, "chosen": chosen, "rules": province()}
    context["may_change"] = card is not None and card.status == CardStatus.NORMAL
    return render(request, "citizen/bank.html", context)


def _reason(card: Card, chosen: Bank) -> ReplaceReason:
    """Why the card would be replaced, for the form that follows and for its fee."""
    if card.status != CardStatus.NORMAL:
        return ReplaceReason.LOST
    stays = card.account is not None and card.account.bank_id == chosen.pk
    return ReplaceReason.DAMAGED if stays else ReplaceReason.BANK
