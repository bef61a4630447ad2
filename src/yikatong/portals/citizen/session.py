"""Who is logged in on this browser: a holder in the session, his actor on every request."""

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import wraps
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.utils.http import url_has_allowed_host_and_scheme

from yikatong.core.actor import Actor, Channel, Role
from yikatong.portals.shared.refusals import wants_json
from yikatong.registry.holders.models import Holder
from yikatong.using.identity.rules import CODE_LIFE

HOLDER, CHOICES, OPENED, DEVICE = "citizen", "citizen_choices", "citizen_code_opened", "citizen_device"
PHONE, OFFERED = "citizen_phone", "citizen_choices_until"


class CitizenRequest(HttpRequest):
    """A request of a logged-in holder, as `holder_required` hands it on."""

    holder: Holder
    actor: Actor


View = Callable[..., HttpResponse]


def actor_of(holder: Holder) -> Actor:
    """The holder acts for himself; his name stays out of the audit log, his key is enough."""
    return Actor(id=holder.id, name="持卡人本人", role=Role.HOLDER, channel=Channel.MOBILE)


def begin(request: HttpRequest, holder: Holder) -> None:
    """Log the holder in, under a fresh session key."""
    end(request)
    request.session.cycle_key()
    request.session[HOLDER] = str(holder.id)
    request.session[PHONE] = _mark(holder)


def offer(request: HttpRequest, holders: Sequence[Holder], *, at: datetime) -> None:
    """The phone is proven; whose of its holders it is, he has yet to say, and not much later."""
    request.session[CHOICES] = [str(holder.id) for holder in holders]
    request.session[OFFERED] = (at + CODE_LIFE).isoformat()


def offered(request: HttpRequest, *, at: datetime) -> list[UUID]:
    """Keys of whom he may choose from; none once the time is over: whoever comes to this browser then is another."""
    until = request.session.get(OFFERED)
    if until is None or at >= datetime.fromisoformat(until):
        return []
    return [UUID(key) for key in request.session.get(CHOICES, [])]


def end(request: HttpRequest) -> None:
    """Log the holder out; a member of staff logged in on the same browser stays."""
    for key in (HOLDER, PHONE, CHOICES, OFFERED, OPENED, DEVICE):
        request.session.pop(key, None)
    request.session.cycle_key()


def current(request: HttpRequest) -> Holder | None:
    """Who is logged in; nobody once the phone that proved him is no longer his (changed at the counter)."""
    key = request.session.get(HOLDER)
    holder = Holder.objects.filter(id=UUID(key), status=Holder.Status.ACTIVE).first() if key else None
    return holder if holder and request.session.get(PHONE) == _mark(holder) else None


def _mark(holder: Holder) -> str:
    """The phone's blind index: tells a changed phone, and no number."""
    return bytes(holder.phone_index or b"").hex()


def holder_required(view: View) -> View:
    """Give `request.holder` and `request.actor`, or send to the log-in page (401 to a program)."""

    @wraps(view)
    def guarded(request: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        if (holder := current(request)) is None:
            return _ask_to_log_in(request)
        request.holder, request.actor = holder, actor_of(holder)
        response = view(request, *args, **kwargs)
        response.headers.setdefault("Cache-Control", "no-store")
        return response

    return guarded


def _ask_to_log_in(request: HttpRequest) -> HttpResponse:
    if wants_json(request):
        body = {"title": "登录已过期，请重新登录。", "status": 401, "code": "logged_out"}
        return JsonResponse(body, status=401, content_type="application/problem+json")
    if request.method == "GET":
        return HttpResponseRedirect("/m/login?" + urlencode({"next": request.get_full_path()}))
    return HttpResponseRedirect("/m/login?" + urlencode({"next": "/m/", "unsent": "1"}))


def safe_next(request: HttpRequest) -> str:
    """Where to go on: only within this site."""
    then = request.POST.get("next") or request.GET.get("next") or "/m/"
    allowed = url_has_allowed_host_and_scheme(then, {request.get_host()}, require_https=request.is_secure())
    return then if allowed else "/m/"


def open_code(request: HttpRequest) -> None:
    """The e-card password was right: codes may be shown until this session ends."""
    request.session[OPENED] = True


def close_code(request: HttpRequest) -> None:
    for key in (OPENED, DEVICE):
        request.session.pop(key, None)


def is_code_open(request: HttpRequest) -> bool:
    return bool(request.session.get(OPENED))
