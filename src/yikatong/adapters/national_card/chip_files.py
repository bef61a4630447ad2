"""Files of the chip: choose an application or a file, read items, lists and whole files, write an item anew.

Every writing is one command and holds or does not: a card torn out of the reader keeps the old value or has the new.
"""

from typing import Final

from yikatong.adapters.national_card import apdu
from yikatong.adapters.national_card.apdu import Command
from yikatong.adapters.national_card.image import (
    CARD_FILE,
    EMPLOYMENT,
    MEDICAL,
    PUBLIC,
    SSSE,
    TRANSACTIONS,
    Image,
    Record,
)
from yikatong.adapters.national_card.state import Answer, Draw, State
from yikatong.registry.cards.chip.keys import CardKey

_BY_TAG, _BY_NUMBER, _ALL = 0x00, 0x04, 0x05
#: Proprietary data of the FCI: short file 1E, and the algorithm, 03 for SM4.
_FCI: Final = bytes((0x6F, 0x1C, 0x84, len(SSSE))) + SSSE + bytes.fromhex("A50988011E9F0C03860103")


def select(image: Image, state: State, command: Command, _: Draw) -> Answer:
    if (command.p1, command.p2) == (0x04, 0x00):
        return _select_application(state, command.data)
    if command.p1 not in {0x00, 0x02} or command.p2:
        return Answer(state, b"", apdu.BAD_PARAMETERS)
    if len(command.data) != 2:
        return Answer(state, b"", apdu.WRONG_LENGTH)
    chosen = int.from_bytes(command.data, "big")
    place = (state.session.application, chosen)
    if place not in image.files and place not in image.blobs and place != (MEDICAL, TRANSACTIONS):
        return Answer(state, b"", apdu.NO_FILE)
    return Answer(state.now(file=chosen), b"", apdu.OK)


def read(image: Image, state: State, command: Command, _: Draw) -> Answer:
    """Items by tag or all of them; of the transactions one by its number."""
    session = state.session
    refusal = _why_not_read(image, state)
    if session.file and (command.data or command.expected is None):
        return Answer(state, b"", apdu.WRONG_LENGTH)
    if refusal:
        return Answer(state, b"", refusal)
    if (session.application, session.file) in image.blobs:
        return Answer(state, b"", apdu.NOT_A_LIST)
    is_log = session.application == MEDICAL
    found = _rows(state, command) if is_log else _items(image, state, command)
    if isinstance(found, int):
        return Answer(state, b"", found)
    if command.expected not in {256, len(found)}:
        return Answer(state, b"", apdu.length_is(len(found)))
    return Answer(state, found, apdu.OK)


def read_binary(image: Image, state: State, command: Command, _: Draw) -> Answer:
    """Part of a file without records: fingerprints, photo. P1 and P2 are where it begins."""
    if state.session.file and (command.data or command.expected is None):
        return Answer(state, b"", apdu.WRONG_LENGTH)
    if refusal := _why_not_read(image, state):
        return Answer(state, b"", refusal)
    content = image.blobs.get((state.session.application, state.session.file))
    if content is None:
        return Answer(state, b"", apdu.NOT_A_LIST)
    begins = command.p1 << 8 | command.p2
    if begins >= len(content):
        return Answer(state, b"", apdu.BEYOND_THE_END)
    wanted = command.expected or 0
    found = content[begins : begins + wanted]
    if len(found) < wanted != 256:
        return Answer(state, b"", apdu.length_is(len(found)))
    return Answer(state, found, apdu.OK)


def update(image: Image, state: State, command: Command, _: Draw) -> Answer:
    """Write an item anew, whole and as long as it was: tag, length, value. After UKSSSE; EF05 never."""
    place = (state.session.application, state.session.file)
    kept = next((one for one in image.files.get(place, ()) if one.tag == command.p1), None)
    if refusal := _why_not_update(image, state, command.p2):
        return Answer(state, b"", refusal)
    if kept is None:
        return Answer(state, b"", apdu.NO_RECORD)
    if len(command.data) != len(kept.raw):
        return Answer(state, b"", apdu.WRONG_LENGTH)
    if command.data[:2] != kept.raw[:2]:
        return Answer(state, b"", apdu.BAD_DATA)
    memory = state.memory.with_value((*place, kept.tag), command.data[2:])
    return Answer(state._replace(memory=memory), b"", apdu.OK)


def _why_not_update(image: Image, state: State, p2: int) -> int:
    session = state.session
    place = (session.application, session.file)
    conditions = (
        (session.file, apdu.WRONG_STATE),
        (p2 == _BY_TAG, apdu.BAD_PARAMETERS),
        (place in image.files, apdu.NOT_A_LIST),
        (CardKey.UKSSSE in session.opened and place != (SSSE, CARD_FILE), apdu.NOT_ALLOWED),
    )
    return next((status for holds, status in conditions if not holds), 0)


def _select_application(state: State, name: bytes) -> Answer:
    """What was proven to one application does not hold in another; the PIN holds until the power goes."""
    told = _FCI if name == SSSE else None
    if name in {PUBLIC, EMPLOYMENT, MEDICAL}:
        told = bytes((0x6F, len(name) + 2, 0x84, len(name))) + name
    if told is None:
        return Answer(state, b"", apdu.NO_FILE)
    return Answer(state.now(application=name, file=0, opened=frozenset()), told, apdu.OK)


def _why_not_read(image: Image, state: State) -> int:
    session = state.session
    if not session.file:
        return apdu.WRONG_STATE
    return 0 if _may_read(image, state) else apdu.NOT_ALLOWED


def _may_read(image: Image, state: State) -> bool:
    session = state.session
    if session.application == MEDICAL:
        return session.pin_shown and not session.contactless
    is_free = (session.application, session.file) == (SSSE, CARD_FILE)
    return is_free or not image.holder_file_is_closed or CardKey.RKSSSE in session.opened


def _items(image: Image, state: State, command: Command) -> bytes | int:
    """Items by tag, or all of them; as the maker wrote them, or as they were written since."""
    place = (state.session.application, state.session.file)
    records = image.files[place]
    if command.p2 == _ALL:
        if command.p1 != 1:
            return apdu.BAD_PARAMETERS
        return b"".join(_now(state, place, one).raw for one in records)
    if command.p2 != _BY_TAG:
        return apdu.BAD_PARAMETERS
    return next((_now(state, place, one).raw for one in records if one.tag == command.p1), apdu.NO_RECORD)


def _now(state: State, place: tuple[bytes, int], made: Record) -> Record:
    since = state.memory.value_of((*place, made.tag))
    return made if since is None else Record(made.tag, since)


def _rows(state: State, command: Command) -> bytes | int:
    """Transactions by number, the latest is 1."""
    if command.p2 != _BY_NUMBER:
        return apdu.NOT_A_LIST
    log = state.memory.log
    return log[command.p1 - 1] if 1 <= command.p1 <= len(log) else apdu.NO_RECORD
