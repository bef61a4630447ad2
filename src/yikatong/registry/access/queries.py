"""Terminals as an asker may see them."""

from django.db.models import QuerySet

from yikatong.core.actor import Actor
from yikatong.core.errors import NotFound
from yikatong.core.permissions import Permission, require
from yikatong.registry.access.models import Terminal


def visible_to(actor: Actor) -> QuerySet[Terminal]:
    """The terminals of the actor's region, with place, owner and last known state."""
    require(actor, Permission.TERMINAL_MANAGE)
    joined = Terminal.objects.select_related("place", "owner", "state")
    return joined.filter(place__division_code__startswith=actor.scope).order_by("number")


def get(number: int, *, by: Actor) -> Terminal:
    """By its number; raises NotFound, also for a terminal of another region."""
    terminal = visible_to(by).filter(number=number).first()
    if terminal is None:
        raise NotFound
    return terminal
