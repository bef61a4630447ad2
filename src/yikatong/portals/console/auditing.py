"""Whose acts an auditor sees: those of the staff of his region; the province's auditor sees all."""

from django.db.models import QuerySet

from yikatong.core.actor import Actor
from yikatong.core.models import AuditEntry, StaffUser
from yikatong.registry.regions.law import province


def region_of(by: Actor) -> str:
    """The region whose staff he audits; "" for all, those without a region and the platform itself with them."""
    return "" if province().code.startswith(by.scope) else by.scope


def entries(by: Actor) -> QuerySet[AuditEntry]:
    """The audit log, newest first, of what he may see."""
    found = AuditEntry.objects.order_by("-at", "-id")
    region = region_of(by)
    staff = StaffUser.objects.filter(scope__startswith=region)
    return found.filter(actor_id__in=staff.values("pk")) if region else found
