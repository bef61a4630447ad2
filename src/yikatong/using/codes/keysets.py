"""Keysets as the database keeps them. Knows no Django, so that the gate reads the same table by SQL.

Lists and audit checkpoints are signed by keys of their own, derived from the keyset's private key: a list key
signs nothing else (docs/spec/pass-v1.md §8), and a proof of one kind can never be passed off as another.
"""

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any, Final, Protocol

from yikatong.core.keyring import keyring
from yikatong.core.sm import sm2
from yikatong.core.sm.kdf import derive
from yikatong.using.codes.keyset import Keyset

PLACE: Final = "codes_issuerkey.secrets_sealed"

# Every key whose passes may still be shown, the signing one first; withdrawn ones too, so that a gate answers
# KEY_WITHDRAWN and not UNKNOWN_ISSUER. Parameter: now (timestamptz).
KEYS_SQL: Final = """
SELECT key_id, issuer, public_key, secrets_sealed, created_at, sign_until, verify_until, withdrawn_at
FROM codes_issuerkey
WHERE verify_until IS NULL OR verify_until > %(now)s
ORDER BY sign_until IS NOT NULL, key_id DESC
"""


class KeyRow(Protocol):
    """A row of `codes_issuerkey`, from Django or from SQL."""

    key_id: int
    issuer: int
    public_key: Any
    secrets_sealed: Any
    withdrawn_at: datetime | None


def seal(keyset: Keyset) -> bytes:
    """The stored form of a keyset's secrets, bound to its number, under the installation's master key."""
    return keyring().seal(_place(keyset.key_id), keyset.secrets)


def unwrap(row: KeyRow | Mapping[str, Any]) -> Keyset:
    """The keyset of a row (an object, or a mapping by column name). SealBroken under another master key."""
    field = row.__getitem__ if isinstance(row, Mapping) else row.__getattribute__
    return Keyset.from_secrets(
        keyring().unseal(_place(field("key_id")), bytes(field("secrets_sealed"))),
        issuer=field("issuer"),
        key_id=field("key_id"),
        sm2_public=bytes(field("public_key")),
        withdrawn=field("withdrawn_at") is not None,
    )


def list_key(keyset: Keyset) -> sm2.KeyPair:
    """The key that signs trust lists and hotlists; terminals get its public half at sign-in."""
    return _derived(keyset.sm2_private, "yikatong list key v1")


def checkpoint_key(keyset: Keyset) -> sm2.KeyPair:
    """The key that signs checkpoints of the audit log."""
    return _derived(keyset.sm2_private, "yikatong checkpoint key v1")


@lru_cache(maxsize=64)
def _derived(private: bytes, label: str) -> sm2.KeyPair:
    # 16 bytes more than the order, so that the remainder is even to within 2^-128 (FIPS 186-5 A.2.1).
    scalar = int.from_bytes(derive(private, label, length=48), "big") % (sm2.ORDER - 2) + 1
    derived = scalar.to_bytes(32, "big")
    return sm2.KeyPair(derived, sm2.public_of(derived))


def _place(key_id: int) -> str:
    return f"{PLACE}:{key_id}"
