"""The kiosk's screen: for everyone, by touch on its own pad or by keyboard, by scanner, and left alone."""

from collections.abc import Callable

import pytest
from django.conf import settings as site
from playwright.sync_api import Page, expect

from tests.portals.citizen import people
from tests.portals.conftest import OpenPage
from yikatong.core.actor import Actor, Channel, Role
from yikatong.core.clock import now
from yikatong.portals.kiosk import session
from yikatong.registry.cards import actions
from yikatong.registry.cards.models import Case
from yikatong.registry.holders.models import Holder
from yikatong.using.codes import actions as codes

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
SCREEN = (1080, 1400)


@pytest.fixture(autouse=True)
def demo(settings: object) -> None:
    site.DEMO = True
    site.SMS_SENDER = "yikatong.adapters.sms.demo.DemoSender"
    people.world()


@pytest.fixture
def wang() -> Holder:
    return people.ready(people.holder(people.WANG, "王芳", people.PHONE))


@pytest.fixture
def chen() -> Holder:
    return people.holder(people.CHEN, "陈静", people.OTHER_PHONE)


def shown_by(holder: Holder) -> str:
    """What his phone shows now."""
    by = Actor(holder.pk, "持卡人本人", Role.HOLDER, Channel.MOBILE)
    return codes.server_code(holder.pk, 1, by=by, at=now())


def scan(page: Page, text: str) -> None:
    """A scanner: as quick as a keyboard can be, with Enter at the end."""
    page.keyboard.type(text)
    page.keyboard.press("Enter")


@pytest.mark.parametrize("look", [{}, {"elder": True}, {"size": 4}], ids=["standard", "elder", "largest"])
def test_every_page_is_accessible(
    open_page: OpenPage,
    axe: Callable[[Page], None],
    no_overflow: Callable[[Page], None],
    wang: Holder,
    look: dict[str, bool | int],
) -> None:
    page = open_page(*SCREEN, **look)

    def good() -> None:
        axe(page)
        no_overflow(page)

    for one in ("", "who/progress", "who/loss"):
        page.goto(f"/kiosk/{one}")
        good()
    page.get_by_role("button", name="获取短信验证码").click()
    expect(page.get_by_role("alert")).to_contain_text("请输入证件号码")
    good()
    scan(page, shown_by(wang))
    expect(page.get_by_role("heading", name="挂失社会保障卡")).to_be_visible()
    good()
    page.get_by_label("临时挂失").check()
    page.get_by_role("button", name="下一步").click()
    good()
    page.get_by_role("button", name="确认挂失").click()
    expect(page.get_by_role("heading", name="已临时挂失")).to_be_visible()
    good()
    for one in ("progress", "apply", "loss"):
        page.goto(f"/kiosk/{one}")
        good()
    page.goto(f"/kiosk/progress/{Case.objects.get(kind='loss').number}")
    good()


@pytest.mark.clause("B1", "B3")
def test_an_application_by_touch_alone(
    open_page: OpenPage, axe: Callable[[Page], None], no_overflow: Callable[[Page], None], chen: Holder
) -> None:
    page = open_page(*SCREEN, has_touch=True)
    page.goto("/kiosk/")
    page.get_by_role("link", name="申领").tap()
    pad = page.get_by_role("group", name="数字键盘")
    for digit in people.CHEN:
        pad.get_by_role("button", name=digit, exact=True).tap()
    page.get_by_role("button", name="获取短信验证码").tap()
    expect(page.get_by_role("heading", name="请输入短信验证码")).to_be_visible()
    axe(page)
    message = page.get_by_text("演示短信").inner_text()
    for digit in message.split("验证码为 ")[1][:6]:
        pad.get_by_role("button", name=digit, exact=True).tap()
    page.get_by_role("button", name="确定").tap()
    expect(page.get_by_role("heading", name="申领社会保障卡")).to_be_visible()
    page.get_by_label("天府惠民银行").tap()
    page.get_by_label("武侯区社会保障卡服务大厅").tap()
    axe(page)
    no_overflow(page)
    page.get_by_role("button", name="下一步：核对").tap()
    expect(page.get_by_role("heading", name="请核对后提交")).to_be_visible()
    axe(page)
    page.get_by_role("button", name="确认提交").tap()
    expect(page.get_by_role("status")).to_contain_text("申请已提交")
    axe(page)
    no_overflow(page)
    page.get_by_role("link", name="办完了，退出").tap()

    expect(page.get_by_role("heading", name="请选择要办的事")).to_be_visible()
    assert (Case.objects.get().status, Case.objects.get().channel) == ("submitted", "kiosk")
    page.goto("/kiosk/progress")
    expect(page.get_by_role("heading", name="请选择要办的事")).to_be_visible()


def test_keys_and_letters_are_enough(open_page: OpenPage, chen: Holder) -> None:
    page = open_page(*SCREEN)
    page.goto("/kiosk/who/progress")
    page.get_by_label("证件号码或社会保障号码").focus()
    page.keyboard.type(people.CHEN)
    page.keyboard.press("Enter")
    message = page.get_by_text("演示短信").inner_text()
    page.get_by_label("短信验证码").focus()
    page.keyboard.type(message.split("验证码为 ")[1][:6])
    page.keyboard.press("Enter")

    expect(page.get_by_text("没有办理记录")).to_be_visible()


def test_left_alone_it_warns_and_forgets(
    open_page: OpenPage, wang: Holder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "IDLE_S", 21)
    page = open_page(*SCREEN)
    page.goto("/kiosk/who/progress")
    scan(page, shown_by(wang))
    page.wait_for_url("**/kiosk/progress")
    expect(page.get_by_role("dialog", name="还需要时间吗？")).to_be_visible()
    page.get_by_role("button", name="继续办理").click()
    expect(page.get_by_role("dialog", name="还需要时间吗？")).to_be_hidden()
    expect(page.get_by_role("heading", name="请选择要办的事")).to_be_visible(timeout=30_000)
    page.go_back()

    expect(page.locator("h1")).to_have_text("查办理进度：请证明是您本人")
    assert "王" not in page.inner_text("main")


def test_without_a_script_it_works(open_page: OpenPage, chen: Holder) -> None:
    case = actions.apply(
        chen.pk,
        bank_code="95903",
        division_code="510107",
        by=Actor(chen.pk, "", Role.HOLDER, Channel.MOBILE),
        at=now(),
    )
    page = open_page(*SCREEN, java_script_enabled=False)
    page.goto("/kiosk/who/progress")
    page.get_by_label("证件号码或社会保障号码").fill(people.CHEN)
    page.get_by_role("button", name="获取短信验证码").click()
    message = page.get_by_text("演示短信").inner_text()
    page.get_by_label("短信验证码").fill(message.split("验证码为 ")[1][:6])
    page.get_by_role("button", name="确定").click()

    expect(page.get_by_text(case.number)).to_be_visible()
