"""Browsers in which somebody has logged in with both factors before, by a signed cookie.

Their tries are counted apart, so that a stranger who fails at a clerk's name on purpose locks out strangers, and not
the clerk at the desk. The cookie opens nothing: it only chooses which counter a try counts in.
"""

import secrets
from typing import Any

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse

from yikatong.core.fields import blind_index

COOKIE, _SALT = "staff_browser", "yikatong staff browser"
_LIFE = 90 * 24 * 3600
_NAMES_MAX = 8  # a desk is shared by shifts


def known(request: HttpRequest, login: str) -> str:
    """The browser's number if `login` has been proven in it, else "": a browser like any other."""
    kept = _kept(request)
    return str(kept["browser"]) if _mark(login) in kept["names"] else ""


def remember(request: HttpRequest, response: HttpResponse, login: str) -> None:
    """Both factors of `login` were right in this browser."""
    kept = _kept(request)
    names = [_mark(login), *(name for name in kept["names"] if name != _mark(login))][:_NAMES_MAX]
    response.set_cookie(
        COOKIE,
        signing.dumps({"browser": kept["browser"], "names": names}, salt=_SALT),
        max_age=_LIFE,
        path="/staff/",
        httponly=True,
        samesite="Lax",
        secure=settings.SESSION_COOKIE_SECURE,
    )


def _kept(request: HttpRequest) -> dict[str, Any]:
    try:
        found: dict[str, Any] = signing.loads(request.COOKIES.get(COOKIE, ""), salt=_SALT, max_age=_LIFE)
    except signing.BadSignature:
        return {"browser": secrets.token_hex(8), "names": []}
    return found


def _mark(login: str) -> str:
    return blind_index("staff browser", login).hex()
