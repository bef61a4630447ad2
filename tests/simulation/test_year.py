"""Two months of a small city, by the acts themselves: everything happens, and the books stay in order."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from bench.year import rates
from bench.year.city import City, Plan
from bench.year.shard import Shard
from yikatong.insight.soundness import checking
from yikatong.registry.cards.models import Card, Case
from yikatong.registry.holders.models import Holder

FIRST = date(2026, 8, 3)
DAYS = 64  # so that the rows of a roster of September are to be erased
#: What must have happened in any two months of such a city; rarer things happen in some.
COMMON = frozenset(
    {
        "register", "register_guardian", "apply", "check", "ask_correction",
        "open_batch", "take_preopening_return", "start_production", "take_return", "issue_at_once", "printed",
        "count_blanks", "hand_over", "take_fee", "activate", "activate_account", "replace", "report_loss",
        "report_temporary_loss", "release_loss", "record_death", "record_leaving", "move", "change_phone",
        "add_category", "authorise", "issue_ecard", "register_device", "settle", "roster", "seal_audit",
        "release_ended_losses", "close_uncorrected", "escalate_overdue", "end_grown_wards", "switch_categories",
        "tell_expiring", "erase_roster_rows",
    }
)  # fmt: skip


@pytest.mark.clause("G5", "O10", "N17", "S14", "B1", "B2", "B5")
def test_two_months_of_a_small_city(db: None, settings: Any) -> None:
    settings.CARD_PRINTER = "yikatong.adapters.card_maker.printer.SandboxPrinter"
    city = City(Plan(holders=2_000, first=FIRST, intensity=2.5), apart=False)
    assert (Holder.objects.count(), Card.objects.filter(status="1").count() > 1_800) == (2_000, True)

    done = city.live(FIRST + timedelta(days=n) for n in range(DAYS))

    assert set(done.acts) >= COMMON, sorted(COMMON - set(done.acts))
    assert done.acts["hand_over"] >= done.acts["activate"] > 0
    assert Case.objects.filter(kind__in=["apply", "replace"], status="done").count() >= done.acts["hand_over"]
    end = datetime.combine(FIRST + timedelta(days=DAYS), datetime.min.time(), UTC) - timedelta(hours=7)
    assert checking.breaches(at=end) == []


def test_every_rate_is_something_a_shard_can_do() -> None:
    assert all(callable(getattr(Shard, rate.name)) and rate.source for rate in rates.RATES)
    assert abs(sum(rates.CHANNELS.values()) - 1) < 1e-9
