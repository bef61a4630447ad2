"""Names of persons: one spelling for one name, whole on the card, masked on a screen.

民委发〔2016〕33号: the separator of names is `·` (U+00B7), and a system holds at least 50 bytes and all of
GB 18030, so that nobody's name is refused or shortened for the machine's convenience.
"""

import re
import unicodedata
from dataclasses import dataclass
from typing import Final

from yikatong.core import gb18030
from yikatong.core.errors import DomainError

MAX_BYTES: Final = 50
#: EF06 of the card: 姓名 30 bytes, 姓名扩展 20 bytes.
CARD_BYTES: Final = (30, 20)
DOT: Final = "·"

_LOOKALIKE_DOTS: Final = "．•‧・･∙⋅"
_HAN_RANGES: Final = (
    (0x3007, 0x3007),  # 〇
    (0x3400, 0x4DBF),
    (0x4E00, 0x9FFF),
    (0xFA0E, 0xFA29),  # twelve unified ideographs stand among the compatibility ones
    (0x20000, 0x2EE5D),  # extensions B to F and I; Python 3.11 does not yet know I
    (0x30000, 0x33479),  # extensions G, H, J
)
_KANGXI_RADICALS: Final = {code: unicodedata.normalize("NFKC", chr(code)) for code in range(0x2F00, 0x2FD6)}
_FULL_WIDTH_LATIN: Final = {
    code: chr(code - 0xFEE0) for code in (*range(0xFF21, 0xFF3B), *range(0xFF41, 0xFF5B))
}
_MARKS: Final = frozenset("·-'. ")
_APOSTROPHES: Final = dict.fromkeys(map(ord, "’‘ʼ＇`´"), "'")


class BadName(DomainError):
    """The text cannot be a person's name; each cause is a subclass with its own code."""

    code, status = "name_invalid", 422
    article = "民委发〔2016〕33号"


class NameMissing(BadName):
    code = "name_missing"
    message = "请填写姓名。"


class NameTooLong(BadName):
    code = "name_too_long"
    message = "姓名超过卡内姓名栏的长度（50 字节，约 25 个汉字），请核对；确有此名请转窗口办理。"


class NameCharacter(BadName):
    """`facts["position"]` counts from 1; `facts["code_point"]` is like "U+E000"."""

    code = "name_character"


class NameSeparator(BadName):
    code = "name_separator"
    message = "间隔号“·”只能用在名字两部分之间，不能在开头、结尾或连续出现，请核对。"


@dataclass(frozen=True, slots=True)
class Name:
    """`text` is the one spelling to store and compare; `original` is what was typed, for the audit."""

    text: str
    original: str


def normalise(original: str) -> Name:
    """Spell a name as the standards ask, or raise a BadName with the reason in Chinese."""
    text = unicodedata.normalize("NFC", gb18030.standardise(original))
    text = text.translate(_KANGXI_RADICALS | _FULL_WIDTH_LATIN | _APOSTROPHES)
    text = _dots(_spaces(text))
    if not text.strip("".join(_MARKS)):
        raise NameMissing
    _check_characters(text)
    if text.startswith(DOT) or text.endswith(DOT) or DOT * 2 in text:
        raise NameSeparator
    card_fields(text)
    return Name(text, original)


def card_fields(name: str) -> tuple[bytes, bytes]:
    """姓名 (at most 30 bytes) and 姓名扩展 (at most 20), cut between characters; raises NameTooLong."""
    first, rest = CARD_BYTES
    size = taken = 0
    for char in name:
        size += len(gb18030.encode(char))
        if size > first:
            break
        taken += 1
    try:
        return gb18030.encode(name[:taken]), gb18030.encode(name[taken:], rest)
    except gb18030.TooLong:
        raise NameTooLong from None


def mask(name: str) -> str:
    """王芳 → 王*, 王美丽 → 王*丽, longer → first + ** + last, 阿米娜·买买提 → 阿**·**提."""
    if len(name) <= 2:
        return name[:1] + "*" if len(name) == 2 else "*"
    if DOT in name:
        return f"{name[0]}**{DOT}**{name[-1]}"
    return f"{name[0]}{'*' if len(name) == 3 else '**'}{name[-1]}"


def is_han(char: str) -> bool:
    return any(low <= ord(char) <= high for low, high in _HAN_RANGES)


def _spaces(text: str) -> str:
    """Single spaces in Latin names; none beside Han characters or the separator, where they are typing."""
    words = re.sub("[ \t\u00a0\u3000]+", " ", text.strip())
    kept = (char for at, char in enumerate(words) if char != " " or not _is_tight(words[at - 1 : at + 2]))
    return "".join(kept)


def _is_tight(around: str) -> bool:
    return any(is_han(char) or char == DOT for char in around)


def _dots(text: str) -> str:
    """Look-alikes become `·`; a full stop only beside a Han character, for Latin initials keep theirs."""
    text = re.sub(rf" ?[{re.escape(_LOOKALIKE_DOTS)}] ?", DOT, text)
    return "".join(
        DOT if char == "." and _is_tight(text[max(at - 1, 0) : at + 2]) else char
        for at, char in enumerate(text)
    )


def _check_characters(text: str) -> None:
    for position, char in enumerate(text, 1):
        if reason := _objection(char):
            code_point = f"U+{ord(char):04X}"
            raise NameCharacter(
                f"姓名第 {position} 个字符（{code_point}）{reason}", position=position, code_point=code_point
            )


def _objection(char: str) -> str:
    """Why a character cannot stand in a name, or ""."""
    if is_han(char) or char in _MARKS:
        return ""
    category = unicodedata.category(char)
    is_mark = category in {"Mn", "Mc"} and not _is_variation_selector(char)
    if is_mark or category in {"Lu", "Ll", "Lt", "Lm", "Lo"}:
        return ""
    return _REASONS.get(category) or _REASONS[category[0]]


_REASONS: Final = {
    "Co": "是系统自造字，其他系统无法识别，请用国标字形输入或转窗口办理。",
    "Cn": "不是标准字符，请重新输入。",
    "C": "是看不见的控制字符，请删除后手工输入。",
    "N": "是数字，姓名中不能有数字，请核对。",
    "M": "是字形选择符，请删除后重新输入。",
    "P": "是标点，姓名中只能使用间隔号“·”、连字符和空格，请核对。",
    "S": "是符号，不能用于姓名，请核对。",
    "Z": "是特殊空白，请删除后重新输入。",
}


def _is_variation_selector(char: str) -> bool:
    return 0xFE00 <= ord(char) <= 0xFE0F or 0xE0100 <= ord(char) <= 0xE01EF
