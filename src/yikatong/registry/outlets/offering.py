"""What is not in an outlet's list 可办业务 does not begin there; who came is told where it does (S14, G5)."""

from datetime import datetime
from typing import Final
from uuid import UUID

from yikatong.core.actor import Actor
from yikatong.core.asking import Question
from yikatong.registry.outlets import queries
from yikatong.registry.outlets.rules import NotOffered
from yikatong.registry.regions.models import Organisation, Outlet
from yikatong.registry.regions.nearest import Near, Point

_TOLD: Final = 3
#: So many are looked at, for outlets of other banks serve other cards.
_LOOKED_AT: Final = 12
_HERE: Final = Question(lambda key: Outlet.objects.filter(pk=key), UUID)


def check_offered(service: str, *, by: Actor, at: datetime) -> None:
    """Whether the outlet `by` stands at offers this; who stands at none is not asked. Raises NotOffered."""
    here = _HERE.first(by.outlet_id) if by.outlet_id else None
    if here is not None and service not in here.services:
        names = [_named(*one) for one in _nearest(here, service, at=at)]
        way = f"可以到{'、'.join(names)}办理。" if names else "可以拨打 12333 咨询办理地点。"
        words = f"{here.name}的可办业务中没有“{service}”，不能受理。下一步：{way}"
        raise NotOffered(words, service=service, outlets=names)


def _nearest(here: Outlet, service: str, *, at: datetime) -> list[tuple[Outlet, int | None]]:
    """Outlets with their distance in metres; without coordinates those of the city, by number."""
    found: list[Near] | list[UUID]
    if here.longitude is not None and here.latitude is not None:
        point = Point(here.longitude, here.latitude)
        found = queries.near(point, service=service, at=at, most=_LOOKED_AT)
    else:
        found = queries.of_division(here.division_code[:4], service=service, at=at, most=_LOOKED_AT)
    away = {one.key: one.metres for one in found if isinstance(one, Near)}
    keys = [one.key if isinstance(one, Near) else one for one in found]
    outlets = Outlet.objects.select_related("organisation").in_bulk(keys)
    serving = [outlets[key] for key in keys if _serves_alike(outlets[key], here)]
    return [(one, away.get(one.pk)) for one in serving[:_TOLD]]


def _serves_alike(one: Outlet, here: Outlet) -> bool:
    is_bank = one.organisation.kind == Organisation.Kind.BANK
    return not is_bank or one.organisation_id == here.organisation_id


def _named(outlet: Outlet, metres: int | None) -> str:
    return outlet.name if metres is None else f"{outlet.name}（{metres / 1000:.1f} 公里）"
