"""The terminal's half of iReadCard and iWriteCard in HSM mode: any items of a file, by its address.

Between the steps nothing is kept but what the card itself keeps; a card that was taken away in between refuses, and
a writing that was cut short is done by doing it again, for each item is written whole or not at all.
"""

from typing import Final, NamedTuple

from yikatong.adapters.national_card import items
from yikatong.adapters.national_card.image import BMP_HEAD, CARD_FILE, HOLDER_FILE, PHOTO_SIZE, SSSE
from yikatong.adapters.national_card.items import Address
from yikatong.adapters.national_card.terminal import (
    Channel,
    challenge,
    item,
    select_application,
    select_environment,
    select_file,
    send,
    text,
)
from yikatong.registry.cards.chip.faults import Fault, fault
from yikatong.registry.cards.chip.keys import CardKey
from yikatong.registry.cards.chip.requests import CardInfo, KeyRequest, proof_of

_KEY_NUMBERS: Final = {CardKey.RKSSSE: 0x0A, CardKey.PUK: 0x06, CardKey.UKSSSE: 0x0B}
_PIECE: Final = 0xF0
_NAME, _NAME_REST = 0x09, 0x4E


class Begun(NamedTuple):
    """A function half done: what to ask the key device, and where it goes on."""

    request: KeyRequest
    wanted: Address


def begin_read(channel: Channel, card: str, wanted: str) -> Begun:
    """iReadCard_HSM_Step1. CardFault -14, -20, -23 for texts that are none, -22 when another card lies there."""
    return _begin(channel, card, items.address(wanted), CardKey.RKSSSE)


def finish_read(channel: Channel, begun: Begun, answer: str) -> str:
    """iReadCard_HSM_Step2: file and values, `3F00EF06|…|$`; a file without records in hexadecimal."""
    prove(channel, begun.request, answer)
    place = begun.wanted[:2]
    select_file(channel, begun.wanted.file)
    if place in items.BLOBS:
        values: tuple[str, ...] = (blob(channel, items.BLOBS[place]).hex().upper(),)
    else:
        values = tuple(items.unpacked(place, tag, item(channel, tag)) for tag in begun.wanted.tags)
    return items.told(begun.wanted._replace(values=values))


def begin_write(channel: Channel, card: str, wanted: str) -> Begun:
    """iWriteCard_HSM_Step1; faults as `begin_read`. EF05 and files without records are not written: -24."""
    address = items.address(wanted)
    if address[:2] in items.BLOBS or address[:2] == (SSSE, CARD_FILE):
        raise fault(Fault.KEY_LEVEL)
    return _begin(channel, card, address, CardKey.UKSSSE)


def finish_write(channel: Channel, begun: Begun, answer: str, data: str) -> None:
    """iWriteCard_HSM_Step2. All values are checked before the first is written: -14, -41, -42 write nothing."""
    wanted = items.with_values(begun.wanted, data)
    place = wanted[:2]
    packed = [items.packed(place, tag, value) for tag, value in zip(wanted.tags, wanted.values, strict=True)]
    prove(channel, begun.request, answer)
    select_file(channel, wanted.file)
    if place == (SSSE, HOLDER_FILE) and {_NAME, _NAME_REST} <= set(wanted.tags):
        # Torn out in between, a card may tell half a name; it never tells half of one and half of another.
        _write(channel, _NAME_REST, bytes(items.RECORDS[place][_NAME_REST].size))
    for tag, value in zip(wanted.tags, packed, strict=True):
        _write(channel, tag, value)


def _write(channel: Channel, tag: int, value: bytes) -> None:
    record = bytes((tag, len(value))) + value
    send(channel, bytes((0x00, 0xDC, tag, 0x00, len(record))) + record)


def request(channel: Channel, key: CardKey) -> KeyRequest:
    """Draw what an external authentication under `key` is about."""
    drawn = challenge(channel)
    return KeyRequest(key, drawn.factor, drawn.data)


def prove(channel: Channel, asked: KeyRequest, answer: str) -> None:
    """Give the card the key device's value; CardFault -23, -22 (about other data), and what the card says to it."""
    proof = proof_of(answer, asked.data)
    send(channel, bytes((0x00, 0x82, 0x00, _KEY_NUMBERS[asked.key], 0x10)) + proof + asked.data)


def check_card(channel: Channel, card: str) -> None:
    """CardFault -22 unless the card that lies there is the one the caller means."""
    meant = CardInfo.read(card)
    select_environment(channel)
    select_file(channel, CARD_FILE)
    lying = CardInfo(item(channel, 0x01).hex().upper(), text(item(channel, 0x07)))
    if lying != meant:
        raise fault(Fault.DIFFERS)


def blob(channel: Channel, size: int) -> bytes:
    """A whole file without records, piece by piece; CardFault -23 when a piece is short."""
    found = b""
    while len(found) < size:
        wanted = min(_PIECE, size - len(found))
        piece = send(channel, bytes.fromhex("00B0") + len(found).to_bytes(2, "big") + bytes((wanted,)))
        if len(piece) != wanted:
            raise fault(Fault.BAD_DATA)
        found += piece
    return found


def photo(content: bytes) -> bytes:
    """The picture in EF08 without its filling; empty when there is none. CardFault -23 for neither JPEG nor BMP."""
    filled = content.rstrip(b"\0")
    if not filled:
        return b""
    if filled.startswith(b"\xff\xd8\xff") and filled.endswith(b"\xff\xd9"):
        return filled
    size = int.from_bytes(content[2:6], "little")
    if content.startswith(BMP_HEAD) and len(filled) <= size <= PHOTO_SIZE:
        return content[:size]
    raise fault(Fault.BAD_DATA)


def _begin(channel: Channel, card: str, wanted: Address, key: CardKey) -> Begun:
    check_card(channel, card)
    if wanted.application != SSSE:
        select_application(channel, wanted.application)
    return Begun(request(channel, key), wanted)
