"""Whose request it is: HMAC-SM3 over time, method, path and body under the terminal's key of the day.

Nothing is written for a request that fails here; it is counted and logged.
"""

import hmac
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

from yikatong.core.clock import day_of
from yikatong.gate.refusal import Refusal
from yikatong.gate.terminals import Terminal, Terminals
from yikatong.registry.access import platform_keys, terminal_keys
from yikatong.using.codes.reasons import Reason

TOLERANCE_S = 120
TERMINAL, TIME, MAC = "yikatong-terminal", "yikatong-time", "yikatong-mac"
# A work key outlives its midnight a little, so that a request under way is not refused.
GRACE = timedelta(minutes=10)


class Request(NamedTuple):
    """A request as the shell hands it over; `path` with its query, header names in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    peer: str = ""


class Signed(NamedTuple):
    """Who says he asks, when he says it is, and the MAC he gives; nothing proven yet."""

    terminal: int
    time: int
    mac: bytes


def signed(request: Request, *, now: int) -> Signed:
    """Read the three headers. Refusal(REQUEST_MALFORMED, REQUEST_TIME_OFF with the server's time)."""
    try:
        claim = Signed(
            int(request.headers[TERMINAL]), int(request.headers[TIME]), bytes.fromhex(request.headers[MAC])
        )
    except (KeyError, ValueError):
        raise Refusal(Reason.REQUEST_MALFORMED, detail=f"{TERMINAL}, {TIME}, {MAC}") from None
    if abs(now - claim.time) > TOLERANCE_S:
        raise Refusal(Reason.REQUEST_TIME_OFF, server_time=now, difference_s=claim.time - now)
    return claim


async def terminal_of(
    request: Request, terminals: Terminals, *, now: int, signs_in: bool = False
) -> Terminal:
    """The terminal whose request this is: MAC under the day's work key, or its sign-in key (`signs_in`).

    Refusal(REQUEST_MALFORMED, REQUEST_TIME_OFF, TERMINAL_UNKNOWN, REQUEST_BAD_MAC, WORK_KEY_EXPIRED,
    TERMINAL_STOPPED).
    """
    claim = signed(request, now=now)
    # A sign-in is rare and opens a day, also an offline one: it is never answered from memory.
    terminal = await (terminals.read if signs_in else terminals.get)(claim.terminal)
    if terminal is None:
        raise Refusal(Reason.TERMINAL_UNKNOWN)
    if not _fits(terminal, claim, request, signs_in=signs_in):
        if terminals.is_worth_another_look(claim.terminal):
            terminal = await terminals.read(claim.terminal) or terminal
        if not _fits(terminal, claim, request, signs_in=signs_in):
            raise Refusal(_why(terminal, claim, request, signs_in=signs_in), server_time=now)
    if terminal.status != "enrolled":
        # What is remembered may be old: the terminal may just have been set working again.
        terminal = await terminals.read(claim.terminal) or terminal
        if terminal.status != "enrolled":
            never = terminal.status == "registered"
            raise Refusal(Reason.TERMINAL_UNKNOWN if never else Reason.TERMINAL_STOPPED)
    return terminal


def is_mac_of(number: int, generation: int, claim: Signed, request: Request) -> bool:
    """Whether the MAC is that of this terminal and generation, under the work key of the request's day."""
    return _is_mac(
        _work_key(number, generation, day_of(datetime.fromtimestamp(claim.time, UTC))), claim, request
    )


def _fits(terminal: Terminal, claim: Signed, request: Request, *, signs_in: bool) -> bool:
    return any(_is_mac(key, claim, request) for key in _keys(terminal, claim.time, signs_in=signs_in))


def _keys(terminal: Terminal, at: int, *, signs_in: bool) -> list[bytes]:
    if signs_in:
        return [_sign_in_key(terminal.number, terminal.key_generation)]
    return [_work_key(terminal.number, terminal.key_generation, day) for day in _days(at)]


@lru_cache(maxsize=512)
def _days(at: int) -> tuple[date, ...]:
    """The days whose work keys are taken at that second: one, and for a while after midnight two."""
    instant = datetime.fromtimestamp(at, UTC)
    return tuple(dict.fromkeys((day_of(instant), day_of(instant - GRACE))))


def _why(terminal: Terminal, claim: Signed, request: Request, *, signs_in: bool) -> Reason:
    """A terminal that still holds yesterday's key is told so; any other MAC is just wrong."""
    yesterday = day_of(datetime.fromtimestamp(claim.time, UTC)) - timedelta(days=1)
    key = _work_key(terminal.number, terminal.key_generation, yesterday)
    if not signs_in and _is_mac(key, claim, request):
        return Reason.WORK_KEY_EXPIRED
    return Reason.REQUEST_BAD_MAC


def _is_mac(key: bytes, claim: Signed, request: Request) -> bool:
    expected = terminal_keys.request_mac(
        key, time=claim.time, method=request.method, path=request.path, body=request.body
    )
    return hmac.compare_digest(expected, claim.mac)


@lru_cache(maxsize=20_000)
def _sign_in_key(number: int, generation: int) -> bytes:
    return terminal_keys.sign_in_key(platform_keys.main_key(number, generation))


@lru_cache(maxsize=40_000)
def _work_key(number: int, generation: int, day: date) -> bytes:
    return platform_keys.work_key(number, generation, day)
