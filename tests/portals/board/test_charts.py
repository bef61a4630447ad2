from datetime import UTC, datetime, timedelta
from math import dist

import pytest

from yikatong.portals.board import charts, words
from yikatong.registry.regions import profile


@pytest.mark.parametrize("name", profile.names())
def test_tiles_never_overlap_and_lie_within_the_picture(name: str) -> None:
    grid = charts.hexagons([(city.column, city.row) for city in profile.load(name).cities])
    centres = [(tile.x, tile.y) for tile in grid.tiles]

    nearest = min(dist(a, b) for n, a in enumerate(centres) for b in centres[:n])
    assert nearest > 2 * 48 * 3**0.5 / 2  # twice the inner radius of a tile
    corners = [tuple(map(float, pair.split(","))) for tile in grid.tiles for pair in tile.points.split()]
    assert min(x for x, _ in corners) >= 0
    assert min(y for _, y in corners) >= 0
    assert max(x for x, _ in corners) <= grid.width
    assert max(y for _, y in corners) <= grid.height


def test_odd_rows_stand_half_a_tile_to_the_right() -> None:
    first, second = charts.hexagons([(0, 0), (0, 1)], radius=50, gap=0).tiles
    assert second.x - first.x == pytest.approx(25 * 3**0.5, abs=0.1)
    assert second.y - first.y == pytest.approx(75)


def test_no_tiles_no_picture() -> None:
    assert charts.hexagons([]).tiles == ()


def test_steps_follow_the_rank() -> None:
    assert charts.steps([5, 1_000_000, 7, 7, 9, 11, 13]) == [1, 6, 2, 2, 3, 4, 5]
    assert charts.steps([3]) == [6]
    assert charts.steps([]) == []


def test_a_ring_has_a_slice_for_each_value() -> None:
    first, third = charts.ring([75, 0, 25])
    assert (first.kind, third.kind) == (1, 3)
    assert first.path.startswith("M100.00 4.00A96 96 0 1 1 4.00 100.00")
    assert third.path.startswith("M4.00 100.00A96 96 0 0 1 100.00 4.00")


def test_a_ring_of_nothing_and_a_ring_of_one() -> None:
    assert charts.ring([0, 0, 0]) == []
    assert len(charts.ring([9, 0, 0])) == 1


@pytest.mark.parametrize(
    ("largest", "top"),
    [
        (0, 4),
        (4, 4),
        (5, 8),
        (9, 10),
        (11, 12),
        (17, 20),
        (229, 240),
        (1_900, 2_000),
        (2_001, 2_400),
        (999_999, 1_000_000),
    ],
)
def test_axes_end_on_round_numbers(largest: int, top: int) -> None:
    assert charts.nice_top(largest) == top


def test_a_line_leaves_gaps_where_nothing_is_known() -> None:
    assert charts.line([0, None, 5, 10], low=0, high=10, points=4) == "M125.0 1000.0M625.0 500.0L875.0 0.0"


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (0, "0 次"),
        (8_412, "8,412 次"),
        (99_999, "99,999 次"),
        (421_000, "42.1 万次"),
        (91_284_000, "9,128.4 万次"),
        (386_000_000, "3.86 亿次"),
    ],
)
def test_numbers_in_wan_and_yi(number: int, said: str) -> None:
    assert words.say(number, "次") == said


def test_shares_are_never_rounded_up_to_all() -> None:
    assert [words.percent(share, 2) for share in (None, 0, 0.5, 0.99999, 1)] == [
        "未知", "0.00%", "50.00%", "99.99%", "100.00%",
    ]  # fmt: skip


def test_changes_have_a_sign_in_words() -> None:
    assert (words.change(108, 100), words.change(97, 100)) == ("+8.0%", "−3.0%")
    assert words.change(5, 0) is words.change(5, None) is None


def test_ages() -> None:
    spans = [timedelta(seconds=9), timedelta(minutes=5), timedelta(hours=47), timedelta(days=3), None]
    assert [words.age(span) for span in spans] == ["9 秒", "5 分钟", "47 小时", "3 天", "未知"]


def test_clock_and_update_in_beijing_time() -> None:
    at = datetime(2026, 11, 21, 2, 42, 5, tzinfo=UTC)
    assert words.clock(at) == "2026年11月21日 星期六 10:42"
    assert words.updated(at, at) == "10:42:05"
    assert words.updated(at, at + timedelta(days=1)) == "11月21日 10:42:05"
    assert words.updated(None, at) == "未知"
