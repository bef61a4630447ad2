"""What waits at the banks, and how fast losses get about, as the console shows it."""

from collections.abc import Callable
from datetime import timedelta
from html import unescape

import pytest
from django.test import Client
from playwright.sync_api import Page

from tests import cast
from tests.agreements import agree
from tests.bank_sandbox import Sandbox
from tests.portals.conftest import OpenPage
from yikatong.core.actor import Role
from yikatong.core.clock import day_of, now
from yikatong.portals.console.templatetags.console import took
from yikatong.registry.banks import deliveries, tasks
from yikatong.registry.banks.models import Bank, BankRequest, Delivery
from yikatong.registry.cards import actions as card_acts
from yikatong.registry.cards import delegation
from yikatong.registry.cards.models import Card, Case
from yikatong.using.codes import tasks as code_tasks


@pytest.fixture
def card(db: None) -> Card:
    cast.set_stage()
    return cast.card_in_use(cast.wang_fang())


@pytest.fixture
def supervisor(card: Card) -> Client:
    return cast.log_in(Client(), cast.staff("陈晓", "chenxiao", role=Role.SUPERVISOR, scope="51"))


def lost(card: Card) -> BankRequest:
    card_acts.report_loss(card.pk, by=cast.clerk(), at=now())
    code_tasks.card_changed(str(card.pk))
    return BankRequest.objects.get()


def text(client: Client, page: str) -> str:
    return unescape(client.get(page).content.decode())


@pytest.mark.clause("B2", "G12")
def test_what_waits_is_seen_with_its_age_and_sent_now(
    card: Card, supervisor: Client, bank_away: Sandbox
) -> None:
    request = lost(card)
    tasks.send(cast.JOINT)
    BankRequest.objects.update(created_at=now() - timedelta(minutes=125))
    page = text(supervisor, "/console/banks")
    assert "等待银行答复（1）" in page
    assert request.number in page
    assert "2 小时 5 分" in page
    assert "无法连接银行接口" in page

    answer = supervisor.post(f"/console/banks/requests/{request.pk}/retry")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/console/banks?sent=1")
    assert BankRequest.objects.get().next_try_at <= now()


@pytest.mark.clause("B2")
def test_a_refusal_stays_in_sight(card: Card, supervisor: Client, bank: Sandbox) -> None:
    request = lost(card)
    bank.goes_wrong("refuse", reason="账户有在途业务")
    tasks.send(cast.JOINT)
    page = text(supervisor, "/console/banks")
    assert "没有等待的请求，银行都已答复。" in page
    assert "账户有在途业务（99）" in page
    again = supervisor.post(f"/console/banks/requests/{request.pk}/retry")
    assert again.status_code == 409
    assert "银行已经答复，不需要再发送。" in unescape(again.content.decode())
    assert "蜀安拒绝" in text(supervisor, "/console/losses")


def test_the_banks_are_the_province_s(card: Card, bank: Sandbox) -> None:
    of_a_city = cast.log_in(Client(), cast.staff("周芸", "city", role=Role.SUPERVISOR, scope="5101"))
    assert of_a_city.get("/console/banks").status_code == 403
    assert of_a_city.get("/console/losses").status_code == 200


@pytest.mark.clause("N17", "B2")
def test_how_fast_a_loss_got_about(card: Card, supervisor: Client, bank: Sandbox) -> None:
    lost(card)
    page = text(supervisor, "/console/losses")
    assert "等待蜀安" in page
    assert "无离线设备" in page
    tasks.send(cast.JOINT)
    page = text(supervisor, "/console/losses")
    assert "等待蜀安" not in page
    assert card.number not in page


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (None, "—"), (0.04, "不到 0.1 秒"), (9.96, "10.0 秒"), (12.4, "12 秒"), (185, "3 分 5 秒"),
        (7_500, "2 小时 5 分"), (273_600, "3 天 4 小时"),
    ],
)  # fmt: skip
def test_durations_read_well(seconds: float | None, words: str) -> None:
    assert took(seconds) == words


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("width", [375, 1366])
def test_the_pages_are_accessible(
    card: Card, supervisor: Client, bank_away: Sandbox, open_page: OpenPage, axe: Callable[[Page], None],
    no_overflow: Callable[[Page], None], width: int,
) -> None:  # fmt: skip
    lost(card)
    tasks.send(cast.JOINT)
    page = open_page(width, 800, cookies={"sessionid": supervisor.cookies["sessionid"].value})
    for path in ("/console/banks", "/console/losses"):
        page.goto(path)
        axe(page)
        no_overflow(page)


@pytest.mark.clause("G12", "K3")
def test_what_a_bank_owes_is_seen_day_by_day(supervisor: Client, bank: Sandbox) -> None:
    agree(cast.JOINT, delivers_by=8)
    today = day_of(now())
    bank_of = Bank.objects.get(pk=cast.JOINT)
    for days, received in ((2, timedelta(hours=-1)), (3, timedelta(hours=3)), (4, None)):
        day = today - timedelta(days=days)
        due = deliveries.due_at(8, day)
        Delivery.objects.create(
            bank=bank_of, day=day, due_at=due, received_at=due + received if received else None, differing=2
        )
    page = text(supervisor, "/console/banks")
    assert '次日 <span class="num">8</span> 时前' in page
    assert "迟 3 小时 0 分" in page
    assert "未到，已迟 " in page
    assert "2 户不符" in page


@pytest.mark.clause("G12", "K2")
def test_a_bank_s_outlet_is_measured(supervisor: Client, bank: Sandbox) -> None:
    clerk = cast.staff("林芳", "linfang", role=Role.BANK_CLERK, scope="5101", outlet_id=cast.HALL)
    by = clerk.actor()
    for serial in (4, 5):
        holder = cast.register(cast.id_number(serial), phone=f"1390000000{serial}")
        card_acts.apply(
            holder.pk, bank_code=cast.JOINT, division_code="510107", outlet_id=cast.HALL, by=by, at=now()
        )
    Case.objects.filter(created_by="林芳").update(step_due_on=day_of(now()) - timedelta(days=1))
    card_acts.reject(
        Case.objects.filter(created_by="林芳")[0].pk, reason="材料不清", by=cast.supervisor(), at=now()
    )
    outlet = delegation.measures(since=now() - timedelta(days=30), day=day_of(now()))
    assert outlet == [delegation.Measures("蜀安", "武侯区社保经办大厅", 1, 2, 0, 0, 1, 1, None)]
    assert "武侯区社保经办大厅" in text(supervisor, "/console/banks")
