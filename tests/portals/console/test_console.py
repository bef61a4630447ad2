"""The console through its front door: who sees what, and what refuses."""

import re
from collections.abc import Callable
from datetime import timedelta
from html import unescape

import fastexcel
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from playwright.sync_api import Page

from tests import cast
from yikatong.core import audit
from yikatong.core.actor import Channel, Role
from yikatong.core.clock import day_of, now
from yikatong.core.models import AuditEntry, Look
from yikatong.registry.access import actions as access_acts
from yikatong.registry.access.models import Terminal
from yikatong.registry.cards import actions as card_acts
from yikatong.registry.cards import rosters
from yikatong.registry.cards.models import Batch, CaseStatus, Roster
from yikatong.registry.catalogue.models import Domain, Place
from yikatong.registry.holders import queries as holders
from yikatong.registry.regions.models import Organisation

PLACE = "51010700001"
PAGES = {
    Role.SUPERVISOR: ["/console/", "/console/rosters", "/console/batches"],
    Role.OPERATOR: ["/console/", "/console/terminals", "/console/terminals/new", "/console/keys"],
    Role.AUDITOR: ["/console/", "/console/audit", "/console/looks"],
}


@pytest.fixture(autouse=True)
def stage(db: None) -> None:
    cast.set_stage()
    keeper = Organisation.objects.create(
        code="KEEP", name="示例场馆", kind="operator", division_code="510107"
    )
    domain = Domain.objects.create(code="culture", name="文化体验")
    Place.objects.create(
        number=PLACE, name="武侯区图书馆", kind="图书馆", domain=domain, keeper=keeper, division_code="510107"
    )


def browser_of(role: Role, scope: str = "51") -> Client:
    return cast.log_in(Client(), cast.staff("周芸", f"user-{role}-{scope}", role=role, scope=scope))


@pytest.mark.parametrize(("role", "page"), [(role, page) for role, pages in PAGES.items() for page in pages])
def test_each_role_has_its_pages(role: Role, page: str) -> None:
    assert browser_of(role).get(page).status_code == 200


@pytest.mark.parametrize(
    ("role", "page"),
    [(r, p) for r in PAGES for p in sorted({p for pages in PAGES.values() for p in pages} - set(PAGES[r]))],
)
def test_the_pages_of_other_roles_are_refused(role: Role, page: str) -> None:
    assert browser_of(role).get(page).status_code == 403


def test_a_stranger_is_asked_to_log_in(client: Client) -> None:
    answer = client.get("/console/terminals")

    assert (answer.status_code, answer.headers["Location"]) == (
        302,
        "/staff/login?next=%2Fconsole%2Fterminals",
    )


@pytest.mark.clause("E3", "O8")
def test_a_terminal_is_registered_gets_a_code_once_is_stopped_and_resumed() -> None:
    browser = browser_of(Role.OPERATOR)

    made = browser.post(
        "/console/terminals/new", {"name": "1 号闸机", "kind": "gate", "place": PLACE, "scenes": ["1", "4"]}
    )
    terminal = Terminal.objects.get()
    page = f"/console/terminals/{terminal.number}"
    assert (made.status_code, made.headers["Location"]) == (303, page)
    assert (terminal.scenes, terminal.city_code, terminal.status) == ([1, 4], "510100", "registered")

    answer = browser.post(page, {"act": "code"})
    shown = answer.content.decode()
    assert answer.status_code == 200
    assert "请填写原因" not in shown
    code = re.search(r'big-number num">([^<]+)<', shown)
    assert code is not None
    assert "开通码只显示这一次" not in browser.get(page).content.decode()

    access_acts.enrol(terminal.number, code[1], at=now())
    refused = browser.post(page, {"act": "stop", "reason": ""})
    assert refused.status_code == 422
    assert "请填写原因" in refused.content.decode()
    assert Terminal.objects.get().status == "enrolled"

    browser.post(page, {"act": "stop", "reason": "闸门故障"})
    assert (Terminal.objects.get().status, Terminal.objects.get().stopped_reason) == ("stopped", "闸门故障")
    assert browser.post(page, {"act": "resume"}).status_code == 303
    assert Terminal.objects.get().status == "enrolled"


def test_an_operator_of_another_province_does_not_find_it() -> None:
    browser_of(Role.OPERATOR).post(
        "/console/terminals/new", {"name": "1 号闸机", "kind": "gate", "place": PLACE, "scenes": ["4"]}
    )
    number = Terminal.objects.get().number
    stranger = browser_of(Role.OPERATOR, scope="50")

    assert stranger.get(f"/console/terminals/{number}").status_code == 404
    assert stranger.post(f"/console/terminals/{number}", {"act": "stop", "reason": "x"}).status_code == 404
    assert Terminal.objects.get().status == "registered"


@pytest.mark.clause("E3")
def test_an_operator_of_a_county_sees_its_terminals() -> None:
    browser_of(Role.OPERATOR).post(
        "/console/terminals/new", {"name": "1 号闸机", "kind": "gate", "place": PLACE, "scenes": ["4"]}
    )
    address = f"/console/terminals/{Terminal.objects.get().number}"
    assert browser_of(Role.OPERATOR, scope="510107").get(address).status_code == 200
    assert browser_of(Role.OPERATOR, scope="510108").get(address).status_code == 404


def test_a_place_that_does_not_exist_is_named_and_nothing_is_registered() -> None:
    answer = browser_of(Role.OPERATOR).post(
        "/console/terminals/new", {"name": "1 号闸机", "kind": "gate", "place": "404", "scenes": ["4"]}
    )

    assert answer.status_code == 422
    assert "没有找到这个场所，请核对编号或名称。" in answer.content.decode()
    assert not Terminal.objects.exists()


def test_a_place_is_found_by_a_part_of_its_name_and_namesakes_are_listed() -> None:
    browser, given = browser_of(Role.OPERATOR), {"name": "1 号", "kind": "gate", "scenes": ["1"]}

    one = browser.post("/console/terminals/new", given | {"place": "武侯区"})
    Place.objects.create(
        number="51010700002", name="武侯区图书馆东馆", domain_id="culture", kind="图书馆",
        keeper=Organisation.objects.get(code="KEEP"), division_code="510107",
    )  # fmt: skip
    two = browser.post("/console/terminals/new", given | {"place": "图书馆"})

    assert one.status_code == 303
    assert two.status_code == 422
    said = f"有多个场所符合：武侯区图书馆 {PLACE}、武侯区图书馆东馆 51010700002。请填写其中一个编号。"
    assert said in two.content.decode()
    assert Terminal.objects.get().place.number == PLACE


@pytest.mark.parametrize("text", ["%", "x" * 61, "999999999999999999999", "武侯'--"])
def test_any_search_text_is_answered(text: str) -> None:
    answer = browser_of(Role.OPERATOR).get("/console/terminals", {"text": text})

    assert answer.status_code == 200
    assert "没有符合条件的终端" in answer.content.decode()


@pytest.mark.clause("B1", "O10")
def test_a_roster_is_taken_once_and_its_page_shows_the_rows() -> None:
    browser, csv = browser_of(Role.SUPERVISOR), roster("王芳", cast.WANG_FANG_NUMBER)

    first = browser.post("/console/rosters", {"file": SimpleUploadedFile("名册.csv", csv)})
    second = browser.post("/console/rosters", {"file": SimpleUploadedFile("名册副本.csv", csv)})

    assert first.status_code == 303
    assert second.headers["Location"] == first.headers["Location"] + "?again=1"
    assert "没有重复受理" in browser.get(second.headers["Location"]).content.decode()
    assert Roster.objects.get().rows == 1
    assert "名册.csv" in browser.get(first.headers["Location"]).content.decode()


@pytest.mark.clause("B1", "O10")
def test_a_file_a_city_has_sent_is_the_province_s_to_send_again() -> None:
    """The city's rows of other places were faults there; the province's own roster is not the city's."""
    csv = roster("王芳", cast.WANG_FANG_NUMBER)
    city = browser_of(Role.SUPERVISOR, scope="5107").post(
        "/console/rosters", {"file": SimpleUploadedFile("名册.csv", csv)}
    )
    browser = browser_of(Role.SUPERVISOR)
    sent = browser.post("/console/rosters", {"file": SimpleUploadedFile("名册.csv", csv)})
    assert city.status_code == sent.status_code == 303
    assert sent.headers["Location"] != city.headers["Location"]
    assert browser.get(sent.headers["Location"]).status_code == 200
    assert sorted(Roster.objects.values_list("scope", flat=True)) == ["51", "5107"]


@pytest.mark.clause("G5", "G17")
def test_only_the_sender_is_offered_the_faulty_rows_as_they_came() -> None:
    sender = browser_of(Role.SUPERVISOR)
    colleague = cast.log_in(Client(), cast.staff("吴敏", "colleague", role=Role.SUPERVISOR, scope="51"))
    csv = roster("王芳", cast.WANG_FANG_NUMBER[:17] + "?")
    where = sender.post("/console/rosters", {"file": SimpleUploadedFile("名册.csv", csv)}).headers["Location"]
    done = rosters.run(Roster.objects.get().pk)
    assert (done.cases, done.faults) == (0, 1)

    assert "下载有误的行（原样）" in sender.get(where).content.decode()
    file = sender.post(f"{where}/rows.xlsx")
    assert (
        file.headers["Content-Disposition"]
        == f'attachment; filename="roster-rows-{day_of(done.created_at):%Y%m%d}.xlsx"'
    )
    book = fastexcel.read_excel(file.content).load_sheet(0, dtypes="string").to_polars()
    assert book["证件号码"].to_list() == [cast.WANG_FANG_NUMBER[:17] + "?"]
    assert sender.get(f"{where}/rows.xlsx").status_code == 405

    page = colleague.get(where).content.decode()
    assert "下载有误的行（原样）" not in page
    assert "只有上传人 周芸 可以下载" in page
    refused = colleague.post(f"{where}/rows.xlsx")
    assert (refused.status_code, "脱敏的错误清单" in refused.content.decode()) == (403, True)
    assert AuditEntry.objects.filter(event="cards:roster:rows_taken").count() == 1


def test_a_refused_file_is_not_said_to_be_still_there() -> None:
    file = SimpleUploadedFile("名册.csv", b"hello\n1\n")

    page = browser_of(Role.SUPERVISOR).post("/console/rosters", {"file": file}).content.decode()

    assert "没有任何内容被改动。请重新选择文件。" in page
    assert "仍在下方" not in page


def test_a_file_that_is_no_roster_is_refused_with_the_reason() -> None:
    answer = browser_of(Role.SUPERVISOR).post(
        "/console/rosters", {"file": SimpleUploadedFile("照片.csv", b"\xff\xd8\xff\xe0\x00\x10JFIF")}
    )

    assert answer.status_code == 422
    assert "没有任何内容被改动" in answer.content.decode()
    assert not Roster.objects.exists()


@pytest.mark.clause("B1")
def test_a_batch_is_opened_and_its_file_is_gb18030() -> None:
    case = cast.apply(cast.wang_fang())
    card_acts.check(case.pk, by=cast.supervisor(), at=case.created_at)
    browser = browser_of(Role.SUPERVISOR)

    before = browser.get("/console/batches").content.decode()
    opened = browser.post("/console/batches", {"bank": cast.JOINT})
    batch = Batch.objects.get()
    after = browser.get("/console/batches").content.decode()

    assert '<b class="num">1</b> 件已通过审核' in before
    assert "没有等待制卡的申领。" in after
    assert opened.headers["Location"] == f"/console/batches/{batch.number}"
    assert case.number in browser.get(opened.headers["Location"]).content.decode()
    sent = browser.get(f"/console/batches/{batch.number}/preopening.txt")
    assert "王芳" in sent.content.decode("gb18030")
    wrong = browser.post(
        f"/console/batches/{batch.number}", {"file": SimpleUploadedFile("回盘.txt", "乱写".encode("gb18030"))}
    )
    assert wrong.status_code == 422
    assert Batch.objects.get().status == Batch.Status.OPEN
    case.refresh_from_db()
    assert case.status == CaseStatus.CHECKED


@pytest.mark.clause("cap:O5")
def test_an_auditor_finds_an_entry_by_event_and_person() -> None:
    cast.wang_fang()
    browser = browser_of(Role.AUDITOR)

    found = browser.get("/console/audit", {"event": "holders:holder", "actor": "前台"}).content.decode()
    none = browser.get("/console/audit", {"actor": "无此人"}).content.decode()

    assert AuditEntry.objects.filter(event="holders:holder:registered").count() == 1
    assert "holders:holder:registered" in found
    assert "没有符合条件的记录" in none


@pytest.mark.clause("cap:O5")
@pytest.mark.clause("G17", "O2")
def test_an_auditor_finds_who_looked_at_a_holder() -> None:
    holder = cast.wang_fang()
    clerk = cast.staff("李强", "looks-clerk", role=Role.CLERK)
    holders.get(holder.pk, by=clerk.actor(Channel.COUNTER), at=now(), purpose="窗口办理：挂失")
    browser = browser_of(Role.AUDITOR)

    found = browser.post("/console/looks", {"number": cast.WANG_FANG_NUMBER})
    page = browser.get(found.headers["Location"]).content.decode()

    assert found.status_code == 303
    assert cast.WANG_FANG_NUMBER not in found.headers["Location"]
    assert "李强" in page
    assert "窗口办理：挂失" in page
    assert cast.WANG_FANG_NUMBER not in page
    own = Look.objects.get(looker_role=Role.AUDITOR)
    assert (own.holder_id, own.purpose) == (holder.pk, "安全审计：查谁看过此人")
    assert AuditEntry.objects.filter(event="audit:looks:read").count() == 1


@pytest.mark.clause("G17", "O2")
def test_a_day_without_looks_and_a_number_of_nobody_are_said() -> None:
    browser = browser_of(Role.AUDITOR)

    empty = browser.get("/console/looks", {"until": "2020-01-01", "holder": "x"})
    nobody = browser.post("/console/looks", {"number": "510107000000000000"})

    assert "这段时间没有符合条件的查询记录" in empty.content.decode()
    assert nobody.status_code == 422
    assert "没有找到这个证件号码的持卡人" in nobody.content.decode()
    assert not Look.objects.exists()


def test_reading_the_log_is_in_the_log() -> None:
    browser_of(Role.AUDITOR).get("/console/audit", {"actor": "李强"})

    entry = AuditEntry.objects.get(event="audit:log:read")
    assert (entry.actor_name, entry.facts) == ("周芸", {"for": {"actor": "李强"}})


def test_the_log_is_leafed_through_without_being_counted() -> None:
    at = now()
    moments = [at - timedelta(minutes=number // 3) for number in range(120)]  # several of one moment
    audit.record_all(
        audit.entry(f"test:entry:{number:03d}", subject="x", by=cast.clerk(), at=moment)
        for number, moment in enumerate(moments)
    )
    browser, address, seen = browser_of(Role.AUDITOR), "/console/audit?event=test:", list[str]()

    for _ in range(3):
        with CaptureQueriesContext(connection) as asked:
            page = browser.get(address).content.decode()
        said = [query["sql"] or "" for query in asked]  # None: prepared in the server
        assert not any("COUNT(" in one and "core_auditentry" in one for one in said)
        seen += re.findall(r"test:entry:\d{3}", page)
        older = re.search(r'href="([^"]*after=[^"]+)"', page)
        address = "/console/audit" + unescape(older[1]) if older else ""

    assert address == ""
    assert len(seen) == 120
    assert len(set(seen)) == 120


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31", "x"])
def test_any_day_is_answered(day: str) -> None:
    assert browser_of(Role.AUDITOR).get("/console/audit", {"since": day, "until": day}).status_code == 200


@pytest.mark.clause("G17", "cap:O5")
def test_every_copy_of_a_batchs_file_is_noted() -> None:
    case = cast.apply(cast.wang_fang())
    card_acts.check(case.pk, by=cast.supervisor(), at=case.created_at)
    browser = browser_of(Role.SUPERVISOR)
    browser.post("/console/batches", {"bank": cast.JOINT})
    file = f"/console/batches/{Batch.objects.get().number}/preopening.txt"

    browser.get(file)
    browser.get(file)

    taken = AuditEntry.objects.filter(event="cards:batch:file_taken")
    assert [entry.facts for entry in taken] == [{"file": "preopening"}] * 2


@pytest.mark.parametrize("scope", ["50", "5101", "510107"])
def test_a_supervisor_of_a_part_or_another_province_has_no_batches(scope: str) -> None:
    case = cast.apply(cast.wang_fang())
    card_acts.check(case.pk, by=cast.supervisor(), at=case.created_at)
    browser_of(Role.SUPERVISOR).post("/console/batches", {"bank": cast.JOINT})
    number, browser = Batch.objects.get().number, browser_of(Role.SUPERVISOR, scope=scope)
    before = AuditEntry.objects.count()

    assert browser.get("/console/batches").status_code == 403
    assert browser.post("/console/batches", {"bank": cast.JOINT}).status_code == 403
    assert browser.get(f"/console/batches/{number}").status_code == 403
    assert browser.get(f"/console/batches/{number}/preopening.txt").status_code == 403
    assert browser.post(f"/console/batches/{number}", {"start": "1"}).status_code == 403
    assert number not in browser.get("/console/").content.decode()
    assert (AuditEntry.objects.count(), Batch.objects.count()) == (before, 1)


def roster(name: str, number: str) -> bytes:
    head = "证件类型,证件号码,姓名,性别,出生日期,国籍,手机号码,所在区划,通讯地址,银行,领卡网点,领取方式"
    row = f"居民身份证,{number},{name},,,,{cast.PHONE},510107,示例路 1 号,{cast.JOINT},,"
    return f"{head}\n{row}\n".encode()


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("elder", "size"), [(False, 1), (True, 2), (False, 4)])
@pytest.mark.parametrize("role", list(PAGES))
def test_pages_are_accessible_and_nothing_overflows(
    role: Role,
    elder: bool,  # noqa: FBT001
    size: int,
    open_page: Callable[..., Page],
    axe: Callable[[Page], None],
    no_overflow: Callable[[Page], None],
) -> None:
    session = browser_of(role).cookies["sessionid"].value
    page = open_page(elder=elder, size=size, cookies={"sessionid": session})

    for path in PAGES[role]:
        page.goto(path)
        axe(page)
        for width in (320, 390, 1366):
            page.set_viewport_size({"width": width, "height": 768})
            no_overflow(page)
