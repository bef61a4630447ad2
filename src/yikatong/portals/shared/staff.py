"""Views for staff: `@staff_required(Permission.CARD_LOSS)` gives them `request.actor`, or another answer."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, cast
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.views.decorators.cache import never_cache

from yikatong.core.actor import Actor, Channel
from yikatong.core.models import StaffUser
from yikatong.core.permissions import Permission, require

P = ParamSpec("P")


class StaffRequest(HttpRequest):
    """A request of a member of staff whose both factors are proven."""

    user: StaffUser
    actor: Actor


View = Callable[Concatenate[StaffRequest, P], HttpResponseBase]


def staff_required(
    *permissions: Permission, channel: Channel = Channel.COUNTER
) -> Callable[[View[P]], Callable[Concatenate[HttpRequest, P], HttpResponseBase]]:
    """Only staff with all these permissions; a stranger is asked to log in, a colleague without one is refused."""

    def decorate(view: View[P]) -> Callable[Concatenate[HttpRequest, P], HttpResponseBase]:
        @wraps(view)
        def guarded(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            if not isinstance(request.user, StaffUser):
                return to_log_in(request)
            request.actor = request.user.actor(channel)  # type: ignore[attr-defined]
            for permission in permissions:
                require(request.actor, permission)  # type: ignore[attr-defined]
            return view(request, *args, **kwargs)  # type: ignore[arg-type]

        # `wraps` lets the checker see the inner signature; the outer one is what callers meet.
        return cast("Callable[Concatenate[HttpRequest, P], HttpResponseBase]", never_cache(guarded))

    return decorate


def to_log_in(request: HttpRequest) -> HttpResponse:
    """To the log-in page, and after it back here (after a form, to its empty page, which is told)."""
    unsent = {"unsent": "1"} if request.method == "POST" else {}
    return HttpResponseRedirect(f"/staff/login?{urlencode({'next': request.path} | unsent)}")
