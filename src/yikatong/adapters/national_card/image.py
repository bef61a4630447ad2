"""What the card maker writes into a chip: the files of the social-security environment, the card's keys, the PIN.

Files and items are those of 《社会保障卡文件结构和数据项》 V2.0 (人社信息函〔2012〕37号).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from types import MappingProxyType
from typing import Final, NamedTuple

from yikatong.registry.cards.chip.keys import CardKey, Chip
from yikatong.registry.holders import names

SSSE: Final = "sx1.sh.社会保障".encode("gbk")
MEDICAL: Final = bytes.fromhex("D15600000503")
CARD_FILE: Final = 0xEF05
HOLDER_FILE: Final = 0xEF06
TRANSACTIONS: Final = 0xEF08
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


@dataclass(frozen=True, slots=True)
class Image:
    """What a chip holds and never changes. `files`: by application and file, in the order of their tags."""

    history: bytes
    files: Mapping[tuple[bytes, int], tuple[Record, ...]] = field(repr=False)
    keys: Mapping[CardKey, bytes] = field(repr=False)
    pin: bytes = field(repr=False)
    holder_file_is_closed: bool = True

    @property
    def atr(self) -> bytes:
        """Answer to reset: T=0, thirteen historical bytes (卡复位信息)."""
        return bytes.fromhex("3B6D0000") + self.history


def personalise(person: Person, keys: Mapping[CardKey, bytes], *, pin: str = INITIAL_PIN) -> Image:
    """The image of a new card; NameTooLong for a name that EF06 cannot hold."""
    files = {(SSSE, CARD_FILE): _card_file(person), (SSSE, HOLDER_FILE): _holder_file(person)}
    return Image(
        history=bytes.fromhex(person.chip.reset_info),
        files=MappingProxyType(files),
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


def _day(day: date) -> bytes:
    return bytes.fromhex(f"{day:%Y%m%d}")
