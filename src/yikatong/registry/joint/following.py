"""A department's answer, taken once: its part moves, what it brings is followed, and what waited for it begins."""

import json
from contextlib import suppress
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import transaction

from yikatong.core.actor import SYSTEM, Actor
from yikatong.core.clock import day_of
from yikatong.core.errors import DomainError
from yikatong.registry.cards import actions as cards
from yikatong.registry.cards.actions.notices import tell_holder
from yikatong.registry.holders import actions as holders
from yikatong.registry.holders import queries as holder_queries
from yikatong.registry.holders.models import Category
from yikatong.registry.holders.rules import awaits_number
from yikatong.registry.joint import moves, plans, requests, rules
from yikatong.registry.joint.connector import Answer
from yikatong.registry.joint.models import JointAct, JointItem, JointKind, JointMatter, JointRequest

Status = JointItem.Status
_STATES: Final = {
    "accepted": Status.ACCEPTED,
    "correcting": Status.CORRECTING,
    "done": Status.DONE,
    "refused": Status.REFUSED,
}
_TOLD: Final = frozenset({Status.CORRECTING, Status.DONE, Status.REFUSED})


@transaction.atomic
def settle(request_id: UUID, answer: Answer, *, at: datetime) -> JointRequest:
    """A request has arrived, and this is what its department says of the matter."""
    joint_id = JointItem.objects.values_list("joint_id", flat=True).get(requests=request_id)
    joint = moves.locked(joint_id, by=SYSTEM)
    request = JointRequest.objects.select_for_update(no_key=True).get(pk=request_id)
    if request.status not in requests.OPEN:
        return request
    requests.delivered(request, at=at)
    later = JointRequest.objects.filter(item=request.item_id, serial__gt=request.serial)
    if not later.exists():  # what is said of an older word has been overtaken
        _take(joint, joint.items.select_for_update(no_key=True).get(pk=request.item_id), answer, at)
    return request


@transaction.atomic
def hear(item_id: UUID, answer: Answer, *, at: datetime) -> JointItem:
    """A department was asked how its part stands."""
    joint_id = JointItem.objects.values_list("joint_id", flat=True).get(pk=item_id)
    joint = moves.locked(joint_id, by=SYSTEM)
    item = joint.items.select_for_update(no_key=True).get(pk=item_id)
    if item.status == Status.ACCEPTED:
        _take(joint, item, answer, at)
    return item


def _take(joint: JointMatter, item: JointItem, answer: Answer, at: datetime) -> None:
    to = _STATES.get(answer.state)
    item.joint = joint
    if item.status == Status.WITHDRAWN and to is Status.DONE:
        _came_too_late(joint, item, answer, at)
    if to is None or to not in rules.ITEM_MOVES[Status(item.status)]:
        return
    their = _department(item)
    said: dict[str, Any] = {
        "their_number": answer.number[:30] or item.their_number,
        "reason": answer.reason[:200],
    }
    said["result"] = answer.result.get("number", "")[:60] or None if to is Status.DONE else None
    if to is Status.ACCEPTED:
        said["next_ask_at"] = at + rules.retry_after(1)
    try:
        with transaction.atomic():
            moves.move_item(item, to, by=their, at=at, note=answer.reason, **said)
            _follow(joint, item, answer, at)
    except DomainError as difference:
        # What the department says and what we know cannot both be: nothing is overwritten, people compare the two.
        item.refresh_from_db()
        item.joint = joint
        wrong = f"部门返回的结果与登记不符：{difference.message}"[:200]
        moves.move_item(
            item, Status.REFUSED, by=their, at=at, note=wrong, **said | {"reason": wrong, "result": None}
        )
        to = Status.REFUSED
    if to in _TOLD:
        _tell(joint, item)
    release(joint, by=SYSTEM, at=at)
    moves.settle_whole(joint, by=SYSTEM, at=at)


def _came_too_late(joint: JointMatter, item: JointItem, answer: Answer, at: datetime) -> None:
    """Withdrawn here when the department had already done it: that is written down, and a number is a number."""
    said = f"撤回到达前部门已办结，受理号 {answer.number}"
    moves.note_step(joint, item=item, status=item.status, by=_department(item), at=at, note=said)
    if item.key == plans.GIVES_NUMBER and awaits_number(joint.holder):
        with suppress(DomainError):
            _give_number(joint, item, answer, at)


def release(joint: JointMatter, *, by: Actor, at: datetime) -> None:
    """Begin every held part whose needs are done."""
    items = {one.key: one for one in joint.items.select_for_update(no_key=True)}
    done = {key for key, one in items.items() if one.status == Status.DONE}
    for item in items.values():
        plan = plans.plan_of(joint.kind, item.key)
        if item.status == Status.HELD and set(plan.needs) & items.keys() <= done:
            item.joint = joint
            moves.move_item(item, Status.SENDING, by=by, at=at)
            requests.tell(item, JointAct.SUBMIT, content(joint, plan), by=by, at=at)


def content(joint: JointMatter, plan: plans.Plan) -> dict[str, object]:
    """What this department is told, as the form stands now."""
    number = "" if awaits_number(joint.holder) else joint.holder.social_security_number
    return rules.told(plan, json.loads(joint.form), number)


def _follow(joint: JointMatter, item: JointItem, answer: Answer, at: datetime) -> None:
    if item.key == plans.GIVES_NUMBER and item.status == Status.DONE:
        _give_number(joint, item, answer, at)
    if joint.kind == JointKind.VETERAN and item.key == plans.PROVES_SERVICE:
        _prove_service(joint, item, at)


def _give_number(joint: JointMatter, item: JointItem, answer: Answer, at: datetime) -> None:
    """A newborn's own number: the card may be checked from now on, and its clock begins."""
    evidence = f"出生户口登记 {item.their_number}".strip()
    joint.holder = holders.give_number(
        joint.holder_id, number=answer.result.get("number", ""), evidence=evidence, by=SYSTEM, at=at
    )
    if joint.case_id is not None:
        cards.time_check(joint.case_id, by=SYSTEM, at=at)


def _prove_service(joint: JointMatter, item: JointItem, at: datetime) -> None:
    """退役军人: recorded once the department confirms; what a clerk recorded by the original ends if it does not."""
    day, kind = day_of(at), Category.Kind.VETERAN
    held = [one for one in holder_queries.categories_on(joint.holder_id, day) if one.kind == kind]
    if item.status == Status.DONE and not held:
        holders.add_category(
            joint.holder_id,
            kind=kind,
            valid_from=day,
            source=Category.Source.VETERANS.label,
            evidence=item.result or item.their_number,
            by=SYSTEM,
            at=at,
        )
    certificate = json.loads(joint.form).get("discharge_certificate", "")
    for one in held if item.status == Status.REFUSED else ():
        if one.evidence == certificate:
            holders.end_category(one.pk, reason="退役军人事务部门未予确认", by=SYSTEM, at=at)


def _department(item: JointItem) -> Actor:
    """The department by name, for whoever reads the steps."""
    name = plans.DEPARTMENTS[item.department]
    return Actor(id=None, name=name, role=SYSTEM.role, channel=SYSTEM.channel, organisation=name)


def _tell(joint: JointMatter, item: JointItem) -> None:
    title = plans.plan_of(joint.kind, item.key).title
    words = {
        Status.DONE: "已办结",
        Status.REFUSED: "未能办理，原因请在办事进度查看，其他事项照常办理",
        Status.CORRECTING: "需要补正，请按期在手机或任一窗口补正",
    }[Status(item.status)]
    tell_holder(
        joint.holder_id,
        f"您的{joint.get_kind_display()}（联办号 {joint.number}）：{title}{words}。",
        "joint.item",
    )
