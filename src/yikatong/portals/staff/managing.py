"""What an administrator does for a colleague who cannot log in: never for himself."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from yikatong.core import audit
from yikatong.core.actor import Actor
from yikatong.core.errors import DomainError, NotFound
from yikatong.core.models import StaffUser
from yikatong.core.permissions import Permission, require
from yikatong.portals.staff import actions, guard

_UNKNOWN = "没有这个工作人员账号。请核对用户名后重试。"


class OwnAccount(DomainError):
    """Who has taken over a session of his must not get rid of the second factor by it."""

    code, status = "staff_own_account", 403
    message = (
        "不能为自己重置验证器或解除锁定。"
        "下一步：请另一名系统管理员办理；没有别的管理员时，在服务器上执行 yikatong staff。"
    )


class NoAuthenticator(DomainError):
    code = "staff_no_authenticator"
    message = "这个账号还没有绑定验证器，不需要重置：下次登录时会绑定。"


class NotLocked(DomainError):
    code = "staff_not_locked"
    message = "这个账号没有被锁定。因同一地址失败太多而暂停的，稍后自动恢复。"


class NoReason(DomainError):
    code, status = "staff_reason_missing", 422
    message = "请填写原因，记入审计日志。"


@transaction.atomic
def reset_authenticator(user_id: UUID, *, reason: str, by: Actor, at: datetime) -> StaffUser:
    """手机丢失: his sessions end, and the next log-in binds a new authenticator after the password.

    Raises OwnAccount, NoReason, NoAuthenticator.
    """
    user = _colleague(user_id, reason, by=by)
    if user.totp_secret is None:
        raise NoAuthenticator
    # The secret is part of what keeps a session valid (StaffUser.get_session_auth_hash).
    user.totp_secret, user.totp_confirmed_at, user.totp_last_step = None, None, 0
    user.save(update_fields=["totp_secret", "totp_confirmed_at", "totp_last_step"])
    _note("totp:reset", user, reason, by=by, at=at)
    return user


@transaction.atomic
def release_lock(user_id: UUID, *, reason: str, by: Actor, at: datetime) -> StaffUser:
    """End a lock-out before its time, in every browser. Raises OwnAccount, NoReason, NotLocked."""
    user = _colleague(user_id, reason, by=by)
    login = actions.spelled(user.username)
    if guard.blocked_until(login, at=at) is None:
        raise NotLocked
    guard.release(login)
    _note("lock:released", user, reason, by=by, at=at)
    return user


def id_of(login: str) -> UUID:
    """Of the one with this user name; raises NotFound."""
    user = StaffUser.objects.filter(username__iexact=actions.spelled(login)).first()
    if user is None:
        raise NotFound(_UNKNOWN)
    return UUID(str(user.pk))


def _colleague(user_id: UUID, reason: str, *, by: Actor) -> StaffUser:
    require(by, Permission.STAFF_MANAGE)
    user = StaffUser.objects.select_for_update(no_key=True).filter(pk=user_id).first()
    if user is None:
        raise NotFound(_UNKNOWN)
    if user.pk == by.id:
        raise OwnAccount
    if not reason.strip():
        raise NoReason
    return user


def _note(what: str, user: StaffUser, reason: str, **when: Any) -> None:
    audit.record(f"staff:{what}", subject=f"staff:{user.pk}", reason=reason.strip()[:200], **when)
