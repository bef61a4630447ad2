"""Centres of divisions: loaded from a table, found by the names people use."""

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final, NamedTuple

from django.db import transaction

from yikatong.core import audit
from yikatong.core.actor import Actor
from yikatong.core.errors import Invalid
from yikatong.registry.regions.models import Centre, Division
from yikatong.registry.regions.nearest import Point
from yikatong.registry.regions.queries import full_names

CHOICES_MOST: Final = 10
_READ_MOST: Final = 60
_COLUMNS: Final = ("code", "longitude", "latitude")


class BadCentres(Invalid):
    """facts: line."""

    code = "centres_invalid"


class Row(NamedTuple):
    code: str
    point: Point


@dataclass(frozen=True, slots=True)
class Found:
    """A division by name, and the point to measure from: its own, else that of the division above (`of`)."""

    code: str
    name: str
    point: Point
    of: str


def read(file: Path) -> Iterator[Row]:
    """Rows of a UTF-8 CSV with the columns code, longitude, latitude; lines that begin with # are remarks.

    Raises BadCentres naming the line.
    """
    with file.open(encoding="utf-8-sig", newline="") as lines:
        rows = csv.reader(line for line in lines if not line.startswith("#"))
        if tuple(next(rows, [])[:3]) != _COLUMNS:
            raise BadCentres(f"首行应为 {','.join(_COLUMNS)}。", line=1)
        for number, row in enumerate(rows, 2):
            yield _row(row, number)


def _row(row: list[str], number: int) -> Row:
    try:
        code, longitude, latitude = row[0], float(row[1]), float(row[2])
    except (IndexError, ValueError):
        raise BadCentres(f"第 {number} 行：应为区划代码、经度、纬度。", line=number) from None
    if not (code.isascii() and code.isdigit() and len(code) in {6, 9}) or not (
        73 <= longitude <= 136 and 3 <= latitude <= 54
    ):
        raise BadCentres(f"第 {number} 行：代码应为 6 位或 9 位，经纬度应在国内。", line=number)
    return Row(code, Point(longitude, latitude))


@transaction.atomic
def load(rows: Iterable[Row], *, source: str, by: Actor, at: datetime) -> int:
    """Keep these centres, replacing those there are of the same codes; returns how many. Others stay."""
    made = [
        Centre(code=row.code, longitude=row.point[0], latitude=row.point[1], source=source[:100])
        for row in rows
    ]
    Centre.objects.bulk_create(
        made, update_conflicts=True, unique_fields=["code"], update_fields=["longitude", "latitude", "source"],
        batch_size=2_000,
    )  # fmt: skip
    audit.record(
        "regions:centres:loaded", subject="regions_centre", by=by, at=at, count=len(made), source=source
    )
    return len(made)


def find(text: str, *, province: str) -> list[Found]:
    """Divisions of the province (two digits) that are meant by 玉林, 玉林街道 or 武侯区玉林街道; the surest first.

    Several where several bear the name; none where no centre is known.
    """
    words = "".join(text.split())[:40]
    if not words:
        return []
    rows = Division.objects.filter(code__startswith=province, is_current=True, level__gte=Division.Level.CITY)
    told = rows.extra(where=["(name LIKE %s OR position(name in %s) > 0)"], params=[_begins(words), words])
    codes = list(told.order_by("level", "code").values_list("code", flat=True)[:_READ_MOST])
    names = full_names(codes)
    ranked = sorted(codes, key=lambda code: (-_told(names[code], words), len(code), code))
    best = [code for code in ranked if _told(names[code], words) == _told(names[ranked[0]], words)]
    return _with_points(best[:CHOICES_MOST], names)


def at(code: str) -> Found | None:
    """The division of this code, if its centre or one above it is known."""
    return next(iter(_with_points([code], full_names([code]))), None)


def _told(name: str, words: str) -> int:
    """How much of what was typed is in the full name, from its end: 武侯区玉林街道 is more of an answer than 武侯区."""
    return max((size for size in range(len(words), 0, -1) if words[:size] in name), default=0)


def _with_points(codes: list[str], names: dict[str, str]) -> list[Found]:
    above = {code: [code, code[:6], code[:4] + "00"] for code in codes}
    points = Centre.objects.in_bulk({part for chain in above.values() for part in chain})
    found = []
    for code in codes:
        centre = next((points[part] for part in above[code] if part in points), None)
        if centre is not None and names[code]:
            of = "" if centre.code == code else centre.code
            found.append(Found(code, names[code], Point(centre.longitude, centre.latitude), of))
    return found


def _begins(words: str) -> str:
    return words.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
