"""Shapes of the charts, drawn on the server: they need no script, and a screen reader finds links and names in them.

Pure geometry. Colours are classes: the content policy allows no inline style.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, cos, log10, pi, sin, sqrt

STEPS = 6  # of the sequential scale --step-1 … --step-6


@dataclass(frozen=True, slots=True)
class Hexagon:
    """A pointy-top tile: its corners as an SVG `points`, and its centre."""

    points: str
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class HexGrid:
    """`width` and `height` of the view box that holds all tiles."""

    tiles: tuple[Hexagon, ...]
    width: float
    height: float


def hexagons(places: Sequence[tuple[int, int]], *, radius: float = 50, gap: float = 2) -> HexGrid:
    """Tiles at (column, row); odd rows are shifted half a tile to the right, as profiles place them."""
    if not places:
        return HexGrid((), 1, 1)
    left, top = min(column for column, _ in places), min(row for _, row in places)
    wide, high = sqrt(3) * radius + gap, 1.5 * radius + gap
    centres = [
        ((column - left + row % 2 / 2) * wide + wide / 2, (row - top) * high + radius + gap)
        for column, row in places
    ]
    tiles = tuple(Hexagon(_corners(x, y, radius - gap), round(x, 1), round(y, 1)) for x, y in centres)
    return HexGrid(
        tiles,
        round(max(x for x, _ in centres) + wide / 2, 1),
        round(max(y for _, y in centres) + radius + gap, 1),
    )


def _corners(x: float, y: float, radius: float) -> str:
    angles = [pi / 6 + n * pi / 3 for n in range(6)]
    return " ".join(f"{x + radius * cos(a):.1f},{y + radius * sin(a):.1f}" for a in angles)


def steps(values: Sequence[int]) -> list[int]:
    """A step 1–6 for each value, by rank among the values: one capital must not wash out all others."""
    ordered = sorted(set(values))
    return [ceil(bisect_right(ordered, value) / len(ordered) * STEPS) for value in values]


@dataclass(frozen=True, slots=True)
class Slice:
    """A part of a ring as an SVG path, in a box of 200 by 200."""

    path: str
    kind: int


def ring(values: Sequence[int], *, outer: float = 96, inner: float = 64) -> list[Slice]:
    """Slices clockwise from noon; nothing at all for a sum of nothing. `kind` is the value's place."""
    whole = sum(values)
    slices, turned = [], 0.0
    for kind, value in enumerate(values, 1):
        if value:
            share = value / whole
            slices.append(Slice(_sector(turned, turned + min(share, 0.99999), outer, inner), kind))
            turned += share
    return slices


def _sector(start: float, end: float, outer: float, inner: float) -> str:
    (ax, ay), (bx, by) = _on_circle(start, outer), _on_circle(end, outer)
    (cx, cy), (dx, dy) = _on_circle(end, inner), _on_circle(start, inner)
    large = int(end - start > 0.5)
    return (
        f"M{ax:.2f} {ay:.2f}A{outer} {outer} 0 {large} 1 {bx:.2f} {by:.2f}"
        f"L{cx:.2f} {cy:.2f}A{inner} {inner} 0 {large} 0 {dx:.2f} {dy:.2f}Z"
    )


def _on_circle(turn: float, radius: float) -> tuple[float, float]:
    return 100 + radius * sin(2 * pi * turn), 100 - radius * cos(2 * pi * turn)


def nice_top(largest: float) -> int:
    """The round number at the head of an axis of four equal steps, each of them round too."""
    if largest <= 8:
        return 4 if largest <= 4 else 8
    power = 10 ** int(log10(largest))
    return next(
        int(top * power / 10)
        for top in (10, 12, 16, 20, 24, 32, 40, 60, 80, 100)
        if top * power >= largest * 10
    )


def line(values: Sequence[float | None], *, low: float, high: float, points: int) -> str:
    """An SVG path in a box of 1000 by 1000 over `points` equal steps; a missing value leaves a gap."""
    path, pen_up = [], True
    for n, value in enumerate(values):
        if value is None:
            pen_up = True
            continue
        x = 1000 * (n + 0.5) / points
        y = 1000 - 1000 * (min(max(value, low), high) - low) / ((high - low) or 1)
        path.append(f"{'M' if pen_up else 'L'}{x:.1f} {y:.1f}")
        pen_up = False
    return "".join(path)
