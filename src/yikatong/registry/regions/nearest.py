"""What lies nearest: exact distances by an index of PostgreSQL's own, with no map and no extension.

The index (`models.located`) orders points by degrees, which are shorter from east to west than from north to south.
So it is asked twice: first for as many as are wanted, whose farthest bounds the answer; then for all that lie in the
box of that radius. None is left out, and few are read.
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


def metres(one: Point, other: Point) -> float:
    """The great circle between two points."""
    north = sin(radians(other.latitude - one.latitude) / 2) ** 2
    east = sin(radians(other.longitude - one.longitude) / 2) ** 2
    both = cos(radians(one.latitude)) * cos(radians(other.latitude))
    return 2 * EARTH_M * asin(sqrt(min(1.0, north + both * east)))


def nearest(
    table: str, origin: Point, *, where: Sequence[str] = (), facts: Mapping[str, Any] | None = None, most: int
) -> list[Near]:
    """The `most` nearest rows of a table that has `located` as its index, the nearest first, within FARTHEST_M.

    `where`: our own conditions on the row `t`, with named `facts`.
    """
    given = dict(facts or {}) | {"x": origin.longitude, "y": origin.latitude, "most": most}
    fit = " AND ".join([_LOCATED, *where])
    with connection.cursor() as cursor:
        cursor.execute(_FIRST.format(table=table, fit=fit), given)
        reach = max((metres(origin, Point(*row)) for row in cursor.fetchall()), default=0.0)
        cursor.execute(_ALL.format(table=table, fit=fit), given | _box(origin, min(reach, FARTHEST_M) + 1))
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


_POINT: Final = "point(t.longitude, t.latitude)"
_LOCATED: Final = "t.is_open AND t.longitude IS NOT NULL AND t.latitude IS NOT NULL"
_BOX: Final = f"{_POINT} <@ box(point(%(west)s, %(south)s), point(%(east)s, %(north)s))"
_FIRST: Final = (
    "SELECT t.longitude, t.latitude FROM {table} t WHERE {fit}"  # noqa: S608 - filled with names of our own
    f" ORDER BY {_POINT} <-> point(%(x)s, %(y)s) LIMIT %(most)s"
)
_ALL: Final = f"SELECT t.id, t.longitude, t.latitude FROM {{table}} t WHERE {{fit}} AND {_BOX}"  # noqa: S608 - as above
