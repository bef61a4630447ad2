"""Who may apply, and how it is proven: a foreigner, a compatriot, a child, an agent, a school with its pupils."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import fastexcel
import pytest
from django.test import Client
from playwright.sync_api import Locator, Page, expect

from tests import cast
from tests.portals.citizen.conftest import session_of
from tests.portals.conftest import OpenPage, arrived, tab_to
from yikatong.core.clock import day_of, now
from yikatong.registry.cards import actions, rosters
from yikatong.registry.cards.models import Authorisation, Case, Roster
from yikatong.registry.cards.rosters import columns
from yikatong.registry.holders import actions as holders
from yikatong.registry.holders.certificates import check_character
from yikatong.registry.holders.models import Holder

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
Check = Callable[[Page], None]
NARROW, WIDE = {"width": 390, "height": 844}, {"width": 1440, "height": 900}


def cookie(client: Client) -> dict[str, str]:
    return {"sessionid": client.cookies["sessionid"].value}


def compatriot(serial: int = 3) -> str:
    """A number of 港澳台居民居住证 of an invented woman of Hong Kong."""
    body = f"81000019900307{serial * 2:03d}"
    return body + check_character(body)


class Desk:
    """A clerk at his keyboard: fields by their labels, then F9."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def at(self, address: str, heading: str) -> "Desk":
        self.page.goto(address)
        arrived(self.heading(heading))
        return self

    def heading(self, words: str) -> Locator:
        return self.page.locator("h1", has_text=words)

    def fill(self, **given: str) -> "Desk":
        for name, value in given.items():
            field = self.page.locator(f"main [name={name}]")
            if field.first.get_attribute("type") in {"radio", "checkbox"}:
                self.page.check(f"main [name={name}][value='{value}']")
            elif field.first.evaluate("field => field.tagName") == "SELECT":
                field.select_option(value)
            else:
                field.fill(value)
        return self

    def f9(self, then: Locator) -> "Desk":
        self.page.keyboard.press("F9")
        arrived(then)
        return self

    def confirmed(self) -> "Desk":
        """Check page, then confirmed, then somewhere else."""
        self.f9(self.page.get_by_text("请与持卡人核对"))
        return self.f9(self.page.get_by_role("status").first)

    def register(self, **given: str) -> Holder:
        self.at("/counter/register", "登记持卡人")
        self.fill(**({"division_code": "510107", "ground": "residence", "verified": "yes"} | given))
        self.confirmed()
        return Holder.objects.latest("created_at", "pk")


@pytest.fixture
def desk(open_page: OpenPage) -> Desk:
    cast.set_stage()
    return Desk(open_page(1440, 900, cookies=cookie(cast.log_in(Client(), cast.li_qiang()))))


WISH = {"bank_code": cast.JOINT, "verified": "yes"}


@pytest.mark.clause("A2", "A3", "O7", "G5", "S8", "G10", "Q2")
def test_a_foreigner_proves_his_work_and_a_compatriot_needs_no_more(
    desk: Desk, open_page: OpenPage, axe: Check, no_overflow: Check
) -> None:
    """Told what is missing before he fills in; the permit is on his card from then on."""
    desk.at("/counter/register", "登记持卡人")
    axe(desk.page)
    person = {"kind": "C", "number": "E1234567", "name": "Jean Exemple", "phone": "13900000021", "sex": "1"}
    jean = desk.register(**person, ground="work", birth_date="1980-01-02", nationality="法国")
    base = f"/counter/holders/{jean.pk}"

    desk.at(f"{base}/apply", "申领社会保障卡")
    expect(desk.page.locator(".notice")).to_contain_text("现在不能办理申领申领依据“就业”还没有有效的证明材料")
    axe(desk.page)
    desk.page.set_viewport_size(NARROW)
    no_overflow(desk.page)
    desk.page.set_viewport_size(WIDE)
    desk.f9(desk.heading("登记申领依据证明"))
    permit = {"kind": "work_permit", "number": "FRA51000126001", "issuer": "成都市科技局", "verified": "yes"}
    desk.fill(**permit).f9(desk.page.get_by_text("请与持卡人核对"))
    desk.f9(desk.page.locator(".summary"))
    expect(desk.page.locator(".summary")).to_contain_text("外国人工作许可须填写截止日期。")
    last = day_of(now()) + timedelta(days=200)
    desk.fill(valid_until=last.isoformat()).confirmed()
    expect(desk.page.locator("main")).to_contain_text(f"至 {last}")

    desk.at(f"{base}/apply", "申领社会保障卡").fill(**WISH).confirmed()
    _fetched(jean)
    phone = open_page(390, 844, cookies={"sessionid": session_of(jean)})
    phone.goto("/m/card")
    carried = phone.locator("section", has_text="外国人工作许可")
    expect(carried).to_contain_text(f"{last.year}年{last.month}月{last.day}日")
    axe(phone)
    no_overflow(phone)

    desk.register(kind="M", number=compatriot(), name="陈示例", phone="13900000022")
    mei = Holder.objects.get(cases=None)
    desk.at(f"/counter/holders/{mei.pk}/apply", "申领社会保障卡").fill(**WISH).confirmed()
    assert list(mei.cases.values_list("kind", "status", "applicant")) == [("apply", "submitted", "self")]


def _fetched(holder: Holder) -> None:
    """The card is made, in his hand and in use."""
    case = cast.make_card(Case.objects.get(holder=holder))
    card = actions.hand_over(case.pk, by=cast.clerk(), at=now())
    actions.activate(card.pk, by=cast.clerk(), at=now())


@pytest.mark.clause("A4", "A5", "O10", "G7", "N9", "Q2")
def test_a_guardian_an_agent_and_a_category_hold_until_their_day(
    desk: Desk, open_page: OpenPage, axe: Check, no_overflow: Check
) -> None:
    child = desk.register(
        kind="A", number=cast.id_number(9, born="20180601"), name="王小宝", phone="13900000009"
    )
    base = f"/counter/holders/{child.pk}"
    desk.at(f"{base}/apply", "申领社会保障卡").f9(desk.heading("登记监护关系"))
    person = {"name": "王建国", "kind": "A", "number": cast.id_number(40, born="19850101")}
    desk.fill(**person, ground="parent", evidence="birth", evidence_number="S510000001", verified="yes")
    desk.confirmed()
    desk.at(f"{base}/apply", "申领社会保障卡").fill(**WISH).confirmed()
    assert list(child.cases.values_list("applicant", flat=True)) == ["guardian"]
    expect(desk.page.locator("main")).to_contain_text("王*国")

    wang, today = cast.wang_fang(), day_of(now())
    base = f"/counter/holders/{wang.pk}"
    desk.at(f"{base}/agent", "登记代办授权")
    person = {"name": "赵大力", "kind": "A", "number": cast.id_number(41), "evidence": "letter"}
    desk.fill(**person, matters="apply", valid_until=(today + timedelta(days=9)).isoformat(), verified="yes")
    desk.confirmed()
    desk.at(f"{base}/apply", "申领社会保障卡")
    tab_to(desk.page, "id_stands_0")
    desk.page.keyboard.press("ArrowDown")
    desk.fill(**WISH).confirmed()
    assert Case.objects.get(holder=wang).applicant == "agent"
    Authorisation.objects.update(valid_from=today - timedelta(days=9), valid_until=today)  # ten days later
    actions.withdraw(Case.objects.get(holder=wang).pk, by=cast.clerk(), at=now())
    desk.at(f"{base}/apply", "申领社会保障卡")
    expect(desk.page.get_by_text("到场办理人")).to_have_count(0)

    desk.at(f"{base}/category", "登记优待类别")
    axe(desk.page)
    last = today + timedelta(days=30)
    period = {"valid_from": today.isoformat(), "valid_until": last.isoformat()}
    desk.fill(kind="student", source="教育部门名单", evidence="XJ-001", **period, verified="yes").confirmed()
    row = desk.page.locator("tr", has_text="学生")
    expect(row).to_contain_text(f"{today} 至 {last}")
    expect(row.locator(".tag")).to_have_text("有效")
    axe(desk.page)
    holders.switch_categories(at=now() + timedelta(days=30))  # on the last day it still holds
    desk.page.reload()
    expect(row.locator(".tag")).to_have_text("有效")
    holders.switch_categories(at=now() + timedelta(days=31))
    desk.page.reload()
    expect(row.locator(".tag")).to_have_text("已终止")
    phone = open_page(390, 844, elder=True, size=4, cookies={"sessionid": session_of(wang)})
    phone.goto("/m/record")
    expect(phone.locator("main")).to_contain_text("赵*力")
    axe(phone)
    no_overflow(phone)


def pupil(serial: int, name: str, **more: str) -> dict[str, str]:
    number = cast.id_number(serial, born="20161120")
    plain = {
        "证件类型": "居民身份证",
        "证件号码": number,
        "姓名": name,
        "性别": "女",
        "出生日期": "2016-11-20",
    }
    plain |= {
        "手机号码": f"139000001{serial:02d}",
        "所在区划": "510107",
        "银行": cast.JOINT,
        "领取方式": "自取",
    }
    plain |= {"监护人姓名": "王建国", "监护人证件号码": cast.id_number(40, born="19850101")}
    return plain | more


def table(*pupils: dict[str, str]) -> bytes:
    header = (*columns.REQUIRED, *columns.OPTIONAL)
    rows = [",".join(one.get(name, "") for name in header) for one in pupils]
    return "\r\n".join([",".join(header), *rows, ""]).encode("gb18030")


@pytest.mark.clause("A4", "B1", "G5", "Q2")
def test_a_school_corrects_its_roster_and_sends_it_again(
    open_page: OpenPage, axe: Check, no_overflow: Check
) -> None:
    cast.set_stage()
    page = open_page(1440, 900, cookies=cookie(cast.log_in(Client(), cast.chen_xiao())))
    good, orphan = pupil(1, "何甲"), pupil(2, "何乙", 监护人姓名="", 监护人证件号码="")

    def send(name: str, content: bytes) -> None:
        page.goto("/console/rosters")
        page.select_option("#id_kind", "school")
        page.fill("#id_applicant", "武侯示例小学")
        page.set_input_files("#id_file", {"name": name, "mimeType": "text/csv", "buffer": content})
        page.keyboard.press("F9")
        arrived(page.locator("h1", has_text=name))

    send("新生.csv", table(good, orphan))
    rosters.run(Roster.objects.get().pk, at=now())
    expect(page.locator(".chip")).to_have_text("已完成")
    expect(page.locator(".facts")).to_contain_text("学校 武侯示例小学")
    axe(page)
    page.set_viewport_size(NARROW)
    no_overflow(page)
    page.set_viewport_size(WIDE)
    with page.expect_download() as coming:
        page.click("text=下载错误清单")
    sheet = fastexcel.read_excel(Path(coming.value.path()).read_bytes()).load_sheet(0).to_polars()
    assert [row[:2] for row in sheet.rows()] == [("3", "监护人姓名")]

    send("新生.csv", table(good, orphan))  # the very file again
    expect(page.get_by_role("status").first).to_contain_text("没有重复受理")
    send("新生改正.csv", table(pupil(2, "何乙")))
    rosters.run(Roster.objects.latest("created_at").pk, at=now())
    expect(page.locator(".chip")).to_have_text("已完成")
    expect(page.locator("main")).to_contain_text("没有错误，全部受理。")
    assert list(Case.objects.order_by("number").values_list("applicant", "organisation", "status")) == [
        ("school", "武侯示例小学", "checked"),
        ("school", "武侯示例小学", "checked"),
    ]
