"""A card on the reader of a counter, from the first pairing to a card written anew: by keyboard alone, troubles and all."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any

import pytest
from django.test import Client
from playwright.sync_api import Page, expect

from tests import cast
from tests.adapters.cards import Torn
from tests.portals.conftest import OpenPage, arrived
from yikatong.adapters.card_reader.agent import Agent
from yikatong.adapters.card_reader.pairing import Pairing
from yikatong.adapters.card_reader.serving import Server
from yikatong.adapters.card_reader.several import Several
from yikatong.adapters.card_reader.virtual import VirtualReader
from yikatong.adapters.hsm.soft import SoftHsm
from yikatong.adapters.national_card import registered, terminal_pin
from yikatong.adapters.national_card.terminal import Channel
from yikatong.adapters.national_card.virtual import VirtualCard
from yikatong.core.clock import now
from yikatong.core.models import Look
from yikatong.registry.cards import actions as card_acts
from yikatong.registry.cards.chip.faults import CardFault
from yikatong.registry.cards.models import Card, CardEvent
from yikatong.registry.holders.models import Holder, Proof

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
CODE, TYPED = "ABCDEFGH12345678", "abcd-efgh-1234-5678"
SLOT, FIELD, OTHER = "甲 [Contact] 00", "甲 [PICC] 01", "乙 02"
Axe = Callable[[Page], None]


class Tearing(VirtualReader):
    """Its card is torn out at the n-th command of a sitting, once for each number in `tears`."""

    tears: tuple[int, ...] = ()

    @contextmanager
    def card(self) -> Iterator[Channel]:
        with super().card() as channel:
            if not self.tears or self.placed is None:
                yield channel
                return
            at, self.tears = self.tears[0], self.tears[1:]
            yield Torn(self.placed, at=at, is_done=True)


class Desk:
    """Three readers, an agent over them, and a holder with his card."""

    def __init__(self, origin: str) -> None:
        self.readers = {name: Tearing(None, name) for name in (SLOT, FIELD, OTHER)}
        self.agent = Agent(Several(lambda: list(self.readers.values())))
        self.server = Server(self.agent, Pairing(CODE), origins=frozenset({origin}), port=0)
        threading.Thread(
            target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        ).start()

    @property
    def slot(self) -> Tearing:
        return self.readers[SLOT]

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.agent.close()


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
def desk(live_server: Any, settings: Any) -> Iterator[Desk]:
    made = Desk(live_server.url)
    settings.ENV = settings.ENV.model_copy(update={"reader_url": f"http://127.0.0.1:{made.server.port}"})
    yield made
    made.close()


def chip(holder: Holder) -> VirtualCard:
    return registered.virtual(Card.objects.get(holder=holder), SoftHsm())


def said(page: Page) -> Any:
    return page.locator("[data-read-said]")


def paired(page: Page) -> Page:
    page.goto("/counter/find")
    page.keyboard.press("F8")
    page.keyboard.type(TYPED)
    page.keyboard.press("Enter")
    expect(page.locator("[data-reader]")).to_contain_text("读卡器已连接")
    return page


def states(page: Page) -> list[str]:
    return page.locator("[data-state]").all_inner_texts()


@pytest.mark.clause("E3", "B2", "A1", "A3", "S14", "G5", "G17", "M3")
def test_a_new_name_goes_onto_the_card_although_it_is_torn_out(
    open_page: OpenPage, session: dict[str, str], holder: Holder, desk: Desk, axe: Axe,
    no_overflow: Axe,
) -> None:  # fmt: skip
    card = desk.slot.placed = chip(holder)
    holder.name = "阿依古丽·买买提·图尔荪巴克·甲乙丙"
    holder.save(update_fields=["name"])
    Proof.objects.create(
        holder=holder, kind=Proof.Kind.WORK_PERMIT, number="51A2026000123", issuer="四川省外国专家局",
        valid_from=date(2026, 3, 1), valid_until=date(2099, 1, 1), created_at=now(), created_by="李强",
    )  # fmt: skip
    page = open_page(cookies=session)

    # Paired at the second try, read, found.
    page.goto("/counter/find")
    page.keyboard.press("F8")
    page.keyboard.type("ABCDEFGH12345679")
    page.keyboard.press("Enter")
    expect(said(page)).to_have_text("配对码不正确，请核对读卡程序窗口显示的配对码。")
    expect(page.get_by_label("配对码")).to_be_focused()
    page.keyboard.type(TYPED)
    page.keyboard.press("Enter")
    expect(said(page)).to_contain_text("已读卡：王芳，")
    expect(page.locator("input[name=q]")).to_have_value(cast.WANG_FANG_NUMBER)
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/counter/holders/{holder.pk}/")

    # To the card's own page, which shows what will be written.
    way = page.get_by_role("link", name="卡内信息与密码")
    arrived(way)
    way.focus()
    page.keyboard.press("Enter")
    arrived(page.locator("[data-chip]"))
    rows = page.locator("tr[data-file]")
    expect(rows).to_have_count(3)
    expect(rows.nth(0)).to_contain_text("阿依古丽·买买提·图尔荪巴克·甲乙丙")
    expect(rows.nth(2)).to_contain_text("至 2099-01-01")
    axe(page)

    # Torn out in the middle of the first file, then of the third, then written.
    desk.slot.tears = (17,)
    page.keyboard.press("F9")
    expect(said(page)).to_have_text(
        "卡片无应答，请取下卡片重新放置。已写入的各项有效；放好卡片后再按“写入卡片”即可，不会写坏卡片。"
    )
    assert states(page) == ["没有写入", "待写入", "待写入"]
    desk.slot.tears = (10_000, 10_000, 18)
    page.keyboard.press("F9")
    expect(page.locator("[data-state]").nth(2)).to_have_text("没有写入")
    assert states(page) == ["已写入", "已写入", "没有写入"]
    axe(page)
    page.keyboard.press("F9")
    number = Card.objects.get(holder=holder).number
    expect(said(page)).to_have_text(
        f"写卡完成，已从卡上读回：阿依古丽·买买提·图尔荪巴克·甲乙丙，卡号 {number}。"
    )
    assert states(page) == ["已写入"] * 3
    written = dict(card._state.memory.written)
    assert written[bytes.fromhex("D15600000501"), 0xEF0C, 0x31].rstrip(b"\0") == b"51A2026000123"
    page.set_viewport_size({"width": 320, "height": 800})
    no_overflow(page)
    assert CardEvent.objects.filter(card__holder=holder, kind="chip_written").count() == 1 + 3 + 3
    assert Look.objects.filter(holder_id=holder.pk, purpose="窗口写卡", looker_name="李强").count() == 7


@pytest.mark.clause("B2", "S15", "M3")
def test_a_locked_pin_is_unblocked_or_set_anew(
    open_page: OpenPage,
    session: dict[str, str],
    holder: Holder,
    desk: Desk,
    axe: Axe,
) -> None:
    card = desk.slot.placed = chip(holder)
    for _ in range(3):
        with pytest.raises(CardFault):
            terminal_pin.verify_pin(card, "000000")
    page = paired(open_page(cookies=session))
    page.goto(f"/counter/holders/{holder.pk}/chip")
    arrived(page.locator("[data-chip]"))
    page.get_by_role("button", name="解锁密码").focus()
    page.keyboard.press("Enter")
    expect(said(page)).to_have_text("密码已解锁，请持卡人用原密码。")
    terminal_pin.verify_pin(card, "123456")

    page.get_by_label("新密码").focus()
    for first, again, words in (
        ("13579", "13579", "输入密码长度错，应为 6 位数字"),
        ("135790", "135791", "两次输入的密码不一致，请重新输入"),
    ):
        type_pins(page, first, again)
        expect(said(page)).to_have_text(words)
        expect(page.get_by_label("新密码")).to_be_focused()
        expect(page.get_by_label("新密码")).to_have_value("")
    axe(page)
    type_pins(page, "135790", "135790")
    expect(said(page)).to_have_text("密码已重置，请持卡人记好新密码。")
    terminal_pin.verify_pin(card, "135790")
    kinds = list(CardEvent.objects.filter(card__holder=holder).order_by("at").values_list("kind", flat=True))
    assert kinds[-2:] == ["pin_unblocked", "pin_set"]
    expect(page.get_by_label("再输一次")).to_have_value("")


def type_pins(page: Page, first: str, again: str) -> None:
    page.keyboard.type(first)
    page.keyboard.press("Tab")
    page.keyboard.type(again)
    page.keyboard.press("Enter")


@pytest.mark.clause("B2", "G17")
def test_another_s_card_and_a_lost_one_are_not_served(
    open_page: OpenPage,
    session: dict[str, str],
    holder: Holder,
    desk: Desk,
    axe: Axe,
) -> None:
    card = Card.objects.get(holder=holder)
    other = Card.objects.get(
        pk=cast.card_in_use(cast.register(cast.id_number(9), name="刘洋", phone="13900000009")).pk
    )
    desk.slot.placed = registered.virtual(other, SoftHsm())
    page = paired(open_page(cookies=session))
    page.goto(f"/counter/holders/{holder.pk}/chip")
    arrived(page.locator("[data-chip]"))
    page.keyboard.press("F9")
    expect(said(page)).to_contain_text("传入数据与卡内不符，请重新读卡")
    assert desk.slot.placed._state.memory.written == ()
    card_acts.report_temporary_loss(card.pk, by=cast.clerk(), at=now())
    page.reload()
    expect(page.get_by_text("挂失的先解除挂失")).to_be_visible()
    expect(page.locator("[data-chip]")).to_have_count(0)
    axe(page)
    assert not CardEvent.objects.filter(kind__in=["chip_written", "pin_set"]).exists()


@pytest.mark.clause("S14", "A1", "M3")
def test_the_form_of_a_new_holder_fills_itself_and_leads_to_who_is_there(
    open_page: OpenPage,
    session: dict[str, str],
    holder: Holder,
    desk: Desk,
    axe: Axe,
) -> None:
    desk.slot.placed = chip(holder)
    page = paired(open_page(cookies=session))
    page.goto("/counter/register")
    arrived(page.locator("input[name=number]"))
    page.keyboard.press("F8")
    expect(said(page)).to_contain_text("请核对证件，再填写其余各项。")
    expect(page.locator("input[name=number]")).to_have_value(cast.WANG_FANG_NUMBER)
    expect(page.locator("input[name=name]")).to_have_value("王芳")
    expect(page.locator("input[name=number]")).to_be_focused()
    axe(page)


@pytest.mark.clause("S15", "N17")
def test_two_cards_a_card_taken_away_and_an_agent_that_is_not_there(
    open_page: OpenPage,
    session: dict[str, str],
    holder: Holder,
    desk: Desk,
    axe: Axe,
) -> None:
    page = paired(open_page(cookies=session))
    card = chip(holder)
    desk.slot.placed, desk.readers[OTHER].placed = card, chip(holder)
    page.keyboard.press("F8")
    expect(said(page)).to_have_text("有两张卡同时放在读卡器上，请只留下要办理的一张，再按 F8。")
    desk.readers[OTHER].placed = None
    desk.slot.tears = (14,)
    page.keyboard.press("F8")
    expect(said(page)).to_have_text("卡片无应答，请取下卡片重新放置")
    assert page.locator("input[name=q]").input_value() == ""
    page.keyboard.press("F8")
    expect(page.locator("input[name=q]")).to_have_value(cast.WANG_FANG_NUMBER)

    # Through the air as well; and when nobody answers, the clerk is told what to do.
    page.locator("input[name=q]").fill("")
    card.present(contactless=True)
    desk.slot.placed, desk.readers[FIELD].placed = None, card
    page.keyboard.press("F8")
    expect(page.locator("input[name=q]")).to_have_value(cast.WANG_FANG_NUMBER)
    desk.server.shutdown()
    desk.server.server_close()
    page.keyboard.press("F8")
    expect(said(page)).to_have_text("没有找到本机读卡程序，请启动后再按 F8；也可以直接输入号码。")
    expect(page.locator("[data-reader]")).to_have_text("读卡器未连接")
    axe(page)
    page.goto(f"/counter/holders/{holder.pk}/chip")
    arrived(page.locator("[data-chip]"))
    page.keyboard.press("F9")
    expect(said(page)).to_have_text("没有找到本机读卡程序，请启动后再按 F8。")
