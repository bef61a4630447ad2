"""Texts of the other national functions in HSM mode: what a terminal asks the key device after its first steps.

    iReadCard, iWriteCard, iReloadPIN, iUnblockPIN  Step1   算法|密钥地址|过程因子|原始信息|        → 认证数据‖原始信息|
    iReloadPIN, iUnblockPIN                         Step2   算法|0173|过程因子|命令头|新密码|      → 密文‖MAC|
    iDoDebit                                        Step1   算法|017F|随机数|交易序号|金额|类型|终端机编号|时间|  → MAC1|

The card is named beside them, as the functions have it: `识别码|卡号|`. docs/spec/national-card.md.
"""

import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Self

from yikatong.core.clock import BEIJING
from yikatong.core.errors import DomainError
from yikatong.registry.cards import numbers
from yikatong.registry.cards.chip.faults import Fault, fault
from yikatong.registry.cards.chip.keys import CHALLENGE, MAC, CardKey
from yikatong.registry.cards.chip.messages import SM4, eight, fields_of, text_of

#: Heads of the commands a secure message may be made for: PIN unblocked, PIN set anew.
UNBLOCK: Final = "8424000004"
SET: Final = "8424000114"
_PROVABLE: Final = frozenset({CardKey.RKSSSE, CardKey.UKSSSE, CardKey.PUK})
_PIN: Final = re.compile(r"[0-9]{6}")
_DEBIT: Final = "02"
_TIME: Final = re.compile(r"20[0-9]{12}")


@dataclass(frozen=True, slots=True)
class CardInfo:
    """pCardInfo: which card the terminal means."""

    identification: str
    card_number: str

    @classmethod
    def read(cls, text: str) -> Self:
        """CardFault: -14 fields, -20 identification, -23 card number."""
        fields = fields_of(text)
        if len(fields) != 2:
            raise fault(Fault.BAD_PARAMETERS)
        try:
            identification = numbers.check_identifier(fields[0])
        except DomainError:
            raise fault(Fault.BAD_IDENTIFICATION) from None
        try:
            return cls(identification, numbers.check(fields[1]))
        except DomainError:
            raise fault(Fault.BAD_DATA) from None

    def text(self) -> str:
        return text_of(self.identification, self.card_number)


@dataclass(frozen=True, slots=True)
class KeyRequest:
    """An external authentication under one key: RKSSSE to read, UKSSSE to write, PUK for the PIN."""

    key: CardKey
    factor: bytes
    data: bytes

    @classmethod
    def read(cls, text: str) -> Self:
        """CardFault: -14 fields, -13 algorithm, -24 no key to prove oneself with, -41 and -42 data."""
        fields = fields_of(text)
        if len(fields) != 4:
            raise fault(Fault.BAD_PARAMETERS)
        key = _key(fields[0], fields[1])
        if key not in _PROVABLE:
            raise fault(Fault.KEY_LEVEL)
        return cls(key, eight(fields[2]), eight(fields[3]))

    def text(self) -> str:
        return text_of(SM4, f"{self.key:04X}", self.factor.hex().upper(), self.data.hex().upper())


@dataclass(frozen=True, slots=True)
class SecureRequest:
    """A secure message about the PIN. `pin` is empty where it only gets its tries back."""

    factor: bytes
    head: str
    pin: str = field(repr=False)

    @classmethod
    def read(cls, text: str) -> Self:
        """CardFault: -14 fields or command, -13 algorithm, -24 key, -33 PIN, -41 and -42 data."""
        fields = text.split("|")
        if len(fields) == 6 and not fields[5]:
            fields.pop()
        fields_of(text)  # its limits
        if len(fields) != 5 or fields[3] not in {UNBLOCK, SET}:
            raise fault(Fault.BAD_PARAMETERS)
        if _key(fields[0], fields[1]) is not CardKey.STKSSSE:
            raise fault(Fault.KEY_LEVEL)
        if not (_PIN.fullmatch(fields[4]) if fields[3] == SET else not fields[4]):
            raise fault(Fault.PIN_LENGTH)
        return cls(eight(fields[2]), fields[3], fields[4])

    def text(self) -> str:
        return text_of(SM4, f"{CardKey.STKSSSE:04X}", self.factor.hex().upper(), self.head, self.pin)


@dataclass(frozen=True, slots=True)
class DebitRequest:
    """What MAC1 of a debit is about. Amounts in fen: from the account, paid himself, from the pool."""

    random: bytes
    sequence: int
    amounts: tuple[int, int, int]
    terminal: str
    at: str

    @classmethod
    def read(cls, text: str) -> Self:
        """CardFault: -14 fields, -13 algorithm, -24 key, -41 and -42 data."""
        fields = fields_of(text)
        if len(fields) != 8 or fields[5] != _DEBIT:
            raise fault(Fault.BAD_PARAMETERS)
        if _key(fields[0], fields[1]) is not CardKey.DPK:
            raise fault(Fault.KEY_LEVEL)
        raw = _hex(fields[4], 12)
        if not re.fullmatch(r"[0-9]{12}", fields[6]) or not _TIME.fullmatch(fields[7]):
            raise fault(Fault.ILLEGAL_CHARACTERS)
        account, own, pool = (int.from_bytes(raw[at : at + 4], "big") for at in (0, 4, 8))
        sequence = int.from_bytes(_hex(fields[3], 2), "big")
        return cls(_hex(fields[2], 4), sequence, (account, own, pool), fields[6], fields[7])

    @property
    def factor(self) -> bytes:
        """Random number, the card's sequence, and once more as the low half of the terminal's."""
        return self.random + self.sequence.to_bytes(2, "big") * 2

    @property
    def message(self) -> bytes:
        return self._amounts + bytes.fromhex(_DEBIT + self.terminal + self.at)

    @property
    def time(self) -> datetime:
        """At the terminal, in Beijing time; CardFault -41 for no time at all."""
        try:
            return datetime.strptime(self.at, "%Y%m%d%H%M%S").replace(tzinfo=BEIJING)
        except ValueError:
            raise fault(Fault.ILLEGAL_CHARACTERS) from None

    @property
    def terminal_sequence(self) -> bytes:
        return self.sequence.to_bytes(4, "big")

    @property
    def _amounts(self) -> bytes:
        return b"".join(value.to_bytes(4, "big") for value in self.amounts)

    def text(self) -> str:
        return text_of(
            SM4, f"{CardKey.DPK:04X}", self.random.hex().upper(), f"{self.sequence:04X}", self._amounts.hex().upper(),
            _DEBIT, self.terminal, self.at,
        )  # fmt: skip


def proof_of(text: str, data: bytes) -> bytes:
    """The answer to a KeyRequest about `data`; CardFault -23 for none, -22 for one about other data."""
    told = _answer(text, 2 * CHALLENGE)
    if told[CHALLENGE:] != data:
        raise fault(Fault.DIFFERS)
    return told[:CHALLENGE]


def message_of(text: str, head: str) -> bytes:
    """The answer to a SecureRequest, with its command's head before it or without; CardFault -23."""
    plain = text.removesuffix("|")
    size = int(head[-2:], 16)
    return _answer(plain[len(head) :] if len(plain) == len(head) + 2 * size else plain, size)


def mac_of(text: str) -> bytes:
    """The answer to a DebitRequest; CardFault -23."""
    return _answer(text, MAC)


def _answer(text: str, size: int) -> bytes:
    plain = text.removesuffix("|")
    if not re.fullmatch(f"[0-9A-Fa-f]{{{2 * size}}}", plain):
        raise fault(Fault.BAD_DATA)
    return bytes.fromhex(plain)


def _key(algorithm: str, address: str) -> CardKey:
    if algorithm != SM4:
        raise fault(Fault.NOT_SUPPORTED)
    if not re.fullmatch(r"[0-9A-Fa-f]{4}", address):
        raise fault(Fault.ILLEGAL_CHARACTERS)
    try:
        return CardKey(int(address, 16))
    except ValueError:
        raise fault(Fault.KEY_LEVEL) from None


def _hex(text: str, size: int) -> bytes:
    if not re.fullmatch(r"[0-9A-Fa-f]*", text):
        raise fault(Fault.ILLEGAL_CHARACTERS)
    if len(text) != 2 * size:
        raise fault(Fault.WRONG_LENGTH)
    return bytes.fromhex(text)
