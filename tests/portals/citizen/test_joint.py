"""联办 on the phone: a parent for his child, a veteran for himself; begun here, continued anywhere."""

import re
from datetime import timedelta

import pytest
from django.test import Client

from tests import cast
from tests.department_sandbox import Departments
from tests.registry.joint.conftest import departments_work
from yikatong.core.clock import day_of, now
from yikatong.portals.citizen import session
from yikatong.registry.cards.models import Case
from yikatong.registry.holders.models import Category, Holder
from yikatong.registry.joint.models import JointItem, JointMatter
from yikatong.using.identity import queries as identity

pytestmark = pytest.mark.django_db


def phone_of(holder: Holder) -> Client:
    client, store = Client(), Client().session
    store[session.HOLDER], store[session.PHONE] = str(holder.pk), bytes(holder.phone_index or b"").hex()
    store.create()
    client.cookies["sessionid"] = str(store.session_key)
    return client


@pytest.fixture
def parent(db: None) -> Holder:
    cast.set_stage()
    return cast.wang_fang()


@pytest.fixture
def phone(parent: Holder) -> Client:
    return phone_of(parent)


def card() -> dict[str, str]:
    return {"bank": cast.JOINT, "outlet": str(cast.HALL), "delivery": "0", "promise": "1"}


def child(**changes: str) -> dict[str, str]:
    born = day_of(now()) - timedelta(days=9)
    return card() | {
        "name": "王小满", "sex": "2", "birth_date": born.isoformat(), "birth_certificate": "T510012345",
        "hospital": "武侯区示例妇幼保健院", "mother_name": "王芳", "division_code": "510107",
        "household_book": "510107123",
    } | changes  # fmt: skip


def served(**changes: str) -> dict[str, str]:
    left = day_of(now()) - timedelta(days=60)
    return card() | {
        "discharge_certificate": "退字第2026000123号", "discharged_on": left.isoformat(), "unit": "示例部队",
        "division_code": "510107", "household_book": "510107456", "phone": "13900000001",
    } | changes  # fmt: skip


def text(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200, address
    return answer.content.decode()


@pytest.mark.clause("B7", "O10", "A4")
def test_a_parent_opens_follows_and_corrects(phone: Client, parent: Holder, departments: Departments) -> None:
    assert "还没有办过联办" in text(phone, "/m/joint")
    assert "出生医学证明编号" in text(phone, "/m/joint/newborn")
    answer = phone.post("/m/joint/newborn", child(household_book="510107001"))
    joint = JointMatter.objects.get()
    assert answer.headers["Location"] == f"/m/joint/{joint.number}?new"
    assert joint.guardianship is not None
    assert joint.guardianship.guardian_id == parent.pk
    assert identity.holders_of_phone(cast.PHONE) == [parent], "the child has nothing to log in for yet"
    departments_work()
    page = text(phone, f"/m/joint/{joint.number}")
    for words in (
        "户口簿编号与底册不一致",
        "改正后重新送办",
        "待公民身份号码",
        "申请人",
        "疾病预防控制机构（预防接种岗）",
    ):
        assert words in page, words
    assert joint.number in text(phone, "/m/cases")

    wrong = phone.post(
        f"/m/joint/{joint.number}/household/correct", {"name": "王小满", "household_book": "x"}
    )
    assert (wrong.status_code, "9 位数字" in wrong.content.decode()) == (422, True)
    # Continued at the counter, seen here.
    desk = cast.log_in(Client(), cast.li_qiang())
    given = {"name": "王小满", "household_book": "510107124", "verified": "yes", "step": "check"}
    assert desk.post(f"/counter/joint/{joint.number}/household/correct", given).status_code == 303
    departments_work()
    page = text(phone, f"/m/joint/{joint.number}")
    assert "全部办结" in page
    assert "公民身份号码 510***********" in page, "masked"
    assert "窗口" in page


@pytest.mark.clause("B7")
@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("birth_certificate", "123", "出生医学证明号码应为10 位"),
        ("household_book", "12", "户口簿编号应为 9 位数字"),
        ("sex", "", "请选择性别"),
        ("birth_date", "2001-01-01", "出生后一年内办理"),
        ("division_code", "", "请选择落户的县（市、区）"),
        ("promise", "", "请确认所填内容属实"),
        ("bank", "", "请选择一家合作银行"),
        ("mother_name", "", "请填写母亲姓名"),
    ],
)
def test_what_is_wrong_stands_at_its_field_and_opens_nothing(
    phone: Client, field: str, value: str, words: str
) -> None:
    answer = phone.post("/m/joint/newborn", child(**{field: value}))
    page = answer.content.decode()
    assert (answer.status_code, words in page) == (422, True)
    assert f'href="#id_{field}"' in page
    assert (Holder.objects.count(), JointMatter.objects.count(), Case.objects.count()) == (1, 0, 0)


@pytest.mark.clause("B7")
def test_sent_twice_it_is_opened_once(phone: Client) -> None:
    phone.post("/m/joint/newborn", child())
    again = phone.post("/m/joint/newborn", child())
    number = JointMatter.objects.get().number
    assert (again.status_code, f"联办号 {number}" in again.content.decode()) == (409, True)


@pytest.mark.clause("B7", "O10")
def test_a_veteran_opens_his_own(phone: Client, parent: Holder, departments: Departments) -> None:
    answer = phone.post("/m/joint/veteran", served())
    assert answer.status_code == 303
    joint = JointMatter.objects.get()
    assert not Category.objects.exists()
    departments_work()
    assert Category.objects.get().kind == "veteran"
    assert "全部办结" in text(phone, f"/m/joint/{joint.number}")
    known = text(phone, "/m/joint/veteran")
    assert "已经申办" in known
    assert joint.number in known


@pytest.mark.clause("B7")
def test_who_has_a_card_is_asked_for_no_bank(phone: Client, parent: Holder) -> None:
    cast.card_in_use(parent)
    form = text(phone, "/m/joint/veteran")
    assert "您已有社会保障卡" in form
    assert "领卡网点" not in form
    given = {key: value for key, value in served().items() if key not in {"bank", "outlet", "delivery"}}
    assert phone.post("/m/joint/veteran", given).status_code == 303


@pytest.mark.clause("B7")
def test_a_part_or_all_is_taken_back_after_a_question(phone: Client) -> None:
    phone.post("/m/joint/newborn", child())
    number = JointMatter.objects.get().number
    assert "撤回这一项？其他事项照常办理。" in text(phone, f"/m/joint/{number}/vaccination/withdraw")
    assert JointItem.objects.get(key="vaccination").status == "held"
    phone.post(f"/m/joint/{number}/vaccination/withdraw")
    assert JointItem.objects.get(key="vaccination").status == "withdrawn"
    phone.post(f"/m/joint/{number}/withdraw")
    assert (JointMatter.objects.get().status, Case.objects.get().status) == ("withdrawn", "withdrawn")
    assert "没有可以撤回的事项" in text(phone, f"/m/joint/{number}/withdraw")
    assert phone.post(f"/m/joint/{number}/withdraw").status_code == 409


@pytest.mark.clause("B7", "G17")
def test_a_stranger_finds_nothing(phone: Client) -> None:
    phone.post("/m/joint/newborn", child())
    number = JointMatter.objects.get().number
    stranger = phone_of(cast.register(cast.id_number(50), name="钱多", phone="13900000050"))
    for address in ("", "/withdraw", "/birth/correct", "/birth/withdraw"):
        assert stranger.get(f"/m/joint/{number}{address}").status_code == 404
    assert stranger.post(f"/m/joint/{number}/withdraw").status_code == 404
    assert number not in text(stranger, "/m/joint")
    assert phone.get(f"/m/joint/{number}/card/withdraw").status_code == 404
    assert phone.get(f"/m/joint/{number}/nothing/correct").status_code == 404


@pytest.mark.parametrize("matter", ["newborn", "veteran"])
def test_what_is_wrong_is_listed_from_the_top_of_the_page_to_its_end(phone: Client, matter: str) -> None:
    answer = phone.post(f"/m/joint/{matter}", {"address": ""})
    page = answer.content.decode()

    assert answer.status_code == 422
    listed = re.findall(r'<a href="#(id_[a-z_]+)">', page)
    label = {
        one: re.search(rf'(for="{one}"|id="{one}(_error|_0)?"|name="{one[3:]}")', page) for one in listed
    }
    places = [found.start() for found in label.values() if found]
    assert len(places) == len(listed) >= 6
    assert places == sorted(places)
