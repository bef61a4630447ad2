"""How a case gets on, as its holder and the desk follow it: each step with its owner, its limit and what is next."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from yikatong.core.clock import day_of
from yikatong.core.workdays import Calendar
from yikatong.registry.cards import elsewhere, rules
from yikatong.registry.cards.models import CLOCKED, Case, CaseKind, CaseStatus
from yikatong.registry.regions.calendar import calendar
from yikatong.registry.regions.law import province
from yikatong.registry.regions.profile import Limits
from yikatong.registry.regions.queries import full_name

WAY: Final = (
    (CaseStatus.SUBMITTED, "提交申请与审核"),
    (CaseStatus.CHECKED, "银行预开户"),
    (CaseStatus.PREOPENED, "排入制卡批次"),
    (CaseStatus.PRODUCING, "制卡"),
    (CaseStatus.READY, "到网点领取"),
    (CaseStatus.DONE, "启用办结"),
)
_PLACES: Final = {
    CaseStatus.DRAFT: 0,
    CaseStatus.CORRECTING: 0,
    CaseStatus.FAILED: 3,
    CaseStatus.DONE: len(WAY),
} | {status: place for place, (status, _) in enumerate(WAY[:-1])}


@dataclass(frozen=True, slots=True)
class PlanStep:
    """`state` is done, now, paused or todo; `due_on` of a step to come is what it will be if all keep their limits."""

    state: str
    label: str
    owner: str
    limit: str
    due_on: date | None
    is_expected: bool


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a case stands: who has to move, until when, how late, and what comes next."""

    owner: str
    due_on: date | None
    is_expected: bool
    days_late: int  # working days
    days_left: int | None  # working days, while an office's time runs
    is_paused: bool
    next_step: str
    plan: list[PlanStep]
    elsewhere: str  # of a 通办件: who has taken it, who issues it, where it is fetched


def progress(case: Case, *, at: datetime) -> Progress:
    """Of a case read with bank and outlet."""
    day = day_of(at)
    days = calendar(day, until=case.step_due_on)
    due = case.step_due_on if case.status in rules.CASE_OWNER else None
    left = days.between(day, due) if due is not None and case.status in CLOCKED else None
    return Progress(
        owner=owner(case, CaseStatus(case.status)),
        due_on=due,
        is_expected=due is not None and days.is_expected(due) and case.status != CaseStatus.READY,
        days_late=-left if left is not None and left < 0 else 0,
        days_left=left if left is not None and left >= 0 else None,
        is_paused=case.status == CaseStatus.CORRECTING,
        next_step=rules.CASE_NEXT_STEP[case.status],
        plan=list(_plan(case, day, days)),
        elsewhere=elsewhere.words(case),
    )


def owner(case: Case, status: CaseStatus, *, place: str | None = None) -> str:
    """Organisation and role that must move in `status`, e.g. 蜀安银行（预开户岗）; "" when nobody must.

    `place` is the full name of the case's division, where a list has read it already.
    """
    outlet = case.outlet.name if case.outlet else ""
    if status in {CaseStatus.SUBMITTED, CaseStatus.FAILED} and case.taken_code:
        return f"{_office(case, place)}（签发地审核岗）"
    if status in {CaseStatus.SUBMITTED, CaseStatus.FAILED}:
        return f"{outlet or _office(case, place)}（审核岗）"
    others = {
        CaseStatus.DRAFT: "申请人本人",
        CaseStatus.CORRECTING: "申请人本人",
        CaseStatus.CHECKED: f"{case.bank.name if case.bank else '合作银行'}（预开户岗）",
        CaseStatus.PREOPENED: f"{province().footer.operator}（制卡管理岗）",
        CaseStatus.PRODUCING: "制卡机构（制卡岗）",
        CaseStatus.READY: f"{outlet or '发卡网点'}（{'邮寄岗' if case.delivery == '1' else '领卡窗口'}）",
    }
    return others.get(status, "")


def _office(case: Case, place: str | None) -> str:
    return (full_name(case.division_code[:6]) if place is None else place) + "社会保障卡经办机构"


def _plan(case: Case, day: date, days: Calendar) -> Iterator[PlanStep]:
    """The whole way of a case that ends in a card; none of one that ended on the spot or without a card."""
    here = _PLACES.get(CaseStatus(case.status))
    if here is None or case.kind not in {CaseKind.APPLY, CaseKind.REPLACE}:
        return
    is_held = case.status in {CaseStatus.DRAFT, CaseStatus.CORRECTING}
    due = None if is_held else case.step_due_on
    for place, (status, label) in enumerate(WAY):
        if place > here:
            due = _then(due, status, day, days)
        state = "done" if place < here else "todo" if place > here else "paused" if is_held else "now"
        shown = due if place >= here and status not in {CaseStatus.READY, CaseStatus.DONE} else None
        yield PlanStep(
            state,
            label,
            owner(case, CaseStatus(case.status) if place == here else status),
            limit_words(status, province().limits),
            shown,
            is_expected=shown is not None and (place > here or days.is_expected(shown)),
        )


def _then(due: date | None, status: CaseStatus, day: date, days: Calendar) -> date | None:
    """When the step after one due on `due` would be due; what is late already moves all that follows."""
    limits = province().limits
    match status:
        case CaseStatus.CHECKED if due:
            return days.add(max(due, day), limits.days("preopen"))
        case CaseStatus.PREOPENED if due:
            return days.add(max(due, day), limits.days("produce") + limits.days("hand_over"))
    return due


def limit_words(status: CaseStatus, limits: Limits) -> str:
    """The limit of a step as people read it; "" where there is none."""
    match status:
        case CaseStatus.SUBMITTED:
            return f"{limits.days('check')} 个工作日"
        case CaseStatus.CHECKED:
            return f"{limits.days('preopen')} 个工作日"
        case CaseStatus.PREOPENED | CaseStatus.PRODUCING:
            return f"排批和制卡共 {limits.days('produce') + limits.days('hand_over')} 个工作日"
        case CaseStatus.READY:
            return f"保管 {limits.kept_days} 天"
    return ""
