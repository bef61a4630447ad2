"""Who stands before the machine: known for a few acts, forgotten after a short while."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import wraps
from typing import Any, Final
from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.views.decorators.cache import never_cache

from yikatong.core.actor import Actor, Channel, Role
from yikatong.core.clock import now
from yikatong.core.keyring import keyring
from yikatong.registry.holders.models import Holder
from yikatong.registry.regions.models import Outlet

IDLE_S: Final = 90
#: Which hall the machine stands in; it survives every visitor, and gives no right but to be refused less.
OUTLET_COOKIE: Final = "kiosk_outlet"
OUTLET_AGE_S: Final = 400 * 86_400  # browsers keep none longer; every start renews it
_WHO, _SEEN, _ASKED = "kiosk_holder", "kiosk_seen", "kiosk_asked"


class KioskRequest(HttpRequest):
    """A request of one who has proved who he is."""

    holder: Holder
    actor: Actor


def begin(request: HttpRequest, holder: Holder) -> None:
    forget(request)
    request.session.cycle_key()
    request.session[_WHO], request.session[_SEEN] = str(holder.pk), now().isoformat()


def forget(request: HttpRequest) -> None:
    """Nobody is known; what else this browser keeps (a clerk's log-in at the same machine) stays."""
    for key in (_WHO, _SEEN, _ASKED):
        request.session.pop(key, None)


def keep_asked(request: HttpRequest, holder_id: UUID | None, ticket: UUID | None) -> None:
    """Whose number was typed, and the ticket of the code sent; sealed, and the same for a number nobody has."""
    text = f"{holder_id or ''} {ticket or ''}"
    request.session[_ASKED] = keyring().seal(_ASKED, text.encode()).hex()


def asked(request: HttpRequest) -> tuple[UUID | None, UUID | None] | None:
    """What `keep_asked` kept; None when nobody has typed a number."""
    if not (kept := request.session.get(_ASKED)):
        return None
    holder, _, ticket = keyring().unseal(_ASKED, bytes.fromhex(kept)).decode().partition(" ")
    return UUID(holder) if holder else None, UUID(ticket) if ticket else None


def outlet_of(request: HttpRequest) -> Outlet | None:
    """The outlet this machine stands in, as its start address has named it: /kiosk/?outlet=<number>."""
    number = request.GET.get("outlet", "") or request.COOKIES.get(OUTLET_COOKIE, "")
    return Outlet.objects.filter(number=number.replace("\0", "")[:20]).first() if number else None


def current(request: HttpRequest, at: datetime) -> Holder | None:
    key, seen = request.session.get(_WHO), request.session.get(_SEEN)
    if not key or not seen or at - datetime.fromisoformat(seen) > timedelta(seconds=IDLE_S):
        return None
    return Holder.objects.filter(pk=key, status=Holder.Status.ACTIVE).first()


def known(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Give `request.holder` and `request.actor`; whoever has gone, or never came, begins at the start page."""

    @never_cache
    @wraps(view)
    def guarded(request: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        at = now()
        if (holder := current(request, at)) is None:
            forget(request)
            return HttpResponseRedirect("/kiosk/")
        request.session[_SEEN] = at.isoformat()
        request.holder = holder
        outlet = outlet_of(request)
        request.actor = Actor(
            holder.pk, "持卡人本人", Role.HOLDER, Channel.KIOSK, outlet_id=outlet.pk if outlet else None
        )
        return view(request, *args, **kwargs)

    return guarded
