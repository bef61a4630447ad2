"""Banks by keyboard: an agreement made by two, an account held, a dead line settled on paper, a bank changed."""

from collections.abc import Callable
from datetime import date, timedelta

import pytest
from django.conf import settings as site
from django.test import Client
from playwright.sync_api import Page, expect

from tests import cast
from tests.agreements import agree
from tests.bank_sandbox import Sandbox
from tests.journeys.desk import Desk, words_at_focus
from tests.portals.citizen.conftest import session_of
from tests.portals.conftest import OpenPage, arrived
from yikatong.core.actor import Role
from yikatong.core.clock import day_of, now
from yikatong.registry.banks import deliveries, tasks
from yikatong.registry.banks.models import Agreement, BankAccount, BankRequest, Contradiction, Delivery, Hold
from yikatong.registry.cards import actions as cards
from yikatong.registry.cards.models import Card
from yikatong.registry.holders.models import Holder
from yikatong.registry.outlets.rules import SERVICES
from yikatong.registry.regions.models import Organisation, Outlet

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

Fits = Callable[[Page], None]


@pytest.fixture
def holder(settings: object) -> Holder:
    site.DEMO, site.SMS_SENDER = True, "yikatong.adapters.sms.demo.DemoSender"
    cast.set_stage()
    keeper = Organisation.objects.create(
        code="51-bank-95901", name="蜀安银行", kind="bank", division_code="510100"
    )
    Outlet.objects.create(
        number="5101070002", name="蜀安银行武侯网点", organisation=keeper, division_code="510107",
        address="武侯区示例路 2 号", hours="周一至周六 9:00–17:00",
        services=list(SERVICES),
    )  # fmt: skip
    return cast.wang_fang()


@pytest.fixture
def card(holder: Holder) -> Card:
    return cast.card_in_use(holder)


@pytest.fixture
def chief(holder: Holder, open_page: OpenPage) -> Desk:
    return _desk(open_page, "陈晓", "chenxiao")


@pytest.fixture
def second(holder: Holder, open_page: OpenPage) -> Desk:
    return _desk(open_page, "刘主任", "liuzhuren")


def _desk(open_page: OpenPage, name: str, login: str) -> Desk:
    user = cast.staff(name, login, role=Role.SUPERVISOR, scope="51", organisation="省社保卡中心")
    session = cast.log_in(Client(), user).cookies["sessionid"].value
    return Desk(open_page(1366, 900, cookies={"sessionid": session}))


def phone(open_page: OpenPage, holder: Holder) -> Page:
    return open_page(390, 844, cookies={"sessionid": session_of(holder)})


@pytest.mark.clause("G12", "G20", "K2", "K3")
def test_an_agreement_is_made_by_two_and_the_page_tells_how_it_is_kept(
    chief: Desk, second: Desk, card: Card, axe: Fits, no_overflow: Fits
) -> None:
    today = day_of(now())
    for days, late in ((1, -60), (2, 200)):
        due = deliveries.due_at(8, today - timedelta(days=days))
        Delivery.objects.create(
            bank_id=cast.JOINT, day=today - timedelta(days=days), due_at=due, rows=3,
            received_at=due + timedelta(minutes=late),
        )  # fmt: skip
    clerk = cast.staff("林芳", "linfang", role=Role.BANK_CLERK, scope="5101", outlet_id=cast.HALL)
    other = cast.register(cast.id_number(5), phone="13900000005")
    wish = {"bank_code": cast.JOINT, "division_code": "510107", "outlet_id": cast.HALL}
    cards.apply(other.pk, **wish, by=clerk.actor(), at=now())

    desk = chief.at(f"/console/banks/{cast.JOINT}")
    axe(desk.page)
    desk.push("录入新协议", "录入合作协议")
    axe(desk.page)
    desk.write("number", "川社卡合作〔2026〕018 号").day("valid_from", today).day(
        "valid_until", date(2027, 12, 31)
    )
    desk.flip("id_promises_2").choose("on_death", "freeze").write("delivers_by", "9")
    desk.write("on_time_percent", "95").press("F9", "等待另一名业务主管复核")
    assert Agreement.objects.get(number="川社卡合作〔2026〕018 号").status == "draft"

    desk = second.at(f"/console/banks/{cast.JOINT}").push("复核通过", "已办理，记入审计。")
    desk.says("现行协议 川社卡合作〔2026〕018 号").says("由协议 川社卡合作〔2026〕018 号 接替").says(
        "迟 3 小时"
    )
    axe(desk.page)
    no_overflow(desk.page)
    found = Agreement.objects.get(number="川社卡合作〔2026〕018 号")
    assert (found.status, found.joint_loss, found.delivers_by) == ("confirmed", False, 9)
    assert found.valid_until == date(2028, 1, 1), "half-open"
    assert (found.drafted_by, found.confirmed_by) == ("陈晓", "刘主任")

    desk.push("提前终止", "提前终止协议").day("on", today).write("reason", "银行请求退出合作")
    desk.press("F9", "提前终止已录入")
    chief.at(f"/console/banks/{cast.JOINT}").push("复核终止", "没有生效的合作协议，不受理新卡。")
    axe(chief.page)


@pytest.mark.clause("G12", "B6")
def test_an_account_is_held_by_order_and_its_holder_sees_by_whom(
    chief: Desk, card: Card, bank: Sandbox, open_page: OpenPage, axe: Fits, no_overflow: Fits
) -> None:
    agree(cast.JOINT, is_online=True)
    desk = chief.at(f"/counter/holders/{card.holder_id}/hold")
    axe(desk.page)
    desk.tick("id_account_0").pick("authority", "人民法院").write("authority_name", "武侯区人民法院")
    desk.write("document", "（2026）川0107执88号").day("ordered_on", day_of(now())).write(
        "reason", "执行案件"
    )
    desk.write("contact", "028-00000001").tick("id_verified_0").press("F9", "办理前后对照")
    desk.says("继续入账，不能支取")
    axe(desk.page)
    desk.press("F9", "冻结已通知银行")
    assert tasks.send(cast.JOINT) == 1
    assert BankAccount.objects.get().status == "frozen"
    desk.at(f"/counter/holders/{card.holder_id}/").says("武侯区人民法院")
    axe(desk.page)

    mine = phone(open_page, card.holder)
    mine.goto("/m/card")
    arrived(mine.get_by_text("金融账户冻结"))
    expect(mine.get_by_text("028-00000001")).to_be_visible()
    axe(mine)
    no_overflow(mine)

    desk.at(f"/counter/holders/{card.holder_id}/lift").tick("id_which_0")
    desk.write("document", "（2026）川0107执88号之一").write("reason", "案件执行完毕").tick("id_verified_0")
    desk.press("F9", "银行确认后恢复冻结前的状态").press("F9", "解冻已登记")
    tasks.send(cast.JOINT)
    assert (BankAccount.objects.get().status, Hold.objects.get().status) == ("active", "lifted")
    mine.goto("/m/card")
    arrived(mine.get_by_text("卡的状态"))
    expect(mine.get_by_text("金融账户冻结")).to_have_count(0)


@pytest.mark.clause("G12", "B6")
def test_a_request_without_an_answer_is_settled_on_paper_and_the_line_never_overwrites_it(
    chief: Desk, second: Desk, card: Card, bank: Sandbox, axe: Fits
) -> None:
    cards.report_loss(card.pk, by=cast.clerk(), at=now())
    bank.goes_wrong("lost", "report_loss")
    tasks.send(cast.JOINT)
    desk = chief.at("/console/banks").push("书面答复，请求", "登记书面答复")
    axe(desk.page)
    desk.choose("outcome", "refused")
    desk.write("document", "蜀安函〔2026〕31 号").day("answered_on", day_of(now())).write(
        "reason", "账户有在途业务"
    )
    desk.press("F9", "书面答复已登记")
    axe(desk.page)
    second.at("/console/banks/papers").push("复核通过", "已按书面答复办结")
    assert (BankRequest.objects.get().status, BankRequest.objects.get().by_hand) == ("refused", True)

    assert tasks.compare(0) == 1
    assert BankAccount.objects.get().status == "active", "nothing is overwritten"
    desk = second.at("/console/banks").says("与银行后来的电子应答不一致").at("/console/banks/papers")
    axe(desk.page)
    desk.push("处理，请求", "银行答复不一致")
    axe(desk.page)
    desk.choose("how", "take")
    desk.write("note", "与银行王经理电话核对，账户已停用").press("F9", "已处理，记入审计。")
    assert (Contradiction.objects.get().status, BankAccount.objects.get().status) == ("taken", "lost")


@pytest.mark.clause("G5", "B6", "G8")
@pytest.mark.parametrize("same", [True, False])
def test_a_holder_sees_all_that_changes_before_he_chooses(
    card: Card,
    open_page: OpenPage,
    axe: Fits,
    no_overflow: Fits,
    same: bool,  # noqa: FBT001
) -> None:
    page = phone(open_page, card.holder)
    page.goto("/m/card/bank")
    arrived(page.get_by_text("换到哪家银行"))
    code = cast.JOINT if same else cast.APART
    _choose(page, code)
    arrived(page.locator("#changes"))
    shown = page.locator("main").inner_text()
    for thing in (
        "服务银行",
        "金融账号",
        "财政补贴等发放账户",
        "水电气、话费等代扣",
        "社会保障卡号",
        "联动挂失",
        "工本费",
    ):
        assert thing in shown, thing
    assert ("账号不变" in shown, "另开新账号" in shown) == (same, not same)
    axe(page)
    no_overflow(page)
    _push(page, "去办理")
    arrived(page.get_by_text("补换原因").first)
    assert page.locator(f"input[type=radio][name=bank][value='{code}']").is_checked()


def _choose(page: Page, code: str) -> None:
    """By keyboard: Tab into the group, arrows to the bank, Tab to the button."""
    for _ in range(30):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.name") == "bank":
            break
    for _ in range(3):
        if page.evaluate("document.activeElement.value") == code:
            break
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Space")
    _push(page, "看看有什么变化")


def _push(page: Page, words: str) -> None:
    for _ in range(60):
        page.keyboard.press("Tab")
        if words in words_at_focus(page):
            page.keyboard.press("Enter")
            return
    raise AssertionError(f"Tab does not reach {words}")
