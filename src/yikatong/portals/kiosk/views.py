"""The start page, and proving who one is."""

from contextlib import suppress
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from yikatong.core.actor import Channel
from yikatong.core.clock import now
from yikatong.core.errors import DomainError
from yikatong.portals.kiosk import session
from yikatong.portals.kiosk.forms import CodeForm, NumberForm, ScanForm
from yikatong.portals.shared.address import client_address
from yikatong.registry.holders import queries as holders
from yikatong.registry.holders.models import Holder
from yikatong.using.identity import actions as identity
from yikatong.using.identity import messages
from yikatong.using.identity import queries as identity_queries
from yikatong.using.identity.rules import CodeWrong, SmsTooMany, SmsTooSoon
from yikatong.using.usage.recognising import CodeNotAccepted, recognise

MATTERS: Final = {"progress": "查办理进度", "apply": "申领社会保障卡", "loss": "挂失"}


def page(request: HttpRequest, template: str, context: dict[str, Any], status: int = 200) -> HttpResponse:
    """Every page counts down to the start page."""
    return render(request, f"kiosk/{template}.html", context | {"idle": session.IDLE_S}, status=status)


@never_cache
def start(request: HttpRequest) -> HttpResponse:
    """Whoever was here is forgotten; the hall is kept, as the address with which the machine was set up names it."""
    session.forget(request)
    outlet = session.outlet_of(request)
    response = render(request, "kiosk/start.html", {"outlet": outlet})
    if outlet is not None:
        response.set_cookie(
            session.OUTLET_COOKIE,
            outlet.number,
            max_age=session.OUTLET_AGE_S,
            httponly=True,
            samesite="Lax",
            secure=request.is_secure(),
        )
    return response


def leave(request: HttpRequest) -> HttpResponse:
    """Also by a plain address: a page left open goes there by itself, with no script."""
    session.forget(request)
    response = HttpResponseRedirect("/kiosk/", status=303)
    response.headers["Clear-Site-Data"] = '"cache"'
    return response


@never_cache
def who(request: HttpRequest, matter: str) -> HttpResponse:
    """The number; the code goes to the registered phone, and the next page is the same whoever it is."""
    form = NumberForm(request.POST or None)
    status, refusal = 200, None
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                _send(request, form.cleaned_data["number"])
                return HttpResponseRedirect(f"/kiosk/code/{_known(matter)}", status=303)
            except DomainError as error:
                refusal, status = error, error.status
    context = {"matter": _known(matter), "title": MATTERS[matter], "form": form, "refusal": refusal}
    return page(request, "who", context, status)


def _send(request: HttpRequest, number: str) -> None:
    """Raises SmsUnavailable, to everybody. A limit reached is not told: only a number we know can reach one."""
    messages.check_sender()
    holder = holders.by_number(number)
    before = session.asked(request)
    ticket: UUID | None = None
    if holder is not None and holder.phone:
        try:
            ticket = identity.send_code(holder.phone, at=now(), ip=client_address(request))
        except (SmsTooSoon, SmsTooMany):  # the one before may still be good, if this machine asked for it
            ticket = before[1] if before and before[0] == holder.pk else None
    session.keep_asked(request, holder.pk if holder else None, ticket)


@never_cache
def code(request: HttpRequest, matter: str) -> HttpResponse:
    """The code of the message; a number nobody has is answered like a wrong code."""
    asked = session.asked(request)
    if asked is None:
        return HttpResponseRedirect(f"/kiosk/who/{_known(matter)}", status=303)
    form = CodeForm(request.POST or None)
    status, refusal = 200, None
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                session.begin(request, _proved(asked, form.cleaned_data["code"]))
                return HttpResponseRedirect(f"/kiosk/{_known(matter)}", status=303)
            except DomainError as error:
                refusal, status = error, error.status
    context = {"matter": _known(matter), "title": MATTERS[matter], "form": form, "refusal": refusal}
    return page(request, "code", context | {"demo_text": _demo_text(asked[0])}, status)


def _proved(asked: tuple[UUID | None, UUID | None], text: str) -> Holder:
    """Of several holders with one phone, him whose number was typed."""
    key, ticket = asked
    holder = Holder.objects.filter(pk=key).first() if key else None
    if holder is None or not holder.phone or ticket is None:
        raise CodeWrong
    found = identity.log_in(holder.phone, text, at=now(), ticket=ticket, channel=Channel.KIOSK)
    with suppress(StopIteration):
        return next(one for one in found if one.pk == key)
    raise CodeWrong


def _demo_text(key: UUID | None) -> str:
    """In the demonstration the message is shown on the screen, as on the citizens' pages."""
    holder = Holder.objects.filter(pk=key).first() if settings.DEMO and key else None
    sent = identity_queries.latest_message(holder.phone) if holder and holder.phone else None
    return str(sent.text) if sent else ""


@require_POST
@never_cache
def scan(request: HttpRequest, matter: str) -> HttpResponse:
    """What the scanner has typed: the e-card's code proves who holds the phone."""
    form = ScanForm(request.POST)
    refusal: DomainError = CodeNotAccepted()
    if form.is_valid():
        try:
            session.begin(request, recognise(form.cleaned_data["text"], at=now()))
            return HttpResponseRedirect(f"/kiosk/{_known(matter)}", status=303)
        except DomainError as error:
            refusal = error
    context = {"matter": _known(matter), "title": MATTERS[matter], "form": NumberForm(), "refusal": refusal}
    return page(request, "who", context, refusal.status)


def _known(matter: str) -> str:
    if matter not in MATTERS:
        raise Http404
    return matter
