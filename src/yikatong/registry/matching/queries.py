"""Read issues: lists without persons, one issue with both values and a look."""

from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from yikatong.core import looks
from yikatong.core.actor import Actor
from yikatong.core.errors import NotFound
from yikatong.core.permissions import Permission, require
from yikatong.registry.matching.models import Issue, SourceRun
from yikatong.registry.matching.source import label_of


def visible(by: Actor, *, status: str = "", source: str = "") -> QuerySet[Issue]:
    """Issues of the actor's region, the oldest first."""
    require(by, Permission.HOLDER_CORRECT)
    found = Issue.objects.filter(division_code__startswith=by.scope)
    found = found.filter(status=status) if status else found
    found = found.filter(source=source) if source else found
    return found.order_by("opened_at", "pk")


@transaction.atomic
def get(issue_id: UUID, *, by: Actor, at: datetime) -> Issue:
    """One issue with its holder; reading both values leaves a look. NotFound outside the region."""
    found = visible(by).filter(pk=issue_id).select_related("holder").first()
    if found is None:
        raise NotFound
    purpose = f"数据质量核实：{label_of(found.source)}"
    looks.record(found.holder_id, by=by, at=at, purpose=purpose, fields=["姓名", found.get_field_display()])
    return found


def asked_of(holder_id: UUID) -> QuerySet[Issue]:
    """What a holder is asked to clear up himself."""
    return Issue.objects.filter(holder_id=holder_id, status=Issue.Status.ASKED).order_by("opened_at")


def runs() -> QuerySet[SourceRun]:
    return SourceRun.objects.order_by("source")
