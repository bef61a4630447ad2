"""The terminal's half of the PIN: iVerifyPIN, iChangePIN, and in HSM mode iReloadPIN and iUnblockPIN.

A PIN is typed by the holder and goes to the card; only a new one of iReloadPIN passes the key device, which seals it
for this card. Nothing here keeps or prints one.
"""

import re
from typing import Final

from yikatong.adapters.national_card.image import INITIAL_PIN, pin_block
from yikatong.adapters.national_card.terminal import Channel, challenge_of_one, send
from yikatong.adapters.national_card.terminal_files import check_card, prove, request
from yikatong.registry.cards.chip.faults import CardFault, Fault, fault
from yikatong.registry.cards.chip.keys import CardKey
from yikatong.registry.cards.chip.requests import SET, UNBLOCK, KeyRequest, SecureRequest, message_of

_BLOCKED: Final = -27011
_TRIES: Final = 0x63C0


def verify_pin(channel: Channel, pin: str, *, to_pay: bool = False) -> None:
    """The national iVerifyPIN. CardFault -33 for what is no PIN (the card is not asked), -51 with the tries left, -52.

    `to_pay`: the PIN every card leaves the maker with is refused with -35; who found the card knows it.
    """
    _check(pin)
    data = pin_block(pin)
    _send(channel, bytes((0x00, 0x20, 0x00, 0x00, len(data))) + data)
    if to_pay and pin == INITIAL_PIN:
        raise fault(Fault.PIN_INITIAL)


def change_pin(channel: Channel, old: str, new: str, again: str) -> None:
    """The national iChangePIN. CardFault -33, -34, -36 (the maker's PIN): the card is not asked; -51, -52."""
    _check(old)
    check_new(new, again)
    if new == INITIAL_PIN:
        raise fault(Fault.PIN_TO_INITIAL)
    data = pin_block(old) + b"\xff" + pin_block(new)
    _send(channel, bytes((0x80, 0x5E, 0x01, 0x00, len(data))) + data)


def begin_reload(channel: Channel, card: str) -> KeyRequest:
    """iReloadPIN_HSM_Step1 and iUnblockPIN_HSM_Step1: the key device shall prove PUK. CardFault -14, -20, -22, -23."""
    check_card(channel, card)
    return request(channel, CardKey.PUK)


def reload(channel: Channel, begun: KeyRequest, answer: str, new: str, again: str) -> SecureRequest:
    """iReloadPIN_HSM_Step2: proves PUK, and asks for the new PIN in a secure message. CardFault -33, -34 first."""
    check_new(new, again)
    prove(channel, begun, answer)
    return SecureRequest(challenge_of_one(channel), SET, new)


def unblock(channel: Channel, begun: KeyRequest, answer: str) -> SecureRequest:
    """iUnblockPIN_HSM_Step2: proves PUK, and asks for the message that gives the tries back. The PIN stays."""
    prove(channel, begun, answer)
    return SecureRequest(challenge_of_one(channel), UNBLOCK, "")


def finish_reload(channel: Channel, begun: SecureRequest, answer: str) -> None:
    """Step3 of both. CardFault -23 for what is no message, -27016 for one the card does not take: nothing changed."""
    send(channel, bytes.fromhex(begun.head) + message_of(answer, begun.head))


def check_new(new: str, again: str) -> None:
    """CardFault -33, -34."""
    _check(new)
    if new != again:
        raise fault(Fault.PIN_DIFFERS)


def _check(pin: str) -> None:
    if not re.fullmatch(r"[0-9]{6}", pin):
        raise fault(Fault.PIN_LENGTH)


def _send(channel: Channel, command: bytes) -> None:
    try:
        send(channel, command)
    except CardFault as refusal:
        if refusal.number == _BLOCKED:
            raise fault(Fault.PIN_LOCKED) from None
        if -refusal.number & 0xFFF0 == _TRIES:
            left = -refusal.number & 0x0F
            raise CardFault(Fault.WRONG_PIN, f"{Fault.WRONG_PIN.sentence}，剩余 {left} 次") from None
        raise
