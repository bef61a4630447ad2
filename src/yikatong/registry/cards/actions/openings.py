"""预开户 over the line: asked for once a case is approved, and what the bank answers moves the case on."""

from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import transaction

from yikatong.core import looks
from yikatong.core.actor import SYSTEM, Actor
from yikatong.core.clock import day_of
from yikatong.registry.banks import actions as banks
from yikatong.registry.banks import requests, terms
from yikatong.registry.banks.models import BankAct, BankRequest
from yikatong.registry.cards import rules
from yikatong.registry.cards.actions.moves import move_case
from yikatong.registry.cards.models import Case, CaseKind, CaseStatus
from yikatong.registry.holders.queries import certificate_on

_SHOWN: Final = ("姓名", "证件号码", "手机号码")


def ask_for_account(case: Case, *, by: Actor, at: datetime) -> Case:
    """Of an approved case: keep the account (换卡不换号), or ask the bank for one. A bank by file waits for its batch."""
    bank = case.bank
    if bank is None or case.kind not in {CaseKind.APPLY, CaseKind.REPLACE}:
        return case
    agreed = terms.standing(bank.pk, day_of(at))
    if not agreed.is_online:
        return case
    if rules.keeps_account(case, agreed):
        assert case.old_card is not None  # noqa: S101 - `keeps_account` has looked
        account = case.old_card.account
        return move_case(case, CaseStatus.PREOPENED, by=SYSTEM, at=at, note="沿用原账号", account=account)
    holder = case.holder
    certificate = certificate_on(holder, day_of(at))
    banks.open_online(
        bank,
        holder_id=holder.pk,
        case_id=case.pk,
        certificate=certificate.number,
        name=holder.name,
        phone=holder.phone or "",
        by=by,
        at=at,
    )
    looks.record(holder.pk, by=by, at=at, purpose=f"提供给{bank.name}预开户", fields=_SHOWN)
    return case


@transaction.atomic
def account_answered(request_id: UUID, *, at: datetime) -> Case | None:
    """The bank has answered an opening: the case goes on, or waits for a clerk with the bank's reason. Idempotent.

    An account opened for a case that has since been withdrawn is closed again.
    """
    request = BankRequest.objects.select_related("bank", "account").get(pk=request_id)
    if request.case_id is None:
        return None
    case = Case.objects.select_for_update(of=("self",), no_key=True).filter(pk=request.case_id).first()
    if case is None or (request.account_id is not None and case.account_id == request.account_id):
        return case
    if case.status == CaseStatus.CHECKED and request.account is not None:
        note = "银行已联机开户"
        return move_case(case, CaseStatus.PREOPENED, by=SYSTEM, at=at, note=note, account=request.account)
    again = BankRequest.objects.filter(case_id=request.case_id, serial__gt=request.serial)
    if case.status == CaseStatus.CHECKED and not again.exists():  # a clerk may have asked anew since
        return move_case(case, CaseStatus.FAILED, by=SYSTEM, at=at, note=f"银行：{request.reason}")
    if request.account is not None and not request.account.requests.filter(act=BankAct.CLOSE).exists():
        requests.ask(
            BankAct.CLOSE,
            request.bank,
            holder_id=request.holder_id,
            account=request.account,
            by=SYSTEM,
            at=at,
        )
    return case
