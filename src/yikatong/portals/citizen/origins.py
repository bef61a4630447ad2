"""From where a visitor measures: his phone's position, or a place he names. Neither is kept."""

from dataclasses import dataclass, field
from typing import Any

from yikatong.registry.regions import centres
from yikatong.registry.regions.centres import Found
from yikatong.registry.regions.law import province
from yikatong.registry.regions.nearest import Point
from yikatong.registry.regions.queries import full_name


@dataclass(frozen=True, slots=True)
class Origin:
    """`words` says from where; `choices` are several places of the name typed; `unknown`: none bears it."""

    point: Point | None = None
    words: str = ""
    choices: list[Found] = field(default_factory=list)
    unknown: bool = False
    name: str = ""  # of the place, as it can be typed again
    at: str = ""  # the phone's position
    query: str = ""  # the part of an address that leads here again


def origin_of(wanted: dict[str, Any]) -> Origin:
    """`near`: a name; `from`: a division's code; `at`: "latitude,longitude". The first that is given counts."""
    if wanted["near"]:
        named = centres.find(wanted["near"], province=province().code[:2])
        return _one(named[0]) if len(named) == 1 else Origin(choices=named, unknown=not named)
    if wanted["from"]:
        found = centres.at(wanted["from"])
        return _one(found) if found else Origin(unknown=True)
    if wanted["at"]:
        latitude, longitude = (float(part) for part in wanted["at"].split(","))
        return Origin(Point(longitude, latitude), "您的位置", query=f"at={wanted['at']}", at=wanted["at"])
    return Origin()


def _one(found: Found) -> Origin:
    own = found.name.removeprefix(province().name)
    words = (
        f"{own}中心"
        if not found.of
        else f"{own}（按{full_name(found.of).removeprefix(province().name)}中心）"
    )
    return Origin(found.point, words, name=own, query=f"from={found.code}")
