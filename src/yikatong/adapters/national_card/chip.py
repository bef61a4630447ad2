"""The chip as a pure state machine: (image, state, command bytes) → (state, answer bytes). Any bytes get an answer.

Commands of 《社会保障（个人）卡规范》 part 5, in the forms terminals send them (docs/spec/card-v1.md).
"""

import hmac
from collections.abc import Callable
from types import MappingProxyType
from typing import Final

from yikatong.adapters.national_card import apdu, medical
from yikatong.adapters.national_card.apdu import Command
from yikatong.adapters.national_card.image import HOLDER_FILE, MEDICAL, SSSE, TRANSACTIONS, Image
from yikatong.adapters.national_card.state import KEY_TRIES, PIN_TRIES, Answer, Draw, State
from yikatong.registry.cards.chip import keys
from yikatong.registry.cards.chip.keys import CardKey

#: Which key an external authentication means by its number, 密钥标识符.
_KEY_NUMBERS: Final = MappingProxyType({0x0A: CardKey.RKSSSE, 0x06: CardKey.PUK})
_BY_TAG, _BY_NUMBER, _ALL = 0x00, 0x04, 0x05
_PIN_LONGEST: Final = 6

_Handler = Callable[[Image, State, Command, Draw], Answer]


def step(image: Image, state: State, raw: bytes, draw: Draw) -> Answer:
    """Carry out one command. `draw(n)` gives n random bytes; nothing else comes from outside."""
    command = apdu.parse(raw)
    if command is None:
        return Answer(state, b"", apdu.WRONG_LENGTH)
    if command.cla not in _CLASSES:
        return Answer(state, b"", apdu.UNKNOWN_CLASS)
    handler = _HANDLERS.get((command.cla, command.ins))
    if handler is None:
        return Answer(state, b"", apdu.UNKNOWN_COMMAND)
    begun = state.session.begun
    answer = handler(image, state, command, draw)
    if begun is not None and answer.state.session.begun is begun:
        # Between the two halves of a transaction nothing else may come.
        answer = answer._replace(state=answer.state.now(begun=None))
    return answer


def _select(image: Image, state: State, command: Command, _: Draw) -> Answer:
    if (command.p1, command.p2) == (0x04, 0x00):
        return _select_application(state, command.data)
    if command.p1 not in {0x00, 0x02} or command.p2:
        return Answer(state, b"", apdu.BAD_PARAMETERS)
    if len(command.data) != 2:
        return Answer(state, b"", apdu.WRONG_LENGTH)
    chosen = int.from_bytes(command.data, "big")
    known = (state.session.application, chosen) in image.files
    if not known and (state.session.application, chosen) != (MEDICAL, TRANSACTIONS):
        return Answer(state, b"", apdu.NO_FILE)
    return Answer(state.now(file=chosen), b"", apdu.OK)


def _select_application(state: State, name: bytes) -> Answer:
    """What was proven to one application does not hold in another; the PIN holds until the power goes."""
    told = {SSSE: _FCI, MEDICAL: bytes((0x6F, len(MEDICAL) + 2, 0x84, len(MEDICAL))) + MEDICAL}.get(name)
    if told is None:
        return Answer(state, b"", apdu.NO_FILE)
    return Answer(state.now(application=name, file=0, opened=frozenset()), told, apdu.OK)


def _read(image: Image, state: State, command: Command, _: Draw) -> Answer:
    session = state.session
    if not session.file:
        return Answer(state, b"", apdu.WRONG_STATE)
    if command.data or command.expected is None:
        return Answer(state, b"", apdu.WRONG_LENGTH)
    if not _may_read(image, state):
        return Answer(state, b"", apdu.NOT_ALLOWED)
    is_log = session.application == MEDICAL
    found = _rows(state, command) if is_log else _items(image, state, command)
    if isinstance(found, int):
        return Answer(state, b"", found)
    if command.expected not in {256, len(found)}:
        return Answer(state, b"", apdu.length_is(len(found)))
    return Answer(state, found, apdu.OK)


def _may_read(image: Image, state: State) -> bool:
    session = state.session
    if session.application == MEDICAL:
        return session.pin_shown
    closed = session.file == HOLDER_FILE and image.holder_file_is_closed
    return not closed or CardKey.RKSSSE in session.opened


def _items(image: Image, state: State, command: Command) -> bytes | int:
    """Items by tag, or all of them."""
    records = image.files[state.session.application, state.session.file]
    if command.p2 == _ALL:
        return b"".join(one.raw for one in records) if command.p1 == 1 else apdu.BAD_PARAMETERS
    if command.p2 != _BY_TAG:
        return apdu.BAD_PARAMETERS
    return next((one.raw for one in records if one.tag == command.p1), apdu.NO_RECORD)


def _rows(state: State, command: Command) -> bytes | int:
    """Transactions by number, the latest is 1."""
    if command.p2 != _BY_NUMBER:
        return apdu.NOT_A_LIST
    log = state.memory.log
    return log[command.p1 - 1] if 1 <= command.p1 <= len(log) else apdu.NO_RECORD


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
    if state.session.application != SSSE:
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


def _verify_pin(_: Image, state: State, command: Command, __: Draw) -> Answer:
    """Without data: is a PIN still needed?"""
    tries = state.memory.pin_tries
    if command.p1 or command.p2:
        return Answer(state, b"", apdu.BAD_PARAMETERS)
    if len(command.data) > _PIN_LONGEST:
        return Answer(state, b"", apdu.WRONG_LENGTH)
    if not tries:
        return Answer(state, b"", apdu.BLOCKED)
    if not command.data:
        return Answer(state, b"", apdu.OK if state.session.pin_shown else apdu.tries_left(tries))
    if hmac.compare_digest(state.memory.pin, command.data):
        return Answer(state.remember(pin_tries=PIN_TRIES).now(pin_shown=True), b"", apdu.OK)
    failed = state.remember(pin_tries=tries - 1).now(pin_shown=False)
    return Answer(failed, b"", apdu.tries_left(tries - 1))


def _set_pin(image: Image, state: State, command: Command, _: Draw) -> Answer:
    """Set the PIN anew in a secure message, after an external authentication with PUK."""
    if (command.p1, command.p2) != (0x00, 0x01):
        return Answer(state, b"", apdu.BAD_PARAMETERS)
    if len(command.data) != keys.BLOCK + keys.MAC:
        return Answer(state, b"", apdu.WRONG_LENGTH)
    if CardKey.PUK not in state.session.opened:
        return Answer(state, b"", apdu.NOT_ALLOWED)
    if not state.session.challenges:
        return Answer(state, b"", apdu.NO_CHALLENGE)
    session = keys.session_key(image.keys[CardKey.STKSSSE], state.session.challenges[-1])
    used = state.now(challenges=(), opened=state.session.opened - {CardKey.PUK})
    pin = keys.open_secret(session, _SET_PIN, command.data)
    if pin is None or not 0 < len(pin) <= _PIN_LONGEST:
        return Answer(used, b"", apdu.BAD_SECURE_MESSAGE)
    return Answer(used.remember(pin=pin, pin_tries=PIN_TRIES), b"", apdu.OK)


_SET_PIN: Final = bytes.fromhex("8424000114")
#: Proprietary data of the FCI: short file 1E, and the algorithm, 03 for SM4.
_FCI: Final = bytes((0x6F, 0x1C, 0x84, len(SSSE))) + SSSE + bytes.fromhex("A50988011E9F0C03860103")
_HANDLERS: Final[dict[tuple[int, int], _Handler]] = {
    (0x00, 0xA4): _select,
    (0x00, 0xB2): _read,
    (0x00, 0x84): _challenge,
    (0x00, 0x88): _internal,
    (0x00, 0x82): _external,
    (0x00, 0x20): _verify_pin,
    (0x84, 0x24): _set_pin,
    (0xB0, 0x28): medical.begin,
    (0xB0, 0x2C): medical.debit,
    (0xB0, 0x2A): medical.load,
    (0xB0, 0x2E): medical.proof,
}
_CLASSES: Final = frozenset(cla for cla, _ in _HANDLERS)
