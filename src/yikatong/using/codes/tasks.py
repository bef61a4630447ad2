"""Jobs: lists follow cards, expired entries leave, the audit log is sealed."""

from uuid import UUID

import structlog
from procrastinate import RetryStrategy
from procrastinate.contrib.django import app

from yikatong.core import clock
from yikatong.using.codes import hotlist, outgoing, partners, publish, sealing, spreading
from yikatong.using.codes.partner_line import line

log = structlog.get_logger()


# A loss must reach the lists: tried again for some hours, and found by `catch_up` after that.
@app.task(
    name="codes.card_changed",
    queue="codes",
    retry=RetryStrategy(max_attempts=12, wait=2, exponential_wait=2),
)
def card_changed(card_id: str) -> None:
    """A card, its e-card, a device or the holder has changed: hotlist entries follow, then the lists."""
    at = clock.now()
    changed = hotlist.card_changed(UUID(card_id), at=at)
    spreading.note_loss(UUID(card_id), at=clock.now())
    if changed:
        publish.publish_lists(at=at)
        spreading.note_lists(at=clock.now())


@app.periodic(cron="* * * * * */10")
@app.task(name="codes.publish_lists", queue="codes", queueing_lock="codes.publish_lists")
def publish_lists(timestamp: int) -> None:  # noqa: ARG001 - the job's own parameter
    publish.publish_lists(at=clock.now())
    spreading.note_lists(at=clock.now())


@app.periodic(cron="* * * * * */10")
@app.task(name="codes.watch_spreading", queue="codes", queueing_lock="codes.watch_spreading")
def watch_spreading(timestamp: int) -> None:  # noqa: ARG001
    """Which losses the terminals have heard of by now, and which partners are still to be told."""
    spreading.note_terminals(at=clock.now())
    partners.sync(line())
    partners.tell_due(at=clock.now())


@app.task(name=outgoing.TELL, queue="banks")
def tell_partner(partner: str) -> int:
    """The only place where a partner is called, and never inside a transaction."""
    return partners.tell(partner, line(), at=clock.now())


@app.periodic(cron="* * * * *")
@app.task(name="codes.catch_up", queue="codes", queueing_lock="codes.catch_up")
def catch_up(timestamp: int) -> None:  # noqa: ARG001
    """Find cards whose devices' entries do not fit their state, whatever became of the job that should have.

    A sixtieth of all devices each minute: looking at all at once reads four tables whole, at full size for minutes.
    """
    at = clock.now()
    for card_id in hotlist.out_of_step(at=at, part=at.minute, parts=60):
        log.warning("hotlist_out_of_step", card=str(card_id))
        hotlist.follow(card_id)


@app.periodic(cron="20 3 * * *")
@app.task(name="codes.forget_old", queue="codes", queueing_lock="codes.forget_old")
def forget_old(timestamp: int) -> None:  # noqa: ARG001
    publish.forget_old(at=clock.now())


@app.periodic(cron="* * * * *")
@app.task(name="codes.seal_audit", queue="codes", queueing_lock="codes.seal_audit")
def seal_audit(timestamp: int) -> None:  # noqa: ARG001
    """Number the new entries of the audit log; the root goes to the process log too, a witness elsewhere."""
    checkpoint = sealing.seal(at=clock.now())
    if checkpoint is not None:
        log.info("audit_sealed", size=checkpoint.size, root=bytes(checkpoint.root).hex())
