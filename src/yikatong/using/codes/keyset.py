"""The keys of one issuing province at one time: what it signs codes with and recognises its own by."""

import os
from dataclasses import dataclass, field
from typing import Self

from yikatong.core.sm import sm2


@dataclass(frozen=True, slots=True)
class Keyset:
    """Keys of (issuer, key_id). A gate that only verifies holds `sm2_private=b""`.

    `issuer`: six-digit GB/T 2260 code as a number. the MAC key has 32 bytes, the other two have 16.
    The reference key must live as long as references of its cards are in use: a new keyset may keep it.
    """

    issuer: int
    key_id: int
    sm2_public: bytes
    sm2_private: bytes = field(repr=False)
    mac_key: bytes = field(repr=False)
    reference_key: bytes = field(repr=False)
    short_key: bytes = field(repr=False)
    withdrawn: bool = False

    def __post_init__(self) -> None:
        sizes = (len(self.sm2_public), len(self.mac_key), len(self.reference_key), len(self.short_key))
        if sizes != (33, 32, 16, 16) or len(self.sm2_private) not in (0, 32):
            raise ValueError("a keyset has keys of 33, 32, 16 and 16 bytes, and a private key of 32 or none")
        if not 100_000 <= self.issuer <= 999_999 or not 0 <= self.key_id <= 0xFFFF:
            raise ValueError("issuer is a six-digit division code, key_id fits two bytes")

    @classmethod
    def generate(cls, *, issuer: int, key_id: int) -> Self:
        """Fresh keys from the operating system's random generator."""
        pair = sm2.generate()
        return cls(issuer, key_id, pair.public, pair.private, os.urandom(32), os.urandom(16), os.urandom(16))

    @property
    def secrets(self) -> bytes:
        """Private 32 ‖ MAC 32 ‖ reference 16 ‖ short 16, to be sealed as one and stored."""
        return self.sm2_private + self.mac_key + self.reference_key + self.short_key

    @classmethod
    def from_secrets(
        cls, secrets: bytes, *, issuer: int, key_id: int, sm2_public: bytes, withdrawn: bool = False
    ) -> Self:
        """The keyset of stored `secrets`; ValueError unless 96 bytes, or 64 without a private key."""
        private, rest = secrets[:-64], secrets[-64:]
        return cls(issuer, key_id, sm2_public, private, rest[:32], rest[32:48], rest[48:], withdrawn)
