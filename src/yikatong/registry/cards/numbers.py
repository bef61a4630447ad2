"""Numbers of cards and accounts. Five identifiers are kept apart: the 社会保障号码 is none of these.

卡号: nine characters, one capital for the area, seven for the sequence, one check character
(《社会保障（个人）卡规范》, appendix A). 卡识别码: 32 hexadecimal digits, new with each card.
卡复位信息: 26, the historical bytes of the chip's answer to reset. 银行卡号: 16 to 19 digits, Luhn.
"""

import re
from typing import Final

from yikatong.core.errors import DomainError

_WEIGHTS: Final = (3, 7, 9, 10, 5, 8, 4, 2)
_ALPHABET: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_DECIMAL_SEQUENCES: Final = 10**7
#: Decimal sequences first, then those that begin with a capital: 0 … SEQUENCE_MAX.
SEQUENCE_MAX: Final = _DECIMAL_SEQUENCES + 26 * 36**6 - 1
#: Registered application provider of social-security cards, part of every 卡识别码.
PROVIDER: Final = "D156000005"


class BadCardNumber(DomainError):
    code, status = "card_number_invalid", 422
    message = "社会保障卡卡号不正确，请对照卡面逐位核对（9 位，以字母开头）。"
    article = "《社会保障（个人）卡规范》附录A"


class BadIdentifier(DomainError):
    code, status = "card_identifier_invalid", 422
    message = "卡识别码或复位信息格式不正确，请重新读卡。"
    article = "《社会保障（个人）卡规范》"


class SequenceExhausted(DomainError):
    code, status = "card_sequence_exhausted", 409
    message = "该地区的卡号已用完，请联系发卡管理部门分配新的地区字母。"


def check_character(body: str) -> str:
    """Check character of the eight before it: weights 3 7 9 10 5 8 4 2, modulo 11, letters A=10 … Z=35.

    Any one wrong digit is found. A letter mistaken for a character 11, 22 or 33 places away is not:
    the standard's arithmetic cannot tell them apart.
    """
    total = sum(w * _ALPHABET.index(char) for w, char in zip(_WEIGHTS, body, strict=True))
    return "0X987654321"[total % 11]


def make(letter: str, sequence: int) -> str:
    """The `sequence`-th 卡号 of the area `letter`; raises SequenceExhausted."""
    if not re.fullmatch("[A-Z]", letter):
        raise BadCardNumber("卡号的地区字母应为一个大写字母。")
    body = letter + sequence_text(sequence)
    return body + check_character(body)


def check(number: str) -> str:
    """The 卡号 without hyphen and blanks, in capitals; raises BadCardNumber."""
    plain = re.sub(r"[\s-]", "", number).upper()
    if not re.fullmatch(r"[A-Z][0-9A-Z]{7}[0-9X]", plain) or check_character(plain[:8]) != plain[8]:
        raise BadCardNumber
    return plain


def sequence_text(sequence: int) -> str:
    """Seven characters, sorted as text like the numbers: 0000000 … 9999999, A000000 … ZZZZZZZ."""
    if not 0 <= sequence <= SEQUENCE_MAX:
        raise SequenceExhausted
    if sequence < _DECIMAL_SEQUENCES:
        return f"{sequence:07d}"
    text = ""
    rest = sequence - _DECIMAL_SEQUENCES
    for _ in range(6):
        rest, digit = divmod(rest, 36)
        text = _ALPHABET[digit] + text
    return _ALPHABET[10 + rest] + text


def sequence_number(text: str) -> int:
    """The inverse of `sequence_text`; raises BadCardNumber for a text that it never makes."""
    if re.fullmatch(r"[0-9]{7}", text):
        return int(text)
    if not re.fullmatch(r"[A-Z][0-9A-Z]{6}", text):
        raise BadCardNumber
    return _DECIMAL_SEQUENCES + (_ALPHABET.index(text[0]) - 10) * 36**6 + int(text[1:], 36)


def luhn_digit(body: str) -> str:
    """Last digit of a bank card number (ISO/IEC 7812-1) whose other digits are `body`."""
    doubled = (sum(divmod(2 * int(digit), 10)) for digit in body[-1::-2])
    plain = (int(digit) for digit in body[-2::-2])
    return str(-(sum(doubled) + sum(plain)) % 10)


def luhn_ok(number: str) -> bool:
    """Whether `number` is 16 to 19 digits with the right last one."""
    return bool(re.fullmatch(r"[0-9]{16,19}", number)) and luhn_digit(number[:-1]) == number[-1]


def identifier(city: str, serial: int, authenticator: bytes) -> str:
    """卡识别码: city code 6 digits, the provider, serial 4 bytes, authenticator 4 bytes of the key device."""
    if not re.fullmatch(r"[0-9]{6}", city) or not 0 <= serial < 2**32 or len(authenticator) != 4:
        raise BadIdentifier
    return f"{city}{PROVIDER}{serial:08X}{authenticator.hex().upper()}"


def check_identifier(text: str) -> str:
    """The 卡识别码 in capitals; raises BadIdentifier."""
    plain = text.strip().upper()
    if not re.fullmatch(rf"[0-9]{{6}}{PROVIDER}[0-9A-F]{{16}}", plain):
        raise BadIdentifier
    return plain


def reset_information(maker: bytes, factor: bytes) -> str:
    """卡复位信息: five bytes of chip and card maker, then the eight that diversify the card's keys."""
    if len(maker) != 5 or len(factor) != 8:
        raise BadIdentifier
    return (maker + factor).hex().upper()


def diversification_factor(reset: str) -> bytes:
    """Bytes 6 to 13 of the historical bytes; raises BadIdentifier."""
    if not re.fullmatch(r"[0-9A-Fa-f]{26}", reset):
        raise BadIdentifier
    return bytes.fromhex(reset)[5:]
