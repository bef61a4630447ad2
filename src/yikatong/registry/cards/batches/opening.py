"""First half of the round: gather the cases of a bank, and have their accounts opened ahead."""

from datetime import date, datetime
from typing import Final
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Count, Exists, OuterRef, Prefetch, Q

from yikatong.core import looks
from yikatong.core.actor import Actor
from yikatong.core.clock import day_of
from yikatong.core.copying import copy_in
from yikatong.core.errors import DomainError, NotFound
from yikatong.core.ids import UUID7_SQL
from yikatong.core.sm.sm3 import sm3
from yikatong.registry.banks.accounts import account_index
from yikatong.registry.banks.models import Bank, BankAccount, BankAct, BankRequest
from yikatong.registry.banks.requests import OPEN
from yikatong.registry.banks.terms import accepting, standing
from yikatong.registry.cards import numbers
from yikatong.registry.cards.batches import files
from yikatong.registry.cards.batches.bulk import (
    check_right,
    check_step,
    is_repeated,
    locked_batch,
    move_cases,
    note_batch,
    pending_rows,
    save_rows,
    void_rows,
    wanted_rows,
)
from yikatong.registry.cards.batches.files import Head, OpenAnswer, OpenRequest
from yikatong.registry.cards.batches.report import ReturnReport, report_of
from yikatong.registry.cards.models import Batch, BatchRow, Case, CaseKind, CaseStatus
from yikatong.registry.cards.rules import keeps_account
from yikatong.registry.holders.models import Guardianship, Holder
from yikatong.registry.holders.queries import certificate_on

BANK_STEP: Final = "银行"
ROWS_MAX: Final = 20_000
_SHOWN: Final = ("姓名", "证件号码", "证件有效期", "手机号码", "国籍", "出生日期", "性别", "通讯地址")
_SHOWN_CHILD: Final = (*_SHOWN, "监护人")

# Oldest first; a case that another act holds is left to the next batch. Keys are UUIDv7 like all others.
_GATHER: Final = f"""
INSERT INTO cards_batchrow (id, batch_id, number, case_id, card_number, result, failed_step, failure, box)
SELECT {UUID7_SQL},
       %s, row_number() OVER (ORDER BY created_at, id), id, '', 'pending', '', '', ''
FROM (
    SELECT c.id, c.created_at FROM cards_case c
    WHERE c.bank_id = %s AND c.kind IN ('apply', 'replace')
      AND (c.status = 'checked' OR c.status = 'preopened' AND c.account_id IS NOT NULL)
      AND NOT EXISTS (SELECT FROM banks_bankrequest b
                      WHERE b.case_id = c.id AND b.act = 'open' AND b.status IN ('waiting', 'unknown'))
      AND NOT EXISTS (SELECT FROM cards_batchrow r WHERE r.case_id = c.id AND r.result = 'pending')
    ORDER BY c.created_at, c.id LIMIT %s FOR NO KEY UPDATE OF c SKIP LOCKED
) waiting
"""  # noqa: S608 - constants


def waiting_by_bank() -> list[tuple[str, int]]:
    """Names of banks and how many of their cases a batch opened now would gather: none of an open batch, none asked for."""
    gathered = BatchRow.objects.filter(case=OuterRef("pk"), result=BatchRow.Result.PENDING)
    asked = BankRequest.objects.filter(case_id=OuterRef("pk"), act=BankAct.OPEN, status__in=OPEN)
    ready = Q(status=CaseStatus.CHECKED) | Q(status=CaseStatus.PREOPENED, account__isnull=False)
    free = ~Exists(gathered) & ~Exists(asked)
    cases = Case.objects.filter(ready, free, kind__in=[CaseKind.APPLY, CaseKind.REPLACE])
    rows = cases.filter(bank__isnull=False).order_by("bank").values_list("bank__name")
    return list(rows.annotate(count=Count("pk")))


class NothingToProduce(DomainError):
    code = "nothing_to_produce"
    message = "该银行没有审核通过、等待制卡的受理单，请审核后再开批次。"


@transaction.atomic
def open_batch(bank_code: str, *, limit: int = ROWS_MAX, by: Actor, at: datetime) -> Batch:
    """Gather up to `limit` checked cases of a bank. Accounts that stay (换卡不换号) need no new opening."""
    check_right(by)
    bank = accepting(bank_code, by=by, at=at)
    batch = Batch.objects.create(number=_number(at), bank=bank, created_at=at)
    with connection.cursor() as cursor:
        cursor.execute(_GATHER, [batch.pk, bank.pk, limit])
        batch.rows = cursor.rowcount
    if not batch.rows:
        raise NothingToProduce
    rows = pending_rows(batch)
    _keep_accounts(rows, bank, by=by, at=at)
    to_open = [row.case.holder_id for row in rows if row.case.account_id is None]
    batch.status = Batch.Status.OPEN if to_open else Batch.Status.PREOPENED
    batch.save(update_fields=["rows", "status"])
    _note_looks(to_open, f"提供给{bank.name}预开户", by=by, at=at)
    note_batch("opened", batch, by=by, at=at, bank=bank.pk, rows=batch.rows)
    return batch


def _note_looks(people: list[UUID], purpose: str, *, by: Actor, at: datetime) -> None:
    """A guardian is told of a child, who opens no account himself."""
    wards = set(Guardianship.objects.filter(ended_at=None, ward__in=people).values_list("ward_id", flat=True))
    for are_wards, fields in ((False, _SHOWN), (True, _SHOWN_CHILD)):
        looks.record(
            [one for one in people if (one in wards) is are_wards],
            by=by,
            at=at,
            purpose=purpose,
            fields=fields,
        )


def _number(at: datetime) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval('cards_batch_number')")
        return f"P{day_of(at):%Y%m%d}{cursor.fetchone()[0]:06d}"


def _keep_accounts(rows: list[BatchRow], bank: Bank, *, by: Actor, at: datetime) -> None:
    """换卡不换号 (Guangdong art. 5): a replacement at the same bank goes on with the account there is."""
    agreed = standing(bank.pk, day_of(at))
    staying = [row.case for row in rows if row.case.account_id is None and keeps_account(row.case, agreed)]
    for case in staying:
        assert case.old_card is not None  # noqa: S101 - `keeps_account` has looked
        case.account = case.old_card.account
    notes = {case.pk: "沿用原账号" for case in staying}
    move_cases(staying, CaseStatus.PREOPENED, by=by, at=at, notes=notes)


def preopening_file(batch_id: UUID) -> bytes:
    """The request to the bank: rows whose account is still to be opened. The same bytes each time until then."""
    batch = Batch.objects.select_related("bank").filter(pk=batch_id).first()
    if batch is None:
        raise NotFound("没有找到这个批次。")
    guardians = Prefetch(
        "case__holder__guardianships", Guardianship.objects.filter(ended_at=None).order_by("-created_at")
    )
    lines = batch.lines.select_related("case__holder").prefetch_related(
        "case__holder__certificates", guardians
    )
    rows = [
        _request(row, batch) for row in lines.filter(case__account=None, result="pending").order_by("number")
    ]
    head = Head(batch.number, batch.bank_id, len(rows), day_of(batch.created_at))
    return files.bank_files().write_requests(head, rows)


def _request(row: BatchRow, batch: Batch) -> OpenRequest:
    holder = row.case.holder
    certificate = certificate_on(holder, day_of(batch.created_at))
    return OpenRequest(
        row=row.number,
        case_number=row.case.number,
        certificate_number=certificate.number,
        certificate_kind=certificate.kind,
        name=holder.name,
        phone=holder.phone or "",
        nationality=holder.nationality,
        valid_from=certificate.valid_from,
        valid_until=certificate.valid_until,
        is_long_term=certificate.is_long_term,
        birth_date=holder.birth_date,
        sex=holder.sex,
        address=holder.address or "",
        guardian=_guardian(holder, day_of(batch.created_at)),
    )


def _guardian(holder: Holder, day: date) -> tuple[str, str, str, str]:
    """Who opens the account for a child, and how they are related; of others nothing."""
    acting = (one for one in holder.guardianships.all() if one.valid_from <= day < one.valid_until)
    found = next(acting, None)
    return (found.name, found.kind, found.number, found.get_ground_display()) if found else ("", "", "", "")


@transaction.atomic
def take_preopening_return(batch_id: UUID, data: bytes, *, by: Actor, at: datetime) -> ReturnReport:
    """Take the bank's answers: accounts opened, or the row fails alone with its reason.

    Raises BadReturn, OtherBatch, WrongTotals or UnknownRow for the file as a whole, and changes nothing then.
    The same file again is harmless.
    """
    check_right(by)
    batch = locked_batch(batch_id)
    if is_repeated(batch.opening_digest, data):
        return report_of(batch, repeated=True)
    check_step(batch, Batch.Status.OPEN, "导入预开户回盘")
    head, answers = files.bank_files().read_answers(data)
    rows = {row.number: row for row in pending_rows(batch) if row.case.account_id is None}
    files.check_whole(head, batch.number, batch.bank_id, [one.row for one in answers], set(rows))
    judged = _judge(answers, batch)
    _apply(rows, judged, batch, by=by, at=at)
    batch.status, batch.opening_digest = Batch.Status.PREOPENED, sm3(data)
    batch.save(update_fields=["status", "opening_digest"])
    report = report_of(batch)
    note_batch("preopening_returned", batch, by=by, at=at, failed=report.failed)
    return report


def _judge(answers: list[OpenAnswer], batch: Batch) -> list[tuple[OpenAnswer, str]]:
    """Each answer with why it fails, "" where it holds."""
    given = [one.account for one in answers if one.account]
    indexes = {account: account_index(account) for account in given}
    known = BankAccount.objects.filter(number_index__in=list(indexes.values()))
    taken = {bytes(index) for index in known.values_list("number_index", flat=True)}
    seen: set[str] = set()
    judged = []
    for one in answers:
        why = one.fault or one.reason or _fault(one.account, batch.bank.bin)
        if not why and (one.account in seen or indexes[one.account] in taken):
            why = "银行返回的账号重复"
        seen.add(one.account)
        judged.append((one, why))
    return judged


def _fault(account: str, prefix: str) -> str:
    if not account:
        return "银行没有返回账号，也没有说明原因"
    return "" if numbers.luhn_ok(account) and account.startswith(prefix) else "银行返回的账号校验不符"


def _apply(
    rows: dict[int, BatchRow], judged: list[tuple[OpenAnswer, str]], batch: Batch, *, by: Actor, at: datetime
) -> None:
    opened, failed = [], []
    for answer, why in judged:
        row = rows[answer.row]
        if why:
            row.result, row.failed_step, row.failure = BatchRow.Result.FAILED, BANK_STEP, why[:100]
            failed.append(row)
        else:
            row.case.account = _account(row.case, answer.account, batch, at)
            opened.append(row)
    copy_in(row.case.account for row in opened if row.case.account)
    opened, gone = wanted_rows(opened)
    failed, lost = wanted_rows(failed)
    move_cases((row.case for row in opened), CaseStatus.PREOPENED, by=by, at=at)
    fail_rows(failed, by=by, at=at)
    void_rows([*gone, *lost], "没有送制卡", by=by, at=at)


def _account(case: Case, number: str, batch: Batch, at: datetime) -> BankAccount:
    index = account_index(number)
    return BankAccount(
        holder_id=case.holder_id, bank=batch.bank, number=number, number_index=index, opened_at=at
    )


def fail_rows(rows: list[BatchRow], *, by: Actor, at: datetime) -> None:
    """Store failed rows; their cases wait for a clerk, with the reason."""
    save_rows(rows)
    notes = {row.case_id: f"{row.failed_step}：{row.failure}" for row in rows}
    move_cases((row.case for row in rows), CaseStatus.FAILED, by=by, at=at, notes=notes)
