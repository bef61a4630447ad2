"""我的卡: the card's face, e-card, devices, loss and release."""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.http import require_POST

from yikatong.core.clock import day_of, now
from yikatong.core.errors import NotFound
from yikatong.portals.citizen import session, standing
from yikatong.portals.citizen.answers import SeeOther, answer
from yikatong.portals.citizen.forms import LossForm, PasswordForm
from yikatong.portals.citizen.session import CitizenRequest, holder_required
from yikatong.portals.citizen.views.home import card_context
from yikatong.registry.banks import freezing
from yikatong.registry.cards import actions as cards
from yikatong.registry.cards import queries
from yikatong.registry.cards.models import Card, CardStatus
from yikatong.registry.holders.queries import work_permit
from yikatong.registry.regions import profile
from yikatong.using.codes import actions as codes
from yikatong.using.codes import queries as held
from yikatong.using.identity import actions as identity

SHOWN_S = 30


@holder_required
def card(request: CitizenRequest) -> HttpResponse:
    return render(request, "citizen/card.html", _card_context(request))


@holder_required
def reveal(request: CitizenRequest) -> HttpResponse:
    """小眼睛: the e-card password uncovers the numbers for half a minute; this page is never kept."""
    if request.method == "GET":
        return render(request, "citizen/reveal.html", {"form": PasswordForm()})
    form = PasswordForm(request.POST)
    answered = answer(request, form, "citizen/reveal.html", lambda data: _prove(request, data))
    if answered.status_code != SeeOther.status_code:
        return answered
    return render(
        request, "citizen/card.html", _card_context(request) | {"revealed": True, "shown_s": SHOWN_S}
    )


@holder_required
def ecard(request: CitizenRequest) -> HttpResponse:
    """Issue the e-card (Sichuan art. 2): the holder's own act."""
    if request.method == "POST":
        codes.issue_ecard(request.holder.id, by=request.actor, at=now())
        return SeeOther("/m/code")
    return render(request, "citizen/ecard.html", card_context(request.holder))


@holder_required
def remove_ecard(request: CitizenRequest) -> HttpResponse:
    if request.method == "POST":
        codes.remove_ecard(request.holder.id, by=request.actor, at=now())
        request.session.pop(session.DEVICE, None)
        return SeeOther("/m/card?removed=1")
    return render(request, "citizen/ecard_remove.html", card_context(request.holder))


@require_POST
@holder_required
def remove_device(request: CitizenRequest) -> HttpResponse:
    codes.revoke_device(_uuid(request.POST.get("device", "")), by=request.actor, at=now())
    return SeeOther("/m/card#devices")


@holder_required
def loss(request: CitizenRequest) -> HttpResponse:
    """First the choice (a GET form), then the confirmation, then the act."""
    held_card = _own(request)
    kind = request.POST.get("kind") or request.GET.get("kind", "")
    template = "citizen/loss_confirm.html" if kind in {"temporary", "formal"} else "citizen/loss.html"

    def report(data: dict[str, Any]) -> str:
        act = cards.report_temporary_loss if data["kind"] == "temporary" else cards.report_loss
        act(held_card.id, by=request.actor, at=now())
        return "/m/card/loss/done"

    form = LossForm(request.POST or (request.GET if "ask" in request.GET else None))
    context = card_context(request.holder) | _loss_words(held_card) | {"kind": kind}
    if request.method == "GET" and form.is_bound and not form.is_valid():
        return render(request, "citizen/loss.html", context | {"form": form}, status=422)
    return answer(request, form, template, report, **context)


@holder_required
def loss_done(request: CitizenRequest) -> HttpResponse:
    held_card = _own(request)
    if held_card.status not in {CardStatus.TEMPORARILY_LOST, CardStatus.LOST}:
        return HttpResponseRedirect("/m/card")
    case = next((one for one in queries.cases_of(request.holder.id) if one.kind == "loss"), None)
    context = card_context(request.holder) | _loss_words(held_card) | {"case": case}
    return render(request, "citizen/loss_done.html", context)


@holder_required
def release(request: CitizenRequest) -> HttpResponse:
    """解挂: online where the province allows it, else it says where."""
    held_card = _own(request)
    if request.method == "POST":
        cards.release_loss(held_card.id, by=request.actor, at=now())
        return SeeOther("/m/card?released=1")
    return render(request, "citizen/release.html", card_context(request.holder) | _loss_words(held_card))


def _own(request: CitizenRequest) -> Card:
    """The holder's card in force or coming; who has none has nothing to lose."""
    if (found := queries.card_of(request.holder.id)) is None:
        raise NotFound("您还没有社会保障卡。")
    return found


def _card_context(request: CitizenRequest) -> dict[str, Any]:
    context, holder = card_context(request.holder), request.holder
    card = context["card"]
    account = card.account if card else None
    cover = queries.loss_cover(card, day=day_of(now())) if card else None
    return context | {
        "account": account,
        "account_standing": standing.of_account(account, cover.half if cover else None),
        "cover": cover,
        "ecard": held.ecard_of(holder.id),
        "holds": freezing.seen_by(holder.id),
        "permit": work_permit(holder.id, day_of(now())),
        "devices": held.devices_of(holder.id),
        "this_device": request.session.get(session.DEVICE, ""),
    }


def _loss_words(card: Card) -> dict[str, Any]:
    return {
        "cover": queries.loss_cover(card, day=day_of(now())),
        "rules": profile.load(settings.PROVINCE).loss,
    }


def _prove(request: CitizenRequest, data: dict[str, Any]) -> str:
    identity.check_password(request.holder.id, data["password"], by=request.actor, at=now())
    return "/m/card"


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise NotFound from None
