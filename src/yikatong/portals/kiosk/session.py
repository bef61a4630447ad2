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

IDLE_S: Final = 90
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
        request.actor = Actor(holder.pk, "持卡人本人", Role.HOLDER, Channel.KIOSK)
        return view(request, *args, **kwargs)

    return guarded
