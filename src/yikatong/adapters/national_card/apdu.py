"""Commands of ISO/IEC 7816-4, short form, and the status words the card uses (《社会保障（个人）卡规范》 part 5)."""

from typing import Final, NamedTuple

OK: Final = 0x9000
WRONG_LENGTH: Final = 0x6700
WRONG_STATE: Final = 0x6901
NOT_A_LIST: Final = 0x6981
NOT_ALLOWED: Final = 0x6982
BLOCKED: Final = 0x6983
NO_CHALLENGE: Final = 0x6984
NOT_SATISFIED: Final = 0x6985
BAD_SECURE_MESSAGE: Final = 0x6988
BAD_DATA: Final = 0x6A80
NO_FILE: Final = 0x6A82
NO_RECORD: Final = 0x6A83
BAD_PARAMETERS: Final = 0x6A86
NO_KEY: Final = 0x6A88
BEYOND_THE_END: Final = 0x6B00
UNKNOWN_COMMAND: Final = 0x6D00
UNKNOWN_CLASS: Final = 0x6E00
BAD_MAC: Final = 0x9302
APPLICATION_LOCKED: Final = 0x9303
NO_FUNDS: Final = 0x9401
COUNTER_FULL: Final = 0x9402
NO_KEY_INDEX: Final = 0x9403
NO_PROOF: Final = 0x9406

_LONGEST: Final = 5 + 255 + 1


def tries_left(count: int) -> int:
    """63Cx: refused, so many tries remain."""
    return 0x63C0 | count


def length_is(count: int) -> int:
    """6Cxx: ask again for so many bytes."""
    return 0x6C00 | (count & 0xFF)


class Command(NamedTuple):
    """A command taken apart. `expected` is Le, 256 for a zero byte, None where there is none."""

    cla: int
    ins: int
    p1: int
    p2: int
    data: bytes
    expected: int | None


def parse(raw: bytes) -> Command | None:
    """The four cases of a short command; None when the lengths contradict each other."""
    if not 4 <= len(raw) <= _LONGEST:
        return None
    cla, ins, p1, p2 = raw[:4]
    body = raw[4:]
    if len(body) <= 1:
        return Command(cla, ins, p1, p2, b"", (body[0] or 256) if body else None)
    size, rest = body[0], body[1:]
    if size and len(rest) == size:
        return Command(cla, ins, p1, p2, rest, None)
    if size and len(rest) == size + 1:
        return Command(cla, ins, p1, p2, rest[:-1], rest[-1] or 256)
    return None
