"""Acts of logging in. A refused try is counted and recorded: that is its only effect."""

import unicodedata
from datetime import datetime
from functools import cache
from hmac import compare_digest
from typing import Final
from uuid import UUID

import pyotp
from django.contrib.auth.hashers import check_password as matches
from django.contrib.auth.hashers import make_password
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction

from yikatong.core import audit
from yikatong.core.actor import SYSTEM, Channel
from yikatong.core.errors import DomainError
from yikatong.core.models import StaffUser
from yikatong.portals.staff import guard

STEP_SECONDS = 30
DRIFT = 1  # a clock half a minute off is still let in


_WEAK: Final = {
    "password_too_short": "少于 {min_length} 位",
    "password_too_common": "太常见",
    "password_too_similar": "与用户名或姓名太相似",
}


class WrongLogIn(DomainError):
    """Says neither whether the name exists nor whether its owner may still log in."""

    code, status = "login_wrong", 422
    message = "用户名或密码不正确，请核对后重试。"


class WrongCode(DomainError):
    code, status = "totp_wrong", 422
    message = "动态口令不正确或已经用过，请等验证器显示下一个口令后再试。"


class WeakPassword(DomainError):
    code, status = "password_weak", 422


def check_password(name: str, password: str, *, address: str, at: datetime, browser: str = "") -> StaffUser:
    """The first factor; `browser`: one that is known for this name (see browsers). Raises WrongLogIn or TooManyTries."""
    login = spelled(name)
    user = StaffUser.objects.filter(username__iexact=login, is_active=True).first()
    _take(login, address, user, at, browser)
    # The same work for a name nobody has, so that the time taken tells nothing.
    right = matches(password, user.password if user else _nobody())
    if user is None or not right:
        _record("failed", user, at, address=address, factor="password")
        raise WrongLogIn
    guard.give_back(guard.NAME, login, browser=browser)
    guard.give_back(guard.ADDRESS, address)
    return user


def enrol(user_id: UUID, *, at: datetime) -> StaffUser:
    """Give a user who has no confirmed authenticator a secret to put into one; the same until he confirms it."""
    with transaction.atomic():
        user = StaffUser.objects.select_for_update().get(id=user_id)
        if user.totp_confirmed_at is None and user.totp_secret is None:
            user.totp_secret = pyotp.random_base32()
            user.save(update_fields=["totp_secret"])
            _record("enrolment_begun", user, at)
    return user


def verify_code(user_id: UUID, code: str, *, address: str, at: datetime, browser: str = "") -> StaffUser:
    """The second factor; a step of the clock is good once (RFC 6238 §5.2). Raises WrongCode or TooManyTries."""
    user = StaffUser.objects.filter(id=user_id, is_active=True).first()
    if user is None:  # made inactive between the two factors
        raise WrongCode
    login = spelled(user.username)
    _take(login, address, user, at, browser)
    with transaction.atomic():
        # Locked: of two who show the same code at once one gets in, and nobody with one that was just reset.
        user = StaffUser.objects.select_for_update(no_key=True).get(id=user.id)
        step = _step_of(user, code, at)
        if step is not None:
            user.totp_last_step, user.last_login = step, at
            user.totp_confirmed_at = user.totp_confirmed_at or at
            user.save(update_fields=["totp_last_step", "totp_confirmed_at", "last_login"])
        _record("in" if step else "failed", user, at, address=address, factor="code")
    if step is None:
        raise WrongCode
    guard.clear(guard.NAME, login, browser=browser)
    guard.give_back(guard.ADDRESS, address)
    return user


def change_password(
    user_id: UUID, *, old: str, new: str, address: str, at: datetime, browser: str = ""
) -> StaffUser:
    """Raises WrongLogIn, WeakPassword or TooManyTries. All other sessions of the user end by it."""
    user = StaffUser.objects.get(id=user_id)
    check_password(user.username, old, address=address, at=at, browser=browser)
    try:
        validate_password(new, user)
    except ValidationError as error:
        raise WeakPassword(_why_weak(error)) from None
    with transaction.atomic():
        user.set_password(new)
        user.save(update_fields=["password"])
        audit.record("staff:password:changed", subject=f"staff:{user.id}", by=user.actor(Channel.WEB), at=at)
    return user


def _why_weak(error: ValidationError) -> str:
    """In our own words: Django has some of its own in English only."""
    said = (_WEAK.get(one.code or "", "不合要求").format(**(one.params or {})) for one in error.error_list)
    return f"新密码{'、'.join(said)}，请换一个。"


def log_out(user: StaffUser, *, at: datetime, reason: str = "asked") -> None:
    """Record the end of a session."""
    _record("out", user, at, reason=reason)


def spelled(name: str) -> str:
    """One spelling of a user name; an input method may leave full-width letters."""
    return unicodedata.normalize("NFKC", name).strip().lower()[:150]


def usable_code(user: StaffUser, at: datetime) -> str | None:
    """A code that would be accepted now, for the demonstration's log-in page only."""
    now = _clock_step(at)
    steps = (step for step in range(now - DRIFT, now + DRIFT + 1) if step > user.totp_last_step)
    first = next(steps, None)
    return None if first is None or user.totp_secret is None else pyotp.HOTP(str(user.totp_secret)).at(first)


def _step_of(user: StaffUser, code: str, at: datetime) -> int | None:
    """The unused step this code belongs to; every candidate is compared, in constant time."""
    if user.totp_secret is None:
        return None
    given = unicodedata.normalize("NFKC", code).replace(" ", "").encode()
    now, one_time = _clock_step(at), pyotp.HOTP(str(user.totp_secret))
    fits = [s for s in range(now - DRIFT, now + DRIFT + 1) if compare_digest(one_time.at(s).encode(), given)]
    return max((step for step in fits if step > user.totp_last_step), default=None)


def _clock_step(at: datetime) -> int:
    return int(at.timestamp()) // STEP_SECONDS


def _take(login: str, address: str, user: StaffUser | None, at: datetime, browser: str) -> None:
    """Count the try. A blocked address is not recorded each time, or it could fill the log."""
    guard.take(guard.ADDRESS, address, at=at)
    try:
        guard.take(guard.NAME, login, at=at, browser=browser)
    except guard.TooManyTries:
        _record("locked", user, at, address=address)
        raise


def _record(what: str, user: StaffUser | None, at: datetime, **facts: str) -> None:
    by = user.actor(Channel.WEB) if user else SYSTEM
    audit.record(
        f"staff:login:{what}", subject=f"staff:{user.id if user else 'unknown'}", by=by, at=at, **facts
    )


@cache
def _nobody() -> str:
    """A hash of the kind all staff have, that no password is compared with in earnest."""
    return make_password("")
