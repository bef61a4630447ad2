"""开办: what both kinds share. Everything a form opens stands or falls with one transaction."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import IntegrityError, connection, transaction

from yikatong.core.actor import SYSTEM, Actor, Role
from yikatong.core.clock import day_of
from yikatong.core.constraints import name_of
from yikatong.core.fields import blind_index
from yikatong.core.permissions import Permission, require
from yikatong.registry.cards import actions as cards
from yikatong.registry.cards.models import COMING, LIVE, OPEN_CASES, Card, Case, CaseKind
from yikatong.registry.holders.actions import AlreadyRegistered
from yikatong.registry.holders.models import Guardianship, Holder
from yikatong.registry.joint import following, moves, plans, rules
from yikatong.registry.joint.models import JointItem, JointKind, JointMatter

_ONCE: Final = frozenset({"joint_once", "joint_once_a_holder"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Making:
    """What the card case needs; a bank is chosen freely (Guangdong art. 5)."""

    bank_code: str = ""
    outlet_id: UUID | None = None
    division_code: str
    delivery: str = "0"
    address: str = ""


def subject_index(kind: str, number: str) -> bytes:
    """What makes two forms the same: the birth certificate, the discharge certificate."""
    return blind_index("joint", f"{kind}:{number}")


def check_right(by: Actor) -> None:
    """Holders for themselves and their children; staff who may also register."""
    require(by, Permission.CARD_APPLY)
    if by.role is not Role.HOLDER:
        require(by, Permission.HOLDER_REGISTER)


def registrar(by: Actor) -> Actor:
    """Who enters what an applicant over the network has filled in: the platform, in his channel."""
    if by.role is not Role.HOLDER:
        return by
    return replace(SYSTEM, name="平台（本人网上申办）", channel=by.channel)


def refuse_known(kind: JointKind, index: bytes, *, by: Actor) -> None:
    """Raises JointKnown, with the number of the first one for whoever may see it."""
    found = JointMatter.objects.select_related("holder", "guardianship").filter(
        kind=kind, subject_index=index
    )
    first = found.exclude(status=JointMatter.Status.WITHDRAWN).first()
    if first is not None:
        raise _known(first, by)


def refuse_known_holder(kind: JointKind, holder: Holder, *, by: Actor) -> None:
    found = JointMatter.objects.select_related("holder", "guardianship").filter(kind=kind, holder=holder)
    first = found.exclude(status=JointMatter.Status.WITHDRAWN).first()
    if first is not None:
        raise _known(first, by)


def _known(first: JointMatter, by: Actor) -> rules.JointKnown:
    title = first.get_kind_display()
    if not moves.may_see(first, by, first.created_at):
        return rules.JointKnown(f"{title}已经申办过，不能重复申办。请由申办人查询进度，或到服务窗口核对。")
    day = f"{day_of(first.created_at):%Y-%m-%d}"
    return rules.JointKnown(
        f"{title}已于 {day} 申办，不用重复提交。请查看联办号 {first.number} 的进度。", number=first.number
    )


@contextmanager
def once(kind: JointKind, index: bytes, *, by: Actor) -> Iterator[None]:
    """Of two forms at the same moment the second is told where the first one is."""
    try:
        with transaction.atomic():
            yield
    except AlreadyRegistered:  # the other form has just entered the child
        refuse_known(kind, index, by=by)
        raise
    except IntegrityError as error:
        if name_of(error) not in _ONCE:
            raise
        refuse_known(kind, index, by=by)
        raise


def card_case(
    holder: Holder, making: Making | None, *, guardianship: Guardianship | None, by: Actor, at: datetime
) -> Case | None:
    """The card's part: the case under way, a new one, or none where there is a card."""
    if Card.objects.filter(holder=holder, status__in=[*LIVE, *COMING]).exists():
        return None
    running = Case.objects.filter(holder=holder, kind=CaseKind.APPLY, status__in=OPEN_CASES).first()
    if running is not None:
        return running
    if making is None or not making.bank_code:
        raise rules.FieldWrong("请选择一家合作银行，社会保障卡同时申领。", field="bank_code")
    case = cards.apply(
        holder.pk,
        bank_code=making.bank_code,
        outlet_id=making.outlet_id,
        division_code=making.division_code,
        delivery=making.delivery,
        address=making.address,
        guardianship_id=guardianship.pk if guardianship else None,
        by=_for(holder, by),
        at=at,
    )
    return cards.time_check(case.pk, by=_for(holder, by), at=at)


def _for(holder: Holder, by: Actor) -> Actor:
    return replace(by, for_holder=holder.pk) if by.role is Role.HOLDER and by.id != holder.pk else by


def begin(
    joint: JointMatter, form: Mapping[str, Any], *, has_number: bool, by: Actor, at: datetime
) -> JointMatter:
    """Store the joint matter with all its parts, and have the first departments told."""
    joint.number = rules.joint_number(joint.kind, joint.division_code, day_of(at), _next_number())
    joint.form = json.dumps(dict(form), ensure_ascii=False, sort_keys=True)
    joint.channel, joint.created_at, joint.created_by = by.channel, at, by.name
    joint.save(force_insert=True)
    moves.note_step(joint, status="opened", by=by, at=at)
    JointItem.objects.bulk_create(
        JointItem(joint=joint, key=plan.key, department=plan.department, position=position)
        for position, plan in enumerate(plans.plans_of(joint.kind, has_number=has_number), start=1)
    )
    following.release(joint, by=by, at=at)
    return joint


def _next_number() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval('joint_number')")
        return int(cursor.fetchone()[0])
