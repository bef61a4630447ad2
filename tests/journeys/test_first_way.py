"""The first whole way: from a row in a roster to a gate that opens, and to one that does not.

One journey, in its order, through the front doors only: the console of a supervisor, the counter's keyboard, a
phone without a network, the command line of a terminal.
"""

import re
from pathlib import Path

import fastexcel
import pytest
from playwright.sync_api import expect

from tests.cast import id_number
from tests.house import House, wait_until
from tests.journeys.conftest import OpenBrowser
from tests.journeys.people import PHONE_SCREEN, Phone, Staff, TerminalInHand
from tests.portals.conftest import arrived, tab_to
from yikatong.adapters.bank_files import sandbox as bank
from yikatong.adapters.card_maker import sandbox as card_maker
from yikatong.core.clock import day_of, now

pytestmark = pytest.mark.browser

NUMBER, NAME, PHONE, ECARD_PASSWORD = id_number(431), "何小满", "13911112222", "284195"
MASKED_NAME, MASKED_NUMBER = "何*满", f"510***********{NUMBER[-4:]}"
BANK, BANK_NAME, BANK_PREFIX = "95901", "蜀安银行", "622951"
HEADER = "证件类型,证件号码,姓名,性别,出生日期,国籍,手机号码,所在区划,通讯地址,银行,领卡网点,领取方式"
WRONG_NUMBER = NUMBER[:-1] + ("1" if NUMBER[-1] != "1" else "2")


def roster(outlet: str) -> bytes:
    """As an employer's spreadsheet writes it: GB 18030, one sound row, two that cannot be taken."""
    rows = [
        f"居民身份证,{NUMBER},{NAME},女,1990-03-07,CHN,{PHONE},510107,武侯区示例路 5 号,{BANK_NAME},{outlet},自取",
        f"居民身份证,{WRONG_NUMBER},何大满,女,1990-03-07,CHN,13911113333,510107,,{BANK_NAME},{outlet},自取",
        f"居民身份证,{id_number(433)},何中满,女,1990-03-07,CHN,13911114444,510107,,不存在的银行,{outlet},自取",
    ]
    return "\r\n".join([HEADER, *rows, ""]).encode("gb18030")


@pytest.mark.clause("A1", "B1", "B2", "B8", "C1", "C2", "E3", "G5", "G17", "L3", "S2", "S10", "O5", "cap:O2")
def test_from_a_roster_to_a_gate(house: House, open_browser: OpenBrowser, tmp_path: Path) -> None:
    supervisor = Staff(open_browser(), house).log_in("业务主管")
    outlet = str(
        house.ask(
            "SELECT o.number FROM regions_outlet o JOIN core_staffuser s ON s.outlet_id = o.id"
            " WHERE s.username = 'liqiang'"
        )[0][0]
    )
    _roster_comes_in(supervisor, roster(outlet))
    case = str(house.ask("SELECT number FROM cards_case ORDER BY created_at DESC, id DESC LIMIT 1")[0][0])

    tablet = Phone(open_browser(**PHONE_SCREEN)).log_in(PHONE)  # at home, to see how far it is
    progress = tablet.text(f"/m/cases/{case}")
    assert "名册逐项核对通过" in progress
    assert "所选银行预开立金融账户" in progress

    clerk = Staff(open_browser(), house).log_in("窗口经办")
    _case_is_checked(clerk, case)
    _cards_are_made(supervisor)
    _card_is_handed_over_by_keyboard(clerk)

    operator = Staff(open_browser(), house).log_in("终端运营")
    number, place = _terminal_is_registered(operator, house)
    terminal = TerminalInHand(house, tmp_path / "terminal.db")
    assert terminal.enrol(number, _code_for(operator, number)).startswith(
        f"终端 {number:012d} 已开通并签到，名单 "
    )

    leader = Staff(open_browser(), house).log_in("运行监测")

    phone = Phone(open_browser(**PHONE_SCREEN)).log_in(PHONE)
    phone.issue_ecard(ECARD_PASSWORD)
    phone.ready_for_no_network()
    phone.lose_network()
    phone.page.reload()
    phone.page.wait_for_selector("text=当前没有网络，这个码仍然有效")
    expect(phone.page.locator("[data-name]")).to_have_text(MASKED_NAME)

    used_before = _uses_today(leader)
    picture, text = phone.shows()
    assert PHONE not in text
    assert NUMBER not in text
    assert terminal.verify(picture, "--offline") == (
        0,
        [f"✔ 请通行  通用  离线核验  流水 {day_of(now()):%Y%m%d}00000001"],
    )
    assert terminal.run("upload").stdout.splitlines() == ["已上传 1 笔，剩余 0 笔。"]

    uses = tablet.text("/m/uses")
    assert place in uses
    assert "（离线）" in uses
    assert "成功" in uses
    looks = tablet.text("/m/looks")
    for words in ("李*", "为了：窗口查找持卡人", "为了：窗口办理：领卡与启用"):
        assert words in looks
    wait_until(lambda: _uses_today(leader) == used_before + 1, "the board counts the use", every=1.0)

    tablet.report_loss()
    assert "临时挂失已生效" in tablet.page.inner_text("main")
    assert "社会保障功能" in tablet.page.inner_text("main")
    _lost_phone_is_refused(phone, terminal, picture)
    assert tablet.text("/m/uses").count("成功") == 1


def _roster_comes_in(supervisor: Staff, content: bytes) -> None:
    page = supervisor.at("/console/rosters")
    supervisor.upload("申领名册.csv", content, "上传")
    expect(page.locator(".chip")).to_have_text("已完成")
    facts = [supervisor.fact(name) for name in ("总行数", "已处理", "受理", "有误")]
    assert facts == ["3", "3", "1", "2"]
    address = page.url

    sheet = fastexcel.read_excel(supervisor.download("下载错误清单")).load_sheet(0).to_polars()
    assert sheet.columns == ["行号", "列", "错误码", "原因", "内容（脱敏）"]
    assert [row[:2] for row in sheet.rows()] == [("3", "证件号码"), ("4", "银行")]
    assert sheet.rows()[0][3] == "校验码不符，请对照证件逐位核对号码。"
    assert sheet.rows()[1][2:4] == ("bank_unknown", "没有这家合作银行，请填写银行编号或名称。")
    assert WRONG_NUMBER not in str(sheet.rows())

    supervisor.at("/console/rosters")
    supervisor.upload("再传一次.csv", content, "上传")
    page.wait_for_url(f"{address}?again=1")
    expect(page.get_by_role("status").first).to_contain_text("已经上传过，没有重复受理。")
    assert supervisor.fact("受理") == "1"


def _case_is_checked(clerk: Staff, case: str) -> None:
    """The roster's own rules have checked it; the desk sees by whom and when."""
    page = clerk.at(f"/counter/cases/{case}/")
    expect(page.locator("h1")).to_have_text("申领")
    expect(page.locator(".page-head")).to_contain_text("待银行预开户")
    expect(page.locator(".timeline li").nth(1)).to_have_text(re.compile("陈晓 · 批量\\s*名册逐项核对通过$"))


def _cards_are_made(supervisor: Staff) -> None:
    """The round of files with a bank and a card maker, each answering what it has downloaded."""
    page = supervisor.at("/console/batches")
    page.select_option("#id_bank", BANK)
    page.click("button:has-text('开立批次')")
    page.wait_for_url("**/console/batches/*")  # the heading of the page before says 批次, too
    request = supervisor.download("下载银行预开户文件")
    supervisor.upload("预开户回盘.txt", bank.answer(request, prefix=BANK_PREFIX), "银行回盘")
    page.click("button:has-text('送制卡')")
    request = supervisor.download("下载制卡文件")
    supervisor.upload("制卡回盘.txt", card_maker.answer(request), "制卡回盘")
    expect(page.locator(".chip").first).to_have_text("已回盘")


def _card_is_handed_over_by_keyboard(clerk: Staff) -> None:
    """No mouse from here on: F2 and the number, then the digit of the matter, then F9."""
    page = clerk.page
    page.keyboard.press("F2")
    expect(page.locator("#id_q")).to_be_focused()
    page.keyboard.type(NUMBER)
    page.keyboard.press("Enter")
    arrived(page.locator("h1", has_text=re.compile("^持卡人$")))
    key = page.locator("nav a", has_text="领卡").first.get_attribute("data-key")
    assert key is not None
    page.keyboard.press(key)
    arrived(page.locator("h1", has_text="领卡与启用"))
    for done in ("已领卡。请接着启用社会保障功能。", "社会保障功能已启用，可以立即使用。"):
        tab_to(page, "id_verified_0")
        page.keyboard.press("Space")
        page.keyboard.press("F9")
        arrived(clerk.main.get_by_text(done))


def _terminal_is_registered(operator: Staff, house: House) -> tuple[int, str]:
    number, name = house.ask(
        "SELECT number, name FROM catalogue_place WHERE division_code LIKE '5101%%' ORDER BY number LIMIT 1"
    )[0]
    page = operator.at("/console/terminals/new")
    page.fill("#id_name", "东门 1 号机")
    page.fill("#id_place", str(number))
    page.select_option("#id_kind", "gate")
    page.check("input[name=scenes][value='1']")
    page.keyboard.press("F9")
    page.wait_for_url(re.compile(r"/console/terminals/\d+$"))  # the heading of the form says 终端, too
    return int(page.url.rsplit("/", 1)[1]), str(name)


def _code_for(operator: Staff, number: int) -> str:
    page = operator.at(f"/console/terminals/{number}")
    page.click("text=生成开通码")
    return page.inner_text(".big-number").strip()


def _uses_today(leader: Staff) -> int:
    leader.at("/board/")
    figure = leader.page.locator(".kpi", has_text="今日用卡").locator(".figure").inner_text()
    return int(figure.replace(",", ""))


def _lost_phone_is_refused(phone: Phone, terminal: TerminalInHand, old: bytes) -> None:
    """Whoever has it can still draw codes without a network, and no gate opens to them."""
    code, lines = terminal.verify(phone.shows()[0])
    assert (code, lines[0]) == (1, "✘ 不能通行  该卡已临时挂失（601）  联网核验")
    assert lines[1:] == ["  持卡人：如已找回，请先解除挂失", "  值守人：请勿放行，提示持卡人解除挂失"]

    wait_until(lambda: "1 条" in terminal.run("lists", "--update").stdout, "the next list names the device")
    code, lines = terminal.verify(phone.shows()[0], "--offline")
    assert (code, lines[0]) == (1, "✘ 不能通行  该卡已列入停用名单（401）  离线核验")

    code, lines = terminal.verify(old)
    assert code == 1
    assert lines[0] in {
        "✘ 不能通行  该码已使用过（402）  联网核验",
        "✘ 不能通行  该码已失效（303）  联网核验",
        "✘ 不能通行  该卡已临时挂失（601）  联网核验",
    }
