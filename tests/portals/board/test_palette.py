"""Contrast of the night face, by the formula of WCAG 2.1 (1.4.3, 1.4.11): a checker cannot judge gradients."""

import re
from pathlib import Path

import pytest

from yikatong.portals import board, shared

CSS = Path(board.__file__).parent / "static" / "board" / "board.css"
TOKENS = dict(
    re.findall(
        r"--([\w-]+): (#[0-9a-f]{3,6});",
        (Path(shared.__file__).parent / "static/shared/tokens.css").read_text("utf-8"),
    )
)
STYLE = CSS.read_text("utf-8")


def colour(name: str) -> str:
    return name if name.startswith("#") else TOKENS[name]


def luminance(hex_: str) -> float:
    digits = hex_.lstrip("#")
    digits = "".join(c * 2 for c in digits) if len(digits) == 3 else digits
    parts = [int(digits[n : n + 2], 16) / 255 for n in (0, 2, 4)]
    red, green, blue = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    dark, light = sorted((luminance(colour(one)), luminance(colour(other))))
    return (light + 0.05) / (dark + 0.05)


# The lightest ground each gradient reaches: panels, figures, tables, the glow behind the head.
PANEL, KPI, SHEET, GLOW = "night-800", "#17335c", "#0d2140", "#12315c"
WORDS = {
    PANEL: ["#ffffff", "slate-300", "ice", "mint", "amber", "cyan", "#d5e0ec", "#c3d1e1"],
    KPI: ["#ffffff", "#c3d1e1", "mint", "amber"],
    SHEET: ["#ffffff", "slate-300", "mint", "amber"],
    GLOW: ["#ffffff", "#eaf5ff", "slate-300", "ice"],
    "night-950": ["#ffffff", "slate-300", "cyan"],
    "brand-600": ["#ffffff"],
    "brand-700": ["#ffffff"],
    "coral": ["#06203d"],
    "amber": ["#06203d"],
    "ice": ["#06203d"],
}


@pytest.mark.parametrize(
    ("ground", "word"), [(ground, word) for ground, words in WORDS.items() for word in words]
)
def test_words_are_readable(ground: str, word: str) -> None:
    assert contrast(ground, word) >= 4.5


@pytest.mark.parametrize(
    ("tile", "label"),
    [*((f"step-{n}", "#ffffff") for n in (1, 2, 3, 4)), *((f"step-{n}", "#06203d") for n in (5, 6)),
     ("#5b3db0", "#ffffff"), ("night-950", "slate-300")],
)  # fmt: skip
def test_labels_of_tiles_are_readable(tile: str, label: str) -> None:
    assert contrast(tile, label) >= 4.5


@pytest.mark.parametrize("mark", ["cyan", "mint", "violet", "amber", "coral", "#5b7699"])
def test_marks_and_borders_of_controls_stand_out(mark: str) -> None:
    assert contrast(mark, PANEL) >= 3


def test_the_scale_grows_lighter_step_by_step() -> None:
    lights = [luminance(colour(f"step-{n}")) for n in range(1, 7)]
    assert lights == sorted(lights)


def test_the_style_uses_the_colours_tested_here() -> None:
    said = {colour.lower() for colour in re.findall(r"#[0-9a-f]{6}\b", STYLE)}
    for used in (KPI, SHEET, GLOW, "#5b3db0", "#06203d", "#5b7699", "#c3d1e1", "#d5e0ec", "#eaf5ff"):
        assert used in said
    text_colours = set(re.findall(r"(?<![-\w])color: (#[0-9a-f]{3,6})", STYLE))
    tested = {word for words in WORDS.values() for word in words}
    assert {"#ffffff" if one == "#fff" else one for one in text_colours} <= tested
    assert re.search(r"text\.step-5, text\.step-6 \{ fill: #06203d; \}", STYLE)
