"""The only way a department's part changes its status: locked row, table, limit, step, audit."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from yikatong.core import audit
from yikatong.core.actor import Actor, Role
from yikatong.core.clock import day_of
from yikatong.core.errors import NotFound
from yikatong.registry.holders.rules import serves
from yikatong.registry.joint import plans, rules
from yikatong.registry.joint.models import JointEscalation, JointItem, JointMatter, JointStep
from yikatong.registry.regions.calendar import calendar
from yikatong.registry.regions.law import province

Status = JointItem.Status
#: A step that moves nothing: what was mistyped is put right before the department has answered.
CORRECTED = "corrected"


def locked(joint_id: UUID, *, by: Actor) -> JointMatter:
    """The joint matter's row, locked, with its holder; NotFound to a stranger."""
    matters = JointMatter.objects.select_for_update(of=("self",), no_key=True)
    joint = matters.select_related("holder", "guardianship", "case").filter(pk=joint_id).first()
    if joint is None or not may_see(joint, by, joint.created_at):
        raise NotFound("没有找到这件联办件。请核对联办号后重试。")
    return joint


def may_see(joint: JointMatter, by: Actor, at: datetime) -> bool:
    """Staff who serve the holder (a bank's clerk has no part in it), the holder himself, or his guardian."""
    if by.role is not Role.HOLDER:
        return not by.bank and serves(by, joint.holder.division_code)
    guardian = joint.guardianship
    is_guardian = (
        guardian is not None
        and guardian.guardian_id == by.id
        and guardian.ended_at is None
        and day_of(at) < guardian.valid_until
    )
    return by.id == joint.holder_id or is_guardian


def move_item(
    item: JointItem, to: Status, *, by: Actor, at: datetime, note: str = "", **stamps: Any
) -> JointItem:
    """Move a part whose joint matter is locked along the table; raises ItemSettled."""
    was = Status(item.status)
    if to not in rules.ITEM_MOVES[was]:
        raise rules.item_refusal(item, f"转为“{to.label}”")
    stamps = _clock(item, was, to, at) | stamps
    if to not in rules.CLOCKED:
        JointEscalation.objects.filter(item=item, closed_at=None).update(closed_at=at)
    item.status = to
    for name, value in stamps.items():
        setattr(item, name, value)
    item.save(update_fields=["status", *stamps])
    note_step(item.joint, item=item, status=to.value, by=by, at=at, note=note)
    return item


def _clock(item: JointItem, was: Status, to: Status, at: datetime) -> dict[str, Any]:
    """The department's days: they begin when it may, stand while the applicant corrects, and go on after."""
    day, closed = day_of(at), {"closed_at": at if to in rules.SETTLED else None}
    match to:
        case Status.SENDING:
            plan = plans.plan_of(item.joint.kind, item.key)
            kept = item.days_left if was is Status.CORRECTING else None
            days = rules.limit(plan, province().joint) if kept is None else max(kept, 1)
            return closed | {"due_on": calendar(day).add(day, days), "days_left": None, "reason": ""}
        case Status.CORRECTING:
            return closed | {
                "due_on": calendar(day).add(day, province().limits.correct_days),
                "days_left": _left(item.due_on, day),
            }
        case Status.ACCEPTED:
            return closed
    return closed | {"due_on": None, "days_left": None, "next_ask_at": None}


def _left(due: date | None, day: date) -> int | None:
    return calendar(day, until=due).between(day, due) if due is not None else None


def settle_whole(joint: JointMatter, *, by: Actor, at: datetime) -> JointMatter:
    """What the parts make of the whole."""
    now = rules.status_of(list(joint.items.all()))
    if joint.status == now:
        return joint
    joint.status = now
    joint.closed_at = None if now == JointMatter.Status.RUNNING else at
    joint.save(update_fields=["status", "closed_at"])
    _audit(joint, f"joint:matter:{now}", by=by, at=at)
    return joint


def note_step(
    joint: JointMatter, *, status: str, by: Actor, at: datetime, item: JointItem | None = None, note: str = ""
) -> None:
    JointStep.objects.create(
        joint=joint,
        item=item,
        at=at,
        status=status,
        actor_name=by.name,
        actor_id=by.id,
        channel=by.channel,
        note=note[:300],
    )
    what = f"joint:item:{status}" if item else f"joint:matter:{status}"
    _audit(joint, what, by=by, at=at, **({"key": item.key} if item else {}))


def _audit(joint: JointMatter, event: str, *, by: Actor, at: datetime, **facts: Any) -> None:
    subject = f"joint:{joint.pk}"
    audit.record(
        event, subject=subject, holder_id=joint.holder_id, by=by, at=at, kind=str(joint.kind), **facts
    )
