"""The devices of a person whose record ends: released in that very transaction."""

from datetime import datetime
from typing import Any
from uuid import UUID

from yikatong.core import audit
from yikatong.core.actor import Actor
from yikatong.using.codes.models import Device


def release_devices(sender: object, *, holder_id: UUID, by: Actor, at: datetime, **_: Any) -> None:  # noqa: ARG001
    """A receiver of `holder_ended`. Offline terminals learn it from the job of the cards, which end in the same act."""
    devices = Device.objects.filter(holder_id=holder_id, status=Device.Status.ACTIVE)
    released = devices.update(status=Device.Status.REVOKED, revoked_at=at)
    if released:
        subject = f"holder:{holder_id}"
        audit.record(
            "codes:devices:revoked", subject=subject, holder_id=holder_id, by=by, at=at, devices=released
        )
