"""Which department does what in a joint matter, after which, and what it is told. Data, and no I/O."""

from dataclasses import dataclass
from typing import Final

from yikatong.registry.joint.models import JointKind


@dataclass(frozen=True, slots=True)
class Plan:
    """One department's part. `needs` must be done before it begins; `limit` names its days in the profile.

    `shares`: which fields of the form it is told, and no others (PIPL art. 6); `corrects`: which of them may be
    put right when it asks, `mistyped`: which even before it has answered; `desk`: who answers for it, after the name
    of the place.
    """

    key: str
    title: str
    department: str
    desk: str
    limit: str
    needs: tuple[str, ...]
    shares: tuple[str, ...]
    corrects: tuple[str, ...]
    #: What the department's answer is called; its value comes as `number`.
    answer: str
    is_left_out_with_number: bool = False
    mistyped: tuple[str, ...] = ()


_CHILD: Final = ("name", "sex", "birth_date", "birth_certificate")
_SERVED: Final = ("name", "id_number", "discharge_certificate")

NEWBORN: Final = (
    Plan(
        "birth", "出生医学证明核验", "health", "卫生健康部门（妇幼健康岗）", "birth", (),
        (*_CHILD, "hospital", "mother_name", "guardian_number"),
        ("name", "birth_certificate", "hospital", "mother_name"), "证明编号", mistyped=("birth_certificate",),
    ),
    Plan(
        "household", "出生户口登记", "police", "公安机关（户籍窗口）", "household", ("birth",),
        (*_CHILD, "division_code", "guardian_name", "guardian_number", "relation", "household_book"),
        ("name", "household_book"), "公民身份号码", is_left_out_with_number=True,
    ),
    Plan(
        "vaccination", "预防接种建档", "cdc", "疾病预防控制机构（预防接种岗）", "vaccination", ("birth",),
        (*_CHILD, "division_code", "guardian_name", "phone"), ("phone",), "预防接种证编号",
    ),
    Plan(
        "insurance", "城乡居民基本医疗保险参保登记", "medical", "医疗保障部门（参保登记岗）", "insurance", ("household",),
        ("name", "id_number", "division_code", "guardian_number", "phone"), ("phone",), "参保登记号",
    ),
)  # fmt: skip

VETERAN: Final = (
    Plan(
        "report", "退役报到登记", "veterans", "退役军人事务部门（接收安置岗）", "report", (),
        (*_SERVED, "discharged_on", "unit", "division_code"),
        ("discharge_certificate", "discharged_on", "unit"), "报到登记号",
    ),
    Plan(
        "licence", "退役军人优待证申领", "veterans", "退役军人事务部门（优待证岗）", "licence", ("report",),
        (*_SERVED, "phone"), ("phone",), "优待证编号",
    ),
    Plan(
        "residence", "退役落户（恢复户口）", "police", "公安机关（户籍窗口）", "residence", ("report",),
        (*_SERVED, "division_code", "household_book"), ("household_book",), "户口登记号",
    ),
    Plan(
        "transfer", "基本医疗保险关系转移接续", "medical", "医疗保障部门（关系转移岗）", "transfer", ("report",),
        (*_SERVED, "discharged_on", "division_code"), ("discharged_on",), "接续登记号",
    ),
    Plan(
        "pension", "基本养老保险关系转移接续", "hrss", "社会保险经办机构（关系转移岗）", "pension", ("report",),
        (*_SERVED, "discharged_on", "division_code"), ("discharged_on",), "接续登记号",
    ),
)  # fmt: skip

PLANS: Final[dict[str, tuple[Plan, ...]]] = {JointKind.NEWBORN: NEWBORN, JointKind.VETERAN: VETERAN}
DEPARTMENTS: Final[dict[str, str]] = {
    "health": "卫生健康部门",
    "police": "公安机关",
    "cdc": "疾病预防控制机构",
    "medical": "医疗保障部门",
    "veterans": "退役军人事务部门",
    "hrss": "社会保险经办机构",
}
#: Fields of the form as people call them.
LABELS: Final[dict[str, str]] = {
    "name": "姓名",
    "birth_certificate": "出生医学证明编号",
    "hospital": "出生医院",
    "mother_name": "母亲姓名",
    "household_book": "户口簿编号",
    "phone": "联系电话",
    "discharge_certificate": "退役证编号",
    "discharged_on": "退役日期",
    "unit": "原部队",
}
#: The item whose answer gives a newborn his number; the card waits for it.
GIVES_NUMBER: Final = "household"
#: The item whose answer proves who served.
PROVES_SERVICE: Final = "report"


def plans_of(kind: str, *, has_number: bool) -> tuple[Plan, ...]:
    """The parts of a joint matter; a child registered in a household already needs no registration."""
    return tuple(one for one in PLANS[kind] if not (has_number and one.is_left_out_with_number))


def plan_of(kind: str, key: str) -> Plan:
    """Raises KeyError."""
    return {one.key: one for one in PLANS[kind]}[key]
