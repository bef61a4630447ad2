"""Move many cases at once, each with its step and audit; and the batch's own row."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any, Final
from uuid import UUID

from django.db import connection

from yikatong.core import audit
from yikatong.core.actor import Actor
from yikatong.core.clock import day_of
from yikatong.core.copying import copy_in
from yikatong.core.errors import DomainError, Forbidden, NotFound
from yikatong.core.models import AuditEntry
from yikatong.core.permissions import Permission, require
from yikatong.core.sm.sm3 import sm3
from yikatong.registry.banks import actions as banks
from yikatong.registry.cards import rules
from yikatong.registry.cards.actions.moves import close_escalations, move_case
from yikatong.registry.cards.models import CASE_TRANSITIONS, Batch, BatchRow, Case, CaseStatus, CaseStep
from yikatong.registry.holders.models import Holder
from yikatong.registry.regions.calendar import calendar
from yikatong.registry.regions.law import province

# One statement for many rows: an UPDATE that spells out each row is some fifty times slower.
_MOVE: Final = """
UPDATE cards_case c SET status = %s, step_due_on = v.due_on, account_id = v.account, card_id = v.card
FROM unnest(%s::uuid[], %s::date[], %s::uuid[], %s::uuid[]) AS v (id, due_on, account, card) WHERE c.id = v.id
"""
_SAVE: Final = """
UPDATE cards_batchrow r SET card_number = v.card_number, result = v.result, failed_step = v.step,
    failure = v.failure, box = v.box, position = v.position
FROM unnest(%s::uuid[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[], %s::smallint[])
    AS v (id, card_number, result, step, failure, box, position) WHERE r.id = v.id
"""


#: 失败环节 of a row whose holder is not there any more.
HOLDER_STEP: Final = "持卡人"


class WrongBatchStep(DomainError):
    """facts: status."""

    code = "batch_step_wrong"


class AlreadyReturned(DomainError):
    code = "batch_already_returned"
    message = "本批次已经收到另一份回盘文件，不能再次导入，请核对批次号；同一文件重复导入不受影响。"


class ProvinceOnly(Forbidden):
    code = "batch_is_the_provinces"
    message = "制卡批次包含全省持卡人的信息，只能由省级岗位办理，请转省级业务主管。"


def check_right(by: Actor) -> None:
    """A batch gathers a bank's cases of the whole province, and its files name them all in clear."""
    require(by, Permission.BATCH_PRODUCE)
    if not province().code.startswith(by.scope):
        raise ProvinceOnly


def locked_batch(batch_id: UUID) -> Batch:
    found = Batch.objects.select_for_update(of=("self",)).select_related("bank").filter(pk=batch_id).first()
    if found is None:
        raise NotFound("没有找到这个批次。")
    return found


def check_step(batch: Batch, wanted: Batch.Status, verb: str) -> None:
    if batch.status != wanted:
        label = Batch.Status(batch.status).label
        raise WrongBatchStep(
            f"批次当前为“{label}”，不能{verb}，请核对批次号和当前步骤。", status=batch.status
        )


def is_repeated(taken: bytes | memoryview | None, data: bytes) -> bool:
    """Whether this very file was taken before; raises AlreadyReturned for another one."""
    if taken is None:
        return False
    if bytes(taken) != sm3(data):
        raise AlreadyReturned
    return True


def move_cases(
    cases: Iterable[Case], to: CaseStatus, *, by: Actor, at: datetime, notes: Mapping[UUID, str] | None = None
) -> int:
    """Move locked cases along their table; each must be allowed to. `notes` by case key."""
    moved, day = list(cases), day_of(at)
    workday = cache(calendar(day).add)  # a batch asks for the same day twenty thousand times
    close_escalations(moved, at=at)
    for case in moved:
        if to not in CASE_TRANSITIONS[CaseStatus(case.status)]:
            raise rules.case_refusal(case.status, to)
        case.step_due_on = rules.due_on(case, to, day, province(), workday)
        case.status = to
    if moved:
        values = ((one.pk, one.step_due_on, one.account_id, one.card_id) for one in moved)
        _execute(_MOVE, [to.value, *zip(*values, strict=True)])
    said = notes or {}
    copy_in(_step(case, to, by, at, said.get(case.pk, "")) for case in moved)
    audit.record_all(_entry(case, to, by, at) for case in moved)
    return len(moved)


def save_rows(rows: Sequence[BatchRow]) -> None:
    """Store what has become of rows, all at once."""
    values = ((r.pk, r.card_number, r.result, r.failed_step, r.failure, r.box, r.position) for r in rows)
    if rows:
        _execute(_SAVE, [*zip(*values, strict=True)])


def _execute(statement: str, parameters: Sequence[Any]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, [list(one) if isinstance(one, tuple) else one for one in parameters])


def _step(case: Case, to: CaseStatus, by: Actor, at: datetime, note: str) -> CaseStep:
    return CaseStep(case=case, at=at, status=to, actor_name=by.name, channel=by.channel, note=note[:200])


def _entry(case: Case, to: CaseStatus, by: Actor, at: datetime) -> AuditEntry:
    facts = {"kind": str(case.kind)}
    subject = f"case:{case.pk}"
    return audit.entry(f"cards:case:{to}", subject=subject, holder_id=case.holder_id, by=by, at=at, **facts)


def pending_rows(batch: Batch) -> list[BatchRow]:
    """Rows without a fate yet, with all that a file needs, locked with their cases."""
    rows = batch.lines.filter(result=BatchRow.Result.PENDING).order_by("number")
    related = ("case__holder", "case__account", "case__bank", "case__outlet", "case__old_card__account")
    return list(rows.select_for_update(of=("self", "case"), no_key=True).select_related(*related))


def wanted_rows(rows: Iterable[BatchRow]) -> tuple[list[BatchRow], list[BatchRow]]:
    """Rows whose holder is there, and those whose holder has died, left or been merged while his case was away."""
    here: list[BatchRow] = []
    gone: list[BatchRow] = []
    for row in rows:
        (here if row.case.holder.status == Holder.Status.ACTIVE else gone).append(row)
    return here, gone


def void_rows(rows: Sequence[BatchRow], what: str, *, by: Actor, at: datetime) -> None:
    """Nobody waits for these cards any more: the row fails with its reason, the case ends, its account is closed.

    `what` says what became of the card; a case that lay with the maker fails first.
    """
    for row in rows:
        said = f"持卡人登记为“{row.case.holder.get_status_display()}”，{what}"
        row.result, row.failed_step, row.failure = BatchRow.Result.FAILED, HOLDER_STEP, said
    save_rows(rows)
    for row in rows:
        case, said = row.case, row.failure
        ways = CASE_TRANSITIONS[CaseStatus(case.status)]
        if CaseStatus.WITHDRAWN not in ways:
            case = move_case(case, CaseStatus.FAILED, by=by, at=at, note=said)
        to = CaseStatus.WITHDRAWN if CaseStatus.WITHDRAWN in ways else CaseStatus.REJECTED
        move_case(case, to, by=by, at=at, note=said, account=case.account)
        banks.close_unused(case.account_id, by=by, at=at)


def note_batch(what: str, batch: Batch, *, by: Actor, at: datetime, **facts: Any) -> None:
    audit.record(f"cards:batch:{what}", subject=f"batch:{batch.pk}", by=by, at=at, **facts)
