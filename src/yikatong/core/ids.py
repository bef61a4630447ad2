"""Identifiers: UUIDv7 keys, ordered by time (RFC 9562 §5.7)."""

import secrets
import time
from uuid import UUID


def uuid7(at_ms: int | None = None) -> UUID:
    """A new key; `at_ms` (Unix milliseconds) lets bulk loads place rows in the past."""
    ms = time.time_ns() // 1_000_000 if at_ms is None else at_ms
    value = (
        (ms & (1 << 48) - 1) << 80
        | 0x7 << 76
        | secrets.randbits(12) << 64
        | 0b10 << 62
        | secrets.randbits(62)
    )
    return UUID(int=value)
