"""Jobs: lists follow cards, expired entries leave."""

from uuid import UUID

from procrastinate.contrib.django import app

from yikatong.core import clock
from yikatong.using.codes import hotlist, publish


@app.task(name="codes.card_changed", queue="codes")
def card_changed(card_id: str) -> None:
    """A card, its e-card, a device or the holder has changed: hotlist entries follow, then the lists."""
    at = clock.now()
    if hotlist.card_changed(UUID(card_id), at=at):
        publish.publish_lists(at=at)


@app.periodic(cron="* * * * * */10")
@app.task(name="codes.publish_lists", queue="codes", queueing_lock="codes.publish_lists")
def publish_lists(timestamp: int) -> None:  # noqa: ARG001 - the job's own parameter
    publish.publish_lists(at=clock.now())


@app.periodic(cron="20 3 * * *")
@app.task(name="codes.forget_old", queue="codes", queueing_lock="codes.forget_old")
def forget_old(timestamp: int) -> None:  # noqa: ARG001
    publish.forget_old(at=clock.now())
