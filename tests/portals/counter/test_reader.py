"""A card on the reader beside the browser: the find form fills itself, by keyboard alone, and trouble is said."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from django.test import Client
from playwright.sync_api import Page, expect

from tests import cast
from tests.adapters import cards
from tests.adapters.national_card.test_terminal import Other
from tests.portals.conftest import OpenPage
from yikatong.adapters.card_reader.agent import Agent
from yikatong.adapters.card_reader.pairing import Pairing
from yikatong.adapters.card_reader.serving import Server
from yikatong.adapters.card_reader.virtual import VirtualReader
from yikatong.adapters.hsm.soft import SoftHsm
from yikatong.adapters.national_card import registered
from yikatong.adapters.national_card.virtual import VirtualCard
from yikatong.core.clock import now
from yikatong.core.models import Look
from yikatong.registry.cards import actions as card_acts
from yikatong.registry.cards.models import Card
from yikatong.registry.holders.models import Holder

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
CODE = "ABCDEFGH12345678"


@pytest.fixture
def session() -> dict[str, str]:
    cast.set_stage()
    client = cast.log_in(Client(), cast.li_qiang())
    return {"sessionid": client.cookies["sessionid"].value}


@pytest.fixture
def holder(session: dict[str, str]) -> Holder:
    holder = cast.wang_fang()
    cast.card_in_use(holder)
    return holder


@pytest.fixture
def reader() -> VirtualReader:
    return VirtualReader(None)


@pytest.fixture
def agent(reader: VirtualReader, live_server: Any, settings: Any) -> Iterator[Server]:
    """The agent of this desk, as `yikatong reader serve` runs it; the platform is told its address."""
    served = Agent(reader)
    server = Server(served, Pairing(CODE), origins=frozenset({live_server.url}), port=0)
    settings.ENV = settings.ENV.model_copy(update={"reader_url": f"http://127.0.0.1:{server.port}"})
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()
    served.close()


def chip(holder: Holder) -> VirtualCard:
    return registered.virtual(Card.objects.get(holder=holder), SoftHsm())


def said(page: Page) -> Any:
    return page.locator("[data-read-said]")


def paired(page: Page) -> Page:
    page.goto("/counter/find")
    page.keyboard.press("F8")
    page.keyboard.type("abcd-efgh-1234-5678")
    page.keyboard.press("Enter")
    expect(page.locator("[data-reader]")).to_contain_text("读卡器已连接")
    return page


@pytest.mark.clause("S14", "G5", "G17", "M3")
def test_a_clerk_finds_a_holder_by_his_card_with_the_keyboard_alone(
    open_page: OpenPage, session: dict[str, str], holder: Holder, agent: Server, reader: VirtualReader,
    axe: Callable[[Page], None],
) -> None:  # fmt: skip
    reader.placed = chip(holder)
    page = open_page(cookies=session)
    page.goto("/counter/find")
    expect(page.locator("[data-reader]")).to_have_text("读卡器未配对")
    page.keyboard.press("F8")
    expect(said(page)).to_have_text("本浏览器尚未与读卡程序配对，请输入配对码。")
    expect(page.get_by_label("配对码")).to_be_focused()
    axe(page)
    page.goto("/counter/")
    page.keyboard.press("F8")
    expect(page.get_by_label("配对码")).to_be_focused()
    axe(page)
    page.keyboard.type("1234")
    page.keyboard.press("Enter")
    expect(said(page)).to_have_text("配对码为 16 位字母和数字，请核对。")
    page.keyboard.press("Control+A")
    page.keyboard.type("abcd-efgh-1234-5678")
    page.keyboard.press("Enter")
    number = Card.objects.get(holder=holder).number
    expect(said(page)).to_have_text(f"已读卡：王芳，卡号 {number}。按回车查找。")
    expect(page.locator("input[name=q]")).to_have_value(cast.WANG_FANG_NUMBER)
    expect(page.locator("input[name=q]")).to_be_focused()
    axe(page)
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/counter/holders/{holder.pk}/")
    assert Look.objects.filter(holder_id=holder.pk, purpose="窗口读卡", looker_name="李强").count() == 1
    assert Look.objects.filter(holder_id=holder.pk, purpose="窗口查找持卡人").count() == 1


@pytest.mark.clause("S14")
def test_a_card_put_on_the_reader_is_read_by_itself(
    open_page: OpenPage, session: dict[str, str], holder: Holder, agent: Server, reader: VirtualReader
) -> None:
    page = paired(open_page(cookies=session))
    expect(said(page)).to_have_text("读卡器上没有卡，请放好卡片后重试")
    reader.placed = chip(holder)
    expect(page.locator("input[name=q]")).to_have_value(cast.WANG_FANG_NUMBER)
    expect(page.locator("[data-reader]")).to_have_text("读卡器已连接，有卡")


@pytest.mark.clause("B2", "S14")
def test_a_matter_is_begun_with_a_card_even_when_it_is_lost(
    open_page: OpenPage, session: dict[str, str], holder: Holder, agent: Server, reader: VirtualReader
) -> None:
    card_acts.report_temporary_loss(Card.objects.get(holder=holder).pk, by=cast.clerk(), at=now())
    reader.placed = chip(holder)
    page = paired(open_page(cookies=session))
    page.goto("/counter/find?for=release")
    page.keyboard.press("F8")
    expect(page.locator("input[name=q]")).to_have_value(cast.WANG_FANG_NUMBER)
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/counter/holders/{holder.pk}/release")


@pytest.mark.clause("S15", "N17")
def test_wrong_cards_are_said_to_be_wrong(
    open_page: OpenPage, session: dict[str, str], holder: Holder, agent: Server, reader: VirtualReader,
    axe: Callable[[Page], None], no_overflow: Callable[[Page], None],
) -> None:  # fmt: skip
    page = paired(open_page(cookies=session))
    right = chip(holder)
    stranger = replace(
        cards.WANG_FANG, chip=replace(cards.CHIP, identification=cards.CHIP.identification[:-1] + "0")
    )
    wrong: list[tuple[Any, str]] = [
        (Reset(Other("3B00", "6A82")), "卡类型不对，请放置社会保障卡"),
        (
            cards.card(SoftHsm(), stranger),
            "该卡不在本省登记，不能读取卡内信息。请核验本人证件，或请持卡人到发卡地办理。",
        ),
        (copied(right), "内部认证与加密机不一致，卡片不合法或加密机密钥不符"),
    ]
    for card, words in wrong:
        reader.placed = card
        page.keyboard.press("F8")
        expect(said(page)).to_have_text(words)
    assert page.locator("input[name=q]").input_value() == ""
    axe(page)
    page.set_viewport_size({"width": 320, "height": 800})
    no_overflow(page)


def test_an_agent_that_is_not_there_is_said_so_and_typing_goes_on(
    open_page: OpenPage, session: dict[str, str], holder: Holder, agent: Server
) -> None:
    page = paired(open_page(cookies=session))
    agent.shutdown()
    agent.server_close()
    page.keyboard.press("F8")
    expect(said(page)).to_have_text("没有找到本机读卡程序，请启动后再按 F8；也可以直接输入号码。")
    page.locator("input[name=q]").fill(cast.WANG_FANG_NUMBER)
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/counter/holders/{holder.pk}/")


@pytest.mark.clause("S15")
def test_a_wrong_code_is_asked_for_again(
    open_page: OpenPage, session: dict[str, str], holder: Holder, agent: Server
) -> None:
    page = open_page(cookies=session)
    page.goto("/counter/find")
    page.keyboard.press("F8")
    page.keyboard.type("ABCDEFGH12345679")
    page.keyboard.press("Enter")
    expect(said(page)).to_have_text("配对码不正确，请核对读卡程序窗口显示的配对码。")
    expect(page.get_by_label("配对码")).to_be_focused()
    assert page.evaluate("localStorage.getItem('reader-code')") is None


class Reset:
    """Some other card, which can be reset like the virtual one."""

    def __init__(self, card: Other) -> None:
        self.atr, self.transmit = card.atr, card.transmit

    def reset(self) -> bytes:
        return self.atr


def copied(card: VirtualCard) -> VirtualCard:
    """What a thief could copy of it: all but the keys."""
    image = card._image
    return VirtualCard(replace(image, keys=dict.fromkeys(image.keys, bytes(16))))
