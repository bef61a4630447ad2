"""Which phone has logged in with this browser before, so that a stranger elsewhere cannot use up its codes of a day.

The cookie is signed and names the phone by its blind index only: it proves nothing but familiarity, and tells nobody
a number. It outlives a log-out.
"""

import hmac
from datetime import timedelta
from typing import Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from yikatong.core.fields import blind_index

_COOKIE: Final = "ykt_familiar"
_KEPT: Final = timedelta(days=180)


def knows(request: HttpRequest, phone: str) -> bool:
    """Whether this phone was the last to log in here. Any text may be asked about."""
    kept = str(request.get_signed_cookie(_COOKIE, default="", salt=_COOKIE, max_age=_KEPT))
    return hmac.compare_digest(kept.encode(), _named(phone).encode())


def remember(response: HttpResponse, phone: str) -> None:
    """Called when a code has proven the phone."""
    response.set_signed_cookie(
        _COOKIE,
        _named(phone),
        salt=_COOKIE,
        max_age=_KEPT,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
        path="/m/login",
    )


def _named(phone: str) -> str:
    return blind_index("familiar", phone).hex()
