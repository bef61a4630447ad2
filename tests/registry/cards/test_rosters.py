"""A roster of applications: every row ends as a case, or as a named fault with its row and column."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from tests.registry.cards.sheets import Line, as_csv, as_xlsx, faults, line, taken
from tests.registry.conftest import AT, CLOSED, JOINT, LI_QIANG, SUPERVISOR, id_number
from yikatong.core.models import AuditEntry, Look
from yikatong.registry.cards import actions
from yikatong.registry.cards.models import Card, Case, Roster, RosterFault
from yikatong.registry.cards.rosters import running
from yikatong.registry.holders.certificates import check_character
from yikatong.registry.holders.models import Certificate, Holder, LifeEvent
from yikatong.registry.holders.validity import Validity

pytestmark = pytest.mark.usefixtures("places", "partners")


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
    ({"所在区划": "5101079999999"}, "所在区划", "outside_province"),
    ({"所在区划": "510107甲"}, "所在区划", "outside_province"),
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


@pytest.mark.parametrize("code", ["510107", "510107001", "510107001000"])
def test_a_division_is_read_in_every_length_the_state_writes(code: str) -> None:
    assert taken(as_csv(line(1, 所在区划=code))).cases == 1
    assert Holder.objects.get().division_code == code[:9]


@pytest.mark.parametrize(("word", "delivery"), [("到网点领取", "0"), ("", "0"), ("邮寄到家", "1")])
def test_delivery_may_be_called_what_our_own_pages_call_it(word: str, delivery: str) -> None:
    assert taken(as_csv(line(1, 领取方式=word))).cases == 1
    assert Case.objects.get().delivery == delivery


def test_a_word_that_is_not_understood_is_answered_by_those_that_are() -> None:
    taken(as_csv(line(1, 领取方式="派送"), line(2, 证件类型="驾驶证")))
    said = list(RosterFault.objects.order_by("row").values_list("message", flat=True))
    assert said == [
        "“领取方式”没有填写或不在可选范围内，可以填：自取、邮寄。",
        (
            "“证件类型”没有填写或不在可选范围内，可以填：居民身份证、护照、外国人永久居留身份证、"
            "港澳居民来往内地通行证、台湾居民来往大陆通行证、港澳台居民居住证。"
        ),
    ]


def test_zeros_with_which_old_programs_fill_up_a_cell_are_no_part_of_it() -> None:
    roster = taken(
        as_xlsx(line(1, 银行="无此\x00银行"), line(2, 通讯地址="示例路 1 号\x00\x00")), name="名册.xlsx"
    )
    assert faults(roster) == [(2, "银行", "bank_unknown")]
    assert (roster.status, roster.cases, Holder.objects.get().address) == ("done", 1, "示例路 1 号")


@pytest.mark.clause("G17", "S15")
def test_a_number_in_the_wrong_column_is_not_shown_whole() -> None:
    taken(as_csv(line(1, 性别=id_number(1)), line(2, 银行="13900000001"), line(3, 银行="无此银行")))
    shown = list(RosterFault.objects.order_by("row").values_list("column", "shown"))
    number = id_number(1)
    assert shown == [
        ("性别", f"{number[:3]}***********{number[-4:]}"),
        ("银行", "139****0001"),
        ("银行", "无此银行"),
    ]


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


@pytest.mark.clause("A1", "A2", "B1")
def test_the_period_of_a_certificate_is_taken_from_the_roster(register: Callable[..., Holder]) -> None:
    """New persons carry it, known ones have theirs recorded with its event; a faulty row changes nothing."""
    period = {"证件起始日期": "2016-05-01", "证件截止日期": "2036-05-01"}
    known = register(2, name="李秀兰", validity=Validity(date(2007, 1, 1), date(2027, 1, 1)))
    over = register(3, name="赵明", validity=Validity(date(2006, 11, 20), date(2026, 11, 20)))
    Certificate.objects.filter(holder=over).update(valid_until=date(2026, 11, 19))
    old = {"证件号码": id_number(4, born="19500307"), "出生日期": ""}
    roster = taken(
        as_xlsx(
            line(1, **period | {"证件起始日期": date(2016, 5, 1)}),
            line(2, 姓名="李秀兰", **period),
            line(3, 姓名="赵明"),
            line(4, **old, 证件起始日期="2010-03-08", 证件截止日期="长期"),
            line(5, 证件起始日期="2010-03-08", 证件截止日期="长期"),
            line(6, 证件起始日期="2016-05-01"),
            line(7, 证件起始日期="2006-05-01", 证件截止日期="2026-05-01"),
            line(8, 证件起始日期="五月", 证件截止日期="2036-05-01"),
            line(9),
        )
    )
    assert (roster.cases, roster.faults) == (4, 5)
    assert [(one.row, one.column, one.code) for one in roster_faults(roster)] == [
        (4, "证件截止日期", "certificate_expired"),
        (6, "证件截止日期", "validity_long_term_not_allowed"),
        (7, "证件截止日期", "validity_invalid"),
        (8, "证件截止日期", "certificate_expired"),
        (9, "证件起始日期", "validity_format"),
    ]
    told = {
        one.number: (one.valid_from, one.valid_until, one.is_long_term)
        for one in Certificate.objects.exclude(holder=over)
    }
    twenty = (date(2016, 5, 1), date(2036, 5, 1), False)
    assert told == {
        id_number(1): twenty, id_number(2): twenty, id_number(9): (None, None, False),
        old["证件号码"]: (date(2010, 3, 8), None, True),
    }  # fmt: skip
    event = LifeEvent.objects.get()
    assert (event.holder_id, event.kind, event.before, event.after, event.evidence) == (
        known.pk, "validity", "2007-01-01/2027-01-01", "2016-05-01/2036-05-01", "名册",
    )  # fmt: skip
    assert AuditEntry.objects.filter(event="holders:holder:life_validity", holder_id=known.pk).count() == 1


def roster_faults(roster: Roster) -> list[RosterFault]:
    return list(RosterFault.objects.filter(roster=roster).order_by("row"))
