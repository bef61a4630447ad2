"""A life by keyboard: a death and its undoing, two records of one person, a new name; the banks learn each of it."""

from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings as site
from django.test import Client
from playwright.sync_api import Page, expect

from tests import cast
from tests.agreements import agree
from tests.bank_sandbox import Sandbox
from tests.journeys.desk import Desk
from tests.portals.conftest import OpenPage, arrived
from yikatong.adapters.card_maker import sandbox as maker
from yikatong.core.actor import Role
from yikatong.core.clock import day_of, now
from yikatong.registry.banks import tasks
from yikatong.registry.banks.models import BankAccount
from yikatong.registry.cards import actions as cards
from yikatong.registry.cards import batches
from yikatong.registry.cards.models import Batch, Card, Case
from yikatong.registry.cards.queries import payee_of
from yikatong.registry.cards.tasks import account_answered
from yikatong.registry.holders.models import Holder

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

Fits = Callable[[Page], None]
PAPER = "户口簿 510107001"


@pytest.fixture
def chief(settings: object, open_page: OpenPage) -> Desk:
    site.DEMO, site.SMS_SENDER = True, "yikatong.adapters.sms.demo.DemoSender"
    cast.set_stage()
    agree(cast.JOINT, is_online=True, on_death="freeze")
    user = cast.staff("陈晓", "chenxiao", role=Role.SUPERVISOR, scope="51", organisation="省社保卡中心")
    session = cast.log_in(Client(), user).cookies["sessionid"].value
    return Desk(open_page(1366, 900, cookies={"sessionid": session}))


def in_use(holder: Holder) -> Card:
    """A card in the holder's hands; its account active, as the bank has said."""
    card = cast.card_in_use(holder)
    tasks.send(cast.JOINT)
    return card


def page_of(holder: Holder) -> str:
    return f"/counter/holders/{holder.pk}/"


@pytest.mark.clause("A6", "B6", "S2")
def test_a_death_freezes_the_account_and_its_undoing_frees_it(chief: Desk, bank: Sandbox, axe: Fits) -> None:
    holder = cast.wang_fang()
    in_use(holder)
    desk = chief.at(page_of(holder) + "death")
    desk.says("同时通知蜀安银行对金融账户冻结")
    axe(desk.page)
    desk.day("on", day_of(now())).write("evidence", "居民死亡医学证明 510000000001").tick("id_verified_0")
    desk.press("F9", "请与持卡人核对").press("F9", "受理号")
    assert tasks.send(cast.JOINT) == 1
    desk.at(page_of(holder)).says("死亡登记").says("已冻结")
    axe(desk.page)
    assert (Card.objects.get().status, BankAccount.objects.get().status) == ("4", "frozen")

    desk.push("恢复登记", "恢复登记").write("reason", "本人健在，登记有误").tick("id_verified_0")
    desk.press("F9", "请与持卡人核对").press("F9", "受理号")
    assert tasks.send(cast.JOINT) == 1
    desk.at(page_of(holder)).says("恢复登记").says("已解冻")
    assert (Card.objects.get().status, BankAccount.objects.get().status) == ("1", "active")


@pytest.mark.clause("A6", "B1")
def test_a_card_at_its_maker_is_destroyed_and_the_batch_tells_its_fate(
    chief: Desk, bank: Sandbox, axe: Fits
) -> None:
    holder, other = cast.wang_fang(), cast.register(cast.id_number(5), phone="13900000005")
    who: dict[str, Any] = {"by": cast.supervisor(), "at": now()}
    for one in (holder, other):
        cards.check(cast.apply(one).pk, **who)
    tasks.send(cast.JOINT)
    for request in [one.requests.get() for one in BankAccount.objects.all()]:
        account_answered(str(request.pk))
    batch = batches.open_batch(cast.JOINT, **who)
    batches.start_production(batch.pk, **who)
    cards.record_death(holder.pk, on=day_of(now()), evidence="死亡证明 1", **who)
    batches.take_return(batch.pk, maker.answer(batches.production_file(batch.pk)), **who)

    desk = chief.at(f"/console/batches/{Batch.objects.get().number}")
    desk.says("持卡人已不在册，成卡作废销毁")
    axe(desk.page)
    assert sorted(Case.objects.filter(kind="apply").values_list("status", flat=True)) == ["ready", "rejected"]
    assert Card.objects.get().holder_id == other.pk
    tasks.send(cast.JOINT)
    assert BankAccount.objects.get(holder_id=holder.pk).status == "closed"


@pytest.mark.clause("A1", "N13", "B6", "G8")
def test_two_records_become_one_and_two_again(
    chief: Desk, bank: Sandbox, axe: Fits, no_overflow: Fits
) -> None:
    kept, gone = cast.wang_fang(), cast.register(cast.id_number(7), phone="13900000007")
    lost, used = in_use(kept), in_use(gone)
    cards.report_loss(lost.pk, by=cast.clerk(), at=now())
    desk = chief.at(page_of(kept) + "merge").says("正在使用的卡优先保留")
    axe(desk.page)
    desk.write("number", cast.id_number(7)).write("evidence", PAPER).write("reason", "同一人两次登记")
    desk.tick("id_verified_0").press("F9", "请与持卡人核对").press("F9", "两条登记已合并")
    axe(desk.page)
    no_overflow(desk.page)
    assert Card.objects.values_list("holder", "status").get(pk=used.pk) == (kept.pk, "1")
    assert payee_of(gone.pk).account == BankAccount.objects.get(cards=used)
    cards.change_name(kept.pk, name="王芳华", evidence=PAPER, by=cast.clerk(), at=now())

    desk.at(page_of(kept)).says("姓名变更").says("合并登记（并入的登记）")
    desk.push("撤销合并", "撤销哪一次合并").tick("id_which_0").write("reason", "核实不是同一人")
    desk.tick("id_verified_0").press("F9", "请与持卡人核对").press("F9", "合并已撤销")
    axe(desk.page)
    assert Card.objects.values_list("holder", "status").get(pk=used.pk) == (gone.pk, "1")
    assert Card.objects.values_list("holder", "status").get(pk=lost.pk) == (kept.pk, "2")


@pytest.mark.clause("A1", "B6")
def test_a_new_name_goes_to_the_bank_and_stays_readable(chief: Desk, bank: Sandbox, axe: Fits) -> None:
    holder = cast.wang_fang()
    in_use(holder)
    desk = (
        chief.at(page_of(holder) + "name")
        .write("name", "王芳华")
        .write("evidence", PAPER)
        .tick("id_verified_0")
    )
    desk.press("F9", "请与持卡人核对").press("F9", "已通知蜀安银行变更客户信息")
    axe(desk.page)
    assert tasks.send(cast.JOINT) == 1
    desk.at(page_of(holder))
    arrived(desk.page.locator("#life-title"))
    expect(desk.page.locator("section[aria-labelledby=life-title]")).to_contain_text("姓名变更")
