"""From a batch of cases to a card out of its box: files to bank and maker and back, and every card accounted for."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from django.test import Client
from playwright.sync_api import Page, expect

from tests import cast
from tests.portals.conftest import OpenPage, arrived, tab_to
from yikatong.adapters.bank_files import sandbox as bank
from yikatong.adapters.card_maker import sandbox as maker
from yikatong.core.clock import now
from yikatong.registry.cards import actions
from yikatong.registry.cards.models import Batch, Case

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
NAMES = ("王芳", "李𬭊", "阿米娜·买买提", "赵晚")


def cookie(client: Client) -> dict[str, str]:
    return {"sessionid": client.cookies["sessionid"].value}


def waiting_cases() -> list[Case]:
    cases = []
    for serial, name in enumerate(NAMES, start=1):
        holder = cast.register(cast.id_number(serial), name=name, phone=f"1390000000{serial}")
        cases.append(actions.check(cast.apply(holder).pk, by=cast.supervisor(), at=now()))
    return cases


def fetch(page: Page, link: str) -> tuple[str, bytes]:
    with page.expect_download() as coming:
        page.click(f"a:has-text('{link}')")
    return coming.value.suggested_filename, Path(coming.value.path()).read_bytes()


def send(page: Page, data: bytes) -> None:
    """By the field and F9, as the page says; from the closed drawer by its button."""
    drawer = page.locator("summary", has_text="再次上传回盘文件")
    if drawer.count():
        drawer.press("Enter")
    page.set_input_files("#id_file", {"name": "回盘.txt", "mimeType": "text/plain", "buffer": data})
    page.locator("#id_file").press("Tab")
    page.keyboard.press("Enter")


def spoilt(answer: bytes, row: int, fields: str) -> bytes:
    """An answer whose one row has failed, and whose head says so."""
    lines = answer.decode("gb18030").split("\r\n")
    head = lines[0].split("|")
    head[6:8] = [str(int(head[6]) - 1), "1"]
    lines[0], lines[row] = "|".join(head), f"{lines[row].split('|')[0]}|{fields}"
    return "\r\n".join(lines).encode("gb18030")


@pytest.mark.clause("B1", "G5", "G12", "Q2")
def test_from_a_batch_to_a_card_out_of_its_box(
    open_page: OpenPage, axe: Callable[[Page], None], no_overflow: Callable[[Page], None]
) -> None:
    cast.set_stage()
    cases = waiting_cases()
    head = cast.log_in(Client(), cast.chen_xiao())
    page = open_page(cookies=cookie(head), accept_downloads=True)

    # Opened by keyboard; the bank's file goes out, a wrong one and a partial one come back, then the right one.
    page.goto("/console/batches")
    arrived(page.locator("h1", has_text="制卡批次"))
    tab_to(page, "id_bank")
    page.keyboard.press("F9")
    arrived(page.locator(".stepper"))
    number = Batch.objects.get().number
    name, request = fetch(page, "下载银行预开户文件")
    assert name == f"KH-{cast.JOINT}-{number}.txt"
    assert [line.split("|")[4] for line in request.decode("gb18030").splitlines()[1:]] == list(NAMES)
    good = bank.answer(request, prefix="622951")
    send(page, good.replace(number.encode(), b"P20250101000001"))
    expect(page.locator(".summary")).to_contain_text("这个文件是批次 P20250101000001、银行 95901 的回盘")
    expect(page.locator(".summary")).to_be_focused()
    send(page, b"\r\n".join(good.replace(b"|4|4|0|", b"|3|3|0|").split(b"\r\n")[:4]))
    expect(page.locator(".summary")).to_contain_text("回盘文件缺少序号 4，没有导入。")
    assert Batch.objects.get().status == "open"
    send(page, spoilt(good, 2, "17||客户身份待核实"))
    expect(page.get_by_role("status").first).to_contain_text("回盘已导入")

    # Sent to the maker, who spoils one card and packs the others; the same file again does no harm.
    page.keyboard.press("F9")
    expect(page.get_by_role("status").first).to_contain_text("已送制卡")
    name, request = fetch(page, "下载制卡文件")
    assert name == f"ZK-{cast.JOINT}-{number}.txt"
    returned = spoilt(maker.answer(request), 2, "|||||||||||制卡|芯片写入失败")
    for said in ("回盘已导入", "没有重复处理"):
        send(page, returned)
        expect(page.get_by_role("status").first).to_contain_text(said)

    # Every card has its fate, and the counts add up.
    sums = page.locator("section", has=page.locator("#sums-title"))
    expect(sums.locator("p").first).to_have_text("在办 0 ＋ 制成 2 ＋ 银行退回 1 ＋ 制卡失败 1 ＝ 4 件 相符")
    expect(page.locator("#rows tbody tr")).to_have_count(4)
    axe(page)
    for width in (390, 1440):
        page.set_viewport_size({"width": width, "height": 900})
        no_overflow(page)
    _, table = fetch(page, "导出对账表")
    assert table.decode("utf-8-sig").count("\r\n") == 5
    sums.get_by_role("link", name="银行退回，待处理").press("Enter")
    expect(page.locator("#rows tbody tr")).to_have_count(1)
    expect(page.locator("#rows tbody tr")).to_contain_text("银行：客户身份待核实")

    _at_the_counter(open_page, axe, no_overflow, cases, number)


def _at_the_counter(
    open_page: OpenPage,
    axe: Callable[[Page], None],
    no_overflow: Callable[[Page], None],
    cases: list[Case],
    number: str,
) -> None:
    """The holder comes: the clerk reads box and position, gives the card, and the box has one less."""
    page = open_page(cookies=cookie(cast.log_in(Client(), cast.li_qiang())))
    box = f"{number[-6:]}-01"
    page.goto("/counter/boxes")
    arrived(page.locator("h1", has_text="卡箱"))
    tab_to(page, "id_q")
    page.keyboard.type(box)  # as a scanner does
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text(f"卡箱 {box}")
    expect(page.locator("tbody .tag")).to_have_text(["待领取", "待领取"])
    axe(page)
    page.set_viewport_size({"width": 390, "height": 844})
    no_overflow(page)
    page.set_viewport_size({"width": 1440, "height": 900})

    page.keyboard.press("F2")
    arrived(page.locator("h1", has_text="持卡人查询"))
    page.keyboard.type(cast.id_number(4))
    page.keyboard.press("Enter")
    arrived(page.locator("h1", has_text=re.compile("^持卡人$")))
    page.keyboard.press("Alt+7")
    arrived(page.locator("h1", has_text="领卡与启用"))
    expect(page.get_by_text("取卡：")).to_have_text(f"取卡：{box} 箱，第 3 位。")
    tab_to(page, "id_verified_0")
    page.keyboard.press("Space")
    page.keyboard.press("F9")
    expect(page.get_by_text("已领卡。请接着启用社会保障功能。")).to_be_visible()
    page.goto(f"/counter/boxes/{box}")
    expect(page.locator("tbody .tag")).to_have_text(["待领取", "已领走"])

    # What failed waits at the desk with its reason, and goes again.
    page.goto("/counter/")
    expect(page.locator("main")).to_contain_text("制卡：芯片写入失败")
    page.goto(f"/counter/cases/{cases[2].number}/")
    arrived(page.locator("h1", has_text="申领"))
    page.keyboard.press("F9")
    expect(page.get_by_role("status").first).to_contain_text("等待编入制卡批次")
    assert sorted(Case.objects.values_list("status", flat=True)) == ["done", "failed", "preopened", "ready"]
