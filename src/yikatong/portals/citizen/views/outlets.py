"""服务网点: the nearest first, by a place's name or the phone's position; open to everyone, keeps nothing."""

from typing import Any, Final
from urllib.parse import urlencode
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from yikatong.core.clock import day_of, now
from yikatong.portals.citizen.forms import OutletsForm
from yikatong.portals.citizen.origins import Origin, origin_of
from yikatong.registry.outlets import hours, queries, rules
from yikatong.registry.outlets.models import DayKind, HoursChange
from yikatong.registry.regions.law import province
from yikatong.registry.regions.models import Outlet
from yikatong.registry.regions.nearest import Near, Point, metres
from yikatong.registry.regions.queries import full_name

STEP: Final = 20


@require_safe
def outlets(request: HttpRequest) -> HttpResponse:
    form = OutletsForm(request.GET)
    wanted, at = form.wanted(), now()
    origin = origin_of(wanted)
    filters: dict[str, Any] = {
        "service": wanted["service"], "open_now": bool(wanted["open"]), "at": at, "most": wanted["most"] + 1,
    }  # fmt: skip
    found = _found(origin, wanted["city"], filters)
    context = {
        "wanted": wanted,
        "origin": origin,
        "shown": queries.shown(found[: wanted["most"]], at=at),
        "more": min(wanted["most"] + STEP, queries.MOST) if len(found) > wanted["most"] else 0,
        "services": [*rules.SERVICES, rules.AT_ONCE],
        "cities": [city for city in province().cities if not city.partner],
        "stale_minutes": province().outlets.queue_minutes,
        "kept": _kept(wanted, ("service", "open", "city")),
        "again": (f"{origin.query}&" if origin.query else "")
        + _kept(wanted, ("service", "open", "city"))[1:],
    }
    return render(request, "citizen/outlets.html", context)


def _kept(wanted: dict[str, Any], names: tuple[str, ...]) -> str:
    """What else was asked for, as a link goes on with it."""
    said = {name: "1" if wanted[name] is True else wanted[name] for name in names if wanted[name]}
    return f"&{urlencode(said)}&" if said else ""


def _found(origin: Origin, city: str, filters: dict[str, Any]) -> list[Any]:
    """By distance where a place is known, else those of the city; nothing while several places are meant."""
    if origin.point is not None:
        return list(queries.near(origin.point, **filters))
    return [] if origin.choices else list(queries.of_division(city.removesuffix("00"), **filters))


@require_safe
def outlet(request: HttpRequest, key: UUID) -> HttpResponse:
    found, at = get_object_or_404(Outlet, id=key, is_open=True), now()
    origin = origin_of(OutletsForm(request.GET).wanted())
    plan = queries.plans_of([key], at=at)[key]
    context = {
        "one": queries.shown([_near(found, origin)], at=at)[0],
        "origin": origin,
        "week": [
            (DayKind(kind).label, "，".join(map(str, plan.week[kind])))
            for kind in _KINDS
            if plan.week.get(kind)
        ],
        "is_closed_on_holidays": any(plan.week.values()) and not plan.week.get(DayKind.HOLIDAY),
        "changes": [
            (one, hours.Span(one.opens, one.closes) if one.opens and one.closes else None)
            for one in HoursChange.objects.filter(outlet=found, until__gte=day_of(at))[:10]
        ],
        "area": full_name(found.division_code),
        "stale_minutes": province().outlets.queue_minutes,
    }
    return render(request, "citizen/outlet.html", context)


def _near(found: Outlet, origin: Origin) -> Near:
    """The outlet, with its distance from where the visitor asked."""
    if origin.point is None or found.longitude is None or found.latitude is None:
        return Near(found.pk, -1)
    return Near(found.pk, round(metres(origin.point, Point(found.longitude, found.latitude))))


_KINDS: Final = (*range(1, 8), 0)
