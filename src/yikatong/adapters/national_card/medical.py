"""Transactions on the personal account of the medical application DF04: prepare, carry out, prove again.

Nothing is moved before the terminal's MAC is right; a card torn out of the reader in between has lost nothing,
and one torn out after it gives the same answer again (GET TRANSACTION PROOF).
"""

import hmac
from typing import Final

from yikatong.adapters.national_card import apdu
from yikatong.adapters.national_card.apdu import Command
from yikatong.adapters.national_card.image import MEDICAL, Image
from yikatong.adapters.national_card.state import LOG_ROWS, Amounts, Answer, Begun, Draw, Proof, State
from yikatong.registry.cards.chip import keys
from yikatong.registry.cards.chip.keys import CardKey

LOAD: Final = 1  # 划入
DEBIT: Final = 2  # 结算
KEY_INDEX: Final = 1
KEY_VERSION, ALGORITHM = b"\x01", b"\x03"
MOST: Final = 2**32 - 1
SEQUENCES: Final = 0xFFFF
_TIME: Final = 7


def begin(image: Image, state: State, command: Command, draw: Draw) -> Answer:
    """Prepare a debit (01 01) or a load (00 01); answers what the terminal needs for its MAC."""
    kind = {(0x01, 0x01): DEBIT, (0x00, 0x01): LOAD}.get((command.p1, command.p2))
    if kind is None:
        return Answer(state, b"", apdu.BAD_PARAMETERS)
    if len(command.data) != (19 if kind == DEBIT else 11):
        return Answer(state, b"", apdu.WRONG_LENGTH)
    values = [int.from_bytes(command.data[at : at + 4], "big") for at in range(1, len(command.data) - 6, 4)]
    amounts = Amounts(*values) if kind == DEBIT else Amounts(values[0], 0, 0)
    status = _why_not(state, kind, command.data[0], amounts)
    if status != apdu.OK:
        return Answer(state, b"", status)
    begun = Begun(kind, amounts, command.data[-6:], draw(4))
    return Answer(state.now(begun=begun), _told(image, state, begun), apdu.OK)


def debit(image: Image, state: State, command: Command, _: Draw) -> Answer:
    """Carry out a debit: terminal sequence 4, time 7, MAC1 4 → TAC 4, MAC2 4."""
    begun, data = state.session.begun, command.data
    if (command.p1, command.p2) != (0x01, 0x00):
        return Answer(state, b"", apdu.BAD_PARAMETERS)
    if len(data) != 15:
        return Answer(state, b"", apdu.WRONG_LENGTH)
    if begun is None or begun.kind != DEBIT:
        return Answer(state, b"", apdu.WRONG_STATE)
    at = data[4:11]
    if not is_time(at):
        return Answer(state, b"", apdu.BAD_DATA)
    sequence = state.memory.debits.to_bytes(2, "big")
    session = keys.session_key(image.keys[CardKey.DPK], begun.random + sequence + data[2:4])
    if not hmac.compare_digest(keys.mac(session, message(begun, at)), data[11:]):
        return _bad_mac(state)
    tac = keys.mac(image.keys[CardKey.DTK], message(begun, at) + data[:4] + sequence)
    answer = tac + keys.mac(session, begun.amounts.raw)
    return Answer(_paid(state, begun, at, answer), answer, apdu.OK)


def load(image: Image, state: State, command: Command, _: Draw) -> Answer:
    """Carry out a load: time 7, MAC2 4 → TAC 4."""
    begun, data = state.session.begun, command.data
    if command.p1 or command.p2:
        return Answer(state, b"", apdu.BAD_PARAMETERS)
    if len(data) != 11:
        return Answer(state, b"", apdu.WRONG_LENGTH)
    if begun is None or begun.kind != LOAD:
        return Answer(state, b"", apdu.WRONG_STATE)
    at = data[:7]
    if not is_time(at):
        return Answer(state, b"", apdu.BAD_DATA)
    session = keys.session_key(image.keys[CardKey.DLK], load_factor(begun.random, state.memory.loads))
    if not hmac.compare_digest(keys.mac(session, message(begun, at)), data[7:]):
        return _bad_mac(state)
    sequence = state.memory.loads.to_bytes(2, "big")
    tac = keys.mac(image.keys[CardKey.DTK], message(begun, at) + sequence)
    return Answer(_loaded(state, begun, at, tac), tac, apdu.OK)


def proof(_: Image, state: State, command: Command, __: Draw) -> Answer:
    """The answer of the last transaction once more, for its kind and sequence."""
    if command.p1:
        return Answer(state, b"", apdu.BAD_PARAMETERS)
    if len(command.data) != 2:
        return Answer(state, b"", apdu.WRONG_LENGTH)
    if state.session.application != MEDICAL:
        return Answer(state, b"", apdu.NOT_SATISFIED)
    last = state.memory.proof
    if last is None or (last.kind, last.sequence) != (command.p2, int.from_bytes(command.data, "big")):
        return Answer(state, b"", apdu.NO_PROOF)
    return Answer(state, last.answer, apdu.OK)


def message(begun: Begun, at: bytes) -> bytes:
    """What MAC1 of a debit, MAC2 of a load and each TAC are about. A load has one amount."""
    amounts = begun.amounts.raw if begun.kind == DEBIT else begun.amounts.raw[:4]
    return amounts + bytes((begun.kind,)) + begun.terminal + at


def load_factor(random: bytes, sequence: int) -> bytes:
    return random + sequence.to_bytes(2, "big") + b"\x80\x00"


def is_time(data: bytes) -> bool:
    """Seven bytes of decimal digits: YYYYMMDDhhmmss."""
    return len(data) == _TIME and data.hex().isdecimal()


def _why_not(state: State, kind: int, key_index: int, amounts: Amounts) -> int:
    """The first thing that is in the way, else 9000."""
    memory, session = state.memory, state.session
    is_debit = kind == DEBIT
    fits = (
        (is_debit or memory.balance + amounts.account <= MOST)
        and memory.own + amounts.own <= MOST
        and memory.pool + amounts.pool <= MOST
    )
    conditions = (
        (session.application == MEDICAL, apdu.NOT_SATISFIED),
        (not memory.is_locked, apdu.APPLICATION_LOCKED),
        (session.pin_shown, apdu.NOT_ALLOWED),
        (key_index == KEY_INDEX, apdu.NO_KEY_INDEX),
        ((memory.debits if is_debit else memory.loads) < SEQUENCES, apdu.COUNTER_FULL),
        (not is_debit or amounts.account <= memory.balance, apdu.NO_FUNDS),
        (fits, apdu.NOT_SATISFIED),
    )
    return next((status for holds, status in conditions if not holds), apdu.OK)


def _told(image: Image, state: State, begun: Begun) -> bytes:
    memory, key = state.memory, KEY_VERSION + ALGORITHM + begun.random
    balance = memory.balance.to_bytes(4, "big")
    if begun.kind == LOAD:
        session = keys.session_key(image.keys[CardKey.DLK], load_factor(begun.random, memory.loads))
        claim = balance + begun.amounts.raw[:4] + bytes((LOAD,)) + begun.terminal
        return balance + memory.loads.to_bytes(2, "big") + key + keys.mac(session, claim)
    paid = memory.own.to_bytes(4, "big") + memory.pool.to_bytes(4, "big")
    year = bytes.fromhex(f"{memory.year:04d}")
    return balance + paid + year + memory.debits.to_bytes(2, "big") + key


def _paid(state: State, begun: Begun, at: bytes, answer: bytes) -> State:
    """What was paid beside the account is summed by year; another year begins at nothing."""
    memory, amounts = state.memory, begun.amounts
    year = int(at[:2].hex())
    own, pool = (memory.own, memory.pool) if year == memory.year else (0, 0)
    return state.remember(
        balance=memory.balance - amounts.account,
        year=year,
        own=own + amounts.own,
        pool=pool + amounts.pool,
        debits=memory.debits + 1,
        bad_macs=0,
        log=_logged(state, begun, at, memory.debits),
        proof=Proof(DEBIT, memory.debits, answer),
    ).now(begun=None)


def _loaded(state: State, begun: Begun, at: bytes, answer: bytes) -> State:
    memory = state.memory
    return state.remember(
        balance=memory.balance + begun.amounts.account,
        loads=memory.loads + 1,
        bad_macs=0,
        log=_logged(state, begun, at, memory.loads),
        proof=Proof(LOAD, memory.loads, answer),
    ).now(begun=None)


def _logged(state: State, begun: Begun, at: bytes, sequence: int) -> tuple[bytes, ...]:
    row = sequence.to_bytes(2, "big") + bytes((begun.kind,)) + begun.terminal + at + begun.amounts.raw
    return (row, *state.memory.log)[:LOG_ROWS]


def _bad_mac(state: State) -> Answer:
    failed = state.remember(bad_macs=state.memory.bad_macs + 1).now(begun=None)
    return Answer(failed, b"", apdu.APPLICATION_LOCKED if failed.memory.is_locked else apdu.BAD_MAC)
