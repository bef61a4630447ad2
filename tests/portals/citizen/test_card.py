"""我的卡, its numbers covered, loss and release."""

from datetime import UTC, datetime

import pytest
from django.test import Client

from tests.bank_sandbox import Sandbox
from tests.portals.citizen import people
from tests.portals.citizen.conftest import LogIn
from yikatong.core.clock import day_of, now
from yikatong.registry.banks import tasks
from yikatong.registry.banks.models import BankAccount
from yikatong.registry.cards.models import Card, CardStatus, Case, ECard
from yikatong.registry.holders.models import Category, Holder


def test_numbers_are_covered_until_the_password_is_given(hers: Client, wang: Holder) -> None:
    covered = hers.get("/m/card").content.decode()
    wrong = hers.post("/m/card/reveal", {"password": "999999"})
    shown = hers.post("/m/card/reveal", {"password": people.PASSWORD})

    assert people.WANG not in covered
    assert "王芳" not in covered
    assert wrong.status_code == 422
    assert people.WANG not in wrong.content.decode()
    assert people.WANG in shown.content.decode()
    assert 'data-cover-after="30"' in shown.content.decode()
    assert shown.headers["Cache-Control"] == "no-store"


@pytest.mark.clause("B2", "S14")
def test_a_temporary_loss_says_what_it_stops_and_when_it_ends(hers: Client) -> None:
    confirm = hers.get("/m/card/loss?ask=1&kind=temporary").content.decode()
    reply = hers.post("/m/card/loss", {"kind": "temporary"})
    done = hers.get(reply.headers["Location"]).content.decode()

    assert "7 天后自动解除" in confirm
    assert "社会保障功能和蜀安银行金融账户同时挂失。" in confirm
    assert reply.status_code == 303
    assert "临时挂失已生效" in done
    assert Case.objects.get().number in done
    assert Card.objects.get().status == CardStatus.TEMPORARILY_LOST


@pytest.mark.clause("B2")
def test_a_loss_at_a_bank_apart_names_its_hotline(hers: Client) -> None:
    BankAccount.objects.update(bank_id="95903")

    page = hers.get("/m/card/loss").content.decode()

    assert "只挂失社会保障功能；金融账户须另向天府惠民银行挂失，请拨打 95901。" in page
    assert 'href="tel:95901"' in page


def test_a_choice_not_made_is_asked_for(hers: Client) -> None:
    reply = hers.get("/m/card/loss?ask=1")
    posted = hers.post("/m/card/loss", {"kind": "whatever"})

    assert (reply.status_code, posted.status_code) == (422, 422)
    assert '<a href="#id_kind">请选择挂失方式</a>' in reply.content.decode()
    assert Card.objects.get().status == CardStatus.NORMAL
    assert not Case.objects.exists()


def test_a_second_loss_is_refused_with_its_reason(hers: Client) -> None:
    hers.post("/m/card/loss", {"kind": "formal"})

    reply = hers.post("/m/card/loss", {"kind": "temporary"})

    assert reply.status_code == 409
    assert "卡片当前为“正式挂失”，不能办理临时挂失。" in reply.content.decode()
    assert Card.objects.get().status == CardStatus.LOST
    assert Case.objects.count() == 1


def test_a_refusal_names_only_laws_that_the_province_has(hers: Client) -> None:
    hers.post("/m/card/loss", {"kind": "temporary"})

    page = hers.post("/m/card/loss", {"kind": "temporary"}).content.decode()

    assert "没有成功" in page
    assert "《广东省社会保障卡居民服务一卡通条例（参照）》第五条）" in page
    assert "N17" not in page


def test_a_lost_card_is_offered_only_what_it_still_can(hers: Client) -> None:
    hers.post("/m/card/loss", {"kind": "temporary"})
    temporary = hers.get("/m/card/loss").content.decode()
    hers.post("/m/card/loss", {"kind": "formal"})
    formal = hers.get("/m/card/loss").content.decode()

    assert "可以转为正式挂失" in temporary
    assert 'value="temporary"' not in temporary
    assert "这张卡已经正式挂失" in formal
    assert 'href="/m/card/replace"' in formal
    assert '<form method="get"' not in formal


@pytest.mark.clause("B2")
@pytest.mark.clause("S2", "B2")
def test_an_e_card_is_said_to_rest_while_its_card_is_lost(hers: Client) -> None:
    before = _ecard_panel(hers)
    hers.post("/m/card/loss", {"kind": "temporary"})
    lost = _ecard_panel(hers)
    hers.post("/m/card/release")
    after = _ecard_panel(hers)

    assert "已签发" in before
    assert 'href="/m/code"' in before
    assert "已暂停" in lost
    assert "该卡已临时挂失，现在不能亮码，实体卡恢复正常后自动恢复。" in lost
    assert 'href="/m/code"' not in lost
    assert "已签发" not in lost
    assert after == before


def _ecard_panel(client: Client) -> str:
    page = client.get("/m/card").content.decode()
    return page.split("<h2>电子社保卡</h2>")[1].split('id="devices"')[0]


def test_a_day_is_the_day_in_beijing(hers: Client) -> None:
    """Half past seven in the morning there is still yesterday in UTC."""
    ECard.objects.update(issued_at=datetime(2026, 11, 21, 23, 30, tzinfo=UTC))

    assert "2026年11月22日签发" in _ecard_panel(hers)


def test_a_card_found_again_works_again(hers: Client) -> None:
    hers.post("/m/card/loss", {"kind": "temporary"})

    reply = hers.post("/m/card/release")

    assert reply.headers["Location"] == "/m/card?released=1"
    assert "挂失已解除" in hers.get("/m/card?released=1").content.decode()
    assert Card.objects.get().status == CardStatus.NORMAL


def test_a_formal_loss_is_not_released_online_here(hers: Client) -> None:
    hers.post("/m/card/loss", {"kind": "formal"})

    page = hers.get("/m/card/release").content.decode()
    reply = hers.post("/m/card/release")

    assert "正式挂失要到窗口解除" in page
    assert reply.status_code == 403
    assert Card.objects.get().status == CardStatus.LOST


def test_who_has_no_card_has_none_to_lose(logged_in: LogIn, chen: Holder) -> None:
    reply = logged_in(chen).post("/m/card/loss", {"kind": "formal"})

    assert reply.status_code == 404
    assert "您还没有社会保障卡。" in reply.content.decode()
    assert not Case.objects.exists()


@pytest.mark.clause("B2")
def test_the_bank_half_of_a_loss_is_followed_to_its_end(hers: Client, bank: Sandbox) -> None:
    hers.post("/m/card/loss", {"kind": "temporary"})
    asked = hers.get("/m/card/loss/done").content.decode()
    assert "已通知银行，等待确认" in asked
    assert "社会保障功能已停用；已通知蜀安银行停用金融账户，正在等待银行确认。" in asked
    assert "挂失已通知银行" in hers.get("/m/card").content.decode()

    tasks.send("95901")

    stopped = hers.get("/m/card/loss/done").content.decode()
    assert "社会保障功能和蜀安银行金融账户都已停用。" in stopped
    assert "等待确认" not in stopped


@pytest.mark.clause("B2")
def test_a_bank_that_refuses_leads_to_its_hotline(hers: Client, bank: Sandbox) -> None:
    hers.post("/m/card/loss", {"kind": "formal"})
    bank.goes_wrong("refuse", reason="账户有在途业务")
    tasks.send("95901")
    page = hers.get("/m/card").content.decode()
    assert "银行没有受理挂失" in page
    assert "蜀安银行没有受理金融账户挂失（账户有在途业务），请尽快拨打 95901。" in page


@pytest.mark.clause("G5", "B6")
def test_a_bank_is_chosen_with_all_that_changes_in_sight(hers: Client) -> None:
    choose = hers.get("/m/card/bank").content.decode()
    assert "蜀安银行（现在的银行）" in choose
    assert "看看有什么变化" in choose
    assert "换到" not in choose.split("看看有什么变化")[1]

    shown = hers.get("/m/card/bank?bank=95903").content.decode()
    assert "换到天府惠民银行以后" in shown
    assert "天府惠民银行另开新账号" in shown
    assert "原账户及余额仍在蜀安银行，不会自动转移，由本人办理转账或销户。" in shown
    assert "/m/card/replace?bank=95903&amp;reason=bank" in shown

    form = hers.get("/m/card/replace?bank=95903&reason=bank").content.decode()
    assert 'name="bank" value="95903" checked' in form
    assert 'name="reason" value="bank" checked' in form
    assert not Case.objects.exists()


def test_a_lost_card_changes_its_bank_by_being_replaced(hers: Client) -> None:
    hers.post("/m/card/loss", {"kind": "formal"})
    shown = hers.get("/m/card/bank?bank=95903").content.decode()
    assert "这张卡已经挂失。" in shown
    assert "reason=lost" in shown
    assert hers.get("/m/card/bank?bank=00000").status_code == 200
    assert hers.get("/m/card/bank?bank=%00").status_code == 200


@pytest.mark.clause("G5", "B6", "S14")
def test_the_bank_is_chosen_freely_and_the_fee_told_is_the_one_to_be_paid(hers: Client, wang: Holder) -> None:
    choose = hers.get("/m/card/bank").content.decode()
    assert " checked" not in choose.split("换到哪家银行")[1].split("</form>")[0]
    assert "工本费 ¥20.00" in hers.get("/m/card/bank?bank=95903").content.decode()
    today = day_of(now())
    Category.objects.create(holder=wang, kind="disabled", valid_from=today, source="残联名单")
    shown = hers.get("/m/card/bank?bank=95903").content.decode()
    assert "工本费免收：残疾人" in shown
    assert "¥20.00" not in shown
