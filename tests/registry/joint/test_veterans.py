"""退役军人服务一件事: the category, the card and the departments, by one form."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from tests.department_sandbox import Departments
from tests.registry.conftest import AT, LI_QIANG, SUPERVISOR, herself, id_number
from tests.registry.joint.conftest import MAKING, departments_work, fresh, item, states, veteran
from yikatong.core.actor import Actor, Channel, Role
from yikatong.core.clock import day_of, now
from yikatong.core.errors import DomainError, Forbidden
from yikatong.core.models import AuditEntry
from yikatong.registry.cards import actions as cards
from yikatong.registry.cards.models import Card, Case
from yikatong.registry.cards.refusals import HolderNotActive
from yikatong.registry.holders.models import Category, Holder
from yikatong.registry.holders.refusals import BadPhone, OutsideProvince
from yikatong.registry.joint import actions, queries, rules
from yikatong.registry.joint.models import JointItem, JointMatter, JointRequest

COUNTED = (Category, Case, JointMatter, JointItem, JointRequest, AuditEntry)


def everything() -> dict[str, int]:
    return {model.__name__: model.objects.count() for model in COUNTED}


@pytest.mark.clause("B7", "O10", "A5")
def test_a_clerk_who_has_seen_the_original_opens_all_at_once(
    sun_li: Holder, departments: Departments
) -> None:
    joint = actions.open_veteran(sun_li.pk, veteran(), MAKING, by=LI_QIANG, at=AT)
    category = Category.objects.get()
    assert (category.kind, category.source, category.evidence, category.valid_from) == (
        "veteran", "本人出示的证件原件", "退字第2026000123号", date(2026, 11, 20),
    )  # fmt: skip
    assert joint.case is not None
    assert (joint.case.status, joint.case.step_due_on) == ("submitted", date(2026, 11, 24))
    assert states(joint) == {
        "report": "sending", "licence": "held", "residence": "held", "transfer": "held", "pension": "held",
    }  # fmt: skip
    departments_work()
    assert (fresh(joint).status, Category.objects.count()) == ("done", 1)
    assert (item(joint, "licence").result or "")[:2] == "YD"


@pytest.mark.clause("B7", "G7")
def test_over_the_network_the_concession_waits_for_its_proof(
    sun_li: Holder, departments: Departments
) -> None:
    actions.open_veteran(sun_li.pk, veteran(), MAKING, by=herself(sun_li), at=AT)
    assert not Category.objects.exists()
    departments_work()
    category = Category.objects.get()
    assert (category.source, category.valid_from, category.valid_until) == (
        "退役军人事务部门名单", day_of(now()), None,
    )  # fmt: skip


@pytest.mark.clause("B7", "G7")
def test_what_the_department_does_not_confirm_is_no_concession(
    sun_li: Holder, departments: Departments
) -> None:
    joint = actions.open_veteran(
        sun_li.pk, veteran(discharge_certificate="退字第2026000000号"), MAKING, by=LI_QIANG, at=AT
    )
    departments_work()
    assert item(joint, "report").reason == "退役证编号查无此号，请核对后重新送办"
    category = Category.objects.get()
    assert (category.end_reason, category.valid_until) == ("退役军人事务部门未予确认", day_of(now()))
    assert fresh(joint).status == "ended"

    changed = {"discharge_certificate": "退字第2026000124号"}
    actions.correct(joint.pk, "report", answers=changed, by=LI_QIANG, at=now())
    departments_work()
    assert fresh(joint).status == "done"


@pytest.mark.clause("B7")
def test_who_has_a_card_applies_for_none(
    sun_li: Holder, carry: Callable[..., Card], departments: Departments
) -> None:
    carry(sun_li)
    cases = Case.objects.count()
    joint = actions.open_veteran(sun_li.pk, veteran(), by=herself(sun_li), at=AT)
    assert (joint.case, Case.objects.count()) == (None, cases)
    part = queries.progress(fresh(joint), at=AT)[-1]
    assert (part.title, part.status, part.state) == ("社会保障卡", "已有卡", "done")


WRONG: list[tuple[dict[str, Any], type[DomainError], str]] = [
    ({"discharge_certificate": ""}, rules.FieldWrong, "请填写退役证编号。"),
    ({"discharge_certificate": "退役"}, rules.FieldWrong, "退役证编号如"),
    ({"discharged_on": date(2026, 12, 1)}, rules.NotDischarged, "退役日期不能晚于今天"),
    ({"discharged_on": date(2025, 10, 1)}, rules.NotDischarged, "在退役后一年内办理"),
    ({"unit": ""}, rules.FieldWrong, "请填写原部队。"),
    ({"household_book": "51"}, rules.FieldWrong, "户口簿编号应为 9 位数字"),
    ({"phone": "12"}, BadPhone, "手机号码应为 11 位数字"),
    ({"division_code": "110101"}, OutsideProvince, "所在区划不在本省"),
]


@pytest.mark.clause("B7")
@pytest.mark.parametrize(("wrong", "refusal", "words"), WRONG)
def test_a_wrong_form_opens_nothing(
    sun_li: Holder, wrong: dict[str, Any], refusal: type[DomainError], words: str
) -> None:
    before = everything()
    with pytest.raises(refusal, match=words):
        actions.open_veteran(sun_li.pk, veteran(**wrong), MAKING, by=LI_QIANG, at=AT)
    assert everything() == before


@pytest.mark.clause("B7")
def test_a_card_that_cannot_be_leaves_no_category(sun_li: Holder) -> None:
    before = everything()
    with pytest.raises(rules.FieldWrong, match="请选择一家合作银行"):
        actions.open_veteran(sun_li.pk, veteran(), by=LI_QIANG, at=AT)
    assert everything() == before


@pytest.mark.clause("B7")
def test_the_young_and_the_gone_have_not_served(register: Callable[..., Holder]) -> None:
    child = register(12, name="小明", number=id_number(12, born="20120101"))
    with pytest.raises(rules.TooYoungToServe):
        actions.open_veteran(child.pk, veteran(), MAKING, by=LI_QIANG, at=AT)
    gone = register(13, name="老周")
    Holder.objects.filter(pk=gone.pk).update(status="deceased")
    with pytest.raises(HolderNotActive):
        actions.open_veteran(gone.pk, veteran(), MAKING, by=LI_QIANG, at=AT)


@pytest.mark.clause("B7")
def test_once_a_person_and_once_a_certificate(sun_li: Holder, register: Callable[..., Holder]) -> None:
    first = actions.open_veteran(sun_li.pk, veteran(), MAKING, by=herself(sun_li), at=AT)
    other = {"discharge_certificate": "退字第2026000999号"}
    with pytest.raises(rules.JointKnown, match=f"联办号 {first.number}"):
        actions.open_veteran(sun_li.pk, veteran(**other), MAKING, by=LI_QIANG, at=AT)
    stranger = register(11, name="钱多")
    with pytest.raises(rules.JointKnown, match="请由申办人查询进度"):
        actions.open_veteran(stranger.pk, veteran(), MAKING, by=herself(stranger), at=AT)


@pytest.mark.clause("B7", "K2")
def test_a_bank_s_clerk_has_no_part_in_it(sun_li: Holder) -> None:
    teller = Actor(LI_QIANG.id, "出纳", Role.BANK_CLERK, Channel.COUNTER, scope="5101", bank="95901")
    with pytest.raises(Forbidden):
        actions.open_veteran(sun_li.pk, veteran(), MAKING, by=teller, at=AT)


@pytest.mark.clause("B7", "O12")
def test_a_death_ends_what_is_under_way_and_what_is_done_stays(
    sun_li: Holder, departments: Departments
) -> None:
    departments.goes_wrong("slow", "licence", hold_s=3600)
    joint = actions.open_veteran(sun_li.pk, veteran(), MAKING, by=LI_QIANG, at=AT)
    departments_work(2)
    assert states(joint)["licence"] == "accepted"
    cards.record_death(sun_li.pk, on=day_of(AT), evidence="死亡证明 2026-1", by=SUPERVISOR, at=now())
    departments_work()
    assert states(joint) == {
        "report": "done", "licence": "withdrawn", "residence": "done", "transfer": "done", "pension": "done",
    }  # fmt: skip
    assert (fresh(joint).status, Case.objects.get(kind="apply").status) == ("ended", "withdrawn")
    assert joint.steps.filter(note="持卡人登记为“已故”").count() == 1


@pytest.mark.clause("B7", "A6")
def test_a_merge_takes_the_matter_along(sun_li: Holder, register: Callable[..., Holder]) -> None:
    joint = actions.open_veteran(sun_li.pk, veteran(), MAKING, by=LI_QIANG, at=AT)
    kept = register(14, name="孙立", number=id_number(14))
    cards.merge(kept.pk, sun_li.pk, reason="同一人重复登记", evidence="户籍证明 1", by=SUPERVISOR, at=now())
    assert (fresh(joint).holder_id, fresh(joint).status) == (kept.pk, "running")
    assert queries.joint(joint.number, by=herself(kept), at=AT).pk == joint.pk
