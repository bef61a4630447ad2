"""Write the audit log. What was done goes into `AuditEntry`, in the transaction of the act itself."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from yikatong.core.actor import Actor
from yikatong.core.copying import copy_in
from yikatong.core.models import AuditEntry
from yikatong.core.storing import store


def entry(
    event: str,
    *,
    subject: str,
    by: Actor,
    at: datetime,
    holder_id: UUID | None = None,
    **facts: Any,
) -> AuditEntry:
    """One entry, not yet stored. `event` is `room:thing:what_happened`; `facts` are never personal data."""
    return AuditEntry(
        at=at,
        event=event,
        subject=subject,
        holder_id=holder_id,
        actor_id=by.id,
        actor_name=by.name,
        actor_role=by.role,
        channel=by.channel,
        organisation=by.organisation,
        facts=facts,
    )


def record(event: str, *, subject: str, by: Actor, at: datetime, **rest: Any) -> None:
    """Record an act, in its own transaction; arguments as of `entry`."""
    store(entry(event, subject=subject, by=by, at=at, **rest))


def record_all(entries: Iterable[AuditEntry]) -> None:
    """Record the many acts of a set-based step."""
    copy_in(entries)
