"""Matters of a person's life at the counter; undoing and merging are a supervisor's."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.urls import reverse

from yikatong.core.actor import Actor
from yikatong.core.errors import DomainError, NotFound
from yikatong.core.permissions import Permission
from yikatong.portals.counter import life_forms as forms
from yikatong.portals.counter.matter import done, side
from yikatong.portals.shared import validity
from yikatong.registry.cards import actions as cards
from yikatong.registry.cards.models import Case
from yikatong.registry.holders import queries, refusals
from yikatong.registry.holders.actions import AlreadyLinked, CertificateOfAnother, life, merging
from yikatong.registry.holders.certificates import BadCertificate
from yikatong.registry.holders.models import Holder
from yikatong.registry.holders.names import BadName

Given = dict[str, Any]


def _case(act: Callable[..., Case], *fields: str) -> Callable[..., str]:
    """An act that files a case: on to its page, for the receipt."""

    def do(holder: Holder, given: Given, *, by: Actor, at: datetime) -> str:
        case = act(holder.pk, **{name: given[name] for name in fields}, by=by, at=at)
        return reverse("counter-case", args=[case.number]) + "?new=1"

    return do


def _number(holder: Holder, given: Given, *, by: Actor, at: datetime) -> str:
    told = validity.told(given)
    case = cards.change_number(
        holder.pk, number=given["number"], evidence=given["evidence"], validity=told, by=by, at=at
    )
    return reverse("counter-case", args=[case.number]) + "?new=1"


class NoOther(NotFound):
    code = "other_record_not_found"
    message = "没有找到这个号码的另一条登记，请核对。"


def other_record(holder: Holder, number: str, *, by: Actor, at: datetime) -> queries.Found:
    """Whom a number to be merged stands for; raises NoOther, MergeSelf."""
    found = queries.find(number, by=by, at=at, purpose="窗口办理：合并登记")
    other = next((one for one in found if one.matched == "certificate"), None)
    if other is None:
        raise NoOther
    if other.holder_id == holder.pk:
        raise merging.MergeSelf
    return other


def _merge(holder: Holder, given: Given, *, by: Actor, at: datetime) -> str:
    gone = other_record(holder, given["number"], by=by, at=at)
    reasons = {"reason": given["reason"], "evidence": given["evidence"]}
    cards.merge(holder.pk, gone.holder_id, **reasons, by=by, at=at)
    return done(holder, "merge")


def _unmerge(holder: Holder, given: Given, *, by: Actor, at: datetime) -> str:
    cards.unmerge(UUID(given["which"]), reason=given["reason"], by=by, at=at)
    return done(holder, "unmerge")


_PROOF: Final[dict[type[DomainError], str]] = {life.EvidenceMissing: "evidence"}
_SAID: Final[dict[type[DomainError], str]] = {refusals.ReasonTooShort: "reason"}
_NUMBER: Final[dict[type[DomainError], str]] = {
    BadCertificate: "number",
    AlreadyLinked: "number",
    CertificateOfAnother: "number",
}
_CORRECT: Final = Permission.HOLDER_CORRECT

PEOPLE: Final = (
    side(
        "name",
        "姓名变更",
        forms.NameForm,
        _case(cards.change_name, "name", "evidence"),
        _PROOF | {BadName: "name", life.NothingChanged: "name"},
    ),
    side(
        "number",
        "证件号码变更",
        forms.NumberForm,
        _number,
        _PROOF | _NUMBER | validity.FIELDS_AT_FAULT,
    ),
    side(
        "move",
        "所在地变更",
        forms.MoveForm,
        _case(cards.move, "division_code", "address", "evidence"),
        _PROOF | {life.NothingChanged: "division_code", refusals.AddressTooLong: "address"},
    ),
    side(
        "death",
        "死亡登记",
        forms.DeathForm,
        _case(cards.record_death, "on", "evidence"),
        _PROOF | {life.WrongDeathDate: "on"},
        Permission.CARD_CANCEL,
    ),
    side(
        "leaving",
        "迁出登记",
        forms.LeavingForm,
        _case(cards.record_leaving, "reason", "evidence"),
        _PROOF,
        Permission.CARD_CANCEL,
    ),
    side("restore", "恢复登记", forms.RestoreForm, _case(cards.restore, "reason"), _SAID, _CORRECT),
    side(
        "merge",
        "合并登记",
        forms.MergeForm,
        _merge,
        _PROOF | _SAID | {merging.MergeSelf: "number", NoOther: "number"},
        _CORRECT,
    ),
    side("unmerge", "撤销合并", forms.UnmergeForm, _unmerge, _SAID, _CORRECT),
)
