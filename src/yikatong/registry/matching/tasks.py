"""Jobs of matching, in a queue of their own: a source that keeps us waiting shall hold up nothing of ours."""

import structlog
from procrastinate.contrib.django import app

from yikatong.core.clock import now
from yikatong.registry.matching import comparing, inquiries
from yikatong.registry.matching.source import sources

log = structlog.get_logger()


@app.periodic(cron="*/10 * * * *")
@app.task(name="matching.compare", queue="sources", queueing_lock="matching.compare", lock="matching.compare")
def compare(timestamp: int) -> None:  # noqa: ARG001 - when the scheduler thought of it
    """A slice of each source; one that does not answer holds up no other."""
    for key, source in sources().items():
        done = comparing.compare(key, source, at=now())
        log.info("matched", source=key, compared=done.compared, opened=done.opened, failure=done.failure)


@app.periodic(cron="* * * * *")
@app.task(name="matching.follow", queue="sources", queueing_lock="matching.follow", lock="matching.follow")
def follow(timestamp: int) -> None:  # noqa: ARG001
    """What the sources have entered since the last minute: a death is not to wait for the round to come by."""
    for key, source in sources().items():
        done = comparing.follow(key, source, at=now())
        if done.compared or done.failure:
            log.info("followed", source=key, compared=done.compared, deaths=done.deaths, failure=done.failure)


@app.periodic(cron="* * * * *")
@app.task(name="matching.chase", queue="sources", queueing_lock="matching.chase")
def chase(timestamp: int) -> int:  # noqa: ARG001
    """Whatever became of a job, its inquiry is found here and asked again."""
    return inquiries.ask_due(at=now())


@app.task(name=inquiries.ASK, queue="sources")
def inquire() -> int:
    """Ask for those who were registered or applied just now."""
    return inquiries.ask_due(at=now())
