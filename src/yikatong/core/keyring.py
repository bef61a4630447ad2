"""Keys derived from the master key file, which lives outside the database.

Knows no Django, so that the gate may use it.
"""

from dataclasses import dataclass, field
from functools import lru_cache

from yikatong.core import env
from yikatong.core.sm import sm4
from yikatong.core.sm.kdf import derive
from yikatong.core.sm.sm3 import hmac_sm3

MASTER_BYTES = 32
INDEX_BYTES = 16


@dataclass(frozen=True)
class Keyring:
    """All keys of one installation. `master` is 32 random bytes; the rest is derived from it."""

    master: bytes = field(repr=False)

    def key(self, label: str, length: int = 16) -> bytes:
        return _derived(self.master, label, length)

    def seal(self, place: str, plaintext: bytes) -> bytes:
        """Encrypt for one column ("table.column"); moving the bytes to another column breaks them."""
        return sm4.seal(self.key("field"), plaintext, place.encode())

    def unseal(self, place: str, sealed: bytes) -> bytes:
        return sm4.open_sealed(self.key("field"), sealed, place.encode())

    def blind_index(self, kind: str, value: str) -> bytes:
        """16 bytes that find an encrypted value again without revealing it; differs by `kind`."""
        return hmac_sm3(self.key(f"index:{kind}", 32), value.encode())[:INDEX_BYTES]


@lru_cache(maxsize=256)
def _derived(master: bytes, label: str, length: int) -> bytes:
    return derive(master, f"yikatong:{label}", b"", length)


@lru_cache(maxsize=1)
def keyring() -> Keyring:
    """The installation's keyring; makes the master key file at the first call ever."""
    return Keyring(env.secret_file(env.load().master_key_path, MASTER_BYTES))
