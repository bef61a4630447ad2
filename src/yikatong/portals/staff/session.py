"""A staff session: proven by both factors, and ended when nobody is at the desk."""

from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

from django.contrib.auth import login, logout
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse

from yikatong.core.clock import now
from yikatong.core.models import StaffUser
from yikatong.portals.shared.refusals import too_large
from yikatong.portals.shared.security import BODY_BYTES_MAX
from yikatong.portals.staff import actions, wall

IDLE = timedelta(minutes=30)
PENDING = timedelta(minutes=5)  # between the two factors
_SEEN, _PENDING = "staff_seen", "staff_pending"
ALIVE = "/staff/alive"  # a GET of it only asks, and prolongs nothing
BY_ITSELF = "auto"  # a GET with it in its address was sent by the page, not by a person: it prolongs nothing
_SAVE_EVERY = 30  # seconds; not every page view need write the session


def begin_pending(request: HttpRequest, user: StaffUser, at: datetime) -> None:
    """The password was right: remember for whom, in a session with a new key."""
    request.session.cycle_key()
    request.session[_PENDING] = [str(user.id), at.timestamp()]


def pending(request: HttpRequest, at: datetime) -> UUID | None:
    """Who has shown the first factor within the last minutes."""
    found = request.session.get(_PENDING)
    if not found or at.timestamp() - found[1] > PENDING.total_seconds():
        return None
    return UUID(found[0])


def begin(request: HttpRequest, user: StaffUser, at: datetime) -> None:
    """Both factors were right. `login` gives the session a new key."""
    request.session.pop(_PENDING, None)
    login(request, user, backend="django.contrib.auth.backends.ModelBackend")
    wall.end(request)
    request.session[_SEEN] = at.timestamp()


def left(request: HttpRequest, at: datetime) -> int:
    """Seconds until the session ends by itself."""
    idle = at.timestamp() - request.session.get(_SEEN, 0)
    return max(int(IDLE.total_seconds() - idle), 0)


def end(request: HttpRequest, at: datetime, *, reason: str = "asked") -> None:
    if isinstance(request.user, StaffUser):
        actions.log_out(request.user, at=at, reason=reason)
    logout(request)


class StaffSession:
    """Middleware, after AuthenticationMiddleware: idle sessions, and such as never saw a code, end here."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.user.is_authenticated:
            self._keep(request, now())
        # Only now, for the form token is looked for in the body: nobody unknown has files read or stored.
        if (
            not request.user.is_authenticated
            and int(request.META.get("CONTENT_LENGTH") or 0) > BODY_BYTES_MAX
        ):
            return too_large(request)
        return self.get_response(request)

    def _keep(self, request: HttpRequest, at: datetime) -> None:
        if until := wall.until(request):
            self._keep_wall(request, until, at)
            return
        idle = at.timestamp() - request.session.get(_SEEN, 0)
        if idle > IDLE.total_seconds():
            end(request, at, reason="idle")
        elif idle > _SAVE_EVERY and not _is_by_itself(request):
            request.session[_SEEN] = at.timestamp()

    def _keep_wall(self, request: HttpRequest, until: datetime, at: datetime) -> None:
        if at >= until:
            end(request, at, reason="wall_over")
        elif not wall.lets_through(request):
            request.user = AnonymousUser()


def _is_by_itself(request: HttpRequest) -> bool:
    """Idle is counted from the last act of a person (GB/T 22239 8.1.4.1 b): a page that asks on its own is none."""
    return request.method == "GET" and (request.path == ALIVE or BY_ITSELF in request.GET)
