"""The terminal's half of iReadCardBas in HSM mode, over any channel to a card (人社信息函〔2016〕38号, LD/T 33-2015).

`begin` asks the card for its challenges and its own proof; the platform answers the text; `finish` compares, lets
the card compare, and reads. Faults are CardFault with the national number.
"""

import hmac
from dataclasses import dataclass, field
from typing import Final, Protocol

from yikatong.adapters.national_card.image import CARD_FILE, HOLDER_FILE, SSSE
from yikatong.core import gb18030
from yikatong.registry.cards import numbers
from yikatong.registry.cards.chip.faults import CardFault, Fault, fault, of_status
from yikatong.registry.cards.chip.keys import CHALLENGE, Chip
from yikatong.registry.cards.chip.messages import SM4, AuthAnswer, AuthRequest, Basics, Challenge

_HISTORY: Final = 13
_RKSSSE: Final = 0x0A
_ALGORITHM: Final = bytes.fromhex("9F0C038601")
_DEFAULT_ALGORITHM: Final = "01"
_NO_FILE: Final = -27266
_REPEATS: Final = 4


class Channel(Protocol):
    """A card under power in some reader."""

    @property
    def atr(self) -> bytes: ...

    def transmit(self, command: bytes) -> bytes:
        """The answer with its status word; CardFault when the reader or the card is gone."""
        ...


@dataclass(frozen=True, slots=True)
class CardFile:
    """What every card tells a stranger: EF05. Dates are YYYYMMDD."""

    chip: Chip
    category: str
    spec_version: str
    institution: str
    issued_on: str
    expires_on: str
    card_number: str


@dataclass(frozen=True, slots=True)
class Begun:
    """A reading half done: what to ask the platform, and what the card has said of itself."""

    request: AuthRequest
    internal: bytes = field(repr=False)
    card_number: str


def begin(channel: Channel, terminal: str = "") -> Begun:
    """iReadCardBas_HSM_Step1."""
    reset = history(channel.atr).hex().upper()
    select_environment(channel)
    select_file(channel, CARD_FILE)
    identification = item(channel, 0x01).hex().upper()
    card_number = text(item(channel, 0x07))
    chip = _chip(identification, reset)
    select_environment(channel)
    inner = challenge(channel)
    proof = send(channel, bytes.fromhex("0088000010") + inner.factor + inner.data)
    request = AuthRequest(chip.division, chip, inner, challenge(channel), terminal)
    return Begun(request, proof, card_number)


def finish(
    channel: Channel, begun: Begun, answer: AuthAnswer, *, terminal: str = "", device: str = ""
) -> Basics:
    """iReadCardBas_HSM_Step2."""
    asked = begun.request
    if (answer.internal_data, answer.external_data) != (asked.internal.data, asked.external.data):
        raise fault(Fault.DIFFERS)
    if not hmac.compare_digest(begun.internal, answer.internal):
        raise fault(Fault.HSM_DIFFERS)
    send(channel, bytes((0x00, 0x82, 0x00, _RKSSSE, 0x10)) + answer.external + answer.external_data)
    select_file(channel, CARD_FILE)
    version = text(item(channel, 0x03))
    issued_on, expires_on = (item(channel, tag).hex() for tag in (0x05, 0x06))
    select_file(channel, HOLDER_FILE)
    number, first, rest = (item(channel, tag) for tag in (0x08, 0x09, 0x4E))
    return Basics(
        asked.division, text(number), begun.card_number, asked.chip.identification, _name(first, rest),
        asked.chip.reset_info, version, issued_on, expires_on, terminal, device,
    )  # fmt: skip


def card_file(channel: Channel) -> CardFile:
    """EF05 as it stands, with nothing proven."""
    reset = history(channel.atr).hex().upper()
    select_environment(channel)
    select_file(channel, CARD_FILE)
    values = {tag: item(channel, tag) for tag in range(0x01, 0x08)}
    return CardFile(
        _chip(values[1].hex().upper(), reset), text(values[2]), text(values[3]), values[4].hex().upper(),
        values[5].hex(), values[6].hex(), text(values[7]),
    )  # fmt: skip


def history(atr: bytes) -> bytes:
    """The historical bytes of an answer to reset; CardFault -1 unless thirteen, as this card has."""
    at, flags = 2, atr[1] if len(atr) > 1 else 0
    count, bits = flags & 0x0F, flags >> 4
    while bits:
        at += bits.bit_count()
        if not bits & 0x8 or at > len(atr):
            break
        bits = atr[at - 1] >> 4
    found = atr[at : at + count]
    if count != _HISTORY or len(found) != count:
        raise fault(Fault.WRONG_KIND)
    return found


def select_environment(channel: Channel) -> None:
    """SSSE; CardFault -1 for any other card, -13 for one whose keys are not SM4."""
    try:
        told = send(channel, bytes((0x00, 0xA4, 0x04, 0x00, len(SSSE))) + SSSE)
    except CardFault as refusal:
        raise (fault(Fault.WRONG_KIND) if refusal.number == _NO_FILE else refusal) from None
    _, mark, after = told.partition(_ALGORITHM)
    if (after[:1].hex() if mark else _DEFAULT_ALGORITHM) != SM4:
        raise fault(Fault.NOT_SUPPORTED)


def select_application(channel: Channel, name: bytes) -> None:
    """CardFault -27266 for a card without that application."""
    send(channel, bytes((0x00, 0xA4, 0x04, 0x00, len(name))) + name)


def select_file(channel: Channel, file: int) -> None:
    send(channel, bytes.fromhex("00A4020002") + file.to_bytes(2, "big"))


def item(channel: Channel, tag: int) -> bytes:
    """The value of an item of the chosen file; CardFault -23 when the card tells another one, or half of it."""
    told = send(channel, bytes((0x00, 0xB2, tag, 0x00, 0x00)))
    if len(told) < 2 or told[0] != tag or told[1] != len(told) - 2:
        raise fault(Fault.BAD_DATA)
    return told[2:]


def send(channel: Channel, command: bytes) -> bytes:
    """The data of an answer; follows 61xx (more to fetch) and 6Cxx (exact length), as T=0 has it."""
    data = b""
    for _ in range(_REPEATS):
        answer = channel.transmit(command)
        if len(answer) < 2:
            raise fault(Fault.MUTE)
        data, word = data + answer[:-2], int.from_bytes(answer[-2:], "big")
        if word >> 8 == 0x61:
            command = bytes((0x00, 0xC0, 0x00, 0x00, word & 0xFF))
        elif word >> 8 == 0x6C:
            command = command[:4] + bytes((word & 0xFF,))
        elif word == 0x9000:
            return data
        else:
            raise of_status(word)
    raise fault(Fault.MUTE)


def text(value: bytes) -> str:
    """Text of digits and letters, without its filling."""
    try:
        return value.rstrip(b"\0").decode("ascii")
    except UnicodeDecodeError:
        raise fault(Fault.BAD_DATA) from None


def _name(first: bytes, rest: bytes) -> str:
    """姓名 and 姓名扩展; makers cut between characters, and some within one."""
    try:
        return gb18030.decode(first.rstrip(b"\0") + rest.rstrip(b"\0"))
    except gb18030.NotDecodable:
        raise fault(Fault.BAD_DATA) from None


def challenge(channel: Channel) -> Challenge:
    """Original data first, then the process factor, as the card expects it of an external authentication."""
    data, factor = (challenge_of_one(channel) for _ in range(2))
    return Challenge(factor, data)


def challenge_of_one(channel: Channel) -> bytes:
    """Eight bytes the card has drawn; CardFault -23."""
    drawn = send(channel, bytes.fromhex("0084000008"))
    if len(drawn) != CHALLENGE:
        raise fault(Fault.BAD_DATA)
    return drawn


def _chip(identification: str, reset: str) -> Chip:
    try:
        return Chip.of(identification, reset)
    except numbers.BadIdentifier:
        raise fault(Fault.BAD_IDENTIFICATION) from None
