"""Upkeep of the day partitions: made two weeks ahead, and dropped when their retention has run out."""

from datetime import date, timedelta

from procrastinate.contrib.django import app

from yikatong.core import partitions
from yikatong.core.clock import day_of, now
from yikatong.using.usage import evidence

# Table and days kept (PIPL art. 19; the models say the same). A presentation lives a minute and is uploaded within
# days: after forty a replay is refused by its age alone.
KEPT_DAYS = {"usage_use": 3 * 365, "usage_shown": 40, "core_look": 3 * 365}


def prepare(today: date) -> int:
    """Create the missing partitions from yesterday on; returns how many. Also run at every start."""
    first, last = today - timedelta(days=1), today + timedelta(days=partitions.DAYS_AHEAD)
    return sum(partitions.ensure(table, first, last) for table in KEPT_DAYS)


def forget(today: date) -> int:
    """Drop the days whose retention has run out; returns how many."""
    kept = KEPT_DAYS.items()
    return sum(partitions.drop_before(table, today - timedelta(days=days)) for table, days in kept)


@app.periodic(cron="7 0 * * *")
@app.task(name="usage.keep_partitions", queueing_lock="usage.keep_partitions", pass_context=False)
def keep_partitions(timestamp: int) -> None:  # noqa: ARG001 - given by the scheduler
    today = day_of(now())
    prepare(today)
    forget(today)


@app.periodic(cron="*/2 * * * *")
@app.task(name="usage.check_evidence", queueing_lock="usage.check_evidence", pass_context=False)
def verify_evidence(timestamp: int) -> None:  # noqa: ARG001 - given by the scheduler
    evidence.check_evidence(at=now())
