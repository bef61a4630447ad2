"""Which cities an actor sees on the board: counts have no finer place than a city (or a municipality's district)."""

from dataclasses import dataclass

from yikatong.core.actor import Actor
from yikatong.core.errors import DomainError
from yikatong.registry.regions.profile import City, Profile


class FinerThanCity(DomainError):
    code, status = "board_finer_than_city", 403
    message = "看板按市（州）统计，您的管辖范围小于统计单位，请联系上级管理部门查看。"


@dataclass(frozen=True, slots=True)
class Scope:
    """`cities` None: all there are, also those of a partner and uses whose city is not known."""

    cities: tuple[str, ...] | None
    tiles: tuple[City, ...]

    def covers(self, city_code: str) -> bool:
        return self.cities is None or city_code in self.cities


def of_actor(actor: Actor, profile: Profile) -> Scope:
    """All of the province, or the cities within the actor's region; raises FinerThanCity."""
    if profile.code.startswith(_short(actor.scope)):
        return Scope(None, profile.cities)
    tiles = tuple(city for city in profile.cities if actor.covers(city.code))
    if not tiles:
        raise FinerThanCity(scope=actor.scope)
    return Scope(tuple(city.code for city in tiles), tiles)


def _short(code: str) -> str:
    """A region said in full and in short is one region; an ending zero of the short form belongs to it."""
    while len(code) > 2 and code.endswith("00"):
        code = code.removesuffix("00")
    return code
