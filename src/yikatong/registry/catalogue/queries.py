"""Read the catalogue: where the card can be used."""

import math
import unicodedata
from collections.abc import Iterable
from typing import Any, Final
from uuid import UUID

from django.db import connection

from yikatong.registry.catalogue.models import Place
from yikatong.registry.regions.nearest import ONE_PLANE, Near, Plane, Point, metres, nearest

#: No search gives more: nobody leafs through a thousand places, and a common word costs no more than a rare one.
MOST: Final = 1_000
#: Nor does the search by distance: the hundredth is no near one.
NEAR_MOST: Final = 100
_WORDS_MOST: Final = 8


def find(
    *, text: str = "", domain: str = "", city: str = "", is_open: bool | None = True, name_only: bool = False
) -> list[UUID]:
    """Keys of at most MOST places, the best first.

    Every word of `text` stands in the name, kind or address (`name_only`: in the name). Before all others come a name
    that is the text, then names that begin with it, then those that hold every word, the shorter first. `domain`: its
    code; `city`: six digits, a district under a municipality too. Without text all that fit, by number.
    """
    words = _folded(text).split()[:_WORDS_MOST]
    tokens = [f"open:{str(is_open).lower()}"] if is_open is not None else []
    tokens += [f"domain:{domain}"] if domain else []
    tokens += [f"city:{city.removesuffix('00')}"] if city else []
    facts: dict[str, Any] = {
        "grams": [*tokens, *(gram for word in words for gram in _grams(word))],
        "whole": _folded(text).strip(),
        "begins": f"{_plain(_folded(text).strip())}%",
        "holds": [f"%{_plain(word)}%" for word in words],
        "most": MOST,
    }
    if not words:
        return _browse(facts["grams"], domain, city, is_open=is_open)
    sql = _NAMES if name_only else _WORDS
    with connection.cursor() as cursor:
        cursor.execute(sql, facts)
        return [row[0] for row in cursor.fetchall()]


def _browse(tokens: list[str], domain: str, city: str, *, is_open: bool | None) -> list[UUID]:
    """By number. One filter alone leaves so many that walking the numbers is quicker; two are asked of the index."""
    found = Place.objects.order_by("number")
    if domain and city:
        found = found.extra(where=[f"{_GRAMS} @> %s::text[]"], params=[tokens])  # noqa: S610 - a constant
    elif domain:
        found = found.filter(domain_id=domain)
    elif city:
        found = found.filter(division_code__startswith=city.removesuffix("00"))
    found = found if is_open is None else found.filter(is_open=is_open)
    return list(found.values_list("pk", flat=True)[:MOST])


def near(origin: Point, *, domain: str = "") -> list[Near]:
    """At most NEAR_MOST open places, the nearest first; those without coordinates are found by words only."""
    plane = _OWN_PLANE if domain else ONE_PLANE
    return nearest("catalogue_place", origin, facts={"domain": domain}, most=NEAR_MOST, plane=plane)


def by_distance(keys: Iterable[UUID], origin: Point) -> list[UUID]:
    """These places, the nearest first, and at the end those without coordinates, as they came."""
    wanted = list(keys)
    located = Place.objects.filter(pk__in=wanted, longitude__isnull=False, latitude__isnull=False)
    rows = located.values_list("pk", "longitude", "latitude")
    far = {key: metres(origin, Point(x or 0.0, y or 0.0)) for key, x, y in rows}
    return sorted(wanted, key=lambda key: far.get(key, math.inf))


def in_order(keys: Iterable[UUID]) -> list[Place]:
    """These places, with their domains, in this order."""
    wanted = list(keys)
    found = Place.objects.select_related("domain").in_bulk(wanted)
    return [found[key] for key in wanted if key in found]


def _folded(text: str) -> str:
    """As the database's catalogue_fold does: full width, half width and case are one. It knows no NUL."""
    return unicodedata.normalize("NFKC", text.replace("\0", "")).lower()


def _grams(word: str) -> list[str]:
    """What the index holds of a word: each two neighbouring characters; of one character, itself."""
    return [word[at : at + 2] for at in range(len(word) - 1)] or [word]


def _plain(word: str) -> str:
    """Without the powers of LIKE."""
    return word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


# Each domain has a plane of its own in the index catalogue_place_spot, so that the nearest of a rare one are read and
# no others; the unique index catalogue_domain_plane keeps two out of one. Nothing but the plane asks for the domain:
# the planner, told of a rare one, would read all of it and sort.
_OWN_PLANE: Final = Plane(
    "catalogue_spot(t.domain_id, t.longitude, t.latitude)", "catalogue_spot(%(domain)s, {x}, {y})"
)
_GRAMS: Final = "catalogue_grams(name, kind, address, domain_id, division_code, is_open)"
_INDEXED: Final = f"{_GRAMS} @> %(grams)s::text[]"
_RANK: Final = """
ORDER BY folded = %(whole)s DESC, folded LIKE %(begins)s DESC, folded LIKE ALL (%(holds)s::text[]) DESC,
    length(folded), number LIMIT %(most)s
"""
# Names that begin with the text are looked up by themselves: where a word is common, its first thousand places by
# index might leave them out.
_TIERS: Final = f"""
SELECT id FROM (
    (SELECT id, number, catalogue_fold(name) AS folded FROM catalogue_place
     WHERE catalogue_fold(name) LIKE %(begins)s AND {_INDEXED}
     ORDER BY length(catalogue_fold(name)) LIMIT %(most)s)
    UNION
    (SELECT id, number, catalogue_fold(name) FROM catalogue_place
     WHERE {_INDEXED} AND {{field}} LIKE ALL (%(holds)s::text[]) LIMIT %(most)s)
) found {_RANK}
"""  # noqa: S608 - constants
_NAMES: Final = _TIERS.format(field="catalogue_fold(name)")
_WORDS: Final = _TIERS.format(
    field="(catalogue_fold(name) || chr(10) || catalogue_fold(kind) || chr(10) || catalogue_fold(address))"
)
