"""The chip as a pure state machine: (image, state, command bytes) → (state, answer bytes). Any bytes get an answer.

Commands of 《社会保障（个人）卡规范》 part 5, in the forms terminals send them (docs/spec/card-v1.md).
"""

import hmac
from collections.abc import Callable
from types import MappingProxyType
from typing import Final

from yikatong.adapters.national_card import apdu, chip_files, chip_pin, medical
from yikatong.adapters.national_card.apdu import Command
from yikatong.adapters.national_card.image import EMPLOYMENT, PUBLIC, SSSE, Image
from yikatong.adapters.national_card.state import KEY_TRIES, Answer, Draw, State
from yikatong.registry.cards.chip import keys
from yikatong.registry.cards.chip.keys import CardKey

#: Which key an external authentication means by its number, 密钥标识符.
_KEY_NUMBERS: Final = MappingProxyType({0x0A: CardKey.RKSSSE, 0x06: CardKey.PUK, 0x0B: CardKey.UKSSSE})
#: Where a terminal can prove itself. The medical application asks for the PIN instead.
_PROVABLE: Final = frozenset({SSSE, PUBLIC, EMPLOYMENT})

_Handler = Callable[[Image, State, Command, Draw], Answer]


def step(image: Image, state: State, raw: bytes, draw: Draw) -> Answer:
    """Carry out one command. `draw(n)` gives n random bytes; nothing else comes from outside."""
    command = apdu.parse(raw)
    if command is None:
        return Answer(state, b"", apdu.WRONG_LENGTH)
    if command.cla not in _CLASSES:
        return Answer(state, b"", apdu.UNKNOWN_CLASS)
    name = (command.cla, command.ins)
    handler = _HANDLERS.get(name)
    if handler is None:
        return Answer(state, b"", apdu.UNKNOWN_COMMAND)
    if state.session.contactless and name in _BY_CONTACT_ONLY:
        return Answer(state, b"", apdu.NOT_SATISFIED)
    begun = state.session.begun
    answer = handler(image, state, command, draw)
    if begun is not None and answer.state.session.begun is begun:
        # Between the two halves of a transaction nothing else may come.
        answer = answer._replace(state=answer.state.now(begun=None))
    return answer


def _challenge(_: Image, state: State, command: Command, draw: Draw) -> Answer:
    if command.p1 or command.p2:
        return Answer(state, b"", apdu.BAD_PARAMETERS)
    if command.data or command.expected != keys.CHALLENGE:
        return Answer(state, b"", apdu.WRONG_LENGTH)
    drawn = draw(keys.CHALLENGE)
    return Answer(state.now(challenges=(*state.session.challenges, drawn)[-2:]), drawn, apdu.OK)


def _internal(image: Image, state: State, command: Command, _: Draw) -> Answer:
    """The card proves itself: process factor, then original data."""
    if state.session.application != SSSE:
        return Answer(state, b"", apdu.NOT_SATISFIED)
    if command.p1 or command.p2:
        return Answer(state, b"", apdu.BAD_PARAMETERS)
    if len(command.data) != 2 * keys.CHALLENGE:
        return Answer(state, b"", apdu.WRONG_LENGTH)
    factor, data = command.data[:8], command.data[8:]
    return Answer(state, keys.authenticator(image.keys[CardKey.IRK], factor, data), apdu.OK)


def _external(image: Image, state: State, command: Command, _: Draw) -> Answer:
    """The terminal proves itself on the card's last two challenges: original data first, then process factor."""
    key = _KEY_NUMBERS.get(command.p2)
    if state.session.application not in _PROVABLE:
        return Answer(state, b"", apdu.NOT_SATISFIED)
    if command.p1 or key is None:
        return Answer(state, b"", apdu.BAD_PARAMETERS if command.p1 else apdu.NO_KEY)
    if len(command.data) != 2 * keys.AUTHENTICATOR:
        return Answer(state, b"", apdu.WRONG_LENGTH)
    if not state.memory.tries_of(key):
        return Answer(state, b"", apdu.BLOCKED)
    return _proven(image, state, key, command.data)


def _proven(image: Image, state: State, key: CardKey, claim: bytes) -> Answer:
    """A pair of challenges is good for one try, and a wrong try is counted."""
    if len(state.session.challenges) < 2:
        return Answer(state, b"", apdu.NO_CHALLENGE)
    data, factor = state.session.challenges
    expected = keys.authenticator(image.keys[key], factor, data) + data
    used = state.now(challenges=())
    if not hmac.compare_digest(expected, claim):
        left = state.memory.tries_of(key) - 1
        failed = used._replace(memory=state.memory.with_tries(key, left))
        return Answer(failed, b"", apdu.tries_left(left))
    proven = used.now(opened=state.session.opened | {key})
    return Answer(proven._replace(memory=state.memory.with_tries(key, KEY_TRIES)), b"", apdu.OK)


_HANDLERS: Final[dict[tuple[int, int], _Handler]] = {
    (0x00, 0xA4): chip_files.select,
    (0x00, 0xB2): chip_files.read,
    (0x00, 0xB0): chip_files.read_binary,
    (0x00, 0xDC): chip_files.update,
    (0x00, 0x84): _challenge,
    (0x00, 0x88): _internal,
    (0x00, 0x82): _external,
    (0x00, 0x20): chip_pin.verify,
    (0x80, 0x5E): chip_pin.change,
    (0x84, 0x24): chip_pin.set_anew,
    (0xB0, 0x28): medical.begin,
    (0xB0, 0x2C): medical.debit,
    (0xB0, 0x2A): medical.load,
    (0xB0, 0x2E): medical.proof,
}
#: Not through the air: whoever stands close in a bus could try PINs, and take photo and fingerprints along.
_BY_CONTACT_ONLY: Final = frozenset(_HANDLERS) - {
    (0x00, 0xA4), (0x00, 0xB2), (0x00, 0x84), (0x00, 0x88), (0x00, 0x82),
}  # fmt: skip
_CLASSES: Final = frozenset(cla for cla, _ in _HANDLERS)
