"""Prove who one is: a code by text message, and the six-digit e-card password."""

import hmac
import secrets
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import structlog
from django.conf import settings
from django.contrib.auth.hashers import check_password as matches
from django.contrib.auth.hashers import make_password
from django.db import connection, transaction
from django.db.models import Case, F, Q, QuerySet, Value, When

from yikatong.core import audit
from yikatong.core.actor import Actor, Channel, Role
from yikatong.core.errors import NotFound
from yikatong.core.fields import blind_index
from yikatong.core.keyring import keyring
from yikatong.core.permissions import require_self
from yikatong.core.sm.sm3 import hmac_sm3
from yikatong.registry.holders.models import Holder
from yikatong.using.identity import messages, queries, rules
from yikatong.using.identity.models import ECardPassword, SmsCode
from yikatong.using.identity.rules import CodeWrong, PasswordLocked, PasswordNotSet, PasswordWrong

log = structlog.get_logger()

LOGIN: Final = "login"
PASSWORD: Final = "password"  # noqa: S105 - a purpose, not a password
_WORDS: Final = {
    LOGIN: "您的登录验证码为 {code}，5 分钟内有效。请勿告诉他人。",
    PASSWORD: "您正在重设电子社保卡密码，验证码为 {code}，5 分钟内有效。请勿告诉他人。",
}


@transaction.atomic
def send_code(
    phone: str, *, at: datetime, ip: str = "", purpose: str = LOGIN, is_familiar: bool = False
) -> UUID:
    """Send a fresh six-digit code; returns its ticket, for the browser that asked.

    Who has only the phone's number can neither use up the tries of a code that another browser asked for, nor end
    it by asking for one of his own. Without a ticket the phone's last code counts. Nor can he use up the day's codes:
    those asked for where this phone has logged in before (`is_familiar`) are counted apart.

    A phone we do not know gets the same answer, limits and row, only no message. Raises PhoneInvalid, SmsTooSoon,
    SmsTooMany, SmsUnavailable.
    """
    phone = rules.phone(phone)
    messages.check_sender()  # whatever the phone: who is known to us must not show in the refusal
    index, ip_index = blind_index("phone", phone), blind_index("ip", ip) if ip else None
    _check_rate(index, ip_index, at, is_familiar=is_familiar)
    code = f"{secrets.randbelow(10**6):06d}"
    kept = SmsCode.objects.create(
        phone_index=index,
        ip_index=ip_index,
        code_hash=_code_hash(index, purpose, code),
        purpose=purpose,
        is_familiar=is_familiar,
        sent_at=at,
        expires_at=at + rules.CODE_LIFE,
    )
    text = _WORDS[purpose].format(code=code)
    with transaction.atomic():
        messages.post(phone=phone, text=text, template=f"code.{purpose}", at=at)
        if not queries.holders_of_phone(phone):
            transaction.set_rollback(
                True
            )  # the same work for a stranger, so that the time taken tells nothing
    ticket: UUID = kept.id
    return ticket


def log_in(
    phone: str, code: str, *, at: datetime, ticket: UUID | None = None, channel: Channel = Channel.MOBILE
) -> list[Holder]:
    """The holders with this phone, for him who has it in his hand to choose from. `ticket`: as `send_code` gave it.

    Raises PhoneInvalid, CodeWrong.
    """
    phone = rules.phone(phone)
    _spend(phone, code, LOGIN, at, ticket)
    holders = queries.holders_of_phone(phone)
    if not holders:
        raise CodeWrong
    with transaction.atomic():
        for holder in holders:
            _record("login:passed", holder.id, _himself(holder.id, channel), at)
    return holders


@transaction.atomic
def set_password(holder_id: UUID, password: str, *, by: Actor, at: datetime) -> None:
    """Set the e-card password of a holder who is logged in. Raises the refusals of `rules.check_password`."""
    require_self(by, holder_id)
    holder = Holder.objects.select_for_update(no_key=True).filter(id=holder_id).first()
    if holder is None:
        raise NotFound
    rules.check_password(
        password,
        certificates=[holder.social_security_number, *(each.number for each in holder.certificates.all())],
        birth_date=holder.birth_date,
        phone=holder.phone or "",
    )
    kept = {
        "password_hash": make_password(_peppered(holder_id, password)),
        "set_at": at,
        "failures": 0,
        "locked_until": None,
    }
    ECardPassword.objects.update_or_create(holder=holder, defaults=kept)
    _record("password:set", holder_id, by, at)


def reset_password(holder_id: UUID, code: str, password: str, *, by: Actor, at: datetime) -> None:
    """Set a new password with a code sent to the holder's phone for that purpose; ends a lock-out.

    Raises CodeWrong and the refusals of `set_password`; a password refused spends the code.
    """
    require_self(by, holder_id)
    holder = Holder.objects.filter(id=holder_id).first()
    if holder is None:
        raise NotFound
    if not holder.phone:
        raise CodeWrong
    _spend(holder.phone, code, PASSWORD, at)
    set_password(holder_id, password, by=by, at=at)


def check_password(holder_id: UUID, password: str, *, at: datetime, by: Actor | None = None) -> None:
    """Return when the password is right. Raises PasswordNotSet, PasswordWrong (tries left), PasswordLocked.

    A try is counted before it is judged, in one statement, so that parallel guesses cannot have more. `by` is the
    holder himself where nobody else is named.
    """
    by = by or _himself(holder_id, Channel.MOBILE)
    require_self(by, holder_id)
    held = ECardPassword.objects.filter(holder_id=holder_id)
    if not held.exists():
        raise PasswordNotSet
    if not _take_try(holder_id, at):
        raise PasswordLocked
    kept = held.get()
    if matches(_peppered(holder_id, password), kept.password_hash):
        held.update(failures=0, locked_until=None)
        return
    _record("password:failed", holder_id, by, at, failures=kept.failures)
    if kept.locked_until is not None and kept.locked_until > at:
        raise PasswordLocked
    raise PasswordWrong(left=max(rules.PASSWORD_TRIES - kept.failures, 0))


def _check_rate(phone_index: bytes, ip_index: bytes | None, at: datetime, *, is_familiar: bool) -> None:
    """Count what was asked for, under a lock for this phone and this address; the settings say how often."""
    _lock(phone_index)
    of_phone = SmsCode.objects.filter(phone_index=phone_index, is_familiar=is_familiar)
    env = settings.ENV
    if again_at := _free_at(of_phone, 1, timedelta(seconds=env.sms_pause_seconds), at):
        raise rules.SmsTooSoon(at=at, again_at=again_at)
    limits = [(of_phone, env.sms_phone_daily, timedelta(days=1))]
    if ip_index:
        _lock(ip_index)
        of_address = SmsCode.objects.filter(ip_index=ip_index)
        limits.append((of_address, env.sms_address_hourly, timedelta(hours=1)))
        limits.append((of_address, env.sms_address_daily, timedelta(days=1)))
    if blocked := [until for limit in limits if (until := _free_at(*limit, at))]:
        raise rules.SmsTooMany(at=at, again_at=max(blocked))


def _free_at(sent: QuerySet[SmsCode], most: int, window: timedelta, at: datetime) -> datetime | None:
    """When there is room again for one more within the window; None: now."""
    latest = sent.filter(sent_at__gt=at - window).order_by("-sent_at").values_list("sent_at", flat=True)
    last_in = list(latest[most - 1 : most])
    return last_in[0] + window if last_in else None


def _lock(index: bytes) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [int.from_bytes(index[:8], "big", signed=True)])


def _spend(phone: str, code: str, purpose: str, at: datetime, ticket: UUID | None = None) -> None:
    """Use up the ticket's code, else the phone's last of that purpose; a wrong one costs a try, come what may."""
    index = blind_index("phone", phone)
    codes = SmsCode.objects.filter(phone_index=index, purpose=purpose)
    codes = codes.filter(id=ticket) if ticket else codes
    last = codes.order_by("-sent_at", "-id").first()
    if last is None:
        _code_hash(index, purpose, code)
        raise CodeWrong
    usable = SmsCode.objects.filter(id=last.id, used_at=None, expires_at__gt=at)
    if not usable.filter(tries__lt=rules.CODE_TRIES).update(tries=F("tries") + 1):
        raise CodeWrong
    if not hmac.compare_digest(_code_hash(index, purpose, code), bytes(last.code_hash)):
        log.info("sms_code_wrong", purpose=purpose)
        raise CodeWrong
    if not usable.update(used_at=at):
        raise CodeWrong


def _take_try(holder_id: UUID, at: datetime) -> bool:
    """Count one try, unless locked; the last one locks at once, and a right password takes that back."""
    open_now = Q(locked_until=None) | Q(locked_until__lte=at)
    count = Case(When(locked_until=None, then=F("failures") + 1), default=Value(1))
    last = Q(locked_until=None, failures__gte=rules.PASSWORD_TRIES - 1)
    taken = ECardPassword.objects.filter(open_now, holder_id=holder_id).update(
        failures=count,
        locked_until=Case(When(last, then=Value(at + rules.PASSWORD_LOCK)), default=None),
    )
    return bool(taken)


def _himself(holder_id: UUID, channel: Channel) -> Actor:
    return Actor(id=holder_id, name="持卡人", role=Role.HOLDER, channel=channel)


def _code_hash(phone_index: bytes, purpose: str, code: str) -> bytes:
    return hmac_sm3(keyring().key("sms code", 32), phone_index + f"{purpose}:{code}".encode())


def _peppered(holder_id: UUID, password: str) -> str:
    """Six digits alone would fall to whoever reads the database; the key is not in it."""
    return hmac_sm3(keyring().key("ecard password", 32), holder_id.bytes + password.encode()).hex()


def _record(event: str, holder_id: UUID, by: Actor, at: datetime, **facts: object) -> None:
    subject = f"holder:{holder_id}"
    audit.record(f"identity:{event}", subject=subject, by=by, at=at, holder_id=holder_id, **facts)
