"""What the card maker writes into a chip: the files of the social-security environment, the card's keys, the PIN.

Files and items are those of 《社会保障卡文件结构和数据项》 V2.0 (人社信息函〔2012〕37号).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import reduce
from operator import xor
from types import MappingProxyType
from typing import Final, NamedTuple

from yikatong.core import gb18030
from yikatong.core.errors import DomainError
from yikatong.registry.cards.chip.keys import CardKey, Chip
from yikatong.registry.holders import names

SSSE: Final = "sx1.sh.社会保障".encode("gbk")
PUBLIC: Final = bytes.fromhex("D15600000500")  # DF01 公共
EMPLOYMENT: Final = bytes.fromhex("D15600000501")  # DF02 就业与失业
MEDICAL: Final = bytes.fromhex("D15600000503")  # DF04
CARD_FILE: Final = 0xEF05
HOLDER_FILE: Final = 0xEF06
FINGERPRINTS: Final = 0xEF07  # SSSE
PHOTO: Final = 0xEF08  # SSSE
RESIDENCE: Final = 0xEF06  # DF01 常住地
PERMIT: Final = 0xEF0C  # DF02, the first number left to extensions: 外国人工作许可
TRANSACTIONS: Final = 0xEF08  # DF04
FINGERPRINTS_SIZE: Final = 0x300
PHOTO_SIZE: Final = 0x1000
BMP_HEAD: Final = b"BM"
INITIAL_PIN: Final = "123456"
#: 初始化机构编号 begins with it.
_INSTITUTION: Final = "9156000002"


class Record(NamedTuple):
    """One item of a file: tag, length and value, as it is read."""

    tag: int
    value: bytes

    @property
    def raw(self) -> bytes:
        return bytes((self.tag, len(self.value))) + self.value


class PhotoTooLarge(DomainError):
    code, status = "card_photo_too_large", 422
    message = "照片超过卡内照片文件的长度（4096 字节），请压缩后再写卡。"
    article = "人社信息函〔2012〕37号"


class Permit(NamedTuple):
    """外国人工作许可, as the card carries it (Opinions 7). Both days count."""

    number: str
    issuer: str
    begins: date
    ends: date


@dataclass(frozen=True, slots=True)
class Person:
    """What is written about card and holder; texts as in the register. Dates are days in Beijing."""

    chip: Chip
    card_number: str
    category: str
    spec_version: str
    issued_on: date
    expires_on: date
    social_security_number: str = field(repr=False)
    name: str = field(repr=False)
    sex: str
    ethnicity: str
    birth_date: date
    residence: str = ""
    permit: Permit | None = field(default=None, repr=False)
    photo: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class Image:
    """What the maker wrote into a chip. `files`: records by application and file, in the order of their tags;
    `blobs`: files without records, of fixed length.
    """

    history: bytes
    files: Mapping[tuple[bytes, int], tuple[Record, ...]] = field(repr=False)
    blobs: Mapping[tuple[bytes, int], bytes] = field(repr=False)
    keys: Mapping[CardKey, bytes] = field(repr=False)
    pin: bytes = field(repr=False)
    holder_file_is_closed: bool = True

    @property
    def atr(self) -> bytes:
        """Answer to reset: T=0, thirteen historical bytes (卡复位信息)."""
        return bytes.fromhex("3B6D0000") + self.history

    @property
    def ats(self) -> bytes:
        """Answer to select of the contactless interface (ISO/IEC 14443-4): frames of 256 bytes, 106 kbit/s, CID."""
        return bytes((5 + len(self.history),)) + bytes.fromhex("78807002") + self.history

    @property
    def contactless_atr(self) -> bytes:
        """What a PC/SC reader makes of `ats` (PC/SC part 3): historical bytes and a check byte."""
        told = bytes((0x80 | len(self.history), 0x80, 0x01)) + self.history
        return bytes((0x3B, *told, reduce(xor, told)))


def personalise(person: Person, keys: Mapping[CardKey, bytes], *, pin: str = INITIAL_PIN) -> Image:
    """The image of a new card; NameTooLong for a name that EF06 cannot hold, TooLong for a permit, PhotoTooLarge."""
    files = {
        (SSSE, CARD_FILE): _card_file(person),
        (SSSE, HOLDER_FILE): _holder_file(person),
        (PUBLIC, RESIDENCE): (Record(0x21, bytes.fromhex(person.residence[:6] or "FFFFFF")),),
        (EMPLOYMENT, PERMIT): _permit_file(person.permit),
    }
    return Image(
        history=bytes.fromhex(person.chip.reset_info),
        files=MappingProxyType(files),
        blobs=MappingProxyType(_blobs(person)),
        keys=MappingProxyType(dict(keys)),
        pin=pin_block(pin),
        # Only cards of version 3 keep what is personal behind RKSSSE.
        holder_file_is_closed=person.spec_version.startswith("3"),
    )


def pin_block(pin: str) -> bytes:
    """A PIN of digits as the card takes it: two digits a byte, an odd one filled with F."""
    return bytes.fromhex(pin + "F" * (len(pin) % 2))


def _card_file(person: Person) -> tuple[Record, ...]:
    chip = person.chip
    return (
        Record(0x01, bytes.fromhex(chip.identification)),
        Record(0x02, person.category.encode()),
        Record(0x03, person.spec_version.encode()),
        Record(0x04, bytes.fromhex(f"{_INSTITUTION}{chip.division}{chip.division}01")),
        Record(0x05, _day(person.issued_on)),
        Record(0x06, _day(person.expires_on)),
        Record(0x07, person.card_number.encode()),
    )


def _holder_file(person: Person) -> tuple[Record, ...]:
    first, rest = names.card_fields(person.name)
    number = person.social_security_number
    birthplace = number[:6] if re.fullmatch(r"[0-9]{17}[0-9X]", number) else "FFFFFF"
    return (
        Record(0x08, number.encode().ljust(18, b"\0")),
        Record(0x09, first.ljust(30, b"\0")),
        Record(0x4E, rest.ljust(20, b"\0")),
        Record(0x0A, person.sex.encode()),
        Record(0x0B, bytes.fromhex(person.ethnicity or "FF")),
        Record(0x0C, bytes.fromhex(birthplace)),
        Record(0x0D, _day(person.birth_date)),
    )


def _permit_file(permit: Permit | None) -> tuple[Record, ...]:
    """Its items are ours: the documents leave extensions to those who make them."""
    if permit is None:
        return tuple(Record(tag, filling) for tag, filling in _NO_PERMIT)
    number, issuer = gb18030.encode(permit.number, 20), gb18030.encode(permit.issuer, 50)
    values = (number.ljust(20, b"\0"), _day(permit.begins), _day(permit.ends), issuer.ljust(50, b"\0"))
    return tuple(Record(tag, value) for (tag, _), value in zip(_NO_PERMIT, values, strict=True))


_NO_PERMIT: Final = ((0x31, bytes(20)), (0x32, b"\xff" * 4), (0x33, b"\xff" * 4), (0x34, bytes(50)))


def _blobs(person: Person) -> dict[tuple[bytes, int], bytes]:
    """The platform keeps no fingerprints; so the file of a new card is there and empty."""
    if len(person.photo) > PHOTO_SIZE:
        raise PhotoTooLarge
    return {
        (SSSE, FINGERPRINTS): bytes(FINGERPRINTS_SIZE),
        (SSSE, PHOTO): person.photo.ljust(PHOTO_SIZE, b"\0"),
    }


def _day(day: date) -> bytes:
    return bytes.fromhex(f"{day:%Y%m%d}")
