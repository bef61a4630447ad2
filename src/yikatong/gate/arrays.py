"""PostgreSQL arrays in binary form, packed by `struct`: one call a column instead of one a value.

psycopg's own list adaptation works element by element in Python, which at a batch of 64 rows and 17 columns
costs more than the statement itself.
"""

import struct
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any, NamedTuple

from psycopg.adapt import Dumper
from psycopg.pq import Format

_HEAD = struct.Struct(">iiIii")
_EMPTY = struct.Struct(">iiI")
_LENGTH = struct.Struct(">i").pack
EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_EPOCH_DAY = date(2000, 1, 1).toordinal()
EPOCH_UNIX = int(EPOCH.timestamp())


class _Kind(NamedTuple):
    oid: int
    array_oid: int
    code: str
    size: int


_KINDS = {
    "bool": _Kind(16, 1000, "?", 1),
    "int2": _Kind(21, 1005, "h", 2),
    "int4": _Kind(23, 1007, "i", 4),
    "int8": _Kind(20, 1016, "q", 8),
    "date": _Kind(1082, 1182, "i", 4),
    "timestamptz": _Kind(1184, 1185, "q", 8),
    "bytea": _Kind(17, 1001, "", -1),
}


class Packed:
    """The wire form of one array; a subclass for each element type, so that psycopg finds its dumper."""

    __slots__ = ("wire",)

    def __init__(self, wire: bytes) -> None:
        self.wire = wire


_CLASSES: dict[str, type[Packed]] = {name: type(f"Packed_{name}", (Packed,), {}) for name in _KINDS}


def _dumper(array_oid: int) -> type[Dumper]:
    class PackedDumper(Dumper):
        format = Format.BINARY
        oid = array_oid

        def dump(self, obj: Packed) -> bytes:
            return obj.wire

    return PackedDumper


def register(context: Any) -> None:
    """Teach a connection to send `Packed` arrays."""
    for name, kind in _KINDS.items():
        context.adapters.register_dumper(_CLASSES[name], _dumper(kind.array_oid))


def pack(name: str, values: Sequence[Any]) -> Packed:
    """The array of `values`; dates and times as numbers from 2000-01-01 (days, microseconds)."""
    kind = _KINDS[name]
    if not values:
        return _CLASSES[name](_EMPTY.pack(0, 0, kind.oid))
    if kind.size < 0:
        body = b"".join(map(_lengthened, values))
    elif values.count(values[0]) == len(values):  # terminal, day, scene: mostly one value for the whole batch
        body = struct.pack(_format(kind.code, 1), kind.size, values[0]) * len(values)
    else:
        pairs = [kind.size] * (2 * len(values))
        pairs[1::2] = values
        body = struct.pack(_format(kind.code, len(values)), *pairs)
    return _CLASSES[name](_HEAD.pack(1, 1, kind.oid, len(values), 1) + body)


def packer(names: Iterable[str]) -> Callable[[Sequence[Sequence[Any]]], list[Packed]]:
    """Packs a batch of equal-length rows column by column."""
    kinds = tuple(names)

    def packed(rows: Sequence[Sequence[Any]]) -> list[Packed]:
        columns = zip(*rows, strict=True) if rows else ((),) * len(kinds)
        return [pack(kind, column) for kind, column in zip(kinds, columns, strict=True)]

    return packed


def day_number(day: date) -> int:
    """Days since 2000-01-01, as PostgreSQL counts."""
    return day.toordinal() - _EPOCH_DAY


def day_from_number(number: int) -> date:
    return date.fromordinal(number + _EPOCH_DAY)


def _lengthened(value: bytes | None) -> bytes:
    return b"\xff\xff\xff\xff" if value is None else _LENGTH(len(value)) + value


@lru_cache(maxsize=2048)
def _format(code: str, count: int) -> str:
    return ">" + f"i{code}" * count
