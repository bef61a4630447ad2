from datetime import UTC, datetime, timedelta

import pytest

from yikatong.insight.dashboards.periods import Range, period


def beijing(month: int, day: int, hour: int = 0, minute: int = 0) -> datetime:
    """Beijing is eight hours ahead of UTC, all year."""
    return datetime(2026, month, day, hour, minute, tzinfo=UTC) - timedelta(hours=8)


@pytest.mark.parametrize(
    ("range_", "now", "start", "before", "before_end"),
    [
        (Range.DAY, beijing(11, 20, 10, 30), beijing(11, 20), beijing(11, 19), beijing(11, 19, 10, 30)),
        (Range.DAY, beijing(11, 20, 0, 5), beijing(11, 20), beijing(11, 19), beijing(11, 19, 0, 5)),
        (Range.WEEK, beijing(11, 20, 10, 30), beijing(11, 14), beijing(11, 7), beijing(11, 13, 10, 30)),
        (Range.MONTH, beijing(11, 20, 10, 30), beijing(11, 1), beijing(10, 1), beijing(10, 20, 10, 30)),
        (Range.MONTH, beijing(3, 31, 9), beijing(3, 1), beijing(2, 1), beijing(3, 1)),
    ],
)
def test_spans(range_: Range, now: datetime, start: datetime, before: datetime, before_end: datetime) -> None:
    found = period(range_, now)

    assert (found.now.start, found.now.end) == (start, now)
    assert (found.before.start, found.before.end) == (before, before_end)


def test_ranges_speak() -> None:
    assert [(range_.value, range_.label) for range_ in Range] == [
        ("day", "今日"),
        ("week", "近7日"),
        ("month", "本月"),
    ]
    assert Range("week") is Range.WEEK
