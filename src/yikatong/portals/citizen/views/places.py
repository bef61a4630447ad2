"""在哪里能用: places by words, domain, city and distance; open to everyone (Guangdong art. 6)."""

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render

from yikatong.portals.citizen.forms import PlacesForm
from yikatong.portals.citizen.origins import Origin, origin_of
from yikatong.registry.catalogue import queries
from yikatong.registry.catalogue.models import Domain, Place
from yikatong.registry.regions.law import province
from yikatong.registry.regions.nearest import Point, metres
from yikatong.registry.regions.queries import full_name

PAGE = 20


def places(request: HttpRequest) -> HttpResponse:
    wanted = PlacesForm(request.GET).wanted()
    origin = origin_of(wanted)
    found = _found(wanted, origin)
    page = Paginator(found, PAGE).get_page(wanted["page"] or 1)
    cities = [city for city in province().cities if not city.partner]
    context = {
        "wanted": wanted,
        "origin": origin,
        "page": page,
        "places": [(place, _metres(place, origin)) for place in queries.in_order(page.object_list)],
        "is_capped": len(found) == (queries.NEAR_MOST if _is_near(wanted, origin) else queries.MOST),
        "domains": Domain.objects.all(),
        "cities": cities,
        "query": _query(wanted, origin),
        "city_names": {city.code: city.short for city in cities},
    }
    return render(request, "citizen/places.html", context)


def _query(wanted: dict[str, Any], origin: Origin) -> str:
    """What was asked for, as the next page is asked for it."""
    said = {name: wanted[name] for name in ("q", "domain", "city") if wanted[name]}
    return "".join(f"{part}&" for part in (origin.query, urlencode(said)) if part)


def _found(wanted: dict[str, Any], origin: Origin) -> list[UUID]:
    """By distance alone, by words alone, or by words and among these by distance."""
    if origin.choices:
        return []
    if _is_near(wanted, origin) and origin.point:
        return [one.key for one in queries.near(origin.point, domain=wanted["domain"])]
    found = queries.find(text=wanted["q"], domain=wanted["domain"], city=wanted["city"])
    return queries.by_distance(found, origin.point) if origin.point else found


def _is_near(wanted: dict[str, Any], origin: Origin) -> bool:
    return origin.point is not None and not wanted["q"] and not wanted["city"]


def _metres(place: Place, origin: Origin) -> int | None:
    if origin.point is None or place.longitude is None or place.latitude is None:
        return None
    return round(metres(origin.point, Point(place.longitude, place.latitude)))


def place(request: HttpRequest, key: UUID) -> HttpResponse:
    found = get_object_or_404(Place.objects.select_related("domain", "keeper"), id=key, is_open=True)
    context = {
        "place": found,
        "items": found.items.select_related("domain"),
        "area": full_name(found.division_code),
    }
    return render(request, "citizen/place.html", context)
