"""Read joint matters: each part with its owner, limit, state and answer, and what comes next."""

import json
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet

from yikatong.core import looks
from yikatong.core.actor import Actor
from yikatong.core.clock import day_of
from yikatong.core.errors import NotFound
from yikatong.registry.cards import following as case_following
from yikatong.registry.cards import rules as card_rules
from yikatong.registry.cards.models import Card, Case, CaseStatus
from yikatong.registry.holders.rules import awaits_number
from yikatong.registry.joint import moves, plans, requests, rules
from yikatong.registry.joint.models import (
    JointEscalation,
    JointItem,
    JointKind,
    JointMatter,
    JointStep,
)
from yikatong.registry.regions.calendar import calendar
from yikatong.registry.regions.law import province
from yikatong.registry.regions.queries import full_name

Status = JointItem.Status
CARD: Final = "card"


@dataclass(frozen=True, slots=True)
class Part:
    """One line of the progress page; `state` is the status' code, of the card's line its case's."""

    key: str
    title: str
    owner: str
    limit: str
    status: str
    state: str
    due_on: date | None
    is_expected: bool
    days_late: int
    days_left: int | None
    their_number: str
    answer: str  # label and value of what the department gave
    reason: str
    trouble: str  # why it has not reached its department yet
    next_step: str
    waits_for: str
    order: str
    case_number: str = ""
    corrects: tuple[str, ...] = ()
    may_withdraw: bool = False

    @property
    def may_correct(self) -> bool:
        return bool(self.corrects)


@dataclass(frozen=True, slots=True)
class Passed:
    """What has happened, in words."""

    at: datetime
    what: str
    actor: str
    note: str
    channel: str
    is_bad: bool


@transaction.atomic
def joint(number: str, *, by: Actor, at: datetime) -> JointMatter:
    """A joint matter by its number, with a look row; NotFound to a stranger."""
    found = _whole().filter(number=number.strip().upper()).first()
    if found is None or not moves.may_see(found, by, at):
        raise NotFound("没有找到这件联办件。请核对联办号后重试。")
    looks.record(found.holder_id, by=by, at=at, purpose="查询联办进度", fields=("姓名", "联办件"))
    return found


def of_holder(holder_id: UUID, *, at: datetime) -> QuerySet[JointMatter]:
    """His own joint matters, and those of the children he is guardian of; the latest first."""
    ward = Q(guardianship__guardian_id=holder_id, guardianship__ended_at=None)
    ward &= Q(guardianship__valid_until__gt=day_of(at))
    return JointMatter.objects.filter(Q(holder_id=holder_id) | ward).order_by("-created_at", "-pk")


def at_desk(by: Actor) -> QuerySet[JointMatter]:
    """Those of the actor's region that run, the oldest first."""
    running = JointMatter.objects.filter(
        status=JointMatter.Status.RUNNING, division_code__startswith=by.scope
    )
    return running.prefetch_related("items").order_by("created_at", "pk")


def overdue(by: Actor) -> QuerySet[JointEscalation]:
    """Parts of the actor's region over their limit now, the longest first."""
    late = JointEscalation.objects.filter(closed_at=None, division_code__startswith=by.scope)
    return late.select_related("item__joint").order_by("due_on", "at", "pk")


def owner_of(item: JointItem, place: str) -> str:
    return place + plans.plan_of(item.joint.kind, item.key).desk


def progress(found: JointMatter, *, at: datetime) -> list[Part]:
    """Every part, the card among them where it comes in its turn."""
    items = list(found.items.prefetch_related("escalations"))
    for one in items:
        one.joint = found
    troubles = requests.trouble_of([one.pk for one in items])
    place, day = full_name(found.division_code[:6]), day_of(at)
    parts = [_part(one, items, troubles.get(one.pk), place, day) for one in items]
    return [*parts, _card(found, at)]


def counts(found: JointMatter) -> tuple[int, int]:
    """How many of its departments are done, and how many there are."""
    states = [one.status for one in found.items.all()]
    return sum(one == Status.DONE for one in states), len(states)


def waiting_for(found: JointMatter) -> list[str]:
    """What has to move: titles of the parts under way, e.g. for a list."""
    moving = {Status.SENDING, Status.ACCEPTED, Status.CORRECTING}
    parts = sorted(found.items.all(), key=lambda one: one.position)
    return [
        f"{plans.plan_of(found.kind, one.key).title}（{Status(one.status).label}）"
        for one in parts
        if one.status in moving
    ]


def form_of(found: JointMatter) -> dict[str, Any]:
    said: dict[str, Any] = json.loads(found.form)
    return said


def timeline(found: JointMatter) -> list[Passed]:
    steps = [_passed(one, found) for one in found.steps.select_related("item")]
    late = JointEscalation.objects.filter(item__joint=found).select_related("item")
    return sorted([*steps, *(_risen(one, found) for one in late)], key=lambda one: one.at)


def _whole() -> QuerySet[JointMatter]:
    return JointMatter.objects.select_related("holder", "guardianship", "case__bank", "case__outlet")


def _part(item: JointItem, items: list[JointItem], trouble: Any, place: str, day: date) -> Part:
    plan, status = plans.plan_of(item.joint.kind, item.key), Status(item.status)
    days = calendar(day, until=item.due_on)
    left = days.between(day, item.due_on) if item.due_on is not None and status in rules.CLOCKED else None
    orders = [one.order for one in item.escalations.all() if one.closed_at is None and one.order]
    waits = [one for one in items if one.key in plan.needs and one.status != Status.DONE]
    blocked = [one for one in waits if one.status in {Status.REFUSED, Status.WITHDRAWN}]
    held = status is Status.HELD
    return Part(
        key=item.key,
        title=plan.title,
        owner="申请人" if status is Status.CORRECTING else place + plan.desk,
        limit=f"{rules.limit(plan, province().joint)} 个工作日",
        status=status.label,
        state=status.value,
        due_on=item.due_on,
        is_expected=item.due_on is not None and days.is_expected(item.due_on),
        days_late=-left if left is not None and left < 0 else 0,
        days_left=left if left is not None and left >= 0 else None,
        their_number=item.their_number,
        answer=f"{plan.answer} {_shown(item)}" if item.result else "",
        reason=item.reason,
        trouble=trouble.trouble if trouble and status is Status.SENDING else "",
        next_step=_blocked(blocked) if held and blocked else rules.NEXT_STEP[status],
        waits_for="、".join(plans.plan_of(item.joint.kind, one.key).title for one in waits) if held else "",
        order=orders[-1] if orders else "",
        corrects=rules.correctable(plan, status),
        may_withdraw=status not in {Status.DONE, Status.WITHDRAWN},
    )


def _shown(item: JointItem) -> str:
    """A number given to a person is masked on every screen; he reads it whole in his own register."""
    value = item.result or ""
    return value[:3] + "*" * max(len(value) - 7, 3) + value[-4:] if len(value) > 7 else value


def _blocked(blocked: list[JointItem]) -> str:
    named = "、".join(plans.plan_of(one.joint.kind, one.key).title for one in blocked)
    return f"{named}没有办成，这一项不能开始；改正后重新送办即可继续。"


def _card(found: JointMatter, at: datetime) -> Part:
    case = found.case
    if case is None:
        return _no_case(found)
    progress_, waits = case_following.progress(case, at=at), _waits_for_number(found, case)
    status = CaseStatus(case.status)
    return Part(
        key=CARD,
        title="社会保障卡申领",
        owner=progress_.owner,
        limit=f"{province().limits.ordinary.total} 个工作日",
        status="待公民身份号码" if waits else status.label,
        state=_STATE.get(status, "accepted") if not waits else "held",
        due_on=progress_.due_on,
        is_expected=progress_.is_expected,
        days_late=progress_.days_late,
        days_left=progress_.days_left,
        their_number="",
        answer="",
        reason=case.note,
        trouble="",
        next_step="出生户口登记办结、号码到达后自动开始审核，不用再申请。" if waits else progress_.next_step,
        waits_for="出生户口登记" if waits else "",
        order="",
        case_number=case.number,
    )


_STATE: Final = {
    CaseStatus.DONE: "done",
    CaseStatus.REJECTED: "refused",
    CaseStatus.ABANDONED: "refused",
    CaseStatus.WITHDRAWN: "withdrawn",
    CaseStatus.CORRECTING: "correcting",
    CaseStatus.READY: "ready",
}


def _waits_for_number(found: JointMatter, case: Case) -> bool:
    return (
        found.kind == JointKind.NEWBORN
        and case.status == CaseStatus.SUBMITTED
        and awaits_number(found.holder)
    )


def _no_case(found: JointMatter) -> Part:
    has_card = Card.objects.filter(holder_id=found.holder_id).exists()
    words = "已有社会保障卡，不需要再申领；优待按退役军人类别自动生效。" if has_card else "没有同时申领。"
    return Part(
        CARD, "社会保障卡", "", "", "已有卡" if has_card else "未申领", "done" if has_card else "withdrawn", None,
        is_expected=False, days_late=0, days_left=None, their_number="", answer="", reason="", trouble="",
        next_step=words, waits_for="", order="",
    )  # fmt: skip


def _passed(one: JointStep, found: JointMatter) -> Passed:
    if one.item is None:
        what = {
            "opened": f"{found.get_kind_display()}已受理",
            "withdrawn": "整件撤回",
            "carried": "转入合并后的登记",
        }.get(one.status, one.status)
    else:
        said = "填写已更正" if one.status == moves.CORRECTED else Status(one.status).label
        what = f"{plans.plan_of(found.kind, one.item.key).title}：{said}"
    channel = card_rules.CHANNELS.get(one.channel, "")
    bad = one.item is not None and one.status in {Status.REFUSED, Status.CORRECTING}
    return Passed(one.at, what, one.actor_name, one.note, channel, is_bad=bad)


def _risen(one: JointEscalation, found: JointMatter) -> Passed:
    what = f"{plans.plan_of(found.kind, one.item.key).title}超过期限，已报业务主管"
    return Passed(one.at, what, "平台", f"督办：{one.order}" if one.order else "", "", is_bad=True)


def open_number(kind: str, holder_id: UUID) -> str:
    """The number of the holder's joint matter of this kind that is not withdrawn; "" where there is none."""
    found = JointMatter.objects.filter(kind=kind, holder_id=holder_id)
    return found.exclude(status=JointMatter.Status.WITHDRAWN).values_list("number", flat=True).first() or ""
