"""A birth certificate number typed wrong: put right before the department answers, or when it asks."""

from typing import Any

import pytest

from tests.department_sandbox import Departments
from tests.registry.conftest import AT, LI_QIANG, ZHAO_MIN, herself
from tests.registry.joint.conftest import (
    CERTIFICATE,
    by_parent,
    departments_work,
    fresh,
    item,
    newborn,
    states,
)
from yikatong.core.actor import SYSTEM
from yikatong.core.clock import now
from yikatong.core.errors import DomainError, NotFound
from yikatong.core.models import AuditEntry
from yikatong.registry.holders import queries as holders
from yikatong.registry.holders.models import Certificate, Guardianship, Holder, LifeEvent
from yikatong.registry.joint import actions, moves, queries
from yikatong.registry.joint.models import JointItem, JointMatter, JointRequest, JointStep

pytestmark = pytest.mark.django_db
RIGHT = "T510012346"


def retype(joint: JointMatter, number: str = RIGHT, **more: Any) -> JointMatter:
    who = {"by": LI_QIANG, "at": AT} | more
    return actions.correct(joint.pk, "birth", answers={"birth_certificate": number}, **who)


def everything() -> list[int]:
    return [one.objects.count() for one in (LifeEvent, JointStep, JointRequest, AuditEntry, Certificate)]


@pytest.mark.clause("B7", "O10")
def test_it_is_put_right_before_the_department_answers(parent: Holder) -> None:
    joint = by_parent(parent)
    retype(joint, f" {RIGHT.lower()} ", by=herself(parent))

    child = fresh(joint).holder
    assert queries.form_of(fresh(joint))["birth_certificate"] == RIGHT
    assert [(one.kind, one.number, one.is_current) for one in child.certificates.all()] == [
        ("B", RIGHT, True)
    ]
    assert child.social_security_number == f"CHN{RIGHT.rjust(15, '0')}"
    assert Guardianship.objects.get().evidence_number == RIGHT
    event = LifeEvent.objects.get(holder=child, kind="number")
    assert (event.before, event.after, event.evidence) == (CERTIFICATE, RIGHT, f"联办补正 {joint.number}")
    # What was never his number finds him no more; what is, does.
    assert holders.by_number(CERTIFICATE) is None
    assert holders.by_number(RIGHT) == child
    # Nothing has moved: the department is told, and the page says what happened.
    assert item(joint, "birth").status == "sending"
    acts = list(
        JointRequest.objects.filter(item__key="birth").order_by("serial").values_list("act", flat=True)
    )
    assert acts == ["submit", "correct"]
    told = queries.timeline(fresh(joint))[-1]
    assert (told.what, told.note, told.is_bad) == (
        "出生医学证明核验：填写已更正", "已改正：出生医学证明编号", False,
    )  # fmt: skip
    # Now the wrong number is free for the child it belongs to, and the right one is taken.
    other = actions.check_newborn(newborn(name="陈示例"), by=herself(parent), at=AT)
    assert other[0]["birth_certificate"] == CERTIFICATE
    with pytest.raises(DomainError) as caught:
        actions.check_newborn(newborn(birth_certificate=RIGHT), by=herself(parent), at=AT)
    assert caught.value.code == "joint_already_open"


@pytest.mark.clause("B7", "O10")
def test_departments_hear_the_number_that_is_right(parent: Holder, departments: Departments) -> None:
    """Also the one that has it already in hand: it answers of the last word it was told."""
    departments.goes_wrong("slow", "birth", times=1)
    joint = by_parent(parent)
    retype(joint)
    departments_work()
    assert set(states(joint).values()) == {"done"}
    contents = [one.content for one in JointRequest.objects.exclude(item__key="insurance").order_by("serial")]
    assert [(CERTIFICATE in one, RIGHT in one) for one in contents] == [(True, False)] + [(False, True)] * (
        len(contents) - 1
    )


@pytest.mark.clause("B7", "O10")
def test_the_department_asks_for_it(parent: Holder) -> None:
    """补正 after its answer, also after a refusal; the clock stands meanwhile and the part goes again."""
    joint = by_parent(parent)
    part = JointItem.objects.select_related("joint").get(joint=joint, key="birth")
    moves.move_item(part, JointItem.Status.CORRECTING, by=SYSTEM, at=AT, note="编号查无此证")
    shown = {one.key: one.corrects for one in queries.progress(fresh(joint), at=AT)}
    assert shown["birth"] == ("name", "birth_certificate", "hospital", "mother_name")
    retype(joint)
    assert item(joint, "birth").status == "sending"
    assert fresh(joint).holder.certificates.get().number == RIGHT


@pytest.mark.clause("B7")
def test_what_is_no_number_or_anothers_changes_nothing(parent: Holder) -> None:
    joint = by_parent(parent)
    by_parent(parent, name="刘小雨", birth_certificate="T510099999")
    before = everything()
    for number, code in (
        ("X1", "certificate_length"),
        (CERTIFICATE, "joint_nothing_corrected"),
        ("T510099999", "joint_already_open"),
    ):
        with pytest.raises(DomainError) as caught:
            retype(joint, number)
        assert (number, caught.value.code) == (number, code)
    with pytest.raises(NotFound):
        retype(joint, by=ZHAO_MIN)
    assert everything() == before
    assert fresh(joint).holder.certificates.get().number == CERTIFICATE


@pytest.mark.clause("B7")
def test_once_it_is_verified_it_stays(parent: Holder, departments: Departments) -> None:
    joint = by_parent(parent)
    departments_work()
    with pytest.raises(DomainError) as caught:
        retype(joint, at=now())
    assert caught.value.code == "joint_not_correctable"
    assert {one.key: one.may_correct for one in queries.progress(fresh(joint), at=now())}["birth"] is False
