"""The issuer's keys in the database: made at first use, rotated, withdrawn, and told to verifiers."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from math import ceil

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Q, QuerySet

from yikatong.core import audit
from yikatong.core.actor import SYSTEM
from yikatong.registry.regions import profile
from yikatong.using.codes import keysets
from yikatong.using.codes.keyset import Keyset
from yikatong.using.codes.models import IssuerKey
from yikatong.using.codes.trust import IssuerKey as TrustedKey
from yikatong.using.codes.trust import KeyState

LOCK = 0x59_4B_54_01  # advisory lock of all acts on issuer keys and lists
_END_OF_TIME = 0xFFFFFFFF
# A pass signed by an act that began just before the rotation is still good.
_HANDOVER = timedelta(minutes=5)


def lock() -> None:
    """One at a time, until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])


def live(at: datetime) -> QuerySet[IssuerKey]:
    """Keys whose passes may still be shown, withdrawn ones included."""
    return IssuerKey.objects.filter(Q(verify_until=None) | Q(verify_until__gt=at)).order_by("key_id")


def signing_row(at: datetime) -> IssuerKey:
    """The key that signs now; makes the first one."""
    return IssuerKey.objects.filter(sign_until=None).first() or _first(at)


def signing_keyset(at: datetime) -> Keyset:
    return keysets.unwrap(signing_row(at))


def ensure_key(*, at: datetime) -> IssuerKey:
    """The signing key, made at the first start of an installation."""
    return signing_row(at)


def make_key(*, at: datetime) -> IssuerKey:
    """A new signing key with the next number. The caller holds the lock and has ended the old one."""
    last = IssuerKey.objects.order_by("-key_id").values_list("key_id", flat=True).first() or 0
    keyset = Keyset.generate(issuer=profile.load(settings.PROVINCE).issuer, key_id=last + 1)
    return IssuerKey.objects.create(
        key_id=keyset.key_id,
        issuer=keyset.issuer,
        public_key=keyset.sm2_public,
        secrets_sealed=keysets.seal(keyset),
        created_at=at,
    )


def trusted(rows: Iterable[IssuerKey]) -> list[TrustedKey]:
    """The keys as a trust list names them, in unix seconds; a second that was begun counts in full."""
    return [
        TrustedKey(
            issuer=row.issuer,
            key_id=row.key_id,
            public=bytes(row.public_key),
            state=KeyState.WITHDRAWN if row.withdrawn_at else KeyState.ACTIVE,
            not_before=int(row.created_at.timestamp()),
            sign_until=_seconds(row.sign_until and row.sign_until + _HANDOVER),
            verify_until=_seconds(row.verify_until),
        )
        for row in rows
    ]


@transaction.atomic
def _first(at: datetime) -> IssuerKey:
    lock()
    if row := IssuerKey.objects.filter(sign_until=None).first():
        return row
    row = make_key(at=at)
    audit.record("codes:key:made", subject=f"issuer_key:{row.key_id}", by=SYSTEM, at=at, key_id=row.key_id)
    return row


def _seconds(at: datetime | None) -> int:
    return _END_OF_TIME if at is None else ceil(at.timestamp())
