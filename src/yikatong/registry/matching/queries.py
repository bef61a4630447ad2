"""Read issues: lists without persons, one issue with both values and a look."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from yikatong.core import looks
from yikatong.core.actor import Actor
from yikatong.core.errors import NotFound
from yikatong.core.permissions import Permission, require
from yikatong.registry.matching.models import Issue, SourceRun
from yikatong.registry.matching.source import LABELS, label_of, sources


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


@dataclass(frozen=True, slots=True)
class Stand:
    """How a source stands: wired or not, how far it was compared, since when it is behind, and what to do."""

    key: str
    label: str
    is_wired: bool
    run: SourceRun | None

    @property
    def advice(self) -> str:
        return ADVICE[SourceRun.Failure(self.run.failure_kind)] if self.run and self.run.failure_kind else ""


ADVICE: Final = {
    SourceRun.Failure.AWAY: "本库和已有比对不受影响，恢复后从原处继续。超过一天请联系来源单位。",
    SourceRun.Failure.SILENT: "平台会自动再问，从原处继续。反复出现时，请与来源单位核对网络、密钥和应答时间。",
    SourceRun.Failure.UNFIT: "未采用该次应答中的任何数据。请把失败时间和说明告诉来源单位，按接口约定更正；更正后自动继续。",
}


def stands() -> list[Stand]:
    """Every source there may be, in the order of the departments; those that once were wired stay in sight."""
    there, known = sources(), {run.source: run for run in SourceRun.objects.all()}
    return [
        Stand(key, label_of(key), key in there, known.get(key))
        for key in [*LABELS, *sorted({*there, *known} - set(LABELS))]
    ]
