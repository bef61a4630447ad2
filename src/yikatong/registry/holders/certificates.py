"""Identity documents: which numbers can exist, and what a number says of its bearer.

GB 11643 (居民身份证), its 81/82/83 form for 港澳台居民居住证, the foreigner's permanent residence card of
2023 (9…) and of before (three letters, twelve digits), travel permits and passports. Pure: the divisions that
exist or existed (GB/T 2260) and today's date come in from outside. A refusal says what is wrong but never
what the number ought to be: that would help to forge one.
"""

import re
import unicodedata
from collections.abc import Callable, Container
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final, Literal

from yikatong.core.errors import DomainError
from yikatong.core.masking import mask_number as mask

__all__ = ["SHOWN", "BadCertificate", "Certificate", "Kind", "check", "mask"]

Sex = Literal["1", "2"]
EARLIEST_BIRTH: Final = date(1900, 1, 1)
_WEIGHTS: Final = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECKS: Final = "10X98765432"
_CHINA_ISO: Final = "156"
_COMPATRIOT_REGIONS: Final = frozenset({"810000", "820000", "830000"})
_BLANKS: Final = re.compile(r"[\s\-‐-―−()]+")  # as printed in groups, or with the brackets of old permits
_EIGHTEEN: Final = re.compile(r"[0-9]{17}[0-9X]")


class Kind(StrEnum):
    """证件类型, with the letters that card administration systems exchange."""

    RESIDENT_ID = "A"
    PASSPORT = "C"
    FOREIGN_RESIDENT = "D"
    HK_MO_PERMIT = "J"
    TW_PERMIT = "K"
    HK_MO_TW_RESIDENCE = "M"
    BIRTH = "B"  # ours: stands in until the household registration gives a newborn his own number

    @property
    def label(self) -> str:
        return _LABELS[self]


_LABELS: Final = {
    Kind.RESIDENT_ID: "居民身份证",
    Kind.PASSPORT: "护照",
    Kind.FOREIGN_RESIDENT: "外国人永久居留身份证",
    Kind.HK_MO_PERMIT: "港澳居民来往内地通行证",
    Kind.TW_PERMIT: "台湾居民来往大陆通行证",
    Kind.HK_MO_TW_RESIDENCE: "港澳台居民居住证",
    Kind.BIRTH: "出生医学证明",
}
#: What a person shows and types; a birth certificate enters by its own matter only.
SHOWN: Final = tuple(kind for kind in Kind if kind is not Kind.BIRTH)


class BadCertificate(DomainError):
    """The number cannot be one of this kind of document; each cause is a subclass with its own code."""

    code, status = "certificate_invalid", 422
    article = "GB 11643"


class WrongLength(BadCertificate):
    code = "certificate_length"


class WrongCharacters(BadCertificate):
    code = "certificate_characters"


class WrongChecksum(BadCertificate):
    code = "certificate_checksum"
    message = "校验码不符，请对照证件逐位核对号码。"


class WrongBirthDate(BadCertificate):
    code = "certificate_birth_date"


class UnknownRegion(BadCertificate):
    code = "certificate_region"


class OldNumber(BadCertificate):
    code = "certificate_old_number"
    message = "这是 15 位旧号码，第一代身份证已于 2013 年停用，请填写现行身份证上的 18 位号码。"


class OtherKind(BadCertificate):
    """The number is sound, but belongs to another kind of document; `facts["kind"]` says which."""

    code = "certificate_kind"

    def __init__(self, kind: Kind) -> None:
        super().__init__(f"这是{kind.label}的号码，请把证件类型改为“{kind.label}”。", kind=kind.value)


@dataclass(frozen=True, slots=True)
class Certificate:
    """A possible document. `region` is a GB/T 2260 code, `sex` a GB/T 2261.1 one, where it tells."""

    kind: Kind
    number: str
    birth_date: date | None = None
    sex: Sex | None = None
    region: str | None = None


def check(kind: Kind, number: str, *, known_divisions: Container[str], today: date) -> Certificate:
    """Normalise `number` and read it, or raise a BadCertificate with a Chinese reason.

    `known_divisions` holds the six-digit codes in force and abolished: a number keeps the code of its birth.
    """
    plain = normalise(number)
    if not plain:
        raise WrongLength(f"请填写{kind.label}号码。")
    return _CHECKERS[kind](plain, known_divisions, today)


def normalise(number: str) -> str:
    """Half-width capitals without blanks and hyphens."""
    return _BLANKS.sub("", unicodedata.normalize("NFKC", number)).upper()


def check_character(body: str) -> str:
    """ISO 7064 MOD 11-2 over 17 digits."""
    return _CHECKS[sum(w * int(digit) for w, digit in zip(_WEIGHTS, body, strict=True)) % 11]


def _resident(number: str, known: Container[str], today: date) -> Certificate:
    _eighteen(Kind.RESIDENT_ID, number)
    region = number[:6]
    if region in _COMPATRIOT_REGIONS:
        raise OtherKind(Kind.HK_MO_TW_RESIDENCE)
    if number.startswith("9"):
        raise OtherKind(Kind.FOREIGN_RESIDENT)
    if region not in known:
        raise UnknownRegion("号码前 6 位不是现行或曾用的行政区划代码，请核对。", article="GB/T 2260")
    return Certificate(Kind.RESIDENT_ID, number, _birth(number[6:14], today), _sex(number[16]), region)


def _compatriot(number: str, _known: Container[str], today: date) -> Certificate:
    _eighteen(Kind.HK_MO_TW_RESIDENCE, number)
    region = number[:6]
    if region not in _COMPATRIOT_REGIONS:
        raise UnknownRegion("港澳台居民居住证号码以 810000、820000 或 830000 开头，请核对号码或证件类型。")
    return Certificate(Kind.HK_MO_TW_RESIDENCE, number, _birth(number[6:14], today), _sex(number[16]), region)


def _foreign_resident(number: str, known: Container[str], today: date) -> Certificate:
    """9, province 2, first nationality 3 (ISO 3166-1 numeric), birth date 8, sequence 3, check 1."""
    if number[:1].isalpha():
        return _old_foreign_resident(number, today)
    _eighteen(Kind.FOREIGN_RESIDENT, number)
    region = number[1:3] + "0000"
    if number[0] != "9" or region not in known or number[3:6] in {_CHINA_ISO, "000"}:
        raise UnknownRegion("永久居留身份证号码以 9、受理地省份和国籍代码开头，请核对号码或证件类型。")
    return Certificate(Kind.FOREIGN_RESIDENT, number, _birth(number[6:14], today), _sex(number[16]), region)


def _old_foreign_resident(number: str, today: date) -> Certificate:
    """Before December 2023: nationality 3 letters, place 4, birth YYMMDD, 2 more. The century is not told."""
    _length(Kind.FOREIGN_RESIDENT, number, 15, hint="15 位（旧证）或 18 位（新证）")
    if not re.fullmatch(r"[A-Z]{3}[0-9]{12}", number):
        raise WrongCharacters("旧版永久居留身份证号码是 3 位字母加 12 位数字，请核对。")
    short = number[7:13]
    if not any(_possible(century + short, today) for century in ("19", "20")):
        raise WrongBirthDate("号码中的出生日期不存在，请核对第 8 至 13 位。")
    return Certificate(Kind.FOREIGN_RESIDENT, number)


def _hk_mo_permit(number: str, _known: Container[str], _today: date) -> Certificate:
    """H or M and eight digits for life; two more count the re-issues and are dropped."""
    if len(number) not in (9, 11):
        raise WrongLength("通行证号码是 H 或 M 加 8 位数字（旧证另有 2 位换证次数），请核对。")
    if not re.fullmatch(r"[HM][0-9]{8}(?:[0-9]{2})?", number):
        raise WrongCharacters("通行证号码第 1 位应为 H 或 M，其余为数字，请核对。")
    return Certificate(Kind.HK_MO_PERMIT, number[:9])


def _tw_permit(number: str, _known: Container[str], _today: date) -> Certificate:
    _length(Kind.TW_PERMIT, number, 8, hint="8 位")
    if not re.fullmatch(r"[0-9]{8}", number):
        raise WrongCharacters("台湾居民来往大陆通行证号码全部为数字，请核对。")
    return Certificate(Kind.TW_PERMIT, number)


def _passport(number: str, _known: Container[str], _today: date) -> Certificate:
    if not 5 <= len(number) <= 15:
        raise WrongLength("护照号码应为 5 至 15 位，请核对。")
    if not re.fullmatch(r"[A-Z0-9]*[0-9][A-Z0-9]*", number):
        raise WrongCharacters("护照号码由字母和数字组成并含有数字，请核对。")
    return Certificate(Kind.PASSPORT, number)


def _birth_certificate(number: str, _known: Container[str], _today: date) -> Certificate:
    """A letter for the edition, two digits for the province, seven that count."""
    _length(Kind.BIRTH, number, 10, hint="10 位")
    if not re.fullmatch(r"[A-Z][0-9]{9}", number):
        raise WrongCharacters("出生医学证明编号是 1 位字母加 9 位数字，请核对。")
    return Certificate(Kind.BIRTH, number)


_CHECKERS: Final[dict[Kind, Callable[[str, Container[str], date], Certificate]]] = {
    Kind.RESIDENT_ID: _resident,
    Kind.PASSPORT: _passport,
    Kind.FOREIGN_RESIDENT: _foreign_resident,
    Kind.HK_MO_PERMIT: _hk_mo_permit,
    Kind.TW_PERMIT: _tw_permit,
    Kind.HK_MO_TW_RESIDENCE: _compatriot,
    Kind.BIRTH: _birth_certificate,
}


def _eighteen(kind: Kind, number: str) -> None:
    if len(number) == 15 and number.isdecimal() and kind is Kind.RESIDENT_ID:
        raise OldNumber
    _length(kind, number, 18, hint="18 位")
    if not _EIGHTEEN.fullmatch(number):
        raise WrongCharacters("号码前 17 位应为数字，末位为数字或 X，请核对。")
    if check_character(number[:17]) != number[17]:
        raise WrongChecksum


def _length(kind: Kind, number: str, length: int, *, hint: str) -> None:
    if len(number) != length:
        raise WrongLength(f"{kind.label}号码应为{hint}，现在是 {len(number)} 位，请核对。")


def _birth(digits: str, today: date) -> date:
    born = _date(digits)
    if born is None:
        raise WrongBirthDate("号码中的出生日期不存在，请核对第 7 至 14 位。")
    if born > today:
        raise WrongBirthDate("号码中的出生日期晚于今天，请核对第 7 至 14 位。")
    if born < EARLIEST_BIRTH:
        raise WrongBirthDate("号码中的出生日期早于 1900 年，请核对第 7 至 14 位。")
    return born


def _possible(digits: str, today: date) -> bool:
    born = _date(digits)
    return born is not None and born <= today


def _date(digits: str) -> date | None:
    try:
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:8]))
    except ValueError:
        return None


def _sex(digit: str) -> Sex:
    return "1" if int(digit) % 2 else "2"
