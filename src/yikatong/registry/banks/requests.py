"""Requests to banks: written in the transaction of the act, sent by a job after it, settled by the bank's answer.

A bank that is away delays a request and loses none; nobody at a counter waits for it.
"""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Exists, F, OuterRef, QuerySet
from procrastinate.contrib.django import app as jobs

from yikatong.core import audit
from yikatong.core.actor import SYSTEM, Actor
from yikatong.core.asking import Question
from yikatong.core.clock import day_of
from yikatong.core.errors import NotFound
from yikatong.core.models import AuditEntry
from yikatong.core.permissions import Permission, require
from yikatong.core.storing import store
from yikatong.registry.banks import accounts
from yikatong.registry.banks.connector import Answer, Wanted
from yikatong.registry.banks.models import Bank, BankAccount, BankAct, BankRequest
from yikatong.registry.banks.rules import AccountDiffers, AlreadySettled, ProvinceOnly, Status, retry_after
from yikatong.registry.holders.queries import surviving
from yikatong.registry.regions.law import province

Asked = BankRequest.Status
OPEN: Final = (Asked.WAITING, Asked.UNKNOWN)
SEND: Final = "banks.send"
#: Who asked for an account listens under this name; cases stand above banks, so the task is named.
OPENED: Final = "cards.account_answered"
#: How long a call may take until another worker may think its caller dead.
LEASE: Final = timedelta(seconds=60)


@transaction.atomic(savepoint=False)
def ask(  # noqa: PLR0913 - the columns of a request
    act: BankAct,
    bank: Bank,
    *,
    holder_id: UUID,
    account: BankAccount | None = None,
    case_id: UUID | None = None,
    content: Mapping[str, Any] | None = None,
    ends_at: datetime | None = None,
    by: Actor,
    at: datetime,
) -> BankRequest:
    """Write a request down, and have it sent once the caller's transaction has committed."""
    serial = _next_serial()
    said = dict(content or {}) | ({"account": account.number} if account else {})
    said |= {"until": ends_at.isoformat()} if ends_at else {}
    request = BankRequest(
        number=f"{bank.pk}{day_of(at):%Y%m%d}{serial:010d}",
        serial=serial,
        bank=bank,
        act=act,
        holder_id=holder_id,
        account=account,
        case_id=case_id,
        content=json.dumps(said, ensure_ascii=False, sort_keys=True),
        ends_at=ends_at,
        next_try_at=at,
        created_at=at,
        created_by=by.name,
    )
    store(request, _said("asked", request, by=by, at=at))
    send_soon(bank.pk)
    return request


def send_soon(bank_code: str) -> None:
    """Have the bank's requests sent; of one bank one after another, so that its acts keep their order."""
    jobs.configure_task(SEND, queue="banks", lock=f"bank:{bank_code}").defer(bank=bank_code)


def _due(bank_code: str, at: datetime) -> QuerySet[BankRequest]:
    earlier = BankRequest.objects.filter(
        account=OuterRef("account"), serial__lt=OuterRef("serial"), status__in=OPEN
    )
    due = BankRequest.objects.filter(~Exists(earlier), bank=bank_code, status__in=OPEN, next_try_at__lte=at)
    return due.select_for_update(skip_locked=True, no_key=True).order_by("serial")[:1]


_DUE: Final = Question(_due, str, datetime)
_REQUEST: Final = Question(
    lambda key: (
        BankRequest.objects.select_for_update(of=("self",), no_key=True).select_related("bank").filter(pk=key)
    ),
    UUID,
)


@transaction.atomic
def claim(bank_code: str, *, at: datetime) -> BankRequest | None:
    """The bank's next request that is due, ours for `LEASE`; None when none is.

    A request waits for the earlier ones of its account: a release must not overtake its loss.
    """
    request = _DUE.first(bank_code, at)
    if request is None:
        return None
    request.tries += 1
    request.next_try_at = at + LEASE
    store(changed={request: ["tries", "next_try_at"]})
    return request


def wanted(request: BankRequest) -> Wanted:
    """The request as the bank sees it, the same in every sending."""
    return Wanted(request.number, request.bank_id, request.act, json.loads(request.content))


@transaction.atomic
def put_off(request_id: UUID, *, maybe_done: bool, trouble: str, at: datetime) -> BankRequest:
    """No answer: try again later. `maybe_done`: the bank may have acted, so it is asked before it is told again."""
    request = BankRequest.objects.select_for_update(no_key=True).get(pk=request_id)
    if request.status in OPEN:
        request.status = Asked.UNKNOWN if maybe_done else request.status
        request.trouble = trouble[:100]
        request.next_try_at = at + retry_after(request.tries)
        request.save(update_fields=["status", "trouble", "next_try_at"])
    return request


@transaction.atomic
def settle(request_id: UUID, answer: Answer, *, at: datetime) -> BankRequest:
    """The bank's answer, taken once; one that comes after a paper is compared with it by `replies`."""
    request = _REQUEST.first(request_id)
    if request is None:
        raise BankRequest.DoesNotExist
    return carry(request, answer, by=SYSTEM, at=at) if request.status in OPEN else request


def carry(
    request: BankRequest, answer: Answer, *, by: Actor, at: datetime, by_hand: bool = False
) -> BankRequest:
    """End a locked request as the answer says: the account follows, and whoever asked for one is told."""
    request.status = Asked.DONE if answer.is_done else Asked.REFUSED
    request.code, request.reason, request.trouble = answer.code[:10], answer.reason[:100], ""
    try:
        with transaction.atomic():
            _follow(request, answer, at=at)
    except AccountDiffers as difference:
        request.status, request.reason = Asked.REFUSED, difference.message[:100]
    request.settled_at, request.by_hand = at, by_hand
    said = _said(request.status, request, by=by, at=at, code=request.code, by_hand=by_hand)
    changed = ["status", "code", "reason", "trouble", "account", "settled_at", "by_hand"]
    store(said, changed={request: changed})
    accounts.follow_holds(request, at=at)
    if request.case_id is not None:
        jobs.configure_task(OPENED, allow_unknown=True).defer(request_id=str(request.pk))
    return request


def _follow(request: BankRequest, answer: Answer, *, at: datetime) -> None:
    if not answer.is_done:
        return
    if request.act == BankAct.OPEN:
        request.account = accounts.opened(request.bank, surviving(request.holder_id), answer.account, at=at)
    elif request.account_id is not None and answer.status in Status.values:
        ended = request.ends_at is not None and request.ends_at <= at
        if not (ended and answer.status == Status.LOST):
            accounts.follow(request.account_id, Status(answer.status), at=at)


def check_right(by: Actor) -> None:
    """Requests go to a bank for the whole province."""
    require(by, Permission.BANK_MANAGE)
    if not province().code.startswith(by.scope):
        raise ProvinceOnly


@transaction.atomic
def retry_now(request_id: UUID, *, by: Actor, at: datetime) -> BankRequest:
    """A member of staff does not want to wait for the next try."""
    check_right(by)
    request = BankRequest.objects.select_for_update(no_key=True).filter(pk=request_id).first()
    if request is None:
        raise NotFound
    if request.status not in OPEN:
        raise AlreadySettled
    request.next_try_at = at
    request.save(update_fields=["next_try_at"])
    store(_said("retried", request, by=by, at=at))
    send_soon(request.bank_id)
    return request


def banks_due(*, at: datetime) -> list[str]:
    """Banks with a request whose time has come."""
    due: QuerySet[BankRequest] = BankRequest.objects.filter(status__in=OPEN, next_try_at__lte=at)
    return sorted(set(due.values_list("bank_id", flat=True)))


def waiting() -> QuerySet[BankRequest]:
    """All that is not settled, the oldest first."""
    return BankRequest.objects.filter(status__in=OPEN).select_related("bank").order_by("serial")


def refused() -> QuerySet[BankRequest]:
    return (
        BankRequest.objects.filter(status=Asked.REFUSED).select_related("bank").order_by(F("serial").desc())
    )


def _next_serial() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval('banks_request_serial')")
        return int(cursor.fetchone()[0])


def _said(what: str, request: BankRequest, *, by: Actor, at: datetime, **facts: Any) -> AuditEntry:
    return audit.entry(
        f"banks:request:{what}", subject=f"bank_request:{request.pk}", holder_id=request.holder_id, by=by, at=at,
        act=str(request.act), number=request.number, **facts,
    )  # fmt: skip
