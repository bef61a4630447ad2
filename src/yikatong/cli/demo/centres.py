"""Positions of the demonstration: a few known roughly, the rest strewn around them. Invented, and marked as such."""

import math
import tempfile
from importlib import resources
from pathlib import Path
from typing import Final

from yikatong.cli.demo.plan import Loading
from yikatong.core.actor import SYSTEM
from yikatong.registry.outlets import actions as outlets
from yikatong.registry.outlets.hours import Span, parse
from yikatong.registry.outlets.models import QueueState
from yikatong.registry.regions import centres
from yikatong.registry.regions.centres import Row
from yikatong.registry.regions.models import Division, Outlet
from yikatong.registry.regions.nearest import Point

SOURCE: Final = "演示数据：粗略或虚构，不得用于导航"
_COUNTY_DEGREES, _TOWN_DEGREES, _HOUSE_DEGREES = 0.25, 0.06, 0.02
_OFFICE, _OFFICE_SATURDAY, _BANK = "9:00-12:00 13:30-17:00", "9:00-12:00", "9:00-17:00"


def load_centres(loading: Loading) -> None:
    """Cities by the table, what is below them around them; the same in every installation."""
    known = {row.code: row.point for row in _table()}
    dice = loading.dice("centres")
    here = Division.objects.filter(province_code=loading.profile.code, is_current=True)
    for code, level in (
        here.filter(level__gte=Division.Level.CITY).order_by("level", "code").values_list("code", "level")
    ):
        above = known.get(code[:6]) or known.get(code[:4] + "00") or known.get(code[:2] + "0000")
        if code in known or above is None:
            continue
        spread = _TOWN_DEGREES if level == Division.Level.TOWNSHIP else _COUNTY_DEGREES
        known[code] = strewn(above, spread, dice.random(), dice.random())
    own = [Row(code, point) for code, point in known.items() if code[:2] == loading.profile.code[:2]]
    centres.load(own, source=SOURCE, by=SYSTEM, at=loading.at)
    loading.centres = dict(own)


def strewn(around: Point, degrees: float, one: float, two: float) -> Point:
    """A point within `degrees` of another; `one` and `two` are in 0 … 1."""
    reach, angle = degrees * math.sqrt(one), two * math.tau
    return Point(
        round(around.longitude + reach * math.cos(angle), 5),
        round(around.latitude + reach * math.sin(angle), 5),
    )


def load_plans(loading: Loading) -> None:
    """Where outlets lie, their week plans and facilities; some have a queue machine that has just reported."""
    dice = loading.dice("plans")
    for number, outlet in enumerate(loading.outlets):
        outlet.longitude, outlet.latitude = strewn(
            loading.centres[outlet.division_code], _HOUSE_DEGREES, dice.random(), dice.random()
        )
        outlet.facilities = [
            "ramp",
            "elder",
            *(["nursing"] if number % 2 else []),
            *(["sign"] if number % 5 == 0 else []),
        ]
        outlet.facilities = outlet.facilities if outlet.is_accessible else outlet.facilities[1:]
        outlets.write_week(outlet, _week(is_bank="网点" in outlet.name))
    Outlet.objects.bulk_update(loading.outlets, ["longitude", "latitude", "facilities"])
    QueueState.objects.bulk_create(
        QueueState(
            outlet=outlet,
            waiting=dice.randrange(12),
            windows=dice.randrange(1, 6),
            at=loading.at,
            source=QueueState.Source.MACHINE,
        )
        for outlet in loading.outlets[::2]
    )


def _week(*, is_bank: bool) -> dict[int, list[Span]]:
    if is_bank:
        return dict.fromkeys(range(1, 7), parse(_BANK))
    return dict.fromkeys(range(1, 6), parse(_OFFICE)) | {6: parse(_OFFICE_SATURDAY)}


def _table() -> list[Row]:
    text = (resources.files(__package__) / "centres.csv").read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as folder:  # the reader takes a file, as a province's own table is one
        file = Path(folder) / "centres.csv"
        file.write_text(text, encoding="utf-8")
        return list(centres.read(file))
