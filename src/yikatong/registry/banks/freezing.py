"""Freeze and unfreeze an account by the order of an authority, or because its owner has died."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from yikatong.core import audit
from yikatong.core.actor import Actor
from yikatong.core.clock import day_of
from yikatong.core.constraints import refusing
from yikatong.core.errors import DomainError, NotFound
from yikatong.registry.banks import requests, rules, terms
from yikatong.registry.banks.holds import STANDING, Hold
from yikatong.registry.banks.models import Agreement, BankAccount, BankAct
from yikatong.registry.banks.rules import Status

Authority, Held = Hold.Authority, Hold.Status


class BadOrder(DomainError):
    code, status = "freeze_order_invalid", 422
    message = "请填写有权机关、机关名称、文书号和事由；文书日期不晚于今天，冻结期限不早于今天。"


class HeldAlready(DomainError):
    code = "freeze_order_known"
    message = "这份文书已经登记冻结，不需要重复办理。"


class AccountClosed(DomainError):
    code = "freeze_account_closed"
    message = "该账户已经销户，不能冻结，请核对账户。"


class NotHeld(DomainError):
    code = "freeze_not_standing"
    message = "这项冻结已经解除或银行没有办理，不需要解冻；请刷新列表。"


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What the authority's paper says. `until` is the last day, None for no end named."""

    authority: str
    authority_name: str
    document: str
    reason: str
    contact: str = ""
    ordered_on: date
    until: date | None = None

    def check(self, today: date) -> None:
        """Raises BadOrder."""
        texts = (self.authority_name, self.document, self.reason)
        known = self.authority in set(Authority.values) - {Authority.DEATH}
        in_time = self.ordered_on <= today and (self.until is None or self.until >= today)
        if not known or not in_time or any(len(one.strip()) < 2 for one in texts):
            raise BadOrder


@transaction.atomic
def freeze(account_id: UUID, order: Order, *, by: Actor, at: datetime) -> Hold:
    """冻结: ask the bank to hold the account; it is held once the bank has said so.

    Raises Forbidden, NotFound, BadOrder, BankNotOnline, AccountClosed, HeldAlready.
    """
    requests.check_right(by)
    order.check(day_of(at))
    account = _locked(account_id)
    if not terms.standing(account.bank_id, day_of(at)).is_online:
        raise rules.not_online(account.bank)
    if account.status == Status.CLOSED:
        raise AccountClosed
    words: dict[str, Any] = {
        "authority": order.authority,
        "authority_name": order.authority_name.strip()[:60],
        "document": order.document.strip()[:60],
        "reason": order.reason.strip()[:200],
        "contact": order.contact.strip()[:30],
        "ordered_on": order.ordered_on,
        "until": order.until,
    }
    return _hold(account, BankAct.FREEZE, words, by=by, at=at)


@transaction.atomic
def unfreeze(hold_id: UUID, *, document: str, reason: str, by: Actor, at: datetime) -> Hold:
    """解冻 by the authority's paper. Where another order still stands the account stays held.

    Raises Forbidden, NotFound, NotHeld, BadOrder.
    """
    requests.check_right(by)
    known = Hold.objects.filter(pk=hold_id).values_list("account", flat=True).first()
    if known is None:
        raise NotFound("没有找到这项冻结。")
    account = _locked(known)
    hold = Hold.objects.select_for_update(no_key=True).get(pk=hold_id)
    if hold.status not in STANDING or hold.authority == Authority.DEATH:
        raise NotHeld
    if len(document.strip()) < 2 or len(reason.strip()) < 2:
        raise BadOrder("请填写解冻文书号和事由。")
    return _lift(hold, account, document.strip()[:60], reason.strip()[:200], by=by, at=at)


def hold_for_death(account_ids: Iterable[UUID], *, by: Actor, at: datetime) -> list[Hold]:
    """Its owner has died: the bank freezes or stops the account, as agreed; where nothing is agreed, nothing is asked."""
    held = []
    for account_id in sorted(set(account_ids)):
        account = _locked(account_id)
        agreed = terms.standing(account.bank_id, day_of(at)).on_death
        if agreed == Agreement.OnDeath.APART or account.status == Status.CLOSED:
            continue
        if account.holds.filter(authority=Authority.DEATH, status__in=STANDING).exists():
            continue
        words = {
            "authority": Authority.DEATH,
            "authority_name": "社会保障卡平台",
            "document": f"死亡登记 {day_of(at):%Y%m%d}",
            "reason": "持卡人死亡",
            "ordered_on": day_of(at),
        }
        held.append(_hold(account, BankAct(agreed), words, by=by, at=at))
    return held


def lift_for_life(
    account_ids: Iterable[UUID], *, stays_stopped: frozenset[UUID] = frozenset(), by: Actor, at: datetime
) -> list[Hold]:
    """The death was none: what it alone held is free again. `stays_stopped`: accounts of cards that are lost."""
    lifted = []
    for account_id in sorted(set(account_ids)):
        account = _locked(account_id)
        for hold in account.holds.filter(authority=Authority.DEATH, status__in=STANDING):
            if hold.is_stop and account_id in stays_stopped:
                hold.status, hold.lifted_at, hold.lift_reason = (
                    Held.LIFTED,
                    at,
                    "恢复登记；卡片挂失中，账户仍停用",
                )
                hold.save(update_fields=["status", "lifted_at", "lift_reason"])
                continue
            lifted.append(_lift(hold, account, "恢复登记", "死亡登记已撤销", by=by, at=at))
    return lifted


def _hold(account: BankAccount, act: BankAct, words: dict[str, Any], *, by: Actor, at: datetime) -> Hold:
    request = requests.ask(act, account.bank, holder_id=account.holder_id, account=account, by=by, at=at)
    with refusing({"hold_once_by_a_document": HeldAlready}):
        hold = Hold.objects.create(
            account=account,
            request=request,
            is_stop=act != BankAct.FREEZE,
            asked_at=at,
            asked_by=by.name,
            **words,
        )
    _note("asked", hold, account, by=by, at=at)
    return hold


def _lift(hold: Hold, account: BankAccount, document: str, reason: str, *, by: Actor, at: datetime) -> Hold:
    """Ask the bank, unless another order of the same kind still holds the account."""
    others = account.holds.filter(status__in=STANDING, is_stop=hold.is_stop).exclude(pk=hold.pk)
    hold.lift_document, hold.lift_reason = document, reason
    hold.lift_asked_at, hold.lift_asked_by = at, by.name
    if others.exists():
        hold.status, hold.lifted_at = Held.LIFTED, at
    else:
        act = BankAct.RELEASE if hold.is_stop else BankAct.UNFREEZE
        hold.lift_request = requests.ask(
            act, account.bank, holder_id=account.holder_id, account=account, by=by, at=at
        )
        hold.status = Held.LIFTING
    hold.save()
    _note("lifted" if hold.status == Held.LIFTED else "lifting", hold, account, by=by, at=at)
    return hold


def seen_by(holder_id: UUID) -> list[Hold]:
    """What holds a holder's accounts now, for himself to see: by whom, on what paper, and whom to ask."""
    standing = Hold.objects.filter(account__holder_id=holder_id, status__in=[*STANDING, Held.LIFTING])
    return list(standing.select_related("account__bank").order_by("asked_at", "pk"))


def _locked(account_id: UUID) -> BankAccount:
    accounts = BankAccount.objects.select_for_update(of=("self",), no_key=True).select_related("bank")
    account = accounts.filter(pk=account_id).first()
    if account is None:
        raise NotFound("没有找到这个金融账户。")
    return account


def _note(what: str, hold: Hold, account: BankAccount, *, by: Actor, at: datetime) -> None:
    facts = {"authority": str(hold.authority), "document": hold.document}
    audit.record(
        f"banks:hold:{what}", subject=f"hold:{hold.pk}", holder_id=account.holder_id, by=by, at=at, **facts
    )
