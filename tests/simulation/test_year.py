"""Two months of a small city, by the acts themselves: everything happens, and the books stay in order."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from bench.year.city import City, Plan
from yikatong.insight.soundness import checking

FIRST = date(2026, 8, 3)


@pytest.mark.clause("G5", "O10", "N17", "S14", "B1", "B2", "B5")
def test_two_months_of_a_small_city(db: None, settings: Any) -> None:
    settings.CARD_PRINTER = "yikatong.adapters.card_maker.printer.SandboxPrinter"
    city = City(Plan(holders=2_000, first=FIRST, intensity=3.0), apart=False)
    days = [FIRST + timedelta(days=n) for n in range(60)]
    done = city.live(days)
    print(sum(done.acts.values()), sorted(done.acts.items()), done.refusals, done.rows)
    end = datetime(2026, 10, 1, 16, 30, tzinfo=UTC)
    assert checking.breaches(at=end) == []
