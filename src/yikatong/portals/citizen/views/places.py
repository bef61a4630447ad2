"""在哪里能用: places by domain, city and words; open to everyone (Guangdong art. 6)."""

from uuid import UUID

from django.conf import settings
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render

from yikatong.portals.citizen.forms import PlacesForm
from yikatong.registry.catalogue import queries
from yikatong.registry.catalogue.models import Domain, Place
from yikatong.registry.regions import profile
from yikatong.registry.regions.queries import full_name

PAGE = 20


def places(request: HttpRequest) -> HttpResponse:
    wanted = PlacesForm(request.GET).wanted()
    found = queries.find(text=wanted["q"], domain=wanted["domain"], city=wanted["city"])
    page = Paginator(found, PAGE).get_page(wanted["page"] or 1)
    cities = [city for city in profile.load(settings.PROVINCE).cities if not city.partner]
    context = {
        "wanted": wanted,
        "page": page,
        "places": queries.in_order(page.object_list),
        "is_capped": len(found) == queries.MOST,
        "domains": Domain.objects.all(),
        "cities": cities,
        "city_names": {city.code: city.short for city in cities},
    }
    return render(request, "citizen/places.html", context)


def place(request: HttpRequest, key: UUID) -> HttpResponse:
    found = get_object_or_404(Place.objects.select_related("domain", "keeper"), id=key, is_open=True)
    context = {
        "place": found,
        "items": found.items.select_related("domain"),
        "area": full_name(found.division_code),
    }
    return render(request, "citizen/place.html", context)
