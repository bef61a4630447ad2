"""申领, 补换, progress and withdrawal."""

import pytest
from django.test import Client

from tests.portals.citizen import people
from tests.portals.citizen.conftest import LogIn
from yikatong.registry.cards.models import Card, Case, CaseStatus
from yikatong.registry.holders.models import Holder
from yikatong.registry.regions.models import Outlet


def claim(**changes: str) -> dict[str, str]:
    return {"bank": "95903", "outlet": str(Outlet.objects.get().id), "delivery": "0"} | changes


@pytest.mark.clause("B1", "B6", "G5")
def test_a_holder_applies_chooses_his_bank_and_follows_his_case(logged_in: LogIn, chen: Holder) -> None:
    client = logged_in(chen)
    form = client.get("/m/apply").content.decode()

    reply = client.post("/m/apply", claim())
    case = Case.objects.get()
    page = client.get(reply.headers["Location"]).content.decode()

    assert "checked" not in form.split("3. 合作银行")[1].split("4. 领取方式")[0]
    assert (reply.status_code, reply.headers["Location"]) == (303, f"/m/cases/{case.number}?new")
    assert (case.status, case.bank_id, case.channel) == (CaseStatus.SUBMITTED, "95903", "mobile")
    for words in (
        "申请已提交",
        case.number,
        "待审核",
        "武侯区社会保障卡服务大厅（审核岗）",
        "经办机构审核申请材料。",
        "撤回申请",
    ):
        assert words in page


def test_what_is_missing_is_named_and_nothing_begins(logged_in: LogIn, chen: Holder) -> None:
    reply = logged_in(chen).post("/m/apply", claim(bank="", outlet="x", delivery="9"))

    page = reply.content.decode()
    assert reply.status_code == 422
    assert '<a href="#id_bank">请选择一家合作银行</a>' in page
    assert '<a href="#id_outlet">请选择列表中的网点</a>' in page
    assert page.index("#id_outlet") < page.index("#id_bank"), "the faults stand in the order of the page"
    assert '<fieldset aria-describedby="id_outlet_error">' in page
    assert '<p class="wrong" id="id_outlet_error">' in page
    assert "有错误：" in page.split("</title>")[0]
    assert not Case.objects.exists()


def test_a_second_application_is_refused(logged_in: LogIn, chen: Holder) -> None:
    client = logged_in(chen)
    client.post("/m/apply", claim())

    reply = client.post("/m/apply", claim())

    assert reply.status_code == 409
    assert "此人已有一件申领或补换正在办理，不能重复申请；请查询办理进度。" in reply.content.decode()
    assert Case.objects.count() == 1


def test_a_lost_card_is_replaced_after_the_loss_is_reported(hers: Client) -> None:
    early = hers.post("/m/card/replace", claim(reason="lost"))
    assert early.status_code == 409
    assert "以丢失为由补卡，须先办理正式挂失。" in early.content.decode()
    hers.post("/m/card/loss", {"kind": "formal"})

    reply = hers.post("/m/card/replace", claim(reason="lost"))

    case = Case.objects.get(kind="replace")
    assert reply.headers["Location"] == f"/m/cases/{case.number}?new"
    assert (case.old_card, case.bank_id) == (Card.objects.get(), "95903")


def test_a_damaged_card_keeps_its_bank_unless_another_is_chosen(hers: Client) -> None:
    hers.post("/m/card/replace", claim(reason="damaged", bank=""))

    assert Case.objects.get().bank_id == "95901"


def test_one_person_one_card(hers: Client) -> None:
    assert "一人一卡，您已经有社会保障卡" in hers.get("/m/apply").content.decode()
    assert hers.post("/m/apply", claim()).status_code == 409
    assert not Case.objects.exists()


@pytest.mark.clause("B1")
def test_a_case_is_withdrawn(logged_in: LogIn, chen: Holder) -> None:
    case = people.open_case(chen)
    client = logged_in(chen)

    asked = client.get(f"/m/cases/{case.number}/withdraw")
    reply = client.post(f"/m/cases/{case.number}/withdraw")

    assert asked.status_code == 200
    assert reply.headers["Location"] == f"/m/cases/{case.number}"
    assert "已撤回" in client.get(reply.headers["Location"]).content.decode()
    assert Case.objects.get().status == CaseStatus.WITHDRAWN


@pytest.mark.clause("cap:O1", "G17")
@pytest.mark.parametrize("ending", ["", "/withdraw"])
def test_anothers_case_does_not_exist(hers: Client, chen: Holder, ending: str) -> None:
    case = people.open_case(chen)

    seen = hers.get(f"/m/cases/{case.number}{ending}")
    posted = hers.post(f"/m/cases/{case.number}/withdraw")

    assert (seen.status_code, posted.status_code) == (404, 404)
    assert case.number not in seen.content.decode()
    assert Case.objects.get().status == CaseStatus.SUBMITTED
