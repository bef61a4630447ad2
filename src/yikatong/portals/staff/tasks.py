"""Jobs of log-in."""

from django.contrib.sessions.backends.db import SessionStore
from procrastinate.contrib.django import app

from yikatong.core.clock import now
from yikatong.portals.staff import guard


@app.periodic(cron="17 * * * *")
@app.task(name="staff.tidy", queueing_lock="staff.tidy")
def tidy(timestamp: int) -> int:  # noqa: ARG001 - when the scheduler thought of it
    """Remove counters that count no more and sessions that have ended, each hour."""
    SessionStore.clear_expired()
    return guard.forget(at=now())
