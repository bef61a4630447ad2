"""Jobs of the holder base."""

from procrastinate.contrib.django import app

from yikatong.core.clock import now
from yikatong.registry.holders import actions


@app.periodic(cron="5 16 * * *")  # 00:05 in Beijing
@app.task(name="holders.end_grown_wards", queueing_lock="holders.end_grown_wards")
def end_grown_wards(timestamp: int) -> int:  # noqa: ARG001 - when the scheduler thought of it
    """Close the guardianships of those who have come of age to act alone."""
    return actions.end_grown_wards(at=now())


@app.periodic(cron="2 * * * *")
@app.task(name="holders.switch_categories", queueing_lock="holders.switch_categories")
def switch_categories(timestamp: int) -> int:  # noqa: ARG001
    """Concessions that begin or end today; each hour, so that a machine that was off at midnight catches up."""
    return actions.switch_categories(at=now())


@app.periodic(cron="20 1 * * *")  # 09:20 in Beijing: nobody is woken by it
@app.task(name="holders.tell_expiring", queueing_lock="holders.tell_expiring")
def tell_expiring(timestamp: int) -> int:  # noqa: ARG001
    """Who should renew a certificate that runs out within a month is told, once."""
    return actions.tell_expiring(at=now())
