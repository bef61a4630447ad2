"""Jobs of cards."""

from procrastinate.contrib.django import app

from yikatong.core.clock import now
from yikatong.registry.cards import actions


@app.periodic(cron="* * * * *")
@app.task(name="cards.release_ended_losses", queueing_lock="cards.release_ended_losses")
def release_ended_losses(timestamp: int) -> int:  # noqa: ARG001 - when the scheduler thought of it
    """End temporary losses whose days are over, each minute."""
    return actions.release_ended_losses(at=now())
