"""A roster of applications: every row ends as a case, or as a named fault with its row and column."""

import csv
import io
import zipfile
from collections.abc import Callable
from datetime import date
from typing import Any

import fastexcel
import pytest
import xlsxwriter
from hypothesis import given, settings
from hypothesis import strategies as st
from procrastinate.contrib.django.models import ProcrastinateJob

from tests.registry.conftest import APART, AT, CLOSED, JOINT, LI_QIANG, SUPERVISOR, ZHAO_MIN, days, id_number
from yikatong.core import gb18030
from yikatong.core.errors import DomainError, Forbidden
from yikatong.core.models import AuditEntry, Look
from yikatong.registry.cards import actions, rosters
from yikatong.registry.cards.models import Card, Case, CaseStep, Roster, RosterFault
from yikatong.registry.cards.rosters import cells, columns, reading, running
from yikatong.registry.holders.certificates import check_character
from yikatong.registry.holders.models import Certificate, Holder

HEADERS = (*columns.REQUIRED, *columns.OPTIONAL)
Line = dict[str, Any]
pytestmark = pytest.mark.usefixtures("places", "partners")


def line(serial: int = 1, **changes: Any) -> Line:
    plain = {
        "证件类型": "居民身份证", "证件号码": id_number(serial), "姓名": "王芳", "性别": "女",
        "出生日期": "1990-03-07", "国籍": "", "手机号码": "13900000001", "所在区划": "510107",
        "通讯地址": "示例路 1 号", "银行": JOINT, "领卡网点": "", "领取方式": "自取",
    }  # fmt: skip
    return dict.fromkeys(HEADERS, "") | plain | changes


def as_csv(*lines: Line, encoding: str = "utf-8-sig", headers: tuple[str, ...] = HEADERS) -> bytes:
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, headers, extrasaction="ignore")
    writer.writeheader()
    writer.writerows(lines)
    return gb18030.encode(out.getvalue()) if encoding == "gb18030" else out.getvalue().encode(encoding)


def as_xlsx(*lines: Line, blank_rows: int = 0) -> bytes:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        sheet, day = book.add_worksheet(), book.add_format({"num_format": "yyyy-mm-dd"})
        for at, header in enumerate(HEADERS):
            sheet.write_string(blank_rows, at, header)
        for number, one in enumerate(lines, start=blank_rows + 1):
            for at, header in enumerate(HEADERS):
                value = one[header]
                if isinstance(value, date):
                    sheet.write_datetime(number, at, value, day)  # type: ignore[arg-type,unused-ignore]
                elif isinstance(value, int):
                    sheet.write_number(number, at, value)
                elif value:
                    sheet.write_string(number, at, value)
    return out.getvalue()


def taken(data: bytes, *, name: str = "名册.csv", by: Any = SUPERVISOR) -> Roster:
    return rosters.run(rosters.receive(data, name, by=by, at=AT).pk, at=AT)


def faults(roster: Roster) -> list[tuple[int, str, str]]:
    return list(
        RosterFault.objects.filter(roster=roster).order_by("row").values_list("row", "column", "code")
    )


@pytest.mark.clause("G5", "A1", "B1")
@pytest.mark.parametrize(
    "data",
    [
        as_csv(line(1), line(2, 姓名="张䶮")),
        as_csv(line(1), line(2, 姓名="张䶮"), encoding="gb18030"),
        as_csv(line(1), line(2, 姓名="张䶮"), encoding="utf-8"),
        as_xlsx(line(1), line(2, 姓名="张䶮")),
        as_xlsx(line(1), line(2, 姓名="张䶮"), blank_rows=2),
    ],
    ids=["utf-8-sig", "gb18030", "utf-8", "xlsx", "xlsx below blank rows"],
)
def test_good_rows_become_checked_cases(data: bytes) -> None:
    roster = taken(data)
    assert (roster.status, roster.rows, roster.cases, roster.faults) == ("done", 2, 2, 0)
    assert sorted(Holder.objects.values_list("name", flat=True)) == ["张䶮", "王芳"]
    assert sorted(one.number for one in Certificate.objects.all()) == sorted([id_number(1), id_number(2)])
    for case in Case.objects.all():
        assert (case.status, case.kind, case.bank_id, case.channel) == ("checked", "apply", JOINT, "batch")
        assert (case.step_due_on, case.created_by, case.created_at) == (date(2026, 11, 25), "周主任", AT)
        assert [step.status for step in case.steps.order_by("at", "pk")] == ["submitted", "checked"]
    stored = Holder.objects.get(name="王芳")
    assert (stored.phone, stored.address, stored.ground) == ("13900000001", "示例路 1 号", "residence")
    events = sorted(
        AuditEntry.objects.exclude(event__startswith="cards:roster").values_list("event", flat=True)
    )
    assert events == ["cards:case:checked"] * 2 + ["holders:holder:registered"] * 2


def numbered(body: str) -> str:
    return body + check_character(body)


SPOILT: list[tuple[dict[str, Any], str, str]] = [
    ({"证件类型": "驾驶证"}, "证件类型", "kind_unknown"),
    ({"证件号码": ""}, "证件号码", "certificate_length"),
    (
        {"证件号码": id_number(1)[:17] + ("0" if id_number(1)[17] != "0" else "1")},
        "证件号码",
        "certificate_checksum",
    ),
    ({"证件号码": numbered("51010719900231123")}, "证件号码", "certificate_birth_date"),
    ({"证件号码": numbered("99010719900307123")}, "证件号码", "certificate_kind"),
    ({"证件号码": numbered("88010719900307123")}, "证件号码", "certificate_region"),
    ({"证件号码": "510107900307123"}, "证件号码", "certificate_old_number"),
    ({"证件号码": "5.10107E+17"}, "证件号码", "number_as_number"),
    ({"姓名": ""}, "姓名", "name_missing"),
    ({"姓名": "王\ue000"}, "姓名", "name_character"),
    ({"姓名": "示例" * 20}, "姓名", "name_too_long"),
    ({"性别": "甲"}, "性别", "sex_unknown"),
    ({"性别": "男"}, "性别", "sex_differs"),
    ({"出生日期": "九零年"}, "出生日期", "birth_date_format"),
    ({"出生日期": "1990-02-30"}, "出生日期", "birth_date_format"),
    ({"出生日期": "1990-03-08"}, "出生日期", "birth_date_differs"),
    ({"国籍": "中华"}, "国籍", "nationality_invalid"),
    ({"手机号码": "02812345678"}, "手机号码", "phone_invalid"),
    ({"所在区划": "110101"}, "所在区划", "outside_province"),
    ({"所在区划": "519900"}, "所在区划", "outside_province"),
    ({"通讯地址": "长" * 101}, "通讯地址", "address_too_long"),
    ({"通讯地址": "", "领取方式": "邮寄"}, "通讯地址", "delivery_address_missing"),
    ({"银行": "无此银行"}, "银行", "bank_unknown"),
    ({"银行": CLOSED}, "银行", "bank_not_accepting"),
    ({"领卡网点": "N404"}, "领卡网点", "outlet_unknown"),
    ({"领取方式": "派送"}, "领取方式", "delivery_invalid"),
    ({"申领依据": "旅游"}, "申领依据", "no_ground"),
    (
        {"证件号码": id_number(1, born="20200307"), "出生日期": ""},
        "监护人姓名",
        "guardian_missing",
    ),
    (
        {
            "证件号码": id_number(1, born="20200307"),
            "出生日期": "",
            "监护人姓名": "家长",
            "监护人证件号码": "1",
        },
        "监护人证件号码",
        "guardian_certificate_length",
    ),
]


@pytest.mark.clause("G5", "A1", "A2")
@pytest.mark.parametrize(
    ("spoil", "column", "code"), SPOILT, ids=[f"{c}-{n}" for n, (_, _, c) in enumerate(SPOILT)]
)
def test_a_faulty_row_is_named_with_its_place_and_harms_no_other(spoil: Line, column: str, code: str) -> None:
    roster = taken(as_csv(line(5), line(1, **spoil), line(6)))
    assert faults(roster) == [(3, column, code)]
    assert (roster.rows, roster.cases, roster.faults) == (3, 2, 1)
    assert (Holder.objects.count(), Case.objects.count()) == (2, 2)


def test_a_broken_line_fails_alone() -> None:
    good = as_csv(line(1), line(2)).decode("utf-8-sig").splitlines()
    roster = taken("\r\n".join([good[0], good[1], "只有,三,列", "", good[2]]).encode())
    assert faults(roster) == [(3, "", "row_broken")]
    assert roster.cases == 2


@pytest.mark.parametrize(
    "spelling", ["1990-03-07", "1990/3/7", "1990.03.07", "19900307", "1990年3月7日", "32939", ""]
)
def test_days_are_read_in_every_spelling(spelling: str) -> None:
    assert taken(as_csv(line(1, 出生日期=spelling))).cases == 1


def test_cells_of_a_spreadsheet_keep_their_meaning() -> None:
    roster = taken(
        as_xlsx(
            line(1, 出生日期=date(1990, 3, 7), 手机号码=13900000001, 所在区划=510107, 银行=int(JOINT)),
            line(2, 证件号码=510107199003070025),
            line(3),
        ),
        name="名册.xlsx",
    )
    assert faults(roster) == [(3, "证件号码", "number_as_number")]
    assert "末位已丢失" in RosterFault.objects.get().message
    assert roster.cases == 2


@pytest.mark.clause("A3", "S8", "G10")
def test_all_certificates_and_a_child_with_a_guardian() -> None:
    born = {"出生日期": "1990-03-07", "性别": "女"}
    roster = taken(
        as_csv(
            line(1, 证件类型="A"),
            line(2, 证件类型="港澳台居民居住证", 证件号码=id_number(2, region="810000")),
            line(
                3, 证件类型="外国人永久居留身份证", 证件号码=id_number(3, region="951840"), 国籍="USA", **born
            ),
            line(4, 证件类型="护照", 证件号码="E12345678", 国籍="FRA", 姓名="Jean Exemple", **born),
            line(5, 证件类型="港澳居民来往内地通行证", 证件号码="H12345678", **born),
            line(6, 证件类型="台湾居民来往大陆通行证", 证件号码="12345678", **born),
            line(
                7,
                证件号码=id_number(7, born="20200307"),
                出生日期="",
                监护人姓名="李家长",
                监护人证件号码=id_number(8),
            ),
        )
    )
    assert faults(roster) == []
    assert sorted(Certificate.objects.values_list("kind", flat=True)) == ["A", "A", "C", "D", "J", "K", "M"]
    assert Case.objects.get(guardian__isnull=False).guardian == f"李家长 {id_number(8)}"


def test_the_same_file_again_is_the_same_roster_and_nothing_new() -> None:
    data = as_csv(line(1), line(2, 姓名=""))
    first = taken(data)
    jobs = ProcrastinateJob.objects.count()
    again = taken(data, name="另一个名字.csv")
    assert (again.pk, again.cases, again.faults) == (first.pk, 1, 1)
    assert (Roster.objects.count(), Case.objects.count(), RosterFault.objects.count()) == (1, 1, 1)
    assert ProcrastinateJob.objects.count() == jobs


@pytest.mark.clause("G5", "B1")
def test_people_with_a_card_or_a_matter_are_named(
    carry: Callable[..., Card], register: Callable[..., Holder]
) -> None:
    carry(register(1))
    waiting = register(2)
    actions.apply(waiting.pk, bank_code=JOINT, division_code="510107", by=LI_QIANG, at=AT)
    register(3)
    register(4, name="赵六")
    before = Case.objects.count()
    rows = [line(1), line(2), line(3), line(4), line(5), line(5)]
    roster = taken(as_csv(*rows))
    assert faults(roster) == [
        (2, "证件号码", "has_card"),
        (3, "证件号码", "has_open_case"),
        (5, "姓名", "name_differs"),
        (7, "证件号码", "repeated_in_file"),
    ]
    assert (Holder.objects.count(), Case.objects.count()) == (5, before + 2)
    looks = Look.objects.filter(purpose="批量申领名册核对")
    who = (SUPERVISOR.id, SUPERVISOR.name, SUPERVISOR.organisation)
    assert list(looks.values_list("looker_id", "looker_name", "organisation")) == [who] * 4
    acts = AuditEntry.objects.filter(event="cards:case:checked", channel="batch")
    assert set(acts.values_list("actor_id", "actor_name", "organisation")) == {who}
    assert RosterFault.objects.get(code="name_differs").shown == "王*"
    again = taken(as_csv(*rows, line(9)))
    assert again.cases == 1
    assert [code for _, _, code in faults(again)].count("has_open_case") == 3


def test_a_person_repeated_in_a_later_chunk_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "CHUNK", 2)
    roster = taken(as_csv(line(1), line(2), line(3), line(1)))
    assert faults(roster) == [(5, "证件号码", "repeated_in_file")]
    assert Case.objects.count() == 3


@pytest.mark.clause("O5", "G17")
def test_the_file_is_kept_sealed_and_dropped_when_done() -> None:
    data = as_csv(line(1))
    roster = rosters.receive(data, "名册.csv", by=SUPERVISOR, at=AT)
    kept = bytes(Roster.objects.get().content or b"")
    assert id_number(1).encode() not in kept
    assert len(kept) > len(data)
    assert list(ProcrastinateJob.objects.values_list("task_name", "args")) == [
        ("cards.run_roster", {"roster_id": str(roster.pk)})
    ]
    rosters.run(roster.pk, at=AT + days(1))
    done = Roster.objects.get()
    assert (done.content, done.finished_at) == (None, AT + days(1))


class Killed(BaseException):
    """Nothing may catch this."""


def test_a_run_that_was_killed_goes_on_without_doubles(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "CHUNK", 3)
    rows = [line(serial, 姓名="" if serial % 4 == 0 else "王芳") for serial in range(1, 12)]
    roster = rosters.receive(as_csv(*rows), "名册.csv", by=SUPERVISOR, at=AT)
    told: list[tuple[int, int]] = []

    def stop(done: int, total: int) -> None:
        told.append((done, total))
        if len(told) == 2:
            raise Killed

    with pytest.raises(Killed):
        rosters.run(roster.pk, stop)
    half = Roster.objects.get()
    assert (half.status, half.rows_done, half.cases, half.faults) == ("running", 6, 5, 1)
    whole = rosters.run(roster.pk, lambda done, total: told.append((done, total)))
    assert (whole.status, whole.rows_done, whole.cases, whole.faults) == ("done", 11, 9, 2)
    assert told == [(3, 11), (6, 11), (9, 11), (11, 11)]
    assert (Case.objects.count(), RosterFault.objects.count()) == (9, 2)
    assert CaseStep.objects.count() == 18


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "roster_columns_missing"),
        (as_csv(), "roster_empty"),
        (as_csv(line(1), headers=HEADERS[2:]), "roster_columns_missing"),
        (as_csv(line(1)).replace("国籍".encode(), "姓名".encode()), "roster_columns_missing"),
        (as_csv(line(1), headers=(*HEADERS, "姓名")), "roster_columns_repeated"),
        (as_csv(line(1)).decode("utf-8-sig").encode("utf-16"), "encoding_unknown"),
        (as_csv(line(1)) + b"\xff\xfe\xfd", "encoding_unknown"),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), "encoding_unknown"),
        (b"\xd0\xcf\x11\xe0" + bytes(100), "roster_unreadable"),
        (b"PK\x03\x04" + bytes(100), "roster_unreadable"),
        (as_xlsx(line(1))[:2000], "roster_unreadable"),
        (as_csv(line(1)) + b'"' + b"x" * 10, "roster_unreadable"),
    ],
)
def test_a_file_that_is_no_roster_is_refused_by_name_and_not_stored(data: bytes, code: str) -> None:
    with pytest.raises(DomainError) as refusal:
        rosters.receive(data, "名册", by=SUPERVISOR, at=AT)
    assert refusal.value.code == code
    assert Roster.objects.count() == AuditEntry.objects.count() == ProcrastinateJob.objects.count() == 0


def test_missing_columns_are_listed() -> None:
    with pytest.raises(columns.MissingColumns) as refusal:
        rosters.receive(as_csv(line(1), headers=HEADERS[2:]), "名册.csv", by=SUPERVISOR, at=AT)
    assert refusal.value.message.startswith("表头缺少：证件类型、证件号码。")


def test_a_large_file_is_refused_before_it_is_read() -> None:
    class Large:
        size = reading.BYTES_MAX + 1

        def read(self, size: int = -1, /) -> bytes:  # noqa: ARG002
            raise AssertionError("must not be read")

    with pytest.raises(reading.RosterTooLarge):
        rosters.receive(Large(), "名册.csv", by=SUPERVISOR, at=AT)


def test_too_many_rows_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "ROWS_MAX", 3)
    rows = [line(serial) for serial in range(1, 5)]
    for data in (as_csv(*rows), as_xlsx(*rows)):
        with pytest.raises(reading.RosterTooLong):
            rosters.receive(data, "名册", by=SUPERVISOR, at=AT)
    assert rosters.receive(as_csv(*rows[:3]), "名册", by=SUPERVISOR, at=AT).rows == 3


def test_a_zip_bomb_is_refused_before_it_is_unpacked() -> None:
    out = io.BytesIO(as_xlsx(line(1)))
    with zipfile.ZipFile(out, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/media/zero.bin", bytes(20 * 1024 * 1024))
    with pytest.raises(reading.RosterBomb):
        rosters.receive(out.getvalue(), "名册.xlsx", by=SUPERVISOR, at=AT)


def test_only_supervisors_import_and_only_for_their_region() -> None:
    with pytest.raises(Forbidden):
        rosters.receive(as_csv(line(1)), "名册.csv", by=LI_QIANG, at=AT)
    with pytest.raises(Forbidden):
        rosters.receive(as_csv(line(1)), "名册.csv", by=ZHAO_MIN, at=AT)
    city = SUPERVISOR.__class__(None, "孙主任", SUPERVISOR.role, SUPERVISOR.channel, scope="5107")
    roster = taken(as_csv(line(1), line(2, 所在区划="510703", 银行="天府惠民银行")), by=city)
    assert faults(roster) == [(2, "所在区划", "outside_scope")]
    assert Case.objects.get().bank_id == APART


@pytest.mark.clause("G17")
def test_the_list_of_faults_is_a_spreadsheet_of_text_without_whole_numbers() -> None:
    roster = taken(as_csv(line(1, 手机号码="123"), line(2, 银行="=1+1"), line(3)))
    book = fastexcel.read_excel(rosters.faults_xlsx(roster.pk))
    rows = book.load_sheet(0, dtypes="string").to_polars().rows()
    assert rows == [
        ("2", "手机号码", "phone_invalid", "手机号码应为 11 位数字，以 13 至 19 开头，请核对。", "****"),
        ("3", "银行", "bank_unknown", "没有这家合作银行，请填写银行编号或名称。", "=1+1"),
    ]


def test_faults_of_numbers_are_masked() -> None:
    taken(as_csv(line(1, 证件号码=id_number(1)[:17] + "Y")))
    assert RosterFault.objects.get().shown == "510" + "*" * 11 + id_number(1)[14:17] + "Y"


def test_the_template_is_a_roster_without_rows() -> None:
    with pytest.raises(reading.RosterEmpty):
        rosters.receive(rosters.template_xlsx(), "模板.xlsx", by=SUPERVISOR, at=AT)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.lists(st.text(max_size=30), min_size=0, max_size=20))
def test_no_text_whatever_breaks_a_row(texts: list[str]) -> None:
    known = cells.Known(
        divisions=frozenset({"510107"}), banks={JOINT: JOINT}, closed_banks=frozenset(), outlets={},
        province_code="510000", scope="51", independent_age=16, today=date(2026, 11, 20),
    )  # fmt: skip
    row = reading.Row(2, tuple(texts))
    at = {name: place for place, name in enumerate(HEADERS)}
    assert isinstance(cells.check(row, at, known), cells.Fault | cells.Entry)
