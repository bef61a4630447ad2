"""Which phones and passwords will do, and how often a code may be sent."""

import re
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from itertools import pairwise
from math import ceil
from typing import Final

from yikatong.core.clock import BEIJING, day_of
from yikatong.core.errors import DomainError, Invalid

CODE_LIFE: Final = timedelta(minutes=5)
CODE_TRIES: Final = 5
PASSWORD_TRIES: Final = 5
PASSWORD_LOCK: Final = timedelta(minutes=15)

_PHONE = re.compile(r"1[3-9][0-9]{9}")
_DIGITS = "0123456789"


class PhoneInvalid(Invalid):
    code = "phone_invalid"
    message = "请填写 11 位手机号码。"


class PasswordNotSixDigits(Invalid):
    code = "password_not_six_digits"
    message = "密码应为 6 位数字。"


class PasswordRepeated(Invalid):
    code = "password_repeated"
    message = "密码不能由重复的数字组成。请换一个。"


class PasswordConsecutive(Invalid):
    code = "password_consecutive"
    message = "密码不能是连续的数字。请换一个。"


class PasswordFromCertificate(Invalid):
    code = "password_from_certificate"
    message = "密码不能是证件号码的一部分。请换一个。"


class PasswordFromBirth(Invalid):
    code = "password_from_birth"
    message = "密码不能是出生日期。请换一个。"


class PasswordFromPhone(Invalid):
    code = "password_from_phone"
    message = "密码不能是手机号码的一部分。请换一个。"


class SmsTooSoon(DomainError):
    """facts: retry_after, whole seconds."""

    code = "sms_too_soon"
    status = 429

    def __init__(self, *, at: datetime, again_at: datetime) -> None:
        seconds = _seconds(again_at - at)
        super().__init__(f"验证码已发送。请在 {seconds} 秒后再获取。", retry_after=seconds)


class SmsTooMany(DomainError):
    """Says when it may be tried again, and not whether a phone or an address was asked for too often."""

    code = "sms_too_many"
    status = 429

    def __init__(self, *, at: datetime, again_at: datetime) -> None:
        said = f"获取验证码过于频繁。请在{_clock(at, again_at)}后再试，或到服务网点办理。"
        super().__init__(said, retry_after=_seconds(again_at - at))


class SmsUnavailable(DomainError):
    code = "sms_unavailable"
    status = 503
    message = "短信服务暂不可用。请稍后再试，或到服务网点办理。"


class CodeWrong(DomainError):
    """Also said of an expired, used or never sent code, and of an unknown phone: the answer tells no more."""

    code = "sms_code_wrong"
    status = 422
    message = "验证码不正确或已失效。请核对，或重新获取。"


class PasswordNotSet(DomainError):
    code = "password_not_set"
    message = "尚未设置电子社保卡密码。请先设置。"


class PasswordWrong(DomainError):
    code = "password_wrong"
    status = 422
    message = "密码不正确，请重新输入。"


class PasswordLocked(DomainError):
    code = "password_locked"
    status = 429
    message = "密码连续输错 5 次，已锁定 15 分钟。可用短信验证码重设密码。"


def _seconds(pause: timedelta) -> int:
    return max(ceil(pause.total_seconds()), 1)


def _clock(at: datetime, again_at: datetime) -> str:
    """今天 14:05 or 明天 9:30, never a minute too early; no limit looks back further than a day."""
    minute = again_at.astimezone(BEIJING) + timedelta(seconds=59)
    return f"{'今天' if minute.date() == day_of(at) else '明天'} {minute.hour}:{minute:%M} "


def phone(text: str) -> str:
    """The eleven digits of a mobile number as people write it. Raises PhoneInvalid."""
    digits = re.sub(r"[\s-]", "", text).removeprefix("+86")
    if not _PHONE.fullmatch(digits):
        raise PhoneInvalid
    return digits


def check_password(password: str, *, certificates: Iterable[str], birth_date: date, phone: str) -> None:
    """Refuse a password others would guess first. Raises a Password… refusal that names why."""
    if not (len(password) == 6 and all(digit in _DIGITS for digit in password)):
        raise PasswordNotSixDigits
    if _is_repeated(password):
        raise PasswordRepeated
    if _is_consecutive(password):
        raise PasswordConsecutive
    if password in _births(birth_date):
        raise PasswordFromBirth
    if any(password in number for number in certificates):
        raise PasswordFromCertificate
    if password in phone:
        raise PasswordFromPhone


def _is_repeated(password: str) -> bool:
    """111111, 121212, 123123: a shorter group again and again."""
    return any(password == password[:size] * (6 // size) for size in (1, 2, 3))


def _is_consecutive(password: str) -> bool:
    """Up or down by one at each step, also over the 9 (890123)."""
    steps = {(int(after) - int(before)) % 10 for before, after in pairwise(password)}
    return steps in ({1}, {9})


def _births(born: date) -> set[str]:
    """The ways people write a birth date in six digits."""
    return {f"{born:%y%m%d}", f"{born:%d%m%y}", f"{born:%m%d%y}", f"{born:%Y%m}", f"{born:%m%Y}"}
