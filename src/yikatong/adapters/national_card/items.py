"""Which items lie in which file, of what kind and length, and how a terminal writes and reads them as text.

人社信息函〔2012〕37号: cn is decimal digits two a byte, filled with F; an is text in GB 18030, filled with 00. A
terminal names them by file address, `3F00EF06|08|09|$`, and gets or gives values in the same shape.
"""

import re
from types import MappingProxyType
from typing import Final, Literal, NamedTuple

from yikatong.adapters.national_card.image import (
    CARD_FILE,
    EMPLOYMENT,
    FINGERPRINTS,
    FINGERPRINTS_SIZE,
    HOLDER_FILE,
    PERMIT,
    PHOTO,
    PHOTO_SIZE,
    PUBLIC,
    RESIDENCE,
    SSSE,
)
from yikatong.core import gb18030
from yikatong.registry.cards.chip.faults import Fault, fault


class Item(NamedTuple):
    """`size` in bytes."""

    kind: Literal["cn", "an"]
    size: int


class Address(NamedTuple):
    """Items of one file. `values` are texts, none when it is read."""

    application: bytes
    file: int
    tags: tuple[int, ...]
    values: tuple[str, ...] = ()


_FOLDERS: Final = MappingProxyType({"3F00": SSSE, "DF01": PUBLIC, "DF02": EMPLOYMENT})
_NAMES: Final = MappingProxyType({application: name for name, application in _FOLDERS.items()})
RECORDS: Final = MappingProxyType(
    {
        (SSSE, CARD_FILE): {
            0x01: Item("cn", 16), 0x02: Item("an", 1), 0x03: Item("an", 4), 0x04: Item("cn", 12),
            0x05: Item("cn", 4), 0x06: Item("cn", 4), 0x07: Item("an", 9),
        },
        (SSSE, HOLDER_FILE): {
            0x08: Item("an", 18), 0x09: Item("an", 30), 0x4E: Item("an", 20), 0x0A: Item("an", 1),
            0x0B: Item("cn", 1), 0x0C: Item("cn", 3), 0x0D: Item("cn", 4),
        },
        (PUBLIC, RESIDENCE): {0x21: Item("cn", 3)},
        (EMPLOYMENT, PERMIT): {
            0x31: Item("an", 20), 0x32: Item("cn", 4), 0x33: Item("cn", 4), 0x34: Item("an", 50),
        },
    }
)  # fmt: skip
BLOBS: Final = MappingProxyType({(SSSE, FINGERPRINTS): FINGERPRINTS_SIZE, (SSSE, PHOTO): PHOTO_SIZE})
_ADDRESS: Final = re.compile(r"(3F00|DF01|DF02)(EF[0-9A-F]{2})((?:\|[0-9A-F]{2})*)\|\$")
_DATA: Final = re.compile(r"(3F00|DF01|DF02)(EF[0-9A-F]{2})((?:\|[^|$]*)*)\|\$")
_LONGEST: Final = 1024


def address(text: str) -> Address:
    """What to read or to write; CardFault -14 for anything but known items of one file."""
    found = _ADDRESS.fullmatch(text) if len(text) <= _LONGEST else None
    if found is None:
        raise fault(Fault.BAD_PARAMETERS)
    place = (_FOLDERS[found[1]], int(found[2], 16))
    tags = tuple(int(tag, 16) for tag in found[3].split("|")[1:])
    known = RECORDS.get(place, {})
    if place in BLOBS:
        is_known = not tags
    else:
        is_known = bool(tags) and len(set(tags)) == len(tags) and all(tag in known for tag in tags)
    if not is_known:
        raise fault(Fault.BAD_PARAMETERS)
    return Address(*place, tags)


def with_values(wanted: Address, text: str) -> Address:
    """What to write there; CardFault -14 for another file or another number of values."""
    found = _DATA.fullmatch(text) if len(text) <= _LONGEST else None
    if found is None or (_FOLDERS[found[1]], int(found[2], 16)) != wanted[:2]:
        raise fault(Fault.BAD_PARAMETERS)
    values = tuple(found[3].split("|")[1:])
    if not values or len(values) != len(wanted.tags):
        raise fault(Fault.BAD_PARAMETERS)
    return wanted._replace(values=values)


def told(found: Address) -> str:
    """File and values as one text, as iReadCard gives them and iWriteCard takes them."""
    return f"{_head(found)}{''.join(f'{value}|' for value in found.values)}$"


def asked(wanted: Address) -> str:
    """File and tags as one text."""
    return f"{_head(wanted)}{''.join(f'{tag:02X}|' for tag in wanted.tags)}$"


def packed(place: tuple[bytes, int], tag: int, text: str) -> bytes:
    """A value as the chip holds it; CardFault -41 for other characters, -42 for one that is too long."""
    item = RECORDS[place][tag]
    if item.kind == "cn":
        if not re.fullmatch(r"[0-9A-F]*", text):
            raise fault(Fault.ILLEGAL_CHARACTERS)
        if len(text) > 2 * item.size:
            raise fault(Fault.WRONG_LENGTH)
        return bytes.fromhex(text.ljust(2 * item.size, "F"))
    try:
        return gb18030.encode(text, item.size).ljust(item.size, b"\0")
    except gb18030.TooLong:
        raise fault(Fault.WRONG_LENGTH) from None
    except gb18030.NotEncodable:
        raise fault(Fault.ILLEGAL_CHARACTERS) from None


def unpacked(place: tuple[bytes, int], tag: int, value: bytes) -> str:
    """A value as text, without its filling; CardFault -23."""
    item = RECORDS[place][tag]
    if len(value) != item.size:
        raise fault(Fault.BAD_DATA)
    if item.kind == "cn":
        digits = value.hex().upper()
        return digits if set(digits) - {"F"} else ""
    try:
        return gb18030.decode(value.rstrip(b"\0"))
    except gb18030.NotDecodable:
        raise fault(Fault.BAD_DATA) from None


def _head(one: Address) -> str:
    return f"{_NAMES[one.application]}{one.file:04X}|"
