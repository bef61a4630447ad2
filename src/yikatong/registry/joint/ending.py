"""What is under way for a person whose record ends: the departments are told in that very transaction's wake."""

from datetime import datetime
from typing import Any
from uuid import UUID

from yikatong.core.actor import Actor
from yikatong.registry.holders.models import Holder
from yikatong.registry.joint import moves
from yikatong.registry.joint.actions import give_up
from yikatong.registry.joint.models import JointMatter


def on_ended(sender: object, *, holder_id: UUID, by: Actor, at: datetime, **_: Any) -> None:  # noqa: ARG001
    """A receiver of `holder_ended`. Who was merged goes on under the record he lives on in; else nothing goes on.

    Case and card are the cards' own business, in the same act.
    """
    holder = Holder.objects.only("status", "merged_into").get(pk=holder_id)
    running = JointMatter.objects.filter(holder_id=holder_id, status=JointMatter.Status.RUNNING)
    for joint in running.select_for_update(no_key=True).order_by("pk"):
        if holder.merged_into_id is None or not _carry_over(joint, holder.merged_into_id):
            give_up(joint, note=f"持卡人登记为“{holder.get_status_display()}”", by=by, at=at)
        else:
            moves.note_step(joint, status="carried", by=by, at=at, note="持卡人登记合并，联办件随之转入")


def _carry_over(joint: JointMatter, to: UUID) -> bool:
    """False where the other record has one of this kind already."""
    there = JointMatter.objects.filter(kind=joint.kind, holder_id=to)
    if there.exclude(status=JointMatter.Status.WITHDRAWN).exists():
        return False
    joint.holder_id = to
    joint.save(update_fields=["holder"])
    return True
