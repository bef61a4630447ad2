"""Settle by hand what a bank has answered on paper, and compare it with what its line says when it is back."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import transaction

from yikatong.core import audit
from yikatong.core.actor import SYSTEM, Actor
from yikatong.core.clock import day_of
from yikatong.core.constraints import refusing
from yikatong.core.errors import DomainError, NotFound
from yikatong.registry.banks import requests
from yikatong.registry.banks.connector import Answer
from yikatong.registry.banks.models import BankAct, BankRequest, Contradiction, WrittenAnswer
from yikatong.registry.banks.rules import AccountDiffers, AlreadySettled, Status, number_fault

#: How long a bank may be silent before paper is asked of it; an end that is unknown need not wait.
PATIENCE: Final = timedelta(days=1)
#: How long a paper is compared with the line, once it is back.
COMPARED: Final = timedelta(days=60)
ByHand, Found = WrittenAnswer.Status, Contradiction.Status


class TooEarly(DomainError):
    code = "bank_request_too_early"
    message = "银行还可能自行答复：结果待查，或等待超过 24 小时的请求，才可以按书面答复办结。"


class NotItsTurn(DomainError):
    code = "bank_request_not_its_turn"


class BadAnswer(DomainError):
    code, status = "written_answer_invalid", 422
    message = (
        "请填写银行文书号；答复日期不早于请求当日，不晚于今天；已办理的须写明账户状态，开户的须写明账号。"
    )


class AnswerWaits(DomainError):
    code = "written_answer_waits"
    message = "这个请求已经登记书面答复，正在等待另一名业务主管复核。"


class FourEyesOfAnswer(DomainError):
    code, status = "written_answer_four_eyes", 403
    message = "四眼原则：登记书面答复的人不能自己复核。下一步：请另一名业务主管复核。"


class NotProposed(DomainError):
    code = "written_answer_not_proposed"
    message = "这份书面答复已经复核或退回，不需要再次办理。"


class Settled(DomainError):
    code = "contradiction_settled"
    message = "这项不一致已经处理，不需要再次处理。"


class NoNote(DomainError):
    code, status = "contradiction_note_missing", 422
    message = "请写明与银行核对的经过，至少 4 个字。"


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """A bank's answer on paper. `account` is of an opening; `status` in the words of BankAccount.Status."""

    is_done: bool
    document: str
    answered_on: date
    reason: str = ""
    account: str = ""
    status: str = ""

    def check(self, request: BankRequest, today: date) -> None:
        """Raises BadAnswer."""
        in_time = day_of(request.created_at) <= self.answered_on <= today
        if len(self.document.strip()) < 2 or not in_time:
            raise BadAnswer
        if not self.is_done:
            return
        if request.act == BankAct.OPEN:
            if fault := number_fault(self.account, request.bank.bin):
                raise BadAnswer(f"{fault}，请核对书面答复上的账号。")
        elif self.status not in Status.values:
            raise BadAnswer


@transaction.atomic
def record(request_id: UUID, paper: Paper, *, by: Actor, at: datetime) -> WrittenAnswer:
    """登记 a bank's written answer; it counts once another has confirmed it.

    Raises Forbidden, NotFound, AlreadySettled, TooEarly, BadAnswer, AnswerWaits.
    """
    requests.check_right(by)
    request = _locked(request_id)
    if request.status not in requests.OPEN:
        raise AlreadySettled
    if request.status != BankRequest.Status.UNKNOWN and request.created_at > at - PATIENCE:
        raise TooEarly
    _check_turn(request)
    paper.check(request, day_of(at))
    opened = request.act == BankAct.OPEN and paper.is_done
    with refusing({"written_answer_once": AnswerWaits}):
        written = WrittenAnswer.objects.create(
            request=request,
            is_done=paper.is_done,
            account_number=paper.account if opened else None,
            account_status=(Status.PREOPENED if opened else paper.status) if paper.is_done else "",
            document=paper.document.strip()[:60],
            reason=paper.reason.strip()[:100],
            answered_on=paper.answered_on,
            recorded_at=at,
            recorded_by=by.name,
            recorded_by_id=by.id,
        )
    _note("recorded", written, by=by, at=at)
    return written


@transaction.atomic
def confirm(written_id: UUID, *, by: Actor, at: datetime) -> WrittenAnswer:
    """复核: the request ends as the paper says, and all that follows an answer follows.

    Raises Forbidden, NotFound, NotProposed, FourEyesOfAnswer, AlreadySettled, AccountDiffers.
    """
    request, written = _proposed(written_id, by=by)
    _check_turn(request)
    if written.recorded_by_id == by.id:
        raise FourEyesOfAnswer
    if request.status not in requests.OPEN:
        raise AlreadySettled
    answer = Answer(
        written.is_done, "", written.reason, written.account_number or "", written.account_status, at
    )
    requests.carry(request, answer, by=by, at=at, by_hand=True)
    if request.status == BankRequest.Status.REFUSED and written.is_done:
        raise AccountDiffers(f"书面答复不能采用：{request.reason}。")
    written.status, written.confirmed_at, written.confirmed_by = ByHand.CONFIRMED, at, by.name
    written.save(update_fields=["status", "confirmed_at", "confirmed_by"])
    _note("confirmed", written, by=by, at=at)
    return written


@transaction.atomic
def drop(written_id: UUID, *, by: Actor, at: datetime) -> WrittenAnswer:
    """退回 what was recorded wrongly. Raises Forbidden, NotFound, NotProposed."""
    _, written = _proposed(written_id, by=by)
    written.status = ByHand.DROPPED
    written.save(update_fields=["status"])
    _note("dropped", written, by=by, at=at)
    return written


@transaction.atomic
def compare(request_id: UUID, answer: Answer, *, at: datetime) -> Contradiction | None:
    """The line's own word on a request settled by paper; where the two differ an issue is opened, and nothing else."""
    written = (
        WrittenAnswer.objects.select_for_update(of=("self",), no_key=True)
        .filter(request=request_id, status=ByHand.CONFIRMED)
        .first()
    )
    if written is None or written.verified_at is not None:
        return None
    if (known := Contradiction.objects.filter(written=written).first()) is not None:
        return known
    if _agree(written, answer):
        written.verified_at = at
        written.save(update_fields=["verified_at"])
        return None
    found = Contradiction.objects.create(
        written=written,
        is_done=answer.is_done,
        code=answer.code[:10],
        reason=answer.reason[:100],
        account_number=answer.account or None,
        account_status=answer.status if answer.status in Status.values else "",
        answered_at=answer.at,
        found_at=at,
    )
    _note("contradicted", written, by=SYSTEM, at=at)
    return found


def _agree(written: WrittenAnswer, answer: Answer) -> bool:
    if written.is_done != answer.is_done:
        return False
    if not answer.is_done:
        return True
    if written.account_number:
        return bool(written.account_number == answer.account)
    return not answer.status or answer.status == written.account_status


@transaction.atomic
def keep(contradiction_id: UUID, *, note: str, by: Actor, at: datetime) -> Contradiction:
    """以书面答复为准: what was done by paper stays. Raises Forbidden, NotFound, Settled, NoNote."""
    found = _open(contradiction_id, note, by=by)
    return _settle(found, Found.KEPT, note, by=by, at=at)


@transaction.atomic
def take(contradiction_id: UUID, *, note: str, by: Actor, at: datetime) -> Contradiction:
    """以电子应答为准: the request ends as the line says. Raises also AccountDiffers where that cannot follow."""
    found = _open(contradiction_id, note, by=by)
    request = _locked(found.written.request_id)
    answer = Answer(
        found.is_done, found.code, found.reason, found.account_number or "", found.account_status, at
    )
    if found.is_done and request.act == BankAct.OPEN:
        request.account = None  # the one on paper was none of the bank's
    requests.carry(request, answer, by=by, at=request.settled_at or at)  # it ended when it did
    if found.is_done and request.status == BankRequest.Status.REFUSED:
        raise AccountDiffers(f"电子应答不能采用：{request.reason}。")
    return _settle(found, Found.TAKEN, note, by=by, at=at)


def unverified(*, at: datetime) -> list[WrittenAnswer]:
    """Papers the line has not spoken about yet; with their requests, the oldest first."""
    waiting = WrittenAnswer.objects.filter(
        status=ByHand.CONFIRMED, verified_at=None, contradiction=None, confirmed_at__gte=at - COMPARED
    )
    return list(waiting.select_related("request").order_by("confirmed_at")[:1_000])


def _check_turn(request: BankRequest) -> None:
    """The requests of an account end in their order. Raises NotItsTurn."""
    earlier = BankRequest.objects.filter(
        account__isnull=False, account=request.account_id, serial__lt=request.serial, status__in=requests.OPEN
    )
    if (first := earlier.order_by("serial").first()) is not None:
        raise NotItsTurn(f"同一账户更早的请求 {first.number} 还没有答复，请先办结。")


def _open(contradiction_id: UUID, note: str, *, by: Actor) -> Contradiction:
    requests.check_right(by)
    rows = Contradiction.objects.select_for_update(of=("self",), no_key=True).select_related("written")
    found = rows.filter(pk=contradiction_id).first()
    if found is None:
        raise NotFound
    if found.status != Found.OPEN:
        raise Settled
    if len(note.strip()) < 4:
        raise NoNote
    return found


def _settle(
    found: Contradiction, to: Contradiction.Status, note: str, *, by: Actor, at: datetime
) -> Contradiction:
    found.status, found.note, found.settled_at, found.settled_by = to, note.strip()[:200], at, by.name
    found.save(update_fields=["status", "note", "settled_at", "settled_by"])
    _note(to.value, found.written, by=by, at=at)
    return found


def _proposed(written_id: UUID, *, by: Actor) -> tuple[BankRequest, WrittenAnswer]:
    requests.check_right(by)
    known = WrittenAnswer.objects.filter(pk=written_id).values_list("request", flat=True).first()
    if known is None:
        raise NotFound
    request = _locked(known)
    written = WrittenAnswer.objects.select_for_update(no_key=True).get(pk=written_id)
    if written.status != ByHand.PROPOSED:
        raise NotProposed
    return request, written


def _locked(request_id: UUID) -> BankRequest:
    rows = BankRequest.objects.select_for_update(of=("self",), no_key=True).select_related("bank")
    request = rows.filter(pk=request_id).first()
    if request is None:
        raise NotFound
    return request


def _note(what: str, written: WrittenAnswer, *, by: Actor, at: datetime) -> None:
    audit.record(
        f"banks:written:{what}", subject=f"bank_request:{written.request_id}",
        holder_id=written.request.holder_id, by=by, at=at, document=written.document,
    )  # fmt: skip
