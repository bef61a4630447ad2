"""登录、选择持卡人、退出."""

from contextlib import suppress
from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.http import require_POST

from yikatong.core.clock import now
from yikatong.core.errors import DomainError
from yikatong.core.keyring import keyring
from yikatong.core.masking import mask_phone
from yikatong.portals.citizen import demo, familiar, session
from yikatong.portals.citizen.answers import SeeOther, answer
from yikatong.portals.citizen.forms import PhoneForm, SmsForm
from yikatong.portals.citizen.session import actor_of, begin, end, safe_next
from yikatong.portals.shared.address import client_address
from yikatong.registry.holders.models import Holder
from yikatong.using.codes import actions as codes
from yikatong.using.identity import actions as identity
from yikatong.using.identity.rules import SmsTooSoon

ASKED, NEXT = "citizen_asked", "citizen_next"


def log_in(request: HttpRequest) -> HttpResponse:
    """Step one: the phone. A code is sent whether or not we know it, so that nobody can ask who holds a card."""
    if request.method == "GET":
        if session.current(request):
            return HttpResponseRedirect(safe_next(request))
        _remember_next(request)

    def send(data: dict[str, Any]) -> str:
        phone = data["phone"]
        try:
            ticket = identity.send_code(
                phone, at=now(), ip=client_address(request), is_familiar=familiar.knows(request, phone)
            )
        except SmsTooSoon:
            if _asked(request)[0] != phone:
                raise
            return "/m/login/code?sent"  # the one before is still good in this browser, which asked for it
        _keep_asked(request, phone, ticket)
        return "/m/login/code"

    return answer(
        request, PhoneForm(request.POST or None), "citizen/login.html", send, out=request.GET.get("out")
    )


def log_in_code(request: HttpRequest) -> HttpResponse:
    """Step two: the code of the message."""
    phone, ticket = _asked(request)
    if not phone:
        return HttpResponseRedirect("/m/login")

    def enter(data: dict[str, Any]) -> str:
        holders = identity.log_in(phone, data["code"], at=now(), ticket=ticket)
        session.offer(request, holders, at=now())
        return "/m/login/choose" if len(holders) > 1 else _go_on(request, holders[0])

    shown = demo.last_text(phone) if settings.DEMO else ""
    form = SmsForm(request.POST or None)
    said = {"phone": mask_phone(phone), "demo_text": shown, "pause": settings.ENV.sms_pause_seconds}
    response = answer(request, form, "citizen/login_code.html", enter, **said)
    if isinstance(response, SeeOther):
        familiar.remember(response, phone)
    return response


def choose(request: HttpRequest) -> HttpResponse:
    """Several holders may share a phone: a parent and the children."""
    offered = Holder.objects.filter(id__in=session.offered(request, at=now()), status=Holder.Status.ACTIVE)
    holders = list(offered.order_by("birth_date"))
    if not holders:
        return HttpResponseRedirect("/m/login")
    chosen = next((one for one in holders if str(one.id) == request.POST.get("holder")), None)
    if request.method == "POST" and chosen:
        return SeeOther(_go_on(request, chosen))
    wrong = request.method == "POST"
    return render(
        request, "citizen/choose.html", {"holders": holders, "wrong": wrong}, status=422 if wrong else 200
    )


@require_POST
def log_out(request: HttpRequest) -> HttpResponse:
    """The browser forgets its keys, so the platform forgets the device. Display choices stay."""
    holder, device = session.current(request), request.session.get(session.DEVICE)
    if holder and device:
        with suppress(DomainError):  # released from elsewhere already
            codes.revoke_device(UUID(device), by=actor_of(holder), at=now())
    end(request)
    response = SeeOther("/m/login?out=1")
    response.headers["Clear-Site-Data"] = '"cache", "storage"'
    return response


def _go_on(request: HttpRequest, holder: Holder) -> str:
    then = request.session.pop(NEXT, "/m/")
    begin(request, holder)
    request.session.pop(ASKED, None)
    return str(then)


def _remember_next(request: HttpRequest) -> None:
    """Only a place worth remembering is: a session for every passer-by would fill the database."""
    request.session.pop(NEXT, None)
    if (then := safe_next(request)) != "/m/":
        request.session[NEXT] = then


def _keep_asked(request: HttpRequest, phone: str, ticket: UUID) -> None:
    """Phone and ticket of the code asked for; sealed, for sessions are rows that anyone with the database reads."""
    request.session[ASKED] = keyring().seal(ASKED, f"{phone} {ticket}".encode()).hex()


def _asked(request: HttpRequest) -> tuple[str, UUID | None]:
    if not (kept := request.session.get(ASKED)):
        return "", None
    phone, _, ticket = keyring().unseal(ASKED, bytes.fromhex(kept)).decode().partition(" ")
    return phone, UUID(ticket)
