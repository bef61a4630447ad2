"""A clerk at a bank's outlet: serves the cards of his bank under its agreement, and sees no more than that needs."""

from collections.abc import Callable

import pytest
from django.test import Client
from playwright.sync_api import Page

from tests import cast
from tests.portals.conftest import OpenPage
from tests.portals.counter.typed import application, text
from yikatong.core.actor import Role
from yikatong.core.clock import now
from yikatong.core.models import Look
from yikatong.registry.cards import actions as card_acts
from yikatong.registry.cards.models import Card, Case, CaseKind
from yikatong.registry.holders.models import Holder


@pytest.fixture
def branch(stage: None) -> Client:
    """林芳's browser: a clerk at an outlet of the bank that has joined."""
    return cast.log_in(Client(), lin_fang())


def lin_fang() -> object:
    more = {"bank_code": cast.JOINT, "outlet_id": cast.HALL, "organisation": "蜀安银行武侯网点"}
    return cast.staff("林芳", "linfang", role=Role.BANK_CLERK, scope="5101", **more)


@pytest.fixture
def own(stage: None) -> Holder:
    holder = cast.wang_fang()
    cast.card_in_use(holder, bank_code=cast.JOINT)
    return holder


@pytest.fixture
def other(stage: None) -> Holder:
    """Her card is another bank's."""
    holder = cast.register(cast.id_number(8), name="周雨", phone="13900000008")
    cast.card_in_use(holder, bank_code=cast.APART)
    return holder


@pytest.mark.clause("G12", "K2")
def test_he_reports_a_loss_for_his_bank_and_for_no_other(branch: Client, own: Holder, other: Holder) -> None:
    answer = branch.post(f"/counter/holders/{own.pk}/loss", {"loss": "formal", "verified": "yes"})
    assert answer.status_code == 303
    assert Card.objects.get(holder=own).status == "2"

    address = f"/counter/holders/{other.pk}/loss"
    assert "银行网点只办理本行社会保障卡" in text(branch.get(address))
    refused = branch.post(address, {"loss": "formal", "verified": "yes"})
    assert refused.status_code == 404
    assert Card.objects.get(holder=other).status == "1"


@pytest.mark.clause("G12", "G17", "K2")
def test_he_sees_what_his_matters_need_and_no_more(branch: Client, own: Holder, other: Holder) -> None:
    page = text(branch.get(f"/counter/holders/{own.pk}/"))
    assert "蜀安银行（已激活）" in page
    assert "手机" not in page
    assert "电子卡" not in page
    assert "优待类别" not in page
    assert "监护与代办" not in page
    assert Look.objects.filter(holder_id=own.pk, looker_name="林芳").exists()

    theirs = text(branch.get(f"/counter/holders/{other.pk}/"))
    assert "其他银行" in theirs
    assert "天府惠民银行" not in theirs
    assert "在本行没有卡。" in theirs, "not the table of another bank's cards"
    assert "在本行没有办理过业务。" in theirs


@pytest.mark.clause("G12", "G17", "K2")
def test_he_finds_who_stands_before_him_and_nobody_by_name_or_phone(branch: Client, own: Holder) -> None:
    assert branch.post("/counter/find", {"q": cast.WANG_FANG_NUMBER}).status_code == 303
    before = Look.objects.count()
    for said in ("王芳", cast.PHONE):
        assert "王*" not in text(branch.post("/counter/find", {"q": said}))
    assert Look.objects.count() == before


@pytest.mark.clause("G12", "K2")
def test_he_neither_checks_nor_registers_nor_cancels_nor_uncovers(branch: Client, own: Holder) -> None:
    menu = text(branch.get("/counter/"))
    assert "申领" in menu
    for title, path in (
        ("审核", "/counter/check"), ("登记", "/counter/register"), ("注销", f"/counter/holders/{own.pk}/cancel"),
    ):  # fmt: skip
        assert f">{title} <kbd" not in menu
        assert branch.get(path).status_code == 403
    reveal = {"field": "phone", "reason": "核对联系方式"}
    assert branch.post(f"/counter/holders/{own.pk}/reveal", reveal).status_code == 403


@pytest.mark.clause("G5", "G12", "B6", "K2")
def test_a_holder_may_leave_his_bank_for_the_one_he_sits_at(branch: Client, other: Holder) -> None:
    """The choice is the holder's (Guangdong art. 5); the clerk can take it for his own bank only."""
    address = f"/counter/holders/{other.pk}/replace"
    assert "天府惠民银行" not in text(branch.get(address))
    elsewhere = application(reason="bank", bank_code=cast.APART) | {"step": "confirm"}
    assert branch.post(address, elsewhere).status_code == 422
    assert not Case.objects.filter(kind="replace").exists()
    here = branch.post(address, application(reason="bank", bank_code=cast.JOINT) | {"step": "confirm"})
    assert here.status_code == 303
    assert Case.objects.get(kind="replace").bank_id == cast.JOINT


@pytest.mark.clause("G12", "G17", "K2")
def test_another_bank_s_case_does_not_exist_for_him(branch: Client, other: Holder) -> None:
    case = Case.objects.filter(holder=other, kind="apply").get()
    assert branch.get(f"/counter/cases/{case.number}/").status_code == 404
    card_acts.report_loss(Card.objects.get(holder=other).pk, by=cast.clerk(), at=now())
    loss = Case.objects.get(holder=other, kind="loss")
    assert branch.get(f"/counter/cases/{loss.number}/").status_code == 404


@pytest.mark.clause("G12", "G17", "K2")
def test_what_a_holder_began_for_another_bank_is_not_shown_to_him(branch: Client, stage: None) -> None:
    holder = cast.wang_fang()
    wish = {"division_code": "510107", "delivery": "1", "address": "成都市示例路 77 号"}
    who = {"kind": CaseKind.APPLY, "by": cast.clerk(), "at": now()}
    card_acts.save_draft(holder.pk, wish=card_acts.Wish(bank_code=cast.APART, **wish), **who)
    address = f"/counter/holders/{holder.pk}/apply"
    assert "示例路 77 号" not in text(branch.get(address))
    card_acts.save_draft(holder.pk, wish=card_acts.Wish(bank_code=cast.JOINT, **wish), **who)
    assert "示例路 77 号" in text(branch.get(address))
    look = Look.objects.filter(holder_id=holder.pk, looker_name="林芳", fields__contains=["收件地址"])
    assert look.get().purpose == "窗口办理：申领"


@pytest.mark.clause("K2")
def test_his_work_list_is_his_bank_s(branch: Client, stage: None) -> None:
    mine = cast.apply(cast.wang_fang(), bank_code=cast.JOINT)
    theirs = cast.apply(cast.register(cast.id_number(8), phone="13900000008"), bank_code=cast.APART)
    page = text(branch.get("/counter/"))
    assert mine.number in page
    assert theirs.number not in page


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_his_pages_are_accessible(
    branch: Client, own: Holder, other: Holder, open_page: OpenPage, axe: Callable[[Page], None]
) -> None:
    page = open_page(1366, 800, cookies={"sessionid": branch.cookies["sessionid"].value})
    for path in ("", f"holders/{own.pk}/", f"holders/{other.pk}/", f"holders/{other.pk}/loss"):
        page.goto(f"/counter/{path}")
        axe(page)
