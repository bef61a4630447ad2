"""服务网点 at the machine: which is near, open, and how many wait there; asks nobody who he is."""

from typing import Final

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from yikatong.core.clock import now
from yikatong.portals.kiosk.views import page
from yikatong.registry.outlets import queries
from yikatong.registry.regions import centres
from yikatong.registry.regions.law import province
from yikatong.registry.regions.models import Division, Outlet

SHOWN: Final = 6


@require_safe
def page_of(request: HttpRequest) -> HttpResponse:
    """City, then county, then the outlets nearest to its middle: three touches, no keyboard."""
    code, at = request.GET.get("from", ""), now()
    if not (code.isascii() and code.isdigit() and len(code) in {4, 6}):
        return page(request, "outlets", {"areas": _cities()})
    if len(code) == 4:
        return page(request, "outlets", {"areas": _counties(code), "within": code})
    here = centres.at(code)
    found = (
        queries.near(here.point, at=at, most=SHOWN) if here else queries.of_division(code, at=at, most=SHOWN)
    )
    context = {
        "shown": queries.shown(found, at=at),
        "here": here.name.removeprefix(province().name) if here else "",
        "stale_minutes": province().outlets.queue_minutes,
    }
    return page(request, "outlets", context)


def _cities() -> list[tuple[str, str]]:
    """Cities that have outlets; under a municipality there is one, which leads to its districts."""
    codes = sorted({code[:4] for code in _codes("")})
    names = {city.code: city.short for city in province().cities}
    return [(code, names.get(f"{code}00", province().short)) for code in codes]


def _counties(within: str) -> list[tuple[str, str]]:
    codes = {code[:6] for code in _codes(within)}
    return list(Division.objects.filter(code__in=codes).order_by("code").values_list("code", "name"))


def _codes(within: str) -> list[str]:
    rows = Outlet.objects.filter(is_open=True, division_code__startswith=within)
    return list(rows.order_by().values_list("division_code", flat=True).distinct())
