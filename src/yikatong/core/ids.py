"""Identifiers: UUIDv7 keys, ordered by time (RFC 9562 §5.7)."""

import secrets
import time
from uuid import UUID


def uuid7(at_ms: int | None = None) -> UUID:
    """A new key; `at_ms` (Unix milliseconds) lets bulk loads place rows in the past.

    The twelve bits below the milliseconds carry the fraction of one (RFC 9562 §6.2, method 3), so that the
    steps of one act keep their order; for a given `at_ms` they are random.
    """
    if at_ms is None:
        at_ms, rest = divmod(time.time_ns(), 1_000_000)
        fraction = (rest << 12) // 1_000_000
    else:
        fraction = secrets.randbits(12)
    value = (at_ms & (1 << 48) - 1) << 80 | 0x7 << 76 | fraction << 64 | 0b10 << 62 | secrets.randbits(62)
    return UUID(int=value)


#: The same kind of key made by PostgreSQL, for set-based inserts whose rows need no order among themselves.
UUID7_SQL = (
    "encode(set_bit(set_bit(overlay(uuid_send(gen_random_uuid()) placing "
    "substring(int8send((extract(epoch FROM clock_timestamp()) * 1000)::bigint) FROM 3) FROM 1 FOR 6), "
    "52, 1), 53, 1), 'hex')::uuid"
)
