"""补正 and 撤回: an applicant puts right what a department asks for, or takes a part back."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from django.db import transaction

from yikatong.core.actor import SYSTEM, Actor
from yikatong.core.clock import day_of
from yikatong.core.errors import NotFound
from yikatong.registry.cards import actions as cards
from yikatong.registry.cards.models import CaseStatus
from yikatong.registry.cards.queries import withdrawal_hindrance
from yikatong.registry.holders import actions as holders
from yikatong.registry.holders import certificates, names
from yikatong.registry.holders import rules as holder_rules
from yikatong.registry.holders.certificates import Kind
from yikatong.registry.joint import following, moves, plans, requests, rules
from yikatong.registry.joint.actions.opening import check_right, once, refuse_known, registrar, subject_index
from yikatong.registry.joint.models import JointAct, JointItem, JointKind, JointMatter, JointRequest
from yikatong.registry.regions.queries import KnownDivisions

Status = JointItem.Status
_OPEN: Final = frozenset(set(Status) - {Status.DONE, Status.WITHDRAWN})
_CHUNK: Final = 500


@transaction.atomic
def correct(joint_id: UUID, key: str, *, answers: Mapping[str, Any], by: Actor, at: datetime) -> JointMatter:
    """Put right what this department said was wrong, and send it again; also after its refusal.

    What was mistyped may be put right before it has answered: then nothing moves, and it is told.
    Raises NotCorrectable, FieldWrong, NothingCorrected, BadName, BadPhone; of a birth certificate BadCertificate,
    JointKnown and CertificateOfAnother.
    """
    check_right(by)
    joint = moves.locked(joint_id, by=by)
    item = _item(joint, key)
    plan, form = plans.plan_of(joint.kind, key), json.loads(joint.form)
    if not (open_now := rules.correctable(plan, item.status)):
        raise rules.NotCorrectable
    given = {
        name: _read(name, answers[name], at) for name in open_now if str(answers.get(name) or "").strip()
    }
    changed = {name: value for name, value in given.items() if form.get(name) != value}
    if not changed:
        raise rules.NothingCorrected
    _carry_over(joint, changed, form, by=by, at=at)
    joint.form = json.dumps(form | changed, ensure_ascii=False, sort_keys=True)
    joint.save(update_fields=["form"])
    said = "已改正：" + "、".join(plans.LABELS[name] for name in changed)
    if item.status in rules.CLOCKED:
        moves.note_step(joint, item=item, status=moves.CORRECTED, by=by, at=at, note=said)
    else:
        moves.move_item(item, Status.SENDING, by=by, at=at, note=said)
    requests.tell(item, JointAct.CORRECT, following.content(joint, plan), by=by, at=at)
    return moves.settle_whole(joint, by=by, at=at)


def _read(name: str, value: Any, at: datetime) -> str:
    with rules.at(name):
        match name:
            case "name":
                return names.normalise(str(value)).text
            case "birth_certificate":
                known = KnownDivisions()
                checked = certificates.check(Kind.BIRTH, str(value), known_divisions=known, today=day_of(at))
                return checked.number
            case "phone":
                return holder_rules.phone(str(value))
            case "discharged_on":
                return _day(value).isoformat()
    return rules.field(name, value)


def _day(value: Any) -> date:
    try:
        return value if isinstance(value, date) else date.fromisoformat(str(value))
    except ValueError:
        raise rules.FieldWrong("日期应为年、月、日，例如 2026-09-01。", field="discharged_on") from None


def _carry_over(
    joint: JointMatter, changed: Mapping[str, str], form: Mapping[str, Any], *, by: Actor, at: datetime
) -> None:
    """What is corrected of the person is corrected in his record too; no outlet is asked whether it offers that."""
    proof, who = f"联办补正 {joint.number}", replace(registrar(by), outlet_id=None)
    if "birth_certificate" in changed:
        _retype(joint, form["birth_certificate"], changed["birth_certificate"], by=by, at=at)
    if "name" in changed:
        joint.holder = holders.change_name(
            joint.holder_id, name=changed["name"], evidence=proof, by=who, at=at
        )
    if "phone" in changed:
        joint.holder = holders.change_phone(joint.holder_id, phone=changed["phone"], by=who, at=at)


def _retype(joint: JointMatter, was: str, number: str, *, by: Actor, at: datetime) -> None:
    """The number by which the child is known, and by which one form is told from another."""
    kind = JointKind(joint.kind)
    index = subject_index(kind, number)
    refuse_known(kind, index, by=by)
    with rules.at("birth_certificate"), once(kind, index, by=by):
        joint.holder = holders.correct_birth_certificate(
            joint.holder_id,
            was=was,
            number=number,
            evidence=f"联办补正 {joint.number}",
            by=registrar(by),
            at=at,
        )
        joint.subject_index = index
        joint.save(update_fields=["subject_index"])


@transaction.atomic
def withdraw(joint_id: UUID, key: str = "", *, by: Actor, at: datetime) -> JointMatter:
    """Take one part back, or ("") all that are not done, with the card case where it can be. What is done stays.

    Raises NothingToWithdraw, NotFound.
    """
    check_right(by)
    joint = moves.locked(joint_id, by=by)
    items = [_item(joint, key)] if key else list(joint.items.select_for_update(no_key=True))
    open_now = [one for one in items if one.status in _OPEN]
    if not open_now:
        raise rules.NothingToWithdraw
    for item in open_now:
        item.joint = joint
        _withdraw(item, by=by, at=at)
    if not key:
        _withdraw_card(joint, by=by, at=at)
        moves.note_step(joint, status="withdrawn", by=by, at=at)
    return moves.settle_whole(joint, by=by, at=at)


def _withdraw(item: JointItem, *, by: Actor, at: datetime, note: str = "") -> None:
    told = JointRequest.objects.filter(item=item).exists() and item.status != Status.REFUSED
    moves.move_item(item, Status.WITHDRAWN, by=by, at=at, note=note)
    if told:
        requests.tell(item, JointAct.WITHDRAW, {}, by=by, at=at)


def give_up(joint: JointMatter, *, note: str, by: Actor, at: datetime) -> JointMatter:
    """Withdraw what is open of a locked matter whose person's record has ended; what is done stays."""
    for item in joint.items.select_for_update(no_key=True):
        if item.status in _OPEN:
            item.joint = joint
            _withdraw(item, by=by, at=at, note=note)
    return moves.settle_whole(joint, by=by, at=at)


def _withdraw_card(joint: JointMatter, *, by: Actor, at: datetime) -> None:
    case = joint.case
    if case is None or case.status == CaseStatus.WITHDRAWN or withdrawal_hindrance(case) is not None:
        return
    cards.withdraw(case.pk, by=registrar(by), at=at)


def close_uncorrected(*, at: datetime) -> int:
    """Parts whose time for correction is over are given up; the others go on. Returns how many."""
    total = 0
    while chunk := _close_chunk(at):
        total += chunk
    return total


@transaction.atomic
def _close_chunk(at: datetime) -> int:
    late = JointItem.objects.filter(status=Status.CORRECTING, due_on__lt=day_of(at)).order_by("due_on", "pk")
    found = list(late.values_list("joint_id", "key")[:_CHUNK])
    for joint_id, key in found:
        joint = moves.locked(joint_id, by=SYSTEM)
        item = _item(joint, key)
        if item.status == Status.CORRECTING:
            _withdraw(item, by=SYSTEM, at=at, note="补正期限已过，视为放弃这一项")
            moves.settle_whole(joint, by=SYSTEM, at=at)
    return len(found)


def _item(joint: JointMatter, key: str) -> JointItem:
    item = joint.items.select_for_update(no_key=True).filter(key=key).first()
    if item is None:
        raise NotFound("这件联办件没有这一项。请核对后重试。")
    item.joint = joint
    return item
