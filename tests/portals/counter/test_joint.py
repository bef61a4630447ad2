"""联办 at the counter: one form, one page, corrections, withdrawal, receipt, supervision."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from tests import cast
from tests.department_sandbox import Departments
from tests.registry.joint.conftest import departments_work
from yikatong.core.actor import Role
from yikatong.core.clock import day_of, now
from yikatong.core.models import Look
from yikatong.registry.cards.models import Case
from yikatong.registry.holders.models import Category, Guardianship, Holder
from yikatong.registry.joint import actions
from yikatong.registry.joint.models import JointItem, JointMatter

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk() -> Client:
    cast.set_stage()
    return cast.log_in(Client(), cast.li_qiang())


@pytest.fixture
def head(desk: Client) -> Client:
    return cast.log_in(Client(), cast.staff("周主任", "zhou", role=Role.SUPERVISOR, scope="51"))


def child(**changes: str) -> dict[str, str]:
    born = day_of(now()) - timedelta(days=9)
    return {
        "name": "刘小满", "sex": "2", "birth_date": born.isoformat(), "birth_certificate": "T510012345",
        "hospital": "武侯区示例妇幼保健院", "mother_name": "周小雨", "division_code": "510107",
        "household_book": "510107123", "guardian_name": "刘洋", "guardian_kind": "A",
        "guardian_number": cast.id_number(77), "relation": "parent", "phone": "13800000077",
        "bank_code": cast.JOINT, "delivery": "0", "outlet_id": str(cast.HALL), "verified": "yes",
    } | changes  # fmt: skip


def served(**changes: str) -> dict[str, str]:
    left = day_of(now()) - timedelta(days=60)
    return {
        "discharge_certificate": "退字第2026000123号", "discharged_on": left.isoformat(), "unit": "示例部队",
        "division_code": "510107", "household_book": "510107456", "phone": "13800000010",
        "bank_code": cast.JOINT, "delivery": "0", "outlet_id": str(cast.HALL), "verified": "yes",
    } | changes  # fmt: skip


def post(client: Client, address: str, form: dict[str, str], step: str = "confirm") -> Any:
    return client.post(address, form | {"step": step})


def text(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200, address
    return answer.content.decode()


def opened(desk: Client, **changes: str) -> JointMatter:
    answer = post(desk, "/counter/joint/newborn", child(**changes))
    assert answer.status_code == 303, answer.content.decode()
    return JointMatter.objects.get()


@pytest.mark.clause("B7", "O10")
def test_a_newborn_is_opened_after_a_check_page(desk: Client) -> None:
    check = post(desk, "/counter/joint/newborn", child(), "check")
    assert "请与持卡人核对" in check.content.decode()
    assert not JointMatter.objects.exists()
    joint = opened(desk)
    page = text(desk, f"/counter/joint/{joint.number}/?new=1")
    for words in (
        "已受理，联办号", "出生医学证明核验", "四川省成都市武侯区卫生健康部门（妇幼健康岗）", "1 个工作日",
        "等待“出生医学证明核验”", "待公民身份号码", Case.objects.get().number, "刘*（父母）",
    ):  # fmt: skip
        assert words in page, words
    assert "刘小满" not in page, "masked"
    assert Look.objects.filter(holder_id=joint.holder_id, purpose="查询联办进度", looker_name="李强").exists()
    assert joint.number in text(desk, "/counter/joint")
    assert joint.number in text(desk, f"/counter/holders/{joint.holder_id}/")
    assert desk.post("/counter/progress", {"number": joint.number.lower()}).headers["Location"] == (
        f"/counter/joint/{joint.number}/"
    )


@pytest.mark.clause("B7")
@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("birth_certificate", "123", "出生医学证明号码应为10 位，现在是 3 位，请核对。"),
        ("household_book", "12", "户口簿编号应为 9 位数字"),
        ("guardian_number", "510107199003070128", "校验码不符"),
        ("phone", "12", "手机号码应为 11 位数字"),
        ("birth_date", "2001-01-01", "出生后一年内办理"),
        ("name", "", "请填写孩子姓名"),
        ("bank_code", "", "请选择合作银行"),
        ("verified", "", "请确认已核验"),
    ],
)
def test_what_is_wrong_stands_at_its_field_and_opens_nothing(
    desk: Client, field: str, value: str, words: str
) -> None:
    typed = {name: said for name, said in child(**{field: value}).items() if said}
    answer = post(desk, "/counter/joint/newborn", typed, "check")
    page = answer.content.decode()
    assert (answer.status_code, words in page) == (422, True), page
    assert f'href="#id_{field}' in page
    assert "刘洋" in page, "what was typed is kept"
    assert (Holder.objects.count(), Guardianship.objects.count(), JointMatter.objects.count()) == (0, 0, 0)


@pytest.mark.clause("B7")
def test_the_same_newborn_again_leads_to_the_first(desk: Client) -> None:
    joint = opened(desk)
    answer = post(desk, "/counter/joint/newborn", child(name="刘小满"))
    page = answer.content.decode()
    assert (answer.status_code, JointMatter.objects.count()) == (409, 1)
    assert f"请查看联办号 {joint.number} 的进度" in page
    assert f'href="/counter/joint/{joint.number}/"' in page


@pytest.mark.clause("B7", "O10")
def test_a_veteran_is_opened_from_his_page(desk: Client) -> None:
    holder = cast.wang_fang()
    assert "退役军人服务一件事" in text(desk, f"/counter/holders/{holder.pk}/")
    found = desk.post("/counter/find?for=veteran", {"q": cast.WANG_FANG_NUMBER})
    address = f"/counter/holders/{holder.pk}/veteran"
    assert found.headers["Location"] == address
    assert post(desk, address, served(household_book="1"), "check").status_code == 422
    assert not Category.objects.exists()
    answer = post(desk, address, served())
    joint = JointMatter.objects.get()
    assert answer.headers["Location"] == f"/counter/joint/{joint.number}/?new=1"
    assert Category.objects.get().kind == "veteran"
    assert "退役军人优待证申领" in text(desk, f"/counter/joint/{joint.number}/")


@pytest.mark.clause("B7")
def test_who_has_a_card_is_asked_for_no_bank(desk: Client) -> None:
    holder = cast.wang_fang()
    cast.card_in_use(holder)
    form = text(desk, f"/counter/holders/{holder.pk}/veteran")
    assert "合作银行" not in form
    post(desk, f"/counter/holders/{holder.pk}/veteran", served())
    assert "已有社会保障卡，不需要再申领" in text(desk, f"/counter/joint/{JointMatter.objects.get().number}/")


@pytest.mark.clause("B7")
def test_a_clerk_corrects_withdraws_and_prints(desk: Client, departments: Departments) -> None:
    departments.goes_wrong("refuse", "vaccination", reason="该接种单位已停止建档")
    joint = opened(desk, household_book="510107001")
    departments_work()
    page = text(desk, f"/counter/joint/{joint.number}/")
    assert "户口簿编号与底册不一致，请核对后补正" in page
    assert "该接种单位已停止建档" in page
    address = f"/counter/joint/{joint.number}/household/correct"
    assert "510107001" in text(desk, address)
    same = post(desk, address, {"name": "刘小满", "household_book": "510107001", "verified": "yes"}, "check")
    assert (same.status_code, "内容与上次送办的相同" in same.content.decode()) == (422, True)
    wrong = post(desk, address, {"name": "刘小满", "household_book": "x", "verified": "yes"}, "check")
    assert 'href="#id_household_book' in wrong.content.decode()
    done = post(desk, address, {"name": "刘小满", "household_book": "510107124", "verified": "yes"}, "check")
    assert done.headers["Location"] == f"/counter/joint/{joint.number}/?done=1"
    departments_work()
    assert "待公民身份号码" not in text(desk, f"/counter/joint/{joint.number}/")

    gone = f"/counter/joint/{joint.number}/vaccination/withdraw"
    assert "将撤回" not in text(desk, gone)
    assert post(desk, gone, {"verified": "yes"}, "check").status_code == 303
    assert JointItem.objects.get(key="vaccination").status == "withdrawn"
    receipt = text(desk, f"/counter/joint/{joint.number}/receipt")
    for words in ("联办受理回执", joint.number, "已办结", "已撤回", "刘*满"):
        assert words in receipt, words
    nothing = post(desk, f"/counter/joint/{joint.number}/withdraw", {"verified": "yes"}, "check")
    assert "没有可以撤回的" in nothing.content.decode()


@pytest.mark.clause("B7", "S14")
def test_a_late_department_is_seen_and_urged_by_the_supervisor(desk: Client, head: Client) -> None:
    joint = opened(desk)
    assert "没有超期的联办事项" in text(head, "/counter/overdue")
    JointItem.objects.filter(key="birth").update(due_on=day_of(now()) - timedelta(days=9))
    assert actions.escalate_overdue(at=now()) == 1
    page = text(head, "/counter/overdue")
    assert joint.number in page
    assert "卫生健康部门（妇幼健康岗）" in page
    address = f"/counter/joint/{joint.number}/birth/order"
    assert post(head, address, {"order": "今日办结"}, "check").status_code == 303
    assert "今日办结" in text(desk, f"/counter/joint/{joint.number}/")
    assert desk.get(address).status_code == 403


@pytest.mark.clause("B7", "K2", "G17")
def test_others_see_nothing(desk: Client) -> None:
    joint = opened(desk)
    stranger = cast.log_in(Client(), cast.zhao_min())
    assert stranger.get(f"/counter/joint/{joint.number}/").status_code == 404
    teller = cast.log_in(Client(), cast.staff("出纳", "teller", role=Role.BANK_CLERK))
    assert teller.get(f"/counter/joint/{joint.number}/").status_code == 404
    assert teller.get("/counter/joint/newborn").status_code == 403
    assert desk.get("/counter/joint/X999/").status_code == 404
    assert desk.get(f"/counter/joint/{joint.number}/nothing/correct").status_code == 404
    assert "没有办理中的联办件" in text(stranger, "/counter/joint")
