"""The texts of the national terminal interface in HSM mode: fields between “|”, the last one ended by it too.

    iReadCardBas_HSM_Step1  区划|复位信息|算法标识|识别码|内部因子|内部原始|外部因子|外部原始|[终端编号|]
    key device              内部认证数据‖内部原始|外部认证数据‖外部原始|
    iReadCardBas_HSM_Step2  区划|社会保障号码|卡号|识别码|姓名|复位信息|规范版本|发卡日期|有效期|终端机编号|终端设备号|

Numbers are in hexadecimal. Some terminals send the whole answer to reset instead of its historical bytes.
"""

import re
from dataclasses import dataclass
from typing import Final, Self

from yikatong.registry.cards import numbers
from yikatong.registry.cards.chip.faults import Fault, fault
from yikatong.registry.cards.chip.keys import AUTHENTICATOR, CHALLENGE, Chip

SM4: Final = "03"
#: 3B, 13 historical bytes, TB1 and TC1 present; the historical bytes follow.
ATR_HEAD: Final = "3B6D0000"
#: 3B, T=1 beside it, as a contactless reader tells it; the historical bytes and a check byte follow.
CONTACTLESS_HEAD: Final = "3B8D8001"
_REQUEST: Final = 8
_TERMINAL: Final = re.compile(r"[0-9A-Za-z]{0,32}")
_LONGEST: Final = 400
_BASICS: Final = 11


@dataclass(frozen=True, slots=True)
class Challenge:
    """过程因子 and 原始信息, eight bytes each."""

    factor: bytes
    data: bytes


@dataclass(frozen=True, slots=True)
class AuthRequest:
    """What a terminal asks the key device: values for both authentications of one card."""

    division: str
    chip: Chip
    internal: Challenge
    external: Challenge
    terminal: str = ""

    @classmethod
    def read(cls, text: str) -> Self:
        """CardFault: -14 fields, -13 algorithm, -20 identification, -41 and -42 data, -23 division."""
        fields = fields_of(text)
        if len(fields) not in {_REQUEST, _REQUEST + 1}:
            raise fault(Fault.BAD_PARAMETERS)
        division, reset, algorithm, identification, *rest = fields
        if algorithm != SM4:
            raise fault(Fault.NOT_SUPPORTED)
        chip = _chip(identification, reset)
        if division != chip.division:
            raise fault(Fault.BAD_DATA)
        internal, external = _challenge(rest[0], rest[1]), _challenge(rest[2], rest[3])
        terminal = rest[4] if len(rest) > 4 else ""
        if not _TERMINAL.fullmatch(terminal):
            raise fault(Fault.ILLEGAL_CHARACTERS)
        return cls(division, chip, internal, external, terminal)

    def text(self) -> str:
        chip, challenges = self.chip, (self.internal, self.external)
        values = [value.hex().upper() for one in challenges for value in (one.factor, one.data)]
        head = (self.division, chip.reset_info, SM4, chip.identification)
        return text_of(*head, *values, *([self.terminal] if self.terminal else []))


@dataclass(frozen=True, slots=True)
class AuthAnswer:
    """What the key device answers: each authentication value with the data it is about."""

    internal: bytes
    internal_data: bytes
    external: bytes
    external_data: bytes

    @classmethod
    def read(cls, text: str) -> Self:
        """CardFault -23 for anything but two values of sixteen bytes."""
        fields = text.removesuffix("|").split("|")
        if len(fields) != 2 or not all(re.fullmatch(r"[0-9A-Fa-f]{32}", one) for one in fields):
            raise fault(Fault.BAD_DATA)
        inner, outer = (bytes.fromhex(one) for one in fields)
        return cls(inner[:AUTHENTICATOR], inner[AUTHENTICATOR:], outer[:AUTHENTICATOR], outer[AUTHENTICATOR:])

    def text(self) -> str:
        inner, outer = self.internal + self.internal_data, self.external + self.external_data
        return text_of(inner.hex().upper(), outer.hex().upper())


@dataclass(frozen=True, slots=True)
class Basics:
    """What `iReadCardBas` tells: the card and its holder, as written on the chip. Dates are YYYYMMDD."""

    division: str
    social_security_number: str
    card_number: str
    identification: str
    name: str
    reset_info: str
    spec_version: str
    issued_on: str
    expires_on: str
    terminal_number: str = ""
    device_number: str = ""

    @classmethod
    def read(cls, text: str) -> Self:
        fields = text.removesuffix("|").split("|")
        if len(fields) != _BASICS:
            raise fault(Fault.BAD_DATA)
        return cls(*fields)

    def text(self) -> str:
        return text_of(
            self.division, self.social_security_number, self.card_number, self.identification, self.name,
            self.reset_info, self.spec_version, self.issued_on, self.expires_on, self.terminal_number,
            self.device_number,
        )  # fmt: skip


def fields_of(text: str) -> list[str]:
    """The fields of a text; CardFault -14 for one that is too long or not ASCII."""
    if len(text) > _LONGEST or not text.isascii():
        raise fault(Fault.BAD_PARAMETERS)
    return text.strip().removesuffix("|").split("|")


def text_of(*fields: str) -> str:
    """Fields as one text, each ended by “|”."""
    return "".join(f"{field}|" for field in fields)


def _chip(identification: str, reset: str) -> Chip:
    history = reset.upper()
    if len(history) == 34 and history.startswith(ATR_HEAD):
        history = history.removeprefix(ATR_HEAD)
    elif len(history) == 36 and history.startswith(CONTACTLESS_HEAD):
        history = history.removeprefix(CONTACTLESS_HEAD)[:26]
    try:
        return Chip.of(identification, history)
    except numbers.BadIdentifier:
        raise fault(Fault.BAD_IDENTIFICATION) from None


def _challenge(factor: str, data: str) -> Challenge:
    return Challenge(eight(factor), eight(data))


def eight(text: str) -> bytes:
    """Eight bytes in hexadecimal; CardFault -41, -42."""
    if not re.fullmatch(r"[0-9A-Fa-f]*", text):
        raise fault(Fault.ILLEGAL_CHARACTERS)
    if len(text) != 2 * CHALLENGE:
        raise fault(Fault.WRONG_LENGTH)
    return bytes.fromhex(text)
