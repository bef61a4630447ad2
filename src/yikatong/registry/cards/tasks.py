"""Jobs of cards."""

from uuid import UUID

from procrastinate.contrib.django import app

from yikatong.core.actor import SYSTEM
from yikatong.core.clock import now
from yikatong.registry.cards import actions, rosters


@app.periodic(cron="* * * * *")
@app.task(name="cards.release_ended_losses", queueing_lock="cards.release_ended_losses")
def release_ended_losses(timestamp: int) -> int:  # noqa: ARG001 - when the scheduler thought of it
    """End temporary losses whose days are over, each minute."""
    return actions.release_ended_losses(at=now())


@app.periodic(cron="7 * * * *")
@app.task(name="cards.watch_limits", queueing_lock="cards.watch_limits")
def watch_limits(timestamp: int) -> dict[str, int]:  # noqa: ARG001 - when the scheduler thought of it
    """Each hour: late steps rise to supervisors, corrections and drafts whose time is over are closed."""
    at = now()
    return {"closed": actions.close_uncorrected(at=at), "escalated": actions.escalate_overdue(at=at)}


@app.task(name="cards.renew_limits", queueing_lock="cards.renew_limits", retry=3)
def renew_limits() -> int:
    """The public holidays have been entered or changed: limits that run are counted anew."""
    return actions.renew_limits(by=SYSTEM, at=now())


@app.task(name="cards.run_roster", retry=3)
def run_roster(roster_id: str) -> None:
    """Work a roster through. A job that was cut off is tried again and goes on where it was."""
    rosters.run(UUID(roster_id), at=now())


@app.periodic(cron="35 3 * * *")
@app.task(name="cards.erase_roster_rows", queueing_lock="cards.erase_roster_rows")
def erase_roster_rows(timestamp: int) -> int:  # noqa: ARG001 - when the scheduler thought of it
    """Each night: faulty rows of rosters, as they came, that have been kept long enough."""
    return rosters.erase_old(at=now())


@app.task(name="cards.account_answered", retry=5)
def account_answered(request_id: str) -> None:
    """The bank has answered an opening: its case goes on."""
    actions.account_answered(UUID(request_id), at=now())
