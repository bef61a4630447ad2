"""Terminals as an asker may see them."""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db.models import Q, QuerySet

from yikatong.core.actor import Actor
from yikatong.core.errors import NotFound
from yikatong.core.permissions import Permission, require
from yikatong.registry.access.models import Terminal

SILENT_AFTER: Final = timedelta(minutes=10)


def visible_to(actor: Actor) -> QuerySet[Terminal]:
    """The terminals of the actor's region, with place, owner and last known state."""
    require(actor, Permission.TERMINAL_MANAGE)
    joined = Terminal.objects.select_related("place", "owner", "state")
    return joined.filter(place__division_code__startswith=actor.scope).order_by("number")


def get(terminal_id: UUID, *, by: Actor) -> Terminal:
    """Raises NotFound, also for a terminal of another region."""
    terminal = visible_to(by).filter(id=terminal_id).first()
    if terminal is None:
        raise NotFound
    return terminal


def silent(actor: Actor, *, at: datetime) -> QuerySet[Terminal]:
    """Enrolled terminals that should have been heard of and were not."""
    enrolled = visible_to(actor).filter(status=Terminal.Status.ENROLLED)
    return enrolled.filter(Q(state=None) | Q(state__seen_at=None) | Q(state__seen_at__lt=at - SILENT_AFTER))
