"""证件有效期: recorded from whoever has the document before him, told before it runs out, and asked for at applications."""

from datetime import date, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db import connection, transaction
from procrastinate.contrib.django import app as jobs

from yikatong.core import audit
from yikatong.core.actor import SYSTEM, Actor, Role
from yikatong.core.clock import day_of
from yikatong.core.errors import NotFound
from yikatong.core.models import AuditEntry
from yikatong.core.permissions import Permission, require
from yikatong.registry.holders import validity as rules
from yikatong.registry.holders.actions.life import NothingChanged, happened
from yikatong.registry.holders.actions.records import active
from yikatong.registry.holders.certificates import Kind
from yikatong.registry.holders.models import Certificate, Holder, LifeEvent
from yikatong.registry.holders.refusals import BadValidity
from yikatong.registry.holders.validity import Validity

TELL_HOLDER: Final = "identity.tell_holder"
#: How long before a certificate runs out its holder is told.
TOLD_BEFORE: Final = timedelta(days=30)
_CHUNK: Final = 1_000
# Who has ended is told nothing; of a record with a newer certificate in force, the old one does not matter.
_EXPIRING: Final = """
UPDATE holders_certificate SET expiry_told_on = %(day)s
WHERE id IN (SELECT c.id FROM holders_certificate c JOIN holders_holder h ON h.id = c.holder_id
             WHERE c.is_current AND c.expiry_told_on IS NULL AND c.valid_until <= %(until)s AND h.status = 'active'
             ORDER BY c.valid_until LIMIT %(most)s FOR UPDATE OF c SKIP LOCKED)
RETURNING holder_id, kind, valid_until
"""


@transaction.atomic
def record_validity(
    holder_id: UUID,
    *,
    validity: Validity,
    certificate_id: UUID | None = None,
    evidence: str = "",
    by: Actor,
    at: datetime,
) -> Certificate:
    """Record from when until when a certificate is good: the one in use, or the one named.

    A clerk who holds it in his hands, the holder himself with his application, or a source. The former period stays
    readable. Raises HolderEnded, NotFound, BadValidity, LongTermNotAllowed, CertificateExpired, NothingChanged.
    """
    if by.role is not Role.HOLDER:
        require(by, Permission.HOLDER_REGISTER)
    holder = active(holder_id, by=by)
    certificate = _certificate(holder, certificate_id, day_of(at))
    told = rules.check(validity, Kind(certificate.kind), holder.birth_date, day_of(at))
    if not told.is_told:
        raise BadValidity
    before = rules.of(certificate)
    if before == told:
        raise NothingChanged
    certificate.valid_from, certificate.valid_until = told.begins, told.ends
    certificate.is_long_term, certificate.expiry_told_on = told.is_long_term, None
    certificate.save(update_fields=["valid_from", "valid_until", "is_long_term", "expiry_told_on"])
    happened(
        holder,
        LifeEvent.Kind.VALIDITY,
        before=before.words or None,
        after=told.words,
        evidence=evidence,
        reason=Kind(certificate.kind).label,
        by=by,
        at=at,
    )
    return certificate


def _certificate(holder: Holder, certificate_id: UUID | None, day: date) -> Certificate:
    mine = holder.certificates.filter(is_current=True)
    if certificate_id is not None:
        mine = mine.filter(pk=certificate_id)
    found = rules.in_use(mine, day)
    if found is None:
        raise NotFound("没有找到这件现用证件。请核对后重试。")
    return found


def check_certificate(holder: Holder, *, at: datetime) -> None:
    """Raises CertificateExpired for one whose certificates have all run out, as far as is recorded."""
    rules.check_in_force(holder.certificates.all(), day_of(at))


def tell_expiring(*, at: datetime) -> int:
    """Tell those whose certificate runs out within a month, or has; once each. A daily job, restartable."""
    total = 0
    while told := _tell_chunk(at):
        total += told
    return total


@transaction.atomic
def _tell_chunk(at: datetime) -> int:
    day = day_of(at)
    facts: dict[str, Any] = {"day": day, "until": day + TOLD_BEFORE, "most": _CHUNK}
    with connection.cursor() as cursor:
        cursor.execute(_EXPIRING, facts)
        found = cursor.fetchall()
    audit.record_all(_told(holder_id, at) for holder_id, _, _ in found)
    tell = jobs.configure_task(TELL_HOLDER, allow_unknown=True)
    for holder_id, kind, until in found:
        tell.defer(holder_id=str(holder_id), text=_words(kind, until, day), template="certificate_expiring")
    return len(found)


def _words(kind: str, until: date, day: date) -> str:
    when = f"已于 {until} 到期" if until < day else f"将于 {until} 到期"
    return (
        f"您登记的{Kind(kind).label}{when}。请换领新证，并在一卡通办事时或到服务窗口登记新的有效期；"
        "已经到期的，不能据以申领、补换社会保障卡。现有的卡可以继续使用。"
    )


def _told(holder_id: UUID, at: datetime) -> AuditEntry:
    event = "holders:holder:certificate_expiry_told"
    return audit.entry(event, subject=f"holder:{holder_id}", holder_id=holder_id, by=SYSTEM, at=at)
