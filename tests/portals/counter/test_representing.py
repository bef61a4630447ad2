"""At the desk: guardians of children, agents with an authorisation, proofs of a ground."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from tests import cast
from tests.portals.counter.typed import application, text
from yikatong.core.clock import day_of, now
from yikatong.core.masking import mask_number
from yikatong.registry.cards import actions as cards
from yikatong.registry.cards.models import Authorisation, Case
from yikatong.registry.holders import actions as holder_acts
from yikatong.registry.holders.models import Category, Guardianship, Holder, Proof

FATHER = cast.id_number(40, born="19850101")
GUARDIAN = {
    "name": "王建国", "kind": "A", "number": FATHER, "ground": "parent", "evidence": "household",
    "evidence_number": "", "verified": "yes", "step": "confirm",
}  # fmt: skip


def agent(**changes: Any) -> dict[str, Any]:
    until = day_of(now()) + timedelta(days=30)
    form = {"name": "赵大力", "kind": "A", "number": cast.id_number(41), "matters": ["apply", "loss"]}
    form |= {"evidence": "letter", "evidence_number": "", "valid_until": until.isoformat()}
    return form | {"verified": "yes", "step": "confirm"} | changes


@pytest.fixture
def child(stage: None) -> Holder:
    return cast.register(cast.id_number(9, born="20180601"), name="王小宝", phone="13900000009")


@pytest.mark.clause("O10", "A4")
def test_a_child_without_guardian_is_led_to_registering_one(desk: Client, child: Holder) -> None:
    base = f"/counter/holders/{child.pk}"
    told = text(desk.get(f"{base}/apply"))
    assert ("现在不能办理申领" in told, 'name="bank_code"' in told) == (True, False)
    refused = desk.post(f"{base}/apply", application())
    page = text(refused)
    assert refused.status_code == 409
    assert f'<a class="button" href="{base}/guardian"' in told
    assert "未满 16 周岁的，由监护人代为办理。下一步：监护人持本人证件" in page
    assert f'<a href="{base}/guardian">登记监护关系</a>' in page
    assert Case.objects.count() == 0
    checked = desk.post(f"{base}/guardian", GUARDIAN | {"step": "check"})
    assert "请与持卡人核对" in text(checked)
    assert Guardianship.objects.count() == 0
    done = desk.post(f"{base}/guardian", GUARDIAN)
    assert (done.status_code, done.headers["Location"]) == (303, f"{base}/?done=guardian")
    page = text(desk.get(f"{base}/?done=guardian"))
    assert "监护关系已登记，监护人可以代为办理。" in page
    assert "王*国（父母），户口簿" in page
    assert "王建国" not in page
    answer = desk.post(f"{base}/apply", application())
    assert answer.status_code == 303
    page = text(desk.get(answer.headers["Location"]))
    assert "<dt>申请人</dt><dd>监护人</dd><dt>监护人</dt><dd>王*国</dd>" in page
    assert FATHER not in page


@pytest.mark.clause("O10", "A4")
def test_a_clerk_chooses_who_of_several_stands_before_him(desk: Client, child: Holder) -> None:
    base = f"/counter/holders/{child.pk}"
    assert "到场办理人" not in text(desk.get(f"{base}/apply"))
    desk.post(f"{base}/guardian", GUARDIAN)
    mother = GUARDIAN | {"name": "赵小梅", "number": cast.id_number(42, born="19860101")}
    desk.post(f"{base}/guardian", mother)
    assert "监护人 赵*梅（父母）" in text(desk.get(f"{base}/apply"))
    father = Guardianship.objects.get(number_index=Guardianship.objects.earliest("created_at").number_index)
    desk.post(f"{base}/apply", application(stands=f"guardian:{father.pk}"))
    assert Case.objects.get().guardian == f"王建国 {FATHER}"


@pytest.mark.clause("O10", "A4")
def test_an_agent_is_registered_and_chosen_and_named_on_the_case(desk: Client) -> None:
    holder = cast.wang_fang()
    base = f"/counter/holders/{holder.pk}"
    assert "到场办理人" not in text(desk.get(f"{base}/apply"))
    late = desk.post(f"{base}/agent", agent(valid_until="2099-01-01"))
    assert late.status_code == 422
    assert "授权须写明截止日期，晚于今天，最长一年。" in text(late)
    checked = text(desk.post(f"{base}/agent", agent(step="check")))
    assert "申领、挂失" in checked
    assert desk.post(f"{base}/agent", agent()).headers["Location"] == f"{base}/?done=agent"
    given = Authorisation.objects.get()
    page = text(desk.get(f"{base}/apply"))
    last = day_of(now()) + timedelta(days=30)  # as it was typed, and as the letter says
    assert given.valid_until == last + timedelta(days=1)
    assert f"代办人 赵*力（申领、挂失，至 {last}）" in page
    assert f'至 <span class="num">{last}</span>' in text(desk.get(f"{base}/"))
    answer = desk.post(f"{base}/apply", application(stands=f"agent:{given.pk}"))
    assert f"代办人 赵*力（授权至 {last}）" in text(desk.get(answer.headers["Location"]))
    assert Case.objects.get().authorisation_id == given.pk
    ended = desk.post(f"{base}/agent-end", {"which": str(given.pk), "verified": "yes", "step": "confirm"})
    assert ended.headers["Location"] == f"{base}/?done=agent-end"
    assert "到场办理人" not in text(desk.get(f"{base}/loss"))


@pytest.mark.clause("G5")
def test_for_who_has_died_no_application_is_begun(desk: Client) -> None:
    gone = cast.wang_fang()
    cards.record_death(gone.pk, on=day_of(now()), evidence="死亡证明 1", by=cast.clerk(), at=now())
    told = text(desk.get(f"/counter/holders/{gone.pk}/apply"))
    assert "该持卡人已故、已合并或已迁出，不能办理新卡" in told
    assert 'name="bank_code"' not in told


@pytest.mark.clause("G5", "A2")
def test_an_unproven_ground_leads_to_its_proof(desk: Client) -> None:
    holder = cast.register(ground="work")
    base = f"/counter/holders/{holder.pk}"
    told = text(desk.get(f"{base}/apply"))
    assert "申领依据“就业”还没有有效的证明材料。" in told
    assert f'<a class="button" href="{base}/proof"' in told
    refused = desk.post(f"{base}/apply", application())
    assert refused.status_code == 409
    assert f'<a href="{base}/proof">登记申领依据证明</a>' in text(refused)
    proof = {"kind": "employment", "number": "HT-2026-1", "issuer": "成都示例公司", "valid_until": ""}
    assert desk.post(f"{base}/proof", proof | {"verified": "yes", "step": "confirm"}).status_code == 303
    assert Proof.objects.get().number == "HT-2026-1"
    page = text(desk.get(f"{base}/"))
    assert "就业" in page
    assert "成都示例公司" in page
    assert desk.post(f"{base}/apply", application()).status_code == 303


def test_another_province_registers_no_one(chongqing: Client, child: Holder) -> None:
    base = f"/counter/holders/{child.pk}"
    posts = {"guardian": GUARDIAN, "agent": agent(), "proof": {}, "agent-end": {}, "guardian-end": {}}
    assert [chongqing.post(f"{base}/{key}", form).status_code for key, form in posts.items()] == [404] * 5
    assert Guardianship.objects.count() == Authorisation.objects.count() == 0


@pytest.mark.clause("G17", "S15", "A5")
def test_a_certificate_of_disability_does_not_tell_the_number_of_the_person(desk: Client) -> None:
    """残疾人证号 is the citizen's number and two digits more."""
    holder = cast.wang_fang()
    number = f"{cast.WANG_FANG_NUMBER}42"
    source = {"source": "残联名单", "evidence": number, "valid_from": day_of(now())}
    holder_acts.add_category(holder.pk, kind="disabled", **source, by=cast.clerk(), at=now())
    page = text(desk.get(f"/counter/holders/{holder.pk}/"))
    assert cast.WANG_FANG_NUMBER not in page
    assert mask_number(number) in page


@pytest.mark.clause("G7", "N9", "A5")
def test_a_category_is_entered_with_its_evidence_and_ended_with_a_reason(desk: Client) -> None:
    holder = cast.wang_fang()
    base = f"/counter/holders/{holder.pk}"
    today = day_of(now())
    last = day_of(now()) + timedelta(days=99)
    form = {
        "kind": "student",
        "source": "教育部门名单",
        "evidence": "XJ-001",
        "valid_until": last.isoformat(),
    }
    form |= {"valid_from": today.isoformat(), "verified": "yes"}
    checked = desk.post(f"{base}/category", form | {"step": "check"})
    assert "教育部门名单" in text(checked)
    assert f"<dt>截止日期</dt><dd>{last}</dd>" in text(checked)
    far = desk.post(f"{base}/category", form | {"valid_until": "9999-12-31", "step": "check"})
    assert (far.status_code, "日期太远，长期有效的请不要填写。" in text(far)) == (422, True)
    assert Category.objects.count() == 0
    elder = desk.post(f"{base}/category", form | {"kind": "elder", "step": "confirm"})
    assert (elder.status_code, "自年满 60 周岁之日起" in text(elder)) == (422, True)
    assert desk.post(f"{base}/category", form | {"step": "confirm"}).status_code == 303
    category = Category.objects.get()
    assert (category.source, category.evidence, category.state, category.created_by) == (
        "教育部门名单", "XJ-001", "on", "李强",
    )  # fmt: skip
    assert category.valid_until == last + timedelta(days=1)
    assert f"{today} 至 {last}" in text(desk.get(f"{base}/"))
    end = {"which": str(category.pk), "on": today.isoformat(), "reason": "毕业离校", "verified": "yes"}
    assert "毕业离校" in text(desk.post(f"{base}/category-end", end | {"step": "check"}))
    done = desk.post(f"{base}/category-end", end | {"step": "confirm"})
    assert done.headers["Location"] == f"{base}/?done=category-end"
    category.refresh_from_db()
    assert (category.valid_until, category.state, category.end_reason) == (today, "off", "毕业离校")
    assert "已终止" in text(desk.get(f"{base}/"))
    assert "未生效<br>毕业离校" in text(desk.get(f"{base}/"))
