"""Finding a holder at the desk, and who may."""

import pytest
from django.test import Client

from tests import cast
from tests.portals.counter.typed import looks, text
from yikatong.core.actor import Role
from yikatong.registry.cards.models import Case, CaseStatus


@pytest.mark.clause("G5")
def test_a_certificate_number_leads_to_its_holder_and_leaves_a_look(desk: Client) -> None:
    holder = cast.wang_fang()
    answer = desk.post("/counter/find?for=loss", {"q": cast.WANG_FANG_NUMBER})
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/counter/holders/{holder.pk}/loss")
    assert looks() == [("李强", "窗口查找持卡人")]


def test_a_name_leads_to_a_masked_list(desk: Client) -> None:
    cast.wang_fang()
    page = text(desk.post("/counter/find", {"q": "王芳"}))
    assert "找到 1 人" in page
    assert "王*" in page
    assert "510***********0129" in page
    assert "139****0001" in page
    assert cast.WANG_FANG_NUMBER not in page
    assert cast.PHONE not in page
    assert ">王芳<" not in page


def test_a_certificate_finds_a_holder_of_another_city_but_a_name_does_not(stage: None) -> None:
    """全省通办 within the province."""
    holder = cast.wang_fang()
    mian_yang = cast.log_in(Client(), cast.chen_jing())
    assert "没有找到" in text(mian_yang.post("/counter/find", {"q": "王芳"}))
    found = mian_yang.post("/counter/find", {"q": cast.WANG_FANG_NUMBER})
    assert found.headers["Location"] == f"/counter/holders/{holder.pk}/"
    assert mian_yang.get(found.headers["Location"]).status_code == 200


def test_another_province_finds_and_sees_nothing(chongqing: Client) -> None:
    holder = cast.wang_fang()
    case = cast.apply(holder)
    assert "没有找到" in text(chongqing.post("/counter/find", {"q": cast.WANG_FANG_NUMBER}))
    addresses = [f"/counter/holders/{holder.pk}/{key}" for key in ("", "loss", "apply", "collect")]
    addresses += [f"/counter/cases/{case.number}/{key}" for key in ("", "receipt")]
    assert [chongqing.get(address).status_code for address in addresses] == [404] * 6
    posts = [f"/counter/cases/{case.number}/{act}" for act in ("check", "withdraw", "retry")]
    posts += [f"/counter/holders/{holder.pk}/loss", f"/counter/holders/{holder.pk}/collect"]
    form = {"verified": "yes", "loss": "formal", "step": "confirm", "do": "activate"}
    assert [chongqing.post(address, form).status_code for address in posts] == [404] * 5
    reveal = {"field": "phone", "reason": "核对联系方式"}
    assert chongqing.post(f"/counter/holders/{holder.pk}/reveal", reveal).status_code == 404
    assert looks() == []
    assert Case.objects.get().status == CaseStatus.SUBMITTED


def test_too_short_a_search_is_refused_at_its_field(desk: Client) -> None:
    answer = desk.post("/counter/find", {"q": "王"})
    page = text(answer)
    assert answer.status_code == 422
    assert "<title>有错误：持卡人查询 - 一卡通柜面" in page
    assert '<a href="#id_q">请输入完整的证件号码、卡号、手机号码，或至少两个字的姓名。</a>' in page


@pytest.mark.parametrize("address", ["", "find", "register", "check", "progress"])
def test_strangers_are_asked_to_log_in(client: Client, db: None, address: str) -> None:
    assert (
        client.get(f"/counter/{address}").headers["Location"] == f"/staff/login?next=%2Fcounter%2F{address}"
    )


def test_who_sent_a_form_without_a_session_is_told_that_nothing_was_done(desk: Client) -> None:
    holder = cast.wang_fang()
    desk.cookies.clear()

    answer = desk.post(f"/counter/holders/{holder.pk}/change", {"phone": "13900000009", "verified": "yes"})

    assert answer.status_code == 302
    assert "刚才提交的内容没有办理" in text(desk.get(answer.headers["Location"]))
    assert "刚才提交的内容没有办理" not in text(desk.get("/staff/login?next=/counter/"))
    assert Case.objects.count() == 0


def test_a_leader_has_no_counter(stage: None) -> None:
    holder = cast.wang_fang()
    client = cast.log_in(Client(), cast.staff("周敏华", "zhou", role=Role.LEADER, scope="51"))
    for address in ("", "find", f"holders/{holder.pk}/"):
        assert client.get(f"/counter/{address}").status_code == 403
    assert looks() == []


@pytest.mark.clause("G17", "cap:O2")
def test_revealing_writes_the_reason_where_the_holder_sees_it(desk: Client) -> None:
    holder = cast.wang_fang()
    form = {"field": "phone", "reason": "核对联系方式"}
    answer = desk.post(f"/counter/holders/{holder.pk}/reveal", form, headers={"Accept": "application/json"})
    assert answer.json() == {"value": cast.PHONE, "seconds": 30}
    assert looks() == [("李强", "核对联系方式")]
    page = desk.post(f"/counter/holders/{holder.pk}/reveal", form)
    assert cast.PHONE in text(page)
    assert page.headers["Refresh"] == f"30; url=/counter/holders/{holder.pk}/"
    assert cast.PHONE not in text(desk.get(f"/counter/holders/{holder.pk}/"))


def test_revealing_without_a_reason_shows_nothing(desk: Client) -> None:
    holder = cast.wang_fang()
    answer = desk.post(f"/counter/holders/{holder.pk}/reveal", {"field": "phone", "reason": ""})
    assert answer.status_code == 422
    assert cast.PHONE not in text(answer)
    assert desk.get(f"/counter/holders/{holder.pk}/reveal").status_code == 405
    assert looks() == []
