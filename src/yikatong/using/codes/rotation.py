"""Change the issuer's key: in time, or because it may be known to others (GB/T 39786, 密钥管理)."""

from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.db import transaction

from yikatong.core import audit
from yikatong.core.actor import Actor
from yikatong.core.errors import DomainError, NotFound
from yikatong.core.permissions import Permission, require
from yikatong.registry.regions import profile
from yikatong.using.codes import issuing
from yikatong.using.codes.models import IssuerKey
from yikatong.using.codes.publish import publish_lists

# Beyond the last credential's end: clocks that differ, and offline uses uploaded a little late.
MARGIN: Final = timedelta(hours=1)


class KeyIsWithdrawn(DomainError):
    code = "key_is_withdrawn"
    message = "该密钥已撤销，不需要再次撤销。"


@transaction.atomic
def rotate_keys(*, by: Actor, at: datetime) -> IssuerKey:
    """A new key signs from now on; passes of the old one are accepted until the last of them has expired."""
    require(by, Permission.KEY_ROTATE)
    issuing.lock()
    old = issuing.signing_row(at)
    new = _succeed(old, at)
    subject = f"issuer_key:{new.key_id}"
    audit.record("codes:key:rotated", subject=subject, by=by, at=at, key_id=new.key_id, old=old.key_id)
    publish_lists(at=at)
    return new


@transaction.atomic
def withdraw_key(key_id: int, *, reason: str, by: Actor, at: datetime) -> IssuerKey:
    """Refuse a key's passes at once; if it was signing, a new one takes over.

    Raises NotFound, KeyIsWithdrawn.
    """
    require(by, Permission.KEY_ROTATE)
    issuing.lock()
    row = IssuerKey.objects.filter(key_id=key_id).first()
    if row is None:
        raise NotFound
    if row.withdrawn_at is not None:
        raise KeyIsWithdrawn(key_id=key_id)
    if row.sign_until is None:
        _succeed(row, at)
    row.withdrawn_at = at
    row.save(update_fields=["withdrawn_at"])
    audit.record(
        "codes:key:withdrawn", subject=f"issuer_key:{key_id}", by=by, at=at, key_id=key_id, reason=reason
    )
    publish_lists(at=at)
    return row


def _succeed(old: IssuerKey, at: datetime) -> IssuerKey:
    old.sign_until, old.verify_until = at, last_pass_ends(at)
    old.save(update_fields=["sign_until", "verify_until"])
    return issuing.make_key(at=at)


def last_pass_ends(at: datetime) -> datetime:
    """When the last pass that a key may have signed until `at` has expired, with a margin for clocks."""
    return at + timedelta(hours=profile.load(settings.PROVINCE).pass_.credential_hours) + MARGIN
