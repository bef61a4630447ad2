"""Agreements: written down by one, confirmed by another, never edited afterwards; each step in the audit log."""

from collections.abc import Collection, Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from yikatong.core import audit
from yikatong.core.actor import Actor
from yikatong.core.clock import day_of
from yikatong.core.constraints import refusing
from yikatong.core.errors import DomainError, NotFound
from yikatong.registry.banks.models import Agreement, Bank
from yikatong.registry.banks.requests import check_right
from yikatong.registry.banks.rules import NoBank
from yikatong.registry.regions.models import Outlet

Status = Agreement.Status


class BadAgreement(DomainError):
    code, status = "agreement_invalid", 422
    message = "协议的有效期至不能早于生效日期。请核对起止日期。"


class NumberTaken(DomainError):
    code, status = "agreement_number_taken", 422
    message = "这个协议编号已经登记，请核对编号。"


class NotADraft(DomainError):
    code = "agreement_not_draft"
    message = "这份协议已经复核或退回，不需要再次办理；请刷新列表。"


class FourEyesOfAgreement(DomainError):
    code, status = "agreement_four_eyes", 403
    message = "四眼原则：录入人不能复核自己录入的协议。下一步：请另一名业务主管复核。"


class LaterAgreement(DomainError):
    code = "agreement_later_exists"
    message = "该银行已有生效日期相同或更晚的协议，请先核对。"


class CannotEnd(DomainError):
    code = "agreement_cannot_end"
    message = "只能提前终止已复核的协议；请填写不早于今天和生效日期、早于届满日期的终止日期。"


class NoReason(DomainError):
    code, status = "agreement_reason_missing", 422
    message = "请填写原因，至少 4 个字。"


@transaction.atomic
def draft(  # noqa: PLR0913 - what an agreement consists of
    bank_code: str,
    *,
    number: str,
    valid_from: date,
    valid_until: date,
    promises: Mapping[str, Any],
    outlets: Collection[UUID] = (),
    by: Actor,
    at: datetime,
) -> Agreement:
    """Write an agreement down; it holds once another has confirmed it. `promises`: columns of Agreement.

    Raises Forbidden, NoBank, BadAgreement, NumberTaken.
    """
    check_right(by)
    if not Bank.objects.filter(pk=bank_code).exists():
        raise NoBank
    if valid_until <= valid_from:
        raise BadAgreement
    if Agreement.objects.filter(number=number).exists():
        raise NumberTaken
    agreement = Agreement(
        bank_id=bank_code, number=number, valid_from=valid_from, valid_until=valid_until, **promises
    )
    agreement.drafted_at, agreement.drafted_by, agreement.drafted_by_id = at, by.name, by.id
    with refusing({"banks_agreement_number_key": NumberTaken}):
        agreement.save(force_insert=True)
    agreement.outlets.set(Outlet.objects.filter(pk__in=outlets))
    _note("drafted", agreement, by=by, at=at)
    return agreement


@transaction.atomic
def confirm(agreement_id: UUID, *, by: Actor, at: datetime) -> Agreement:
    """复核: another has compared it with the paper. The one it follows ends on the day it begins.

    Raises Forbidden, NotADraft, FourEyesOfAgreement, LaterAgreement.
    """
    agreement = _drafted(agreement_id, by=by)
    if agreement.drafted_by_id == by.id:
        raise FourEyesOfAgreement
    mine = Agreement.objects.filter(bank=agreement.bank_id, status=Status.CONFIRMED)
    begins = agreement.valid_from
    running = mine.filter(
        Q(ended_at=None, valid_until__gt=begins) | Q(ended_at__isnull=False, ends_on__gt=begins)
    )
    if running.filter(valid_from__gte=begins).exists():
        raise LaterAgreement
    for older in running:
        older.ends_on, older.end_reason = begins, f"由协议 {agreement.number} 接替"
        older.end_asked_by, older.ended_at, older.ended_by = agreement.drafted_by, at, by.name
        older.save()
        _note("succeeded", older, by=by, at=at)
    agreement.status, agreement.confirmed_at, agreement.confirmed_by = Status.CONFIRMED, at, by.name
    agreement.save(update_fields=["status", "confirmed_at", "confirmed_by"])
    _note("confirmed", agreement, by=by, at=at)
    return agreement


@transaction.atomic
def drop(agreement_id: UUID, *, by: Actor, at: datetime) -> Agreement:
    """退回 a draft, also by who wrote it. Raises Forbidden, NotADraft."""
    agreement = _drafted(agreement_id, by=by)
    agreement.status = Status.DROPPED
    agreement.save(update_fields=["status"])
    _note("dropped", agreement, by=by, at=at)
    return agreement


@transaction.atomic
def ask_end(agreement_id: UUID, *, on: date, reason: str, by: Actor, at: datetime) -> Agreement:
    """提前终止 from this day on; it holds until another has confirmed. Raises Forbidden, CannotEnd, NoReason."""
    agreement = _locked(agreement_id, by=by)
    begins = max(day_of(at), agreement.valid_from)
    if agreement.status != Status.CONFIRMED or agreement.ended_at or not begins <= on < agreement.valid_until:
        raise CannotEnd
    if len(reason.strip()) < 4:
        raise NoReason
    agreement.ends_on, agreement.end_reason = on, reason.strip()[:200]
    agreement.end_asked_by, agreement.end_asked_by_id = by.name, by.id
    agreement.save(update_fields=["ends_on", "end_reason", "end_asked_by", "end_asked_by_id"])
    _note("end_asked", agreement, by=by, at=at)
    return agreement


@transaction.atomic
def confirm_end(agreement_id: UUID, *, by: Actor, at: datetime) -> Agreement:
    """Another confirms the early end; not before today. Raises Forbidden, CannotEnd, FourEyesOfAgreement."""
    agreement = _locked(agreement_id, by=by)
    if agreement.ends_on is None or agreement.ended_at is not None:
        raise CannotEnd
    if agreement.end_asked_by_id == by.id:
        raise FourEyesOfAgreement
    agreement.ends_on = max(agreement.ends_on, day_of(at))
    agreement.ended_at, agreement.ended_by = at, by.name
    agreement.save(update_fields=["ends_on", "ended_at", "ended_by"])
    _note("ended", agreement, by=by, at=at)
    return agreement


def _drafted(agreement_id: UUID, *, by: Actor) -> Agreement:
    agreement = _locked(agreement_id, by=by)
    if agreement.status != Status.DRAFT:
        raise NotADraft
    return agreement


def _locked(agreement_id: UUID, *, by: Actor) -> Agreement:
    """The agreement, behind the row of its bank: one act on a bank's agreements after another."""
    check_right(by)
    bank = Agreement.objects.filter(pk=agreement_id).values_list("bank", flat=True).first()
    if bank is None:
        raise NotFound("没有找到这份协议。")
    Bank.objects.select_for_update(no_key=True).get(pk=bank)
    return Agreement.objects.select_for_update(no_key=True).get(pk=agreement_id)


def _note(what: str, agreement: Agreement, *, by: Actor, at: datetime) -> None:
    facts = {"bank": agreement.bank_id, "number": agreement.number}
    audit.record(f"banks:agreement:{what}", subject=f"agreement:{agreement.pk}", by=by, at=at, **facts)
