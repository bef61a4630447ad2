"""What lies nearest: exact distances by an index of PostgreSQL's own, with no map and no extension.

The index (`models.located`) orders points by degrees, which are shorter from east to west than from north to south.
So it is asked twice: first for as many as are wanted, whose farthest bounds the answer; then for all that lie in the
box of that radius. None is left out, and few are read.

Where many kinds lie in one table and one is asked for, the kinds have planes of their own (`Plane`): a rare one is then
found among its like, not by passing over all others.
"""

from collections.abc import Mapping, Sequence
from math import asin, cos, radians, sin, sqrt
from typing import Any, Final, NamedTuple
from uuid import UUID

from django.db import connection

EARTH_M: Final = 6_371_008.8  # mean radius
_DEGREE_M: Final = EARTH_M * radians(1)
#: Nobody goes farther to a counter.
FARTHEST_M: Final = 200_000


class Point(NamedTuple):
    """Degrees, CGCS2000 or WGS-84."""

    longitude: float
    latitude: float


class Near(NamedTuple):
    """What was found, and how far away."""

    key: UUID
    metres: int


class Plane(NamedTuple):
    """Where the index sees the row `t`, and where a point {x}, {y} that is asked for; SQL of our own.

    Two planes are farther apart than any two points of one.
    """

    row: str
    asked: str


ONE_PLANE: Final = Plane("point(t.longitude, t.latitude)", "point({x}, {y})")


def metres(one: Point, other: Point) -> float:
    """The great circle between two points."""
    north = sin(radians(other.latitude - one.latitude) / 2) ** 2
    east = sin(radians(other.longitude - one.longitude) / 2) ** 2
    both = cos(radians(one.latitude)) * cos(radians(other.latitude))
    return 2 * EARTH_M * asin(sqrt(min(1.0, north + both * east)))


def nearest(
    table: str,
    origin: Point,
    *,
    where: Sequence[str] = (),
    facts: Mapping[str, Any] | None = None,
    most: int,
    plane: Plane = ONE_PLANE,
) -> list[Near]:
    """The `most` nearest rows of a table that has `located` as its index, the nearest first, within FARTHEST_M.

    `where`: our own conditions on the row `t`, with named `facts`. `plane`: of another index of these rows.
    """
    given = dict(facts or {}) | {"x": origin.longitude, "y": origin.latitude, "most": most}
    words = {"table": table, "fit": " AND ".join([_LOCATED, *where]), "box": _boxed(plane)}
    words["away"] = f"{plane.row} <-> {plane.asked.format(x='%(x)s', y='%(y)s')}"
    with connection.cursor() as cursor:
        cursor.execute(_FIRST.format(**words), given)
        spots = [Point(x, y) for x, y, degrees in cursor.fetchall() if degrees < _DEGREES_MOST]
        reach = max((metres(origin, spot) for spot in spots), default=0.0)
        cursor.execute(_ALL.format(**words), given | _box(origin, min(reach, FARTHEST_M) + 1))
        found = [Near(key, round(metres(origin, Point(x, y)))) for key, x, y in cursor.fetchall()]
    found = [one for one in found if one.metres <= FARTHEST_M]
    return sorted(found, key=lambda one: (one.metres, one.key))[:most]


def _box(origin: Point, radius_m: float) -> dict[str, float]:
    """Corners of a box that holds every point within the radius."""
    high = radius_m / _DEGREE_M
    # A circle is widest a little nearer to the pole than its centre.
    wide = high / max(cos(radians(min(abs(origin.latitude) + high, 89.0))), 0.01)
    return {
        "west": origin.longitude - wide,
        "east": origin.longitude + wide,
        "south": origin.latitude - high,
        "north": origin.latitude + high,
    }


def _boxed(plane: Plane) -> str:
    corners = [
        plane.asked.format(x=f"%({x})s", y=f"%({y})s") for x, y in (("west", "south"), ("east", "north"))
    ]
    return f"{plane.row} <@ box({', '.join(corners)})"


_DEGREES_MOST: Final = 500  # farther is another plane
_LOCATED: Final = "t.is_open AND t.longitude IS NOT NULL AND t.latitude IS NOT NULL"
_FIRST: Final = (
    "SELECT t.longitude, t.latitude, {away} FROM {table} t WHERE {fit} ORDER BY {away} LIMIT %(most)s"
)
_ALL: Final = "SELECT t.id, t.longitude, t.latitude FROM {table} t WHERE {fit} AND {box}"
