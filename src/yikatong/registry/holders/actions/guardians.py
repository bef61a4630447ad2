"""监护: who acts for a child, on which proof, and until when (Opinions 10)."""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import connection, transaction

from yikatong.core import audit
from yikatong.core.actor import SYSTEM, Actor
from yikatong.core.clock import day_of
from yikatong.core.constraints import refusing
from yikatong.core.errors import NotFound
from yikatong.core.models import AuditEntry
from yikatong.core.permissions import Permission, require
from yikatong.registry.holders import certificates, names, refusals, rules
from yikatong.registry.holders.actions.records import active, certificate_index, locked, note
from yikatong.registry.holders.models import Certificate, Guardianship, Holder
from yikatong.registry.regions.law import province
from yikatong.registry.regions.queries import KnownDivisions

_ONCE: Final = {"guardianship_once": refusals.GuardianKnown}
#: Why a guardianship ends by itself.
GROWN: Final = "已满可独立办理年龄"
_CHUNK: Final = 1_000
_GROWN: Final = """
UPDATE holders_guardianship SET ended_at = %(at)s, end_reason = %(reason)s
WHERE id IN (SELECT id FROM holders_guardianship WHERE ended_at IS NULL AND valid_until <= %(day)s
             ORDER BY valid_until LIMIT %(most)s FOR UPDATE SKIP LOCKED)
RETURNING id, ward_id
"""


@transaction.atomic
def register_guardian(  # noqa: PLR0913 - the fields of one proof
    ward_id: UUID,
    *,
    name: str,
    kind: str,
    number: str,
    ground: str,
    evidence: str,
    evidence_number: str = "",
    by: Actor,
    at: datetime,
) -> Guardianship:
    """Record who acts for a child; it ends by itself on the day the child may act alone.

    Raises HolderEnded, NotAWard, BadGuardianship, OwnGuardian, GuardianTooYoung, GuardianKnown, BadName, BadCertificate.
    """
    require(by, Permission.HOLDER_REGISTER)
    ward, today = active(ward_id, by=by), day_of(at)
    until = rules.independent_on(ward.birth_date, province().card.independent_age)
    if until <= today:
        raise refusals.NotAWard(
            f"此人已满 {province().card.independent_age} 周岁，不登记监护人，请由本人办理。"
        )
    rules.check_guardianship(ground, evidence)
    checked = certificates.check(rules.kind_of(kind), number, known_divisions=KnownDivisions(), today=today)
    rules.check_guardian_age(checked.birth_date, today)
    index = certificate_index(checked.kind, checked.number)
    known = Certificate.objects.filter(kind=checked.kind, number_index=index).first()
    if known is not None and known.holder_id == ward.pk:
        raise refusals.OwnGuardian
    with refusing(_ONCE):
        guardianship = Guardianship.objects.create(
            ward=ward,
            guardian_id=known.holder_id if known else None,
            name=names.normalise(name).text,
            kind=checked.kind.value,
            number=checked.number,
            number_index=index,
            ground=ground,
            evidence=evidence,
            evidence_number=evidence_number.strip()[:60] or None,
            valid_from=today,
            valid_until=until,
            created_at=at,
            created_by=by.name,
        )
    note("guardian_registered", ward, by=by, at=at, ground=ground, evidence=evidence)
    return guardianship


@transaction.atomic
def end_guardianship(guardianship_id: UUID, *, reason: str, by: Actor, at: datetime) -> Guardianship:
    """The guardian no longer acts: a court has said so, or it was entered wrongly. Raises ReasonTooShort."""
    require(by, Permission.HOLDER_REGISTER)
    ward_id = Guardianship.objects.filter(pk=guardianship_id).values_list("ward_id", flat=True).first()
    if ward_id is None:
        raise NotFound("没有找到这项监护关系。请核对后重试。")
    ward = locked(ward_id, by=by)
    guardianship = Guardianship.objects.get(pk=guardianship_id)
    if guardianship.ended_at is not None:
        raise refusals.GuardianshipEnded
    guardianship.end_reason, guardianship.ended_at = rules.reason(reason), at
    guardianship.save(update_fields=["ended_at", "end_reason"])
    note("guardian_ended", ward, by=by, at=at, guardianship=str(guardianship.pk))
    return guardianship


def end_grown_wards(*, at: datetime) -> int:
    """Close the guardianships of those who may act alone since today; how many. A daily job, restartable."""
    total = 0
    while ended := _end_chunk(at):
        total += ended
    return total


@transaction.atomic
def _end_chunk(at: datetime) -> int:
    facts: dict[str, Any] = {"at": at, "day": day_of(at), "reason": GROWN, "most": _CHUNK}
    with connection.cursor() as cursor:
        cursor.execute(_GROWN, facts)
        ended = cursor.fetchall()
    audit.record_all(_grown(guardianship, ward, at) for guardianship, ward in ended)
    return len(ended)


def _grown(guardianship: UUID, ward: UUID, at: datetime) -> AuditEntry:
    return audit.entry(
        "holders:holder:guardian_ended",
        subject=f"holder:{ward}",
        holder_id=ward,
        by=SYSTEM,
        at=at,
        guardianship=str(guardianship),
    )


def guardianship_for(ward: Holder, guardianship_id: UUID | None, *, by: Actor, at: datetime) -> Guardianship:
    """The guardianship in force under which something is done for a child; raises GuardianNeeded.

    A guardian who comes in person over the network must be the one it names.
    """
    found = Guardianship.objects.filter(
        ward=ward, ended_at=None, valid_from__lte=day_of(at), valid_until__gt=day_of(at)
    )
    found = found.exclude(guardian__status=Holder.Status.DECEASED)
    if guardianship_id is not None:
        found = found.filter(pk=guardianship_id)
    if by.for_holder == ward.pk:
        found = found.filter(guardian_id=by.id)
    elif by.id == ward.pk:
        found = found.none()
    guardianship = found.order_by("-created_at", "-pk").first()
    if guardianship is None:
        raise refusals.GuardianNeeded(_needed())
    return guardianship


def _needed() -> str:
    years = province().card.independent_age
    return (
        f"未满 {years} 周岁的，由监护人代为办理。"
        "下一步：监护人持本人证件和监护关系证明到服务窗口登记监护关系，再由监护人办理。"
    )
