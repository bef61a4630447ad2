"""新生儿出生一件事: one form opens child, guardian, card case and departments; each part goes its way."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from tests.bank_sandbox import Sandbox
from tests.department_sandbox import Departments
from tests.registry.conftest import AT, LI_QIANG, MIAN_YANG, SUPERVISOR, ZHAO_MIN, herself, id_number
from tests.registry.joint.conftest import (
    CERTIFICATE,
    FATHER,
    MAKING,
    by_parent,
    departments_work,
    fresh,
    item,
    newborn,
    states,
)
from yikatong.core.actor import Actor
from yikatong.core.clock import now
from yikatong.core.errors import DomainError, NotFound
from yikatong.core.models import AuditEntry, Look
from yikatong.registry.banks.rules import NoBank
from yikatong.registry.cards import actions as cards
from yikatong.registry.cards.models import Case
from yikatong.registry.cards.refusals import NumberAwaited
from yikatong.registry.holders import actions as holders
from yikatong.registry.holders.certificates import BadCertificate
from yikatong.registry.holders.models import Certificate, Guardianship, Holder
from yikatong.registry.holders.names import BadName
from yikatong.registry.holders.refusals import OutsideProvince
from yikatong.registry.holders.rules import awaits_number
from yikatong.registry.joint import actions, queries, rules
from yikatong.registry.joint.models import JointItem, JointMatter, JointRequest, JointStep
from yikatong.registry.matching.models import Inquiry

COUNTED = (
    Holder,
    Certificate,
    Guardianship,
    Case,
    JointMatter,
    JointItem,
    JointRequest,
    JointStep,
    AuditEntry,
)


def everything() -> dict[str, int]:
    return {model.__name__: model.objects.count() for model in COUNTED}


@pytest.mark.clause("B7", "O10", "A4")
def test_one_form_opens_child_guardian_card_and_departments(parent: Holder) -> None:
    joint = by_parent(parent)
    child, case = joint.holder, joint.case
    assert case is not None
    assert (child.name, child.birth_date, child.division_code) == ("刘小满", date(2026, 11, 11), "510107")
    assert [(one.kind, one.number) for one in child.certificates.all()] == [("B", CERTIFICATE)]
    assert awaits_number(child)
    assert joint.guardianship is not None
    assert (joint.guardianship.guardian_id, joint.guardianship.ground) == (parent.pk, "parent")
    assert (case.holder_id, case.status, case.applicant, case.step_due_on) == (
        child.pk, "submitted", "guardian", None,
    )  # fmt: skip
    assert states(joint) == {
        "birth": "sending",
        "household": "held",
        "vaccination": "held",
        "insurance": "held",
    }
    assert item(joint, "birth").due_on == date(2026, 11, 23), "one working day after Friday"
    assert (joint.status, joint.channel, joint.number[:11]) == ("running", "mobile", "X5101071120")
    told = JointRequest.objects.get()
    assert (told.department, told.act, told.status) == ("health", "submit", "waiting")
    assert "household_book" not in told.content, "a department is told its own fields only"
    assert (
        Look.objects.filter(holder_id=child.pk, purpose="提供给卫生健康部门办理出生医学证明核验").count() == 1
    )


@pytest.mark.clause("B7", "O10")
def test_each_department_answers_and_what_waited_for_it_begins(
    parent: Holder, departments: Departments
) -> None:
    joint = by_parent(parent)
    departments_work()
    joint = fresh(joint)
    assert states(joint) == dict.fromkeys(("birth", "household", "vaccination", "insurance"), "done")
    assert joint.status == "done"
    child = joint.holder
    number = item(joint, "household").result
    assert number is not None
    assert (child.social_security_number, number[:14], len(number)) == (number, "51010720261111", 18)
    assert not awaits_number(child)
    assert sorted((one.kind, one.is_current) for one in child.certificates.all()) == [
        ("A", True),
        ("B", False),
    ]
    assert joint.case is not None
    assert joint.case.step_due_on is not None, "the check's clock begins with the number"
    titles = [one.title for one in queries.progress(joint, at=now())]
    assert titles == [
        "出生医学证明核验", "出生户口登记", "预防接种建档", "城乡居民基本医疗保险参保登记", "社会保障卡申领",
    ]  # fmt: skip
    assert cards.check(joint.case.pk, by=SUPERVISOR, at=now()).status == "checked"


@pytest.mark.clause("B7")
def test_no_card_is_checked_before_its_holder_has_a_number(at_counter: JointMatter) -> None:
    assert at_counter.case is not None
    with pytest.raises(NumberAwaited, match="等公安机关完成出生户口登记"):
        cards.check(at_counter.case.pk, by=SUPERVISOR, at=AT)
    assert Case.objects.get().status == "submitted"
    part = queries.progress(fresh(at_counter), at=AT)[-1]
    assert (part.status, part.waits_for, part.due_on) == ("待公民身份号码", "出生户口登记", None)


@pytest.mark.clause("B7")
def test_a_child_who_has_a_number_needs_no_household_registration(
    parent: Holder, departments: Departments
) -> None:
    joint = by_parent(parent, id_number=_number())
    assert "household" not in states(joint)
    assert (states(joint)["birth"], states(joint)["insurance"]) == ("sending", "sending")
    assert joint.case is not None
    assert joint.case.step_due_on == date(2026, 11, 24)
    departments_work()
    assert set(states(joint).values()) == {"done"}


def _number() -> str:
    return id_number(3, born="20261111")


WRONG: list[tuple[dict[str, Any], type[DomainError], str]] = [
    ({"birth_certificate": "510012345"}, BadCertificate, "出生医学证明号码应为10 位，现在是 9 位，请核对。"),
    ({"birth_certificate": "5510012345"}, BadCertificate, "出生医学证明编号是 1 位字母加 9 位数字，请核对。"),
    ({"birth_date": date(2025, 10, 1)}, rules.NotANewborn, "新生儿出生一件事在出生后一年内办理"),
    ({"birth_date": date(2026, 12, 1)}, rules.NotANewborn, "请核对出生日期"),
    ({"name": " "}, BadName, "姓名"),
    ({"sex": "9"}, rules.FieldWrong, "请选择性别。"),
    ({"hospital": ""}, rules.FieldWrong, "请填写出生医院。"),
    ({"mother_name": ""}, rules.FieldWrong, "请填写母亲姓名。"),
    ({"household_book": "12"}, rules.FieldWrong, "户口簿编号应为 9 位数字，印在户口簿首页，请核对。"),
    ({"division_code": "110101"}, OutsideProvince, "所在区划不在本省"),
    ({"id_number": "510107202611110011"}, BadCertificate, "请"),
]


@pytest.mark.clause("B7")
@pytest.mark.parametrize(("wrong", "refusal", "words"), WRONG)
def test_a_wrong_form_opens_nothing(
    parent: Holder, wrong: dict[str, Any], refusal: type[DomainError], words: str
) -> None:
    before = everything()
    with pytest.raises(refusal, match=words):
        by_parent(parent, **wrong)
    assert everything() == before


@pytest.mark.clause("B7")
def test_a_refused_card_leaves_no_child_behind(parent: Holder) -> None:
    before = everything()
    with pytest.raises(NoBank):
        actions.open_newborn(
            newborn(), actions.Making(bank_code="00000", division_code="510107"), by=herself(parent), at=AT
        )
    with pytest.raises(rules.FieldWrong, match="请选择一家合作银行"):
        actions.open_newborn(newborn(), actions.Making(division_code="510107"), by=herself(parent), at=AT)
    assert everything() == before


@pytest.mark.clause("B7")
def test_the_same_newborn_twice_is_told_where_the_first_one_is(
    parent: Holder, register: Callable[..., Holder]
) -> None:
    first, before = by_parent(parent), everything()
    for by, guardian in ((herself(parent), None), (LI_QIANG, FATHER)):
        with pytest.raises(rules.JointKnown, match=f"已于 2026-11-20 申办.*联办号 {first.number}") as told:
            actions.open_newborn(newborn(), MAKING, guardian=guardian, by=by, at=AT)
        assert told.value.facts == {"number": first.number}
    stranger = register(11, name="钱多")
    with pytest.raises(rules.JointKnown, match="请由申办人查询进度") as told:
        by_parent(stranger)
    assert told.value.facts == {}, "a stranger learns no number"
    assert everything() == before | {"Holder": before["Holder"] + 1, "Certificate": before["Certificate"] + 1,
                                     "AuditEntry": before["AuditEntry"] + 1}  # fmt: skip


@pytest.mark.clause("B7", "O10")
def test_a_refusal_of_one_department_stops_no_other(parent: Holder, departments: Departments) -> None:
    departments.goes_wrong("refuse", "vaccination", reason="该接种单位已停止建档，请改选")
    joint = by_parent(parent)
    departments_work()
    assert states(joint) == {
        "birth": "done",
        "household": "done",
        "vaccination": "refused",
        "insurance": "done",
    }
    part = {one.key: one for one in queries.progress(fresh(joint), at=now())}["vaccination"]
    assert (part.reason, part.may_correct) == ("该接种单位已停止建档，请改选", True)
    assert fresh(joint).status == "ended"


@pytest.mark.clause("B7")
def test_what_is_corrected_is_sent_again_and_heard(parent: Holder, departments: Departments) -> None:
    """The register knows another book; the applicant looks again, and the department goes on."""
    joint = by_parent(parent, household_book="510107001")
    departments_work()
    asked = item(joint, "household")
    assert (asked.status, asked.reason) == ("correcting", "户口簿编号与底册不一致，请核对后补正")
    assert asked.days_left == 5
    assert (states(joint)["insurance"], states(joint)["vaccination"]) == ("held", "done")

    with pytest.raises(rules.NothingCorrected):
        actions.correct(joint.pk, "household", answers={"household_book": "510107001"}, by=LI_QIANG, at=now())
    with pytest.raises(rules.FieldWrong, match="9 位数字"):
        actions.correct(joint.pk, "household", answers={"household_book": "x"}, by=LI_QIANG, at=now())
    with pytest.raises(rules.NotCorrectable):
        actions.correct(joint.pk, "vaccination", answers={"phone": "13900000000"}, by=LI_QIANG, at=now())
    # Begun on the phone, continued at the counter, by a clerk of another city.
    actions.correct(joint.pk, "household", answers={"household_book": "510107124"}, by=MIAN_YANG, at=now())
    departments_work()
    assert set(states(joint).values()) == {"done"}
    channels = list(JointStep.objects.filter(item__key="household").values_list("status", "channel"))
    assert channels == [
        ("sending", "system"), ("correcting", "system"), ("sending", "counter"), ("done", "system"),
    ]  # fmt: skip


@pytest.mark.clause("B7")
def test_a_refused_part_may_be_put_right_too(parent: Holder, departments: Departments) -> None:
    joint = by_parent(parent, household_book="510107000")
    departments_work()
    assert item(joint, "household").status == "refused"
    part = {one.key: one for one in queries.progress(fresh(joint), at=now())}["insurance"]
    assert part.next_step.startswith("出生户口登记没有办成")
    actions.correct(
        joint.pk, "household", answers={"household_book": "510107124"}, by=herself(parent), at=now()
    )
    departments_work()
    assert (fresh(joint).status, fresh(joint).closed_at is not None) == ("done", True)


@pytest.mark.clause("B7")
def test_a_corrected_name_is_the_child_s_name(parent: Holder, departments: Departments) -> None:
    departments.goes_wrong("correct", "birth", reason="姓名与底册不一致")
    joint = by_parent(parent)
    departments_work()
    actions.correct(joint.pk, "birth", answers={"name": "刘小曼"}, by=herself(parent), at=now())
    departments_work()
    assert (fresh(joint).holder.name, fresh(joint).status) == ("刘小曼", "done")


@pytest.mark.clause("B7")
def test_all_may_be_taken_back_and_opened_anew(parent: Holder, departments: Departments) -> None:
    joint = by_parent(parent)
    actions.withdraw(joint.pk, by=herself(parent), at=now())
    joint = fresh(joint)
    assert joint.case is not None
    assert (joint.status, set(states(joint).values()), joint.case.status) == (
        "withdrawn", {"withdrawn"}, "withdrawn",
    )  # fmt: skip
    with pytest.raises(rules.NothingToWithdraw):
        actions.withdraw(joint.pk, by=herself(parent), at=now())
    departments_work()
    assert set(states(joint).values()) == {"withdrawn"}, "what a department says too late changes nothing"
    again = by_parent(parent)
    assert (again.holder_id, again.guardianship_id) == (joint.holder_id, joint.guardianship_id)
    departments_work()
    assert fresh(again).status == "done"


@pytest.mark.clause("B7")
def test_one_part_may_be_taken_back(parent: Holder, departments: Departments) -> None:
    joint = by_parent(parent)
    actions.withdraw(joint.pk, "vaccination", by=herself(parent), at=now())
    departments_work()
    assert states(joint) == {
        "birth": "done",
        "household": "done",
        "vaccination": "withdrawn",
        "insurance": "done",
    }
    with pytest.raises(NotFound):
        actions.withdraw(joint.pk, "nothing", by=herself(parent), at=now())


@pytest.mark.clause("B7", "G17")
def test_a_stranger_sees_and_moves_nothing(parent: Holder, register: Callable[..., Holder]) -> None:
    joint, stranger = by_parent(parent), register(11, name="钱多")
    before = everything()
    for by in (herself(stranger), ZHAO_MIN):
        with pytest.raises(NotFound):
            queries.joint(joint.number, by=by, at=AT)
        with pytest.raises(DomainError):
            actions.withdraw(joint.pk, by=by, at=AT)
    assert everything() == before


@pytest.mark.clause("B7", "G17")
def test_reading_leaves_a_row_that_the_family_sees(parent: Holder) -> None:
    joint = by_parent(parent)
    queries.joint(joint.number, by=MIAN_YANG, at=AT)
    found = Look.objects.filter(holder_id=joint.holder_id, looker_name="陈静")
    assert [one.purpose for one in found] == ["查询联办进度"]


@pytest.mark.clause("B7")
def test_a_child_of_others_is_not_taken_over_from_a_phone(
    parent: Holder, register: Callable[..., Holder]
) -> None:
    joint = by_parent(parent)
    actions.withdraw(joint.pk, by=herself(parent), at=AT)
    before = everything()
    stranger: Actor = herself(register(11, name="钱多"))
    with pytest.raises(rules.GuardianOfAnother):
        actions.open_newborn(newborn(), MAKING, by=stranger, at=AT)
    with pytest.raises(rules.NumberOfAnother):
        actions.open_newborn(newborn(name="别人"), MAKING, by=herself(parent), at=AT)
    assert JointMatter.objects.count() == before["JointMatter"]


def test_a_number_that_does_not_fit_the_child_is_not_taken(parent: Holder, departments: Departments) -> None:
    """What the department says and what we know cannot both be: nothing is overwritten."""
    joint = by_parent(parent)
    holders.give_number(joint.holder_id, number=_number(), evidence="窗口登记", by=LI_QIANG, at=AT)
    departments_work()
    asked = item(joint, "household")
    assert (asked.status, asked.reason) == (
        "refused", "部门返回的结果与登记不符：此人已有公民身份号码，不能再次赋号；号码有误的请办理证件号码变更。",
    )  # fmt: skip
    assert fresh(joint).holder.social_security_number == _number()


@pytest.mark.clause("A6", "B7")
def test_other_registers_are_asked_once_the_child_has_a_number(
    parent: Holder, departments: Departments, sources: Sandbox
) -> None:
    joint = by_parent(parent)
    assert not Inquiry.objects.filter(holder=joint.holder_id).exists()
    departments_work()
    assert Inquiry.objects.filter(holder=joint.holder_id).count() == 1
