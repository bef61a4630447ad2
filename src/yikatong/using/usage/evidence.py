"""The SM2 signatures of offline uses, verified after they were recorded (docs/spec/gate-v1.md §6).

The gate takes an offline use when the platform's own MAC fits, which costs microseconds. What would stand in a
dispute with somebody who does not trust the platform are the two signatures; this reads every stored one, in the
order of arrival, and flags what does not hold. Where it has got to is kept, so nothing is left out.
"""

from datetime import date, datetime, timedelta
from functools import lru_cache

from django.db import transaction

from yikatong.core import audit
from yikatong.core.actor import SYSTEM
from yikatong.core.clock import day_of
from yikatong.core.sm import sm2
from yikatong.using.codes import pass_
from yikatong.using.codes.models import IssuerKey
from yikatong.using.usage.models import EvidenceMark, Use

PORTION = 500
# A use is stamped when its batch begins; a batch that began before this has ended.
LAG = timedelta(minutes=1)
_Issuers = dict[tuple[int, int], bytes]


def check_evidence(*, at: datetime) -> tuple[int, int]:
    """Verify what has arrived since the last time; returns how many were read, and how many do not hold."""
    checked = broken = 0
    while (found := _portion(at)) is not None:
        checked, broken = checked + found[0], broken + found[1]
    return checked, broken


@transaction.atomic
def _portion(at: datetime) -> tuple[int, int] | None:
    """One portion, in one transaction with the mark; None when nothing is left."""
    EvidenceMark.objects.get_or_create(id=1, defaults={"checked_until": at - timedelta(days=1)})
    mark = EvidenceMark.objects.select_for_update().get(id=1)
    until = _end(mark.checked_until, at - LAG)
    if until is None:
        return None
    uses = Use.objects.filter(
        day__gte=_oldest(mark.checked_until),
        received_at__gt=mark.checked_until,
        received_at__lte=until,
        is_offline=True,
        device_number__isnull=False,
    ).exclude(evidence=None)
    issuers = {(key.issuer, key.key_id): bytes(key.public_key) for key in IssuerKey.objects.all()}
    read = list(uses.iterator(chunk_size=PORTION))
    broken = [use for use in read if not holds(bytes(use.evidence or b""), issuers)]
    for use in broken:
        _flag(use, at)
    mark.checked_until = until
    mark.save(update_fields=["checked_until"])
    return len(read), len(broken)


def _end(after: datetime, latest: datetime) -> datetime | None:
    """The arrival of the last use of the next portion; uses of one batch arrive at one instant and stay together."""
    recent = Use.objects.filter(day__gte=_oldest(after), is_offline=True)
    arrivals = recent.filter(received_at__gt=after, received_at__lte=latest)
    times = list(arrivals.order_by("received_at").values_list("received_at", flat=True)[:PORTION])
    return times[-1] if times else None


def _oldest(arrived: datetime) -> date:
    """The first business day of whatever arrived then: uses are taken for seven days (gate.keys.LATE), a day is a table."""
    return day_of(arrived) - timedelta(days=9)


def holds(raw: bytes, issuers: _Issuers) -> bool:
    """Whether the issuer signed the credential and the device the presentation."""
    try:
        shown = pass_.parse(raw)
    except pass_.Refused:
        return False
    credential = shown.credential
    public = issuers.get((credential.issuer, credential.key_id))
    return (
        public is not None
        and _issued(public, credential.body, credential.signature)
        and sm2.verify(credential.device_public, shown.under_signature, shown.signature)
    )


@lru_cache(maxsize=50_000)
def _issued(public: bytes, body: bytes, signature: bytes) -> bool:
    """A credential is shown many times; its issuer's signature is verified once."""
    return sm2.verify(public, body, signature)


def _flag(use: Use, at: datetime) -> None:
    Use.objects.filter(pk=use.pk).update(flag=Use.Flag.EVIDENCE_BROKEN)
    audit.record(
        "usage:evidence:broken",
        subject=f"use:{use.terminal:012d}:{use.sequence}",
        by=SYSTEM,
        at=at,
        terminal=use.terminal,
        sequence=use.sequence,
    )
