"""有误的行 as they came: for their sender, for a time; mended in place and sent again, nobody is doubled."""

import io
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import fastexcel
import pytest
import xlsxwriter

from tests.registry.cards.sheets import HEADERS, Line, as_csv, as_xlsx, faults, line, taken
from tests.registry.conftest import AT, SUPERVISOR, days, id_number
from yikatong.core.actor import SYSTEM
from yikatong.core.errors import DomainError, NotFound
from yikatong.core.models import AuditEntry, Look
from yikatong.registry.cards import rosters, tasks
from yikatong.registry.cards.models import Case, Roster, RosterFault
from yikatong.registry.cards.rosters import given
from yikatong.registry.holders.models import Holder
from yikatong.registry.regions.law import province

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("places", "partners")]
COLLEAGUE = replace(SUPERVISOR, id=UUID(int=40), name="吴主任")
LATER = AT + timedelta(hours=1)


def rows_of(data: bytes) -> list[list[str]]:
    table = fastexcel.read_excel(data).load_sheet(0, header_row=None, dtypes="string").to_polars()
    return [[cell or "" for cell in row] for row in table.iter_rows()]


def book(rows: list[list[str]]) -> bytes:
    """As a spreadsheet program saves what somebody has mended."""
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as made:
        sheet = made.add_worksheet()
        for at, row in enumerate(rows):
            for column, cell in enumerate(row):
                sheet.write_string(at, column, cell)
    return out.getvalue()


def mended(data: bytes, **cells: str) -> bytes:
    rows = rows_of(data)
    for row in rows[1:]:
        for name, value in cells.items():
            row[rows[0].index(name)] = value
    return book(rows)


def wrong_phone(serial: int = 2) -> Line:
    return line(serial, 手机号码="1390", 姓名="李娜")


@pytest.mark.clause("G5", "G17")
@pytest.mark.parametrize("write", [as_csv, as_xlsx])
def test_the_sender_mends_his_rows_and_sends_that_very_file_again(write: object) -> None:
    sent = taken(write(line(1), wrong_phone(), line(3, 银行="无此银行")))  # type: ignore[operator]
    file = rosters.given_xlsx(sent.pk, by=SUPERVISOR, at=LATER)
    assert rows_of(file)[0] == [*HEADERS, "错误"]
    assert [row[HEADERS.index("手机号码")] for row in rows_of(file)[1:]] == ["1390", "13900000001"]
    assert [row[HEADERS.index("证件号码")] for row in rows_of(file)[1:]] == [id_number(2), id_number(3)]
    assert [row[-1] for row in rows_of(file)[1:]] == [
        "第 3 行“手机号码”：手机号码应为 11 位数字，以 13 至 19 开头，请核对。",
        "第 4 行“银行”：没有这家合作银行，请填写银行编号或名称。",
    ]
    again = taken(mended(file, 手机号码="13900000002", 银行="95901"), name="有误的行.xlsx")
    assert (again.rows, again.cases, again.faults) == (2, 2, 0)
    assert Case.objects.count() == Holder.objects.count() == 3


def test_rows_taken_already_are_not_doubled_and_an_old_column_of_faults_goes() -> None:
    sent = taken(as_csv(line(1), wrong_phone()))
    file = rosters.given_xlsx(sent.pk, by=SUPERVISOR, at=LATER)
    rows = rows_of(file)
    good = [dict(line(1)).get(name, "") for name in rows[0]]
    again = taken(book([*rows, good]))
    assert faults(again) == [(2, "手机号码", "phone_invalid"), (3, "证件号码", "has_open_case")]
    assert Case.objects.count() == 1
    once_more = rosters.given_xlsx(again.pk, by=SUPERVISOR, at=LATER)
    assert rows_of(once_more)[0] == rows[0]
    assert rows_of(once_more)[2][-1].startswith("第 3 行“证件号码”：")


def test_columns_of_the_senders_own_come_back_too() -> None:
    sent = taken(as_csv(wrong_phone() | {"班级": "三（2）班"}, headers=("班级", *HEADERS)))
    rows = rows_of(rosters.given_xlsx(sent.pk, by=SUPERVISOR, at=LATER))
    assert (rows[0][0], rows[1][0]) == ("班级", "三（2）班")


def test_nobody_else_gets_them_and_the_masked_list_remains() -> None:
    sent = taken(as_csv(wrong_phone()))
    before = (AuditEntry.objects.count(), Look.objects.count())
    stranger = replace(COLLEAGUE, scope="5107")
    for by, refusal in ((COLLEAGUE, given.NotSender), (SYSTEM, given.NotSender), (stranger, NotFound)):
        with pytest.raises(refusal):
            rosters.given_xlsx(sent.pk, by=by, at=LATER)
    assert (AuditEntry.objects.count(), Look.objects.count()) == before
    assert id_number(2).encode() not in rosters.faults_xlsx(sent.pk)


@pytest.mark.clause("G17")
def test_taking_them_is_audited_and_a_look_at_whom_they_name() -> None:
    taken(as_csv(line(1)))
    sent = taken(as_csv(line(1, 姓名="王方"), wrong_phone()))
    rosters.given_xlsx(sent.pk, by=SUPERVISOR, at=LATER)
    entry = AuditEntry.objects.get(event="cards:roster:rows_taken")
    assert (entry.subject, entry.facts, entry.actor_id, entry.at) == (
        f"roster:{sent.pk}", {"rows": 2}, SUPERVISOR.id, LATER,
    )  # fmt: skip
    look = Look.objects.get(purpose="下载名册有误的行")
    assert (look.holder_id, look.looker_id) == (Holder.objects.get().pk, SUPERVISOR.id)


@pytest.mark.clause("G17")
def test_they_are_kept_sealed_and_erased_after_their_days(monkeypatch: pytest.MonkeyPatch) -> None:
    sent = taken(as_csv(line(1), wrong_phone()))
    kept = bytes(RosterFault.objects.get().given or b"")
    assert kept
    assert id_number(2).encode() not in kept
    assert "李娜".encode() not in kept
    length = province().rosters.rows_kept_days
    assert rosters.kept_until(sent) == (AT + days(length)).date()
    assert rosters.erase_old(at=AT + days(length)) == 0
    monkeypatch.setattr(tasks, "now", lambda: AT + days(length) + timedelta(seconds=1))
    assert tasks.erase_roster_rows(timestamp=0) == 1
    assert rosters.erase_old(at=AT + days(length + 9)) == 0
    assert (RosterFault.objects.get().given, Roster.objects.get().header) == (None, None)
    assert (RosterFault.objects.get().row, sent.faults) == (3, 1)
    with pytest.raises(given.RowsErased):
        rosters.given_xlsx(sent.pk, by=SUPERVISOR, at=AT + days(length + 1))


def test_what_is_not_there_is_said() -> None:
    waiting = rosters.receive(as_csv(wrong_phone()), "名册.csv", by=SUPERVISOR, at=AT)
    sound = taken(as_csv(line(5)))
    for roster, code in ((waiting, "roster_unfinished"), (sound, "roster_without_faults")):
        with pytest.raises(DomainError) as refusal:
            rosters.given_xlsx(roster.pk, by=SUPERVISOR, at=LATER)
        assert refusal.value.code == code


def test_a_row_with_too_many_cells_shows_them_all() -> None:
    data = as_csv(line(1)).rstrip() + b",zu viel,\r\n"
    rows = rows_of(rosters.given_xlsx(taken(data).pk, by=SUPERVISOR, at=LATER))
    assert rows[0] == [*HEADERS, "", "", "错误"]
    assert rows[1][len(HEADERS)] == "zu viel"
    assert rows[1][-1].startswith("第 2 行：该行的列数与表头不一致")
