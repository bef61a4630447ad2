"""A board on a wall: a browser that may show the board for days, and nothing else.

Nobody sits before it, so the rule of idle sessions (GB/T 22239 8.1.4.1) cannot hold there. Instead the session loses
everything but reading the board, ends on a fixed day, and ends at once with a new password or a closed account.
"""

from datetime import UTC, datetime, timedelta

from django.http import HttpRequest

from yikatong.core import audit
from yikatong.core.actor import Actor

_UNTIL = "staff_wall"
_BOARD, _LEAVE = "/board/", "/staff/logout"


def begin(request: HttpRequest, *, days: int, by: Actor, at: datetime) -> datetime:
    """Turn this browser's session into a wall's, under a new key; returns when it ends."""
    until = at + timedelta(days=days)
    request.session.cycle_key()
    request.session[_UNTIL] = until.timestamp()
    request.session.set_expiry(int(timedelta(days=days).total_seconds()))
    audit.record("staff:login:wall_begun", subject=f"staff:{by.id}", by=by, at=at, until=until.isoformat())
    return until


def until(request: HttpRequest) -> datetime | None:
    """When the wall's session ends; None for a person's."""
    found = request.session.get(_UNTIL)
    return datetime.fromtimestamp(found, UTC) if found else None


def lets_through(request: HttpRequest) -> bool:
    """Reading the board, and leaving; everywhere else a wall is a stranger."""
    if request.path == _LEAVE:
        return request.method == "POST"
    return request.path.startswith(_BOARD) and request.method in {"GET", "HEAD"}


def end(request: HttpRequest) -> None:
    """A person has logged in on this browser: his session is one of a person again."""
    if request.session.pop(_UNTIL, None):
        request.session.set_expiry(None)
