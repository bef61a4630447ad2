"""超期督办: a department over its limit rises to the supervisors of its region, once (Sichuan art. 14, 22)."""

from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import transaction

from yikatong.core import audit
from yikatong.core.actor import SYSTEM, Actor
from yikatong.core.clock import day_of
from yikatong.core.errors import NotFound
from yikatong.core.permissions import Permission, require
from yikatong.registry.joint import rules
from yikatong.registry.joint.models import JointEscalation, JointItem

_CHUNK: Final = 1_000


def escalate_overdue(*, at: datetime) -> int:
    """Report each late part that has not been; returns how many. A job of each hour, restartable."""
    total = 0
    while made := _chunk(at):
        total += made
    return total


@transaction.atomic
def _chunk(at: datetime) -> int:
    late = JointItem.objects.filter(status__in=rules.CLOCKED, due_on__lt=day_of(at))
    known = JointEscalation.objects.filter(closed_at=None).values("item_id")
    rows = late.exclude(pk__in=known).select_for_update(skip_locked=True, no_key=True, of=("self",))
    found = list(rows.select_related("joint").order_by("due_on", "pk")[:_CHUNK])
    made = JointEscalation.objects.bulk_create(
        (
            JointEscalation(
                item=one, due_on=one.due_on or day_of(at), division_code=one.joint.division_code, at=at
            )
            for one in found
        ),
        ignore_conflicts=True,
    )
    audit.record_all(
        audit.entry(
            "joint:item:escalated", subject=f"joint:{one.joint_id}", holder_id=one.joint.holder_id, by=SYSTEM, at=at,
            key=one.key,
        )
        for one in found
    )  # fmt: skip
    return len(made)


@transaction.atomic
def give_order(joint_id: UUID, key: str, *, order: str, by: Actor, at: datetime) -> JointEscalation:
    """督办意见 of a supervisor on a part that is late now; whoever opens the matter reads it."""
    require(by, Permission.CASE_OVERSEE)
    if not order.strip():
        raise rules.OrderMissing
    found = JointEscalation.objects.select_for_update(no_key=True, of=("self",)).select_related("item__joint")
    one = found.filter(item__joint=joint_id, item__key=key, closed_at=None).order_by("-at", "-id").first()
    if one is None or not by.covers(one.division_code):
        raise NotFound("这一项当前没有超期督办。")
    one.order, one.ordered_at, one.ordered_by = order.strip()[:200], at, by.name
    one.save(update_fields=["order", "ordered_at", "ordered_by"])
    joint = one.item.joint
    audit.record(
        "joint:item:ordered", subject=f"joint:{joint.pk}", holder_id=joint.holder_id, by=by, at=at, key=key
    )
    return one
