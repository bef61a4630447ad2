"""The status table of a department's part, the limits, the words, and the refusals of joint matters. Pure."""

import re
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from datetime import date, timedelta
from typing import Any, Final

from yikatong.core.errors import DomainError
from yikatong.registry.joint.models import JointItem, JointKind, JointMatter
from yikatong.registry.joint.plans import LABELS, Plan
from yikatong.registry.regions.law import ByLaw
from yikatong.registry.regions.profile import Joint

Status = JointItem.Status

ITEM_MOVES: Final[dict[Status, frozenset[Status]]] = {
    Status.HELD: frozenset({Status.SENDING, Status.WITHDRAWN}),
    Status.SENDING: frozenset(
        {Status.ACCEPTED, Status.CORRECTING, Status.DONE, Status.REFUSED, Status.WITHDRAWN}
    ),
    Status.ACCEPTED: frozenset({Status.CORRECTING, Status.DONE, Status.REFUSED, Status.WITHDRAWN}),
    # Who has put right what was wrong is heard again, also after a refusal.
    Status.CORRECTING: frozenset({Status.SENDING, Status.WITHDRAWN}),
    Status.REFUSED: frozenset({Status.SENDING, Status.WITHDRAWN}),
    Status.DONE: frozenset(),
    Status.WITHDRAWN: frozenset(),
}
#: Where a department's time runs.
CLOCKED: Final = (Status.SENDING, Status.ACCEPTED)
SETTLED: Final = frozenset({Status.DONE, Status.REFUSED, Status.WITHDRAWN})
#: A newborn's matter is opened within a year of the birth, a veteran's within a year of the discharge.
WITHIN: Final = timedelta(days=366)

NEXT_STEP: Final[dict[str, str]] = {
    Status.HELD: "等前面的事项办结后自动送办，不需要再提交材料。",
    Status.SENDING: "正在送达部门；部门系统暂时连不上时自动重送，不需要再提交。",
    Status.ACCEPTED: "部门正在办理，不需要再提交；办结后结果显示在这里。",
    Status.CORRECTING: "请按部门要求补正，补正期间不计办理时限。",
    Status.DONE: "已经办结，不需要再办。",
    Status.REFUSED: "可以按说明改正后重新送办，或撤回这一项；其他事项照常办理。",
    Status.WITHDRAWN: "这一项已撤回；需要时可到该部门窗口办理。",
}
_NUMBERS: Final[dict[str, tuple[str, str]]] = {
    "household_book": (r"\d{9}", "户口簿编号应为 9 位数字，印在户口簿首页"),
    "discharge_certificate": (
        r"[\u4e00-\u9fff]{1,4}字第\d{4,12}号|[A-Z0-9]{6,20}",
        "退役证编号如“退字第2026000123号”",
    ),
}


class JointKnown(ByLaw):
    """facts: number of the first one, for whoever may see it."""

    code, articles = "joint_already_open", ("O10",)


class NotANewborn(ByLaw):
    code, status, articles = "not_a_newborn", 422, ("O10",)
    message = "新生儿出生一件事在出生后一年内办理，请核对出生日期；超过一年的请到各部门窗口分别办理。"


class NumberOfAnother(DomainError):
    code, status = "newborn_differs", 409
    message = (
        "这份出生医学证明或公民身份号码已经登记，登记的姓名或出生日期与填写的不同。"
        "请逐项核对；登记有误的，请到服务窗口更正后再申办。"
    )


class GuardianOfAnother(ByLaw):
    code, articles = "newborn_has_guardian", ("O10",)
    message = (
        "这名孩子已由另一位监护人登记，请由登记的监护人办理；"
        "您也是监护人的，请带本人证件和出生医学证明到服务窗口办理。"
    )


class NotDischarged(ByLaw):
    code, status, articles = "discharge_invalid", 422, ("O10",)
    message = "退役军人服务一件事在退役后一年内办理，退役日期不能晚于今天，请核对退役日期。"


class TooYoungToServe(DomainError):
    code, status = "too_young_to_serve", 422
    message = "退役日期与出生日期不符：服役人员应年满 17 周岁，请核对。"


class FieldWrong(DomainError):
    """facts: field."""

    code, status = "joint_field_invalid", 422


class ItemSettled(DomainError):
    code = "joint_item_settled"


class NothingCorrected(DomainError):
    code, status = "joint_nothing_corrected", 422
    message = "内容与上次送办的相同，没有重新送办。请按部门的说明改正；核对无误的，请联系该部门。"


class NotCorrectable(DomainError):
    code = "joint_not_correctable"
    message = "这一项现在不需要补正，请查看办理进度。"


class NothingToWithdraw(DomainError):
    code = "joint_nothing_to_withdraw"
    message = "各事项都已办结或撤回，没有可以撤回的。"


@contextmanager
def at(name: str) -> Iterator[None]:
    """A refusal of what is read in here is told at the field `name` of the form."""
    try:
        yield
    except DomainError as refusal:
        refusal.facts.setdefault("field", name)
        raise


class OrderMissing(DomainError):
    code, status = "joint_order_missing", 422
    message = "请填写督办意见，承办人员可以看到。"


def item_refusal(item: JointItem, verb: str) -> ItemSettled:
    return ItemSettled(f"这一项当前为“{Status(item.status).label}”，不能{verb}。{NEXT_STEP[item.status]}")


def correctable(plan: Plan, status: str) -> tuple[str, ...]:
    """Fields an applicant may put right now: what was asked for, or what he mistyped while nobody has answered."""
    if status in {Status.CORRECTING, Status.REFUSED}:
        return plan.corrects
    return plan.mistyped if status in CLOCKED else ()


def limit(plan: Plan, joint: Joint) -> int:
    """Working days of a department."""
    return int(getattr(joint, plan.limit))


def check_newborn(born: date, day: date) -> None:
    if not day - WITHIN <= born <= day:
        raise NotANewborn


def check_veteran(born: date, discharged_on: date, day: date) -> None:
    if not day - WITHIN <= discharged_on <= day:
        raise NotDischarged
    if discharged_on.year - born.year < 17:
        raise TooYoungToServe


def field(name: str, value: Any) -> str:
    """A field of the form in one spelling; raises FieldWrong, which names it."""
    plain = str(value or "").strip()
    label = LABELS[name]
    if not plain:
        raise FieldWrong(f"请填写{label}。", field=name)
    if len(plain) > 60:
        raise FieldWrong(f"{label}最多 60 字。", field=name)
    pattern, hint = _NUMBERS.get(name, ("", ""))
    if pattern and not re.fullmatch(pattern, plain):
        raise FieldWrong(f"{hint}，请核对。", field=name)
    return plain


def told(plan: Plan, form: Mapping[str, Any], id_number: str) -> dict[str, Any]:
    """What a department is told of the form: its own fields and no others."""
    known = {**form, "id_number": id_number}
    return {name: known[name] for name in plan.shares if known.get(name)}


def status_of(items: Collection[JointItem]) -> JointMatter.Status:
    """Of the whole, from its parts: it runs while any part may still move by itself or wait for its applicant."""
    every = {Status(one.status) for one in items}
    matter = JointMatter.Status
    if every <= {Status.WITHDRAWN}:
        return matter.WITHDRAWN
    if every <= {Status.DONE}:
        return matter.DONE
    # A held part waits for one that runs, or for ever for one that was refused or withdrawn.
    return matter.RUNNING if {Status.SENDING, Status.ACCEPTED, Status.CORRECTING} & every else matter.ENDED


def joint_number(kind: str, division_code: str, day: date, sequence: int) -> str:
    """联办号: a letter of the kind, division 6, month and day 4, sequence at least 6; no number twice."""
    letter = {JointKind.NEWBORN: "X", JointKind.VETERAN: "T"}[JointKind(kind)]
    return f"{letter}{division_code[:6]}{day:%m%d}{sequence:06d}"


#: Pauses between tries and between questions, seconds; the last one stays, for nothing is given up.
_PAUSES: Final = (5, 15, 60, 300, 900)


def retry_after(tries: int) -> timedelta:
    """The pause after so many tries."""
    return timedelta(seconds=_PAUSES[min(max(tries, 1), len(_PAUSES)) - 1])
