"""The PIN of the chip: shown, changed by who knows it, unblocked or set anew by who proves PUK."""

import hmac
from typing import Final

from yikatong.adapters.national_card import apdu
from yikatong.adapters.national_card.apdu import Command
from yikatong.adapters.national_card.image import Image
from yikatong.adapters.national_card.state import PIN_TRIES, Answer, Draw, State
from yikatong.registry.cards.chip import keys
from yikatong.registry.cards.chip.keys import CardKey

LONGEST: Final = 6
#: Heads of the commands, as the MAC of a secure message covers them.
UNBLOCK: Final = bytes.fromhex("8424000004")
SET: Final = bytes.fromhex("8424000114")
_BETWEEN: Final = b"\xff"


def verify(_: Image, state: State, command: Command, __: Draw) -> Answer:
    """Without data: is a PIN still needed?"""
    tries = state.memory.pin_tries
    if command.p1 or command.p2:
        return Answer(state, b"", apdu.BAD_PARAMETERS)
    if len(command.data) > LONGEST:
        return Answer(state, b"", apdu.WRONG_LENGTH)
    if not tries:
        return Answer(state, b"", apdu.BLOCKED)
    if not command.data:
        return Answer(state, b"", apdu.OK if state.session.pin_shown else apdu.tries_left(tries))
    return _shown(state, command.data)


def change(_: Image, state: State, command: Command, __: Draw) -> Answer:
    """The old PIN, FF, the new one. A wrong old one counts as a wrong PIN; the new one holds at once."""
    if (command.p1, command.p2) != (0x01, 0x00):
        return Answer(state, b"", apdu.BAD_PARAMETERS)
    old, between, new = command.data.partition(_BETWEEN)
    if not (0 < len(old) <= LONGEST and 0 < len(new) <= LONGEST):
        return Answer(state, b"", apdu.WRONG_LENGTH)
    if not between or _BETWEEN in new:
        return Answer(state, b"", apdu.BAD_DATA)
    if not state.memory.pin_tries:
        return Answer(state, b"", apdu.BLOCKED)
    answer = _shown(state, old)
    return answer if answer.status != apdu.OK else answer._replace(state=answer.state.remember(pin=new))


def set_anew(image: Image, state: State, command: Command, _: Draw) -> Answer:
    """In a secure message, after an external authentication with PUK: 00 gives the tries back, 01 sets a new PIN."""
    head = {0x00: UNBLOCK, 0x01: SET}.get(command.p2)
    if command.p1 or head is None:
        return Answer(state, b"", apdu.BAD_PARAMETERS)
    if len(command.data) != head[-1]:
        return Answer(state, b"", apdu.WRONG_LENGTH)
    if CardKey.PUK not in state.session.opened:
        return Answer(state, b"", apdu.NOT_ALLOWED)
    if not state.session.challenges:
        return Answer(state, b"", apdu.NO_CHALLENGE)
    session = keys.session_key(image.keys[CardKey.STKSSSE], state.session.challenges[-1])
    used = state.now(challenges=(), opened=state.session.opened - {CardKey.PUK})
    pin = state.memory.pin if head == UNBLOCK else keys.open_secret(session, SET, command.data)
    if head == UNBLOCK and not hmac.compare_digest(keys.mac(session, UNBLOCK), command.data):
        pin = None
    if pin is None or not 0 < len(pin) <= LONGEST:
        return Answer(used, b"", apdu.BAD_SECURE_MESSAGE)
    return Answer(used.remember(pin=pin, pin_tries=PIN_TRIES), b"", apdu.OK)


def _shown(state: State, pin: bytes) -> Answer:
    """A right one gives the tries back; a wrong one takes away what was shown before."""
    if hmac.compare_digest(state.memory.pin, pin):
        return Answer(state.remember(pin_tries=PIN_TRIES).now(pin_shown=True), b"", apdu.OK)
    left = state.memory.pin_tries - 1
    return Answer(state.remember(pin_tries=left).now(pin_shown=False), b"", apdu.tries_left(left))
