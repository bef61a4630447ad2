"""The kiosk in a real browser, before a real gate."""

import io
import re
from collections.abc import Callable
from typing import Any

import pytest
import segno
from playwright.sync_api import Browser, Page, expect

from tests.terminal import gate_process
from tests.terminal.gate_process import GateProcess, Rider
from yikatong.core.clock import now
from yikatong.registry.access import actions as access
from yikatong.using.codes.reasons import Reason
from yikatong.using.usage.models import Use

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

_ANSWERED = re.compile("^(yes|no|fault)$")
Enrol = Callable[[Page], int]


def answer(page: Page, state: str) -> str:
    """Wait for an answer, then what it says."""
    expect(page.locator("body")).to_have_attribute("data-state", _ANSWERED, timeout=20_000)
    assert page.locator("body").get_attribute("data-state") == state, page.locator("#result").inner_text()
    return page.locator("#result").inner_text()


def scan(page: Page, text: str) -> None:
    """A scanner that types, ends with Enter, and needs no field."""
    expect(page.locator("body")).to_have_attribute("data-state", "ready", timeout=20_000)
    page.keyboard.insert_text("")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.type(text)
    page.keyboard.press("Enter")


def outcomes() -> list[tuple[int, int, bool]]:
    return [(use.outcome, use.amount_fen, use.is_offline) for use in Use.objects.order_by("sequence")]


@pytest.mark.clause("C1", "C2", "E3", "O5", "O8")
def test_a_code_before_the_camera_opens(
    rider: Rider, live_server: Any, with_camera: Callable[[str], Browser], enrol: Enrol
) -> None:
    context = with_camera(rider.show()).new_context(
        base_url=live_server.url,
        viewport={"width": 1080, "height": 1400},
        locale="zh-CN",
        service_workers="block",
    )
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.goto("/terminal/")
    number = enrol(page)
    said = answer(page, "yes")
    page.screenshot(path="tests/artefacts/kiosk-yes-1080.png")
    assert "请通行" in said
    assert "乘车验证通过" in said
    assert "联网核验" in said
    assert page.locator("body").get_attribute("data-sound") == "yes"
    assert page.locator("#number").inner_text() == f"{number:012d}"
    # The code stays before the lens: it is the same code, not a second one.
    expect(page.locator("body")).to_have_attribute("data-state", "ready", timeout=10_000)
    page.screenshot(path="tests/artefacts/kiosk-ready-1080.png")
    assert outcomes() == [(0, 0, False)]
    assert faults == []


@pytest.mark.clause("C2", "S10")
def test_without_a_network_it_decides_alone_and_hands_in_later(
    rider: Rider, gate: GateProcess, open_page: Callable[..., Page], enrol: Enrol
) -> None:
    page = open_page(service_workers="allow")
    page.goto("/terminal/")
    enrol(page)
    expect(page.locator("#blind-why")).to_have_text("没有找到摄像头")
    scan(page, rider.show())
    assert "联网核验" in answer(page, "yes")
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    gate.stop()
    page.context.set_offline(True)
    shown = rider.show()
    scan(page, shown)
    assert "离线核验" in answer(page, "yes")
    expect(page.locator("#waiting")).to_have_text("1")
    page.reload()
    scan(page, shown)
    said = answer(page, "no")
    page.screenshot(path="tests/artefacts/kiosk-no-1366.png")
    assert f"该码已使用过（{int(Reason.REPLAYED)}）" in said
    assert "请刷新后重新出示" in said
    assert page.locator("body").get_attribute("data-sound") == "no"
    expect(page.locator("#net")).to_have_attribute("data-is", "off")
    scan(page, rider.show())
    assert "离线核验" in answer(page, "yes")
    expect(page.locator("#waiting")).to_have_text("2")
    gate.start()
    page.context.set_offline(False)
    page.get_by_role("button", name="终端设置").click()
    page.get_by_role("button", name="上传离线记录").click()
    expect(page.locator("#done")).to_have_text("已上传 3 笔。", timeout=20_000)
    expect(page.locator("#waiting")).to_have_text("0")
    assert outcomes() == [(0, 0, False), (0, 0, True), (Reason.REPLAYED, 0, True), (0, 0, True)]


@pytest.mark.clause("B2", "E3")
def test_lost_cards_other_text_amounts_and_a_stopped_terminal(
    rider: Rider, open_page: Callable[..., Page], enrol: Enrol
) -> None:
    page = open_page()
    page.goto("/terminal/")
    number = enrol(page)
    page.get_by_role("button", name="终端设置").click()
    page.get_by_label("每次金额（元）").fill("2.005")
    page.get_by_role("button", name="保存").click()
    expect(page.locator("#settings-wrong")).to_have_text("金额格式不正确，请填写元，如 2.00")
    page.get_by_label("每次金额（元）").fill("2.5")
    page.get_by_role("button", name="保存").click()
    expect(page.locator("#settings-box")).to_be_hidden()
    drawn = io.BytesIO()
    segno.make(rider.show(), error="m").save(drawn, kind="png", scale=5, border=4)
    page.locator("#picture").set_input_files(
        {"name": "a.png", "mimeType": "image/png", "buffer": drawn.getvalue()}
    )
    assert "¥2.50" in answer(page, "yes")
    expect(page.locator("body")).to_have_attribute("data-state", "ready", timeout=20_000)
    page.locator("#picture").set_input_files(
        {"name": "a.png", "mimeType": "image/png", "buffer": b"no picture"}
    )
    assert "图片无法读取" in answer(page, "fault")
    gate_process.lose(rider.holder)
    scan(page, rider.show())
    assert "该卡已正式挂失" in answer(page, "no")
    scan(page, "https://example.cn/")
    assert "无法识别该码" in answer(page, "no")
    row = access.Terminal.objects.get(number=number)
    access.stop(row.id, reason="检修", by=gate_process.OPERATOR, at=now())
    scan(page, rider.show())
    assert "终端已停用" in answer(page, "no")
    assert [outcome for outcome, _, _ in outcomes()] == [0, Reason.CARD_LOST, Reason.MALFORMED]
    assert Use.objects.order_by("sequence")[0].amount_fen == 250


def test_keys_lie_sealed_in_the_browser(open_page: Callable[..., Page], enrol: Enrol) -> None:
    page = open_page()
    page.goto("/terminal/")
    enrol(page)
    found = page.evaluate(
        """() => new Promise((done) => {
          const ask = indexedDB.open('yikatong-terminal', 1);
          ask.onsuccess = () => {
            const facts = ask.result.transaction('facts').objectStore('facts');
            const [main, sealing] = [facts.get('main'), facts.get('sealing')];
            sealing.onsuccess = async () => {
              const raw = await crypto.subtle.exportKey('raw', sealing.result).catch((error) => error.name);
              done([Object.keys(main.result).sort(), main.result.data.byteLength, raw]);
            };
          };
        })"""
    )
    assert found == [["data", "iv"], 32 + 16, "InvalidAccessError"]


def test_one_machine_has_one_window(open_page: Callable[..., Page]) -> None:
    page = open_page()
    page.goto("/terminal/")
    expect(page.locator("#enrol-title")).to_be_visible()
    other = page.context.new_page()
    other.goto("/terminal/")
    expect(other.locator("#why")).to_have_text("同一台机器只能有一个终端窗口")
    page.close()
    expect(other.locator("#enrol-title")).to_be_visible()


def test_the_next_person_need_not_wait(rider: Rider, open_page: Callable[..., Page], enrol: Enrol) -> None:
    page = open_page(elder=True)  # an answer then shows for six seconds
    page.goto("/terminal/")
    enrol(page)
    scan(page, "https://example.cn/")
    assert "无法识别该码" in answer(page, "no")
    page.keyboard.type(rider.show())
    page.keyboard.press("Enter")
    expect(page.locator("body")).to_have_attribute("data-state", "yes", timeout=4_000)
    assert [outcome for outcome, _, _ in outcomes()] == [Reason.MALFORMED, 0]


def test_a_wrong_code_is_told(gate: GateProcess, open_page: Callable[..., Page]) -> None:
    page = open_page()
    page.goto("/terminal/")
    page.get_by_label("终端编号").fill("12")
    page.get_by_role("button", name="开通", exact=True).click()
    expect(page.get_by_role("alert")).to_have_text("终端编号应为 12 位数字")
    page.get_by_label("终端编号").fill("510107000001")
    page.get_by_label("开通码").fill("0000-0000-0000-0000")
    page.get_by_role("button", name="开通", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("开通码不正确或已失效")
    gate.stop()
    page.get_by_role("button", name="开通", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("无法连接闸机服务", timeout=10_000)


@pytest.mark.clause("M3", "N11")
@pytest.mark.parametrize(
    ("width", "height", "elder", "size"),
    [
        (1080, 1400, False, 1),
        (1366, 768, False, 1),
        (1366, 768, True, 2),
        (1080, 1400, False, 4),
        (390, 844, False, 1),
    ],
)
def test_everyone_can_use_it(
    open_page: Callable[..., Page],
    enrol: Enrol,
    axe: Callable[[Page], None],
    no_overflow: Callable[[Page], None],
    width: int,
    height: int,
    *,
    elder: bool,
    size: int,
) -> None:
    page = open_page(width=width, height=height, elder=elder, size=size)
    page.goto("/terminal/")
    expect(page.locator("#enrol-title")).to_be_visible()
    axe(page)
    no_overflow(page)
    enrol(page)
    expect(page.locator("body")).to_have_attribute("data-state", "ready", timeout=20_000)
    axe(page)
    no_overflow(page)
    page.screenshot(path=f"tests/artefacts/kiosk-{width}-{size}{'-elder' if elder else ''}.png")
    page.get_by_role("button", name="终端设置").click()
    expect(page.locator("#settings-box")).to_be_visible()
    axe(page)
    no_overflow(page)
    page.screenshot(path=f"tests/artefacts/kiosk-settings-{width}-{size}{'-elder' if elder else ''}.png")
    page.keyboard.press("Escape")
    expect(page.locator("#settings-box")).to_be_hidden()
    scan(page, "https://example.cn/")
    answer(page, "no")
    axe(page)
    no_overflow(page)
