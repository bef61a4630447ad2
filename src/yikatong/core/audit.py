"""Write the audit log. What was done goes into `AuditEntry`, in the transaction of the act itself."""

from datetime import datetime
from typing import Any
from uuid import UUID

from yikatong.core.actor import Actor
from yikatong.core.models import AuditEntry


def record(
    event: str,
    *,
    subject: str,
    by: Actor,
    at: datetime,
    holder_id: UUID | None = None,
    **facts: Any,
) -> None:
    """Record an act. `event` is `room:thing:what_happened`; `facts` are never personal data."""
    AuditEntry.objects.create(
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
