"""运行监测: the overview, its drill-downs and their printed twin (Opinions 12)."""

import hashlib
from datetime import timedelta
from functools import cache
from typing import Any
from urllib.parse import quote

from django.conf import settings
from django.core.cache import cache as store
from django.http import HttpRequest, HttpResponse, HttpResponseNotModified
from django.shortcuts import render
from django.template.loader import render_to_string
from django.templatetags.static import static

from yikatong.core import clock, env
from yikatong.core.actor import Channel, Role
from yikatong.core.permissions import Permission
from yikatong.insight.dashboards import queries, risks, scope
from yikatong.insight.dashboards.gate_health import GateWatch
from yikatong.insight.dashboards.periods import Range
from yikatong.insight.dashboards.queries import Board
from yikatong.portals.board import page as pages
from yikatong.portals.board.page import Page
from yikatong.portals.shared.staff import StaffRequest, staff_required
from yikatong.portals.staff import wall
from yikatong.portals.staff.session import BY_ITSELF
from yikatong.registry.regions import profile

SHARED_S = 5  # many screens show one board; a new count makes a new one at once
ROTATE_S = 20
POLL_S = 10

leader = staff_required(Permission.BOARD_SEE, channel=Channel.WEB)


@leader
def overview(request: StaffRequest) -> HttpResponse:
    return _show(request, Page(_range(request)))


@leader
def city(request: StaffRequest, code: str) -> HttpResponse:
    return _show(request, Page(_range(request), city=code))


@leader
def domain(request: StaffRequest, code: str) -> HttpResponse:
    return _show(request, Page(_range(request), domain=code))


@leader
def printed(request: StaffRequest) -> HttpResponse:
    """The same numbers as tables, dark on light."""
    asked = Page(
        _range(request), city=request.GET.get("city") or None, domain=request.GET.get("domain") or None
    )
    return render(request, "board/print.html", _context(request, asked))


def _show(request: StaffRequest, asked: Page) -> HttpResponse:
    found = _context(request, asked)
    if request.GET.get("part") == "live":
        return _live(request, found)
    found |= {
        "library": _library(),
        "poll_s": POLL_S,
        "paused": request.GET.get("paused") == "1",
        "rotate_s": ROTATE_S,
        "next_url": _next(asked, found["board"]) if request.GET.get("rotate") == "1" else "",
        "renew_url": _by_itself(asked.url()),
        "wall_until": wall.until(request),
        "may_be_wall": request.actor.role is Role.LEADER and settings.ENV.wall_days > 0,
    }
    return render(request, "board/board.html", found)


def _live(request: HttpRequest, found: dict[str, Any]) -> HttpResponse:
    """The moving part alone. Its tag leaves the clock out, so that a screen at night is sent nothing."""
    body = render_to_string("board/_live.html", found, request)
    tag = f'"{hashlib.blake2s(body.encode(), digest_size=12).hexdigest()}"'
    same = tag in request.headers.get("If-None-Match", "")  # weak, where the answer was compressed on its way
    response: HttpResponse = HttpResponseNotModified() if same else HttpResponse(body)
    # A header's bytes are Latin: the script decodes the words again.
    response.headers["ETag"], response.headers["X-Updated"] = tag, quote(found["updated"])
    return response


def _context(request: StaffRequest, asked: Page) -> dict[str, Any]:
    province = profile.load(settings.PROVINCE)
    seen = scope.of_actor(request.actor, province)
    board, open_risks = _board(seen, asked, timedelta(hours=province.pass_.list_max_age_hours))
    return pages.context(asked, board, seen, province, open_risks, _gate().health())


def _board(seen: scope.Scope, asked: Page, list_max_age: timedelta) -> tuple[Board, list[risks.Risk]]:
    """Shared by everyone who may see the same, for seconds."""
    key = f"board:{queries.updated_at()}:{seen.cities}:{asked}"
    key = hashlib.blake2s(key.encode(), digest_size=16).hexdigest()
    if (kept := store.get(key)) is None:
        at = clock.now()
        board = queries.board(seen, asked.range, at=at, city=asked.city, domain=asked.domain)
        found = risks.open_risks(seen, board.fleet, list_max_age=list_max_age, at=at, city=asked.city)
        kept = (board, found)
        store.set(key, kept, SHARED_S)
    shared: tuple[Board, list[risks.Risk]] = kept
    return shared


def _library() -> str:
    """Address of the chart library; "" where it was not fetched: then the server's own drawing stays."""
    try:
        return static("vendor/echarts/echarts.min.js")
    except ValueError:  # collected files do not hold it
        return ""


@cache
def _gate() -> GateWatch:
    # On this machine: a proxy in front need not show metrics to the world.
    return GateWatch(f"{env.local_url(settings.ENV.gate_host, settings.ENV.gate_port)}/metrics")


def _range(request: HttpRequest) -> Range:
    asked = request.GET.get("range", "")
    return Range(asked) if asked in list(Range) else Range.DAY


def _next(asked: Page, board: Board) -> str:
    """The page a rotating screen shows after this one: the ranges, then the three busiest domains."""
    stops = [Page(range_).url() for range_ in Range]
    stops += [Page(Range.DAY, domain=part.code).url() for part in board.domains[:3] if part.tally.accepted]
    here = stops.index(asked.url()) if asked.url() in stops else -1
    to = stops[(here + 1) % len(stops)]
    return _by_itself(f"{to}{'&' if '?' in to else '?'}rotate=1")


def _by_itself(url: str) -> str:
    """The page as it calls itself up; nobody need be there, so it keeps no session alive."""
    return f"{url}{'&' if '?' in url else '?'}{BY_ITSELF}=1"
