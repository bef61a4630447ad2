"""Contrast of the tokens by WCAG's own formula: axe cannot judge text over gradients, this can."""

import re

import pytest

from tests.repository.tree import SRC

TOKENS = SRC / "portals" / "shared" / "static" / "shared" / "tokens.css"
TEXT, LARGE_OR_CONTROL = 4.5, 3.0  # WCAG 1.4.3, 1.4.11; 工信部 适老化规范 asks the same

_DAY = [
    (ink, ground)
    for ink in ("ink-900", "ink-700", "ink-500", "brand-800", "brand-700", "brand-600")
    for ground in ("surface", "bg", "brand-50", "brand-100")
]
_SIGNALS = [
    (f"{name}", ground)
    for name, own in (("danger-700", "danger-50"), ("success-700", "success-50"), ("warn-800", "warn-50"))
    for ground in ("surface", "bg", own)
]
_ON_COLOUR = [
    ("surface", ground) for ground in ("brand-800", "brand-700", "brand-600", "danger-700", "success-700")
]
_NIGHT = [
    (ink, ground)
    for ink in ("surface", "slate-300", "cyan", "mint", "amber", "coral", "violet", "ice")
    for ground in ("night-950", "night-900", "night-800")
]
_TILES = [("surface", f"step-{number}") for number in (1, 2, 3, 4)] + [
    ("night-950", f"step-{n}") for n in (5, 6)
]


def tokens() -> dict[str, str]:
    root = TOKENS.read_text(encoding="utf-8").split("}", 1)[0]
    return dict(re.findall(r"--([\w-]+):\s*(#[0-9a-fA-F]{3,6})\b", root))


def luminance(colour: str) -> float:
    digits = colour[1:] if len(colour) == 7 else "".join(digit * 2 for digit in colour[1:])
    parts = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_the_formula_knows_the_published_values() -> None:
    assert contrast("#000000", "#fff") == pytest.approx(21)
    assert round(contrast("#767676", "#ffffff"), 2) == 4.54  # the lightest grey WCAG allows on white


@pytest.mark.clause("S14")
@pytest.mark.parametrize(("ink", "ground"), _DAY + _SIGNALS + _ON_COLOUR + _NIGHT + _TILES)
def test_text_can_be_read(ink: str, ground: str) -> None:
    found = tokens()
    assert contrast(found[ink], found[ground]) >= TEXT


@pytest.mark.parametrize("ground", ["surface", "bg", "brand-50"])
def test_borders_of_controls_and_focus_can_be_seen(ground: str) -> None:
    found = tokens()
    assert contrast(found["line-strong"], found[ground]) >= LARGE_OR_CONTROL
    assert contrast(found["focus-outer"], found[ground]) >= LARGE_OR_CONTROL


@pytest.mark.parametrize("ground", ["brand-800", "night-950", "night-900"])
def test_focus_can_be_seen_on_dark(ground: str) -> None:
    found = tokens()
    assert contrast(found["focus"], found[ground]) >= LARGE_OR_CONTROL
