"""The file of a roster: taken once, kept sealed, refused by name, and what goes back to its sender."""

import io
import zipfile
from datetime import date

import fastexcel
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from procrastinate.contrib.django.models import ProcrastinateJob

from tests.registry.cards.sheets import HEADERS, as_csv, as_xlsx, faults, line, taken
from tests.registry.conftest import APART, AT, JOINT, LI_QIANG, SUPERVISOR, ZHAO_MIN, days, id_number
from yikatong.core.errors import DomainError, Forbidden
from yikatong.core.models import AuditEntry
from yikatong.registry.cards import rosters
from yikatong.registry.cards.models import Case, CaseStep, Roster, RosterFault
from yikatong.registry.cards.rosters import cells, columns, reading, running

pytestmark = pytest.mark.usefixtures("places", "partners")


def test_the_same_file_again_is_the_same_roster_and_nothing_new() -> None:
    data = as_csv(line(1), line(2, 姓名=""))
    first = taken(data)
    jobs = ProcrastinateJob.objects.count()
    again = taken(data, name="另一个名字.csv")
    assert (again.pk, again.cases, again.faults) == (first.pk, 1, 1)
    assert (Roster.objects.count(), Case.objects.count(), RosterFault.objects.count()) == (1, 1, 1)
    assert ProcrastinateJob.objects.count() == jobs


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


def test_only_supervisors_import_and_only_for_their_region(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the province has no 全省通办 of applications; where it has, see test_roster_routes.py."""
    monkeypatch.setattr("yikatong.registry.cards.rosters.running.takes_elsewhere", lambda *_: False)
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
