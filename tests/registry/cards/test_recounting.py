"""A corrected number tells another birth date: what follows from it is counted anew."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest

from tests.registry.conftest import (
    AT,
    LI_QIANG,
    id_number,
)
from yikatong.core.models import AuditEntry
from yikatong.registry.cards import actions
from yikatong.registry.holders import actions as holders
from yikatong.registry.holders.models import Holder, LifeEvent

Register = Callable[..., Holder]
PAPER = "户口簿 510107001"
BY: dict[str, Any] = {"by": LI_QIANG, "at": AT}


def recounted(holder: Holder) -> list[tuple[str, str | None, str | None]]:
    events = LifeEvent.objects.filter(holder=holder, kind="recounted").order_by("pk")
    return [(one.reason, one.before, one.after) for one in events]


GUARDIAN: dict[str, Any] = {
    "name": "王建国", "kind": "A", "number": id_number(40, born="19850101", female=False), "ground": "parent",
    "evidence": "birth",
}  # fmt: skip


@pytest.mark.clause("N13", "O10", "A4")
@pytest.mark.parametrize(
    ("born", "until", "shown"),
    [("20161121", date(2032, 11, 21), "至 2032-11-20"), ("20101121", date(2026, 11, 21), "至 2026-11-20")],
    ids=["a day younger", "six years older"],
)
def test_with_the_birth_date_the_end_of_a_guardianship_is_counted_anew(
    register: Register, born: str, until: date, shown: str
) -> None:
    child = register(9, number=id_number(9, born="20161120"), name="王小宝")
    guardianship = holders.register_guardian(child.pk, **GUARDIAN, **BY)
    case = actions.change_number(child.pk, number=id_number(9, born=born), evidence=PAPER, **BY)
    guardianship.refresh_from_db()
    assert (guardianship.valid_until, guardianship.ended_at) == (until, None)
    day = f"{born[:4]}-{born[4:6]}-{born[6:]}"
    assert recounted(child) == [
        ("出生日期", "2016-11-20", day), ("监护关系", "至 2032-11-19", shown),
    ]  # fmt: skip
    assert case.note == f"监护关系：{shown}"
    assert AuditEntry.objects.filter(event="holders:holder:life_recounted", holder_id=child.pk).count() == 1


@pytest.mark.clause("N13", "O10", "A4")
def test_who_turns_out_to_be_of_age_has_no_guardian_and_back_again(register: Register) -> None:
    child = register(9, number=id_number(9, born="20161120"), name="王小宝")
    guardianship = holders.register_guardian(child.pk, **GUARDIAN, **BY)
    actions.change_number(child.pk, number=id_number(9, born="20101120"), evidence=PAPER, **BY)  # 16 today
    guardianship.refresh_from_db()
    assert (guardianship.ended_at, guardianship.end_reason) == (AT, "已满可独立办理年龄")
    later = AT + timedelta(hours=1)
    case = actions.change_number(
        child.pk, number=id_number(10, born="20101121"), evidence=PAPER, by=LI_QIANG, at=later
    )
    guardianship.refresh_from_db()
    assert (guardianship.ended_at, guardianship.end_reason) == (None, "")
    assert guardianship.valid_until == date(2026, 11, 21)
    assert case.note == "监护关系：至 2026-11-20"


@pytest.mark.clause("O10", "A4")
def test_who_turns_out_to_be_a_child_needs_a_guardian_and_is_none(register: Register) -> None:
    child = register(9, number=id_number(9, born="20161120"), name="王小宝")
    father = register(40, number=GUARDIAN["number"], name="王建国")
    guardianship = holders.register_guardian(child.pk, **GUARDIAN, **BY)
    number = id_number(40, born="20110101", female=False)
    case = actions.change_number(father.pk, number=number, evidence=PAPER, **BY)
    guardianship.refresh_from_db()
    assert guardianship.end_reason == "监护人按更正后的出生日期未满 18 周岁"
    assert case.note == "监护关系：须登记监护人；担任监护人：已终止"


ELDER: dict[str, Any] = {"kind": "elder", "source": "公安人口库", "evidence": "户口簿"}


def elder_of(holder: Holder) -> list[tuple[date, date | None, str]]:
    rows = holder.categories.filter(kind="elder").order_by("created_at", "pk")
    return [(one.valid_from, one.valid_until, one.state) for one in rows]


@pytest.mark.clause("N13", "G7", "A5")
@pytest.mark.parametrize(
    ("born", "begins", "becomes", "said"),
    [
        # Too young: what holds ends today, and is to begin on the sixtieth birthday.
        (
            "19700307",
            date(2010, 3, 7),
            [(date(2010, 3, 7), date(2026, 11, 20), "off"), (date(2030, 3, 7), None, "coming")],
            "2030-03-07 起",
        ),
        # Sixty, but later than it was said: it has held since then.
        ("19600307", date(2010, 3, 7), [(date(2020, 3, 7), None, "on")], "2020-03-07 起"),
        # Older: what holds goes on as it is.
        ("19400307", date(2010, 3, 7), [(date(2010, 3, 7), None, "on")], ""),
    ],
    ids=["too young", "later", "older"],
)
def test_with_the_birth_date_the_concession_of_the_elderly_is_counted_anew(
    register: Register, born: str, begins: date, becomes: list[tuple[date, date | None, str]], said: str
) -> None:
    holder = register(5, number=id_number(5, born="19500307"), name="李秀兰")
    holders.add_category(holder.pk, **ELDER, valid_from=begins, **BY)
    student = holders.add_category(
        holder.pk, kind="student", source="教育部门名单", valid_from=date(2026, 9, 1), **BY
    )
    case = actions.change_number(holder.pk, number=id_number(5, born=born), evidence=PAPER, **BY)
    assert elder_of(holder) == becomes
    assert [one[2] for one in recounted(holder) if one[0] == "老年人优待"] == ([said] if said else [])
    assert case.note == (f"老年人优待：{said}" if said else "")
    student.refresh_from_db()
    assert (student.valid_from, student.state) == (date(2026, 9, 1), "on")


@pytest.mark.clause("A5")
@pytest.mark.parametrize(
    ("born", "becomes"),
    [
        ("19680307", [(date(2028, 3, 7), None, "coming")]),  # a year later
        ("19600307", [(date(2026, 11, 20), None, "on")]),  # sixty already: from today
    ],
)
def test_a_concession_that_is_to_come_moves_with_the_birthday(
    register: Register, born: str, becomes: list[tuple[date, date | None, str]]
) -> None:
    holder = register(5, number=id_number(5, born="19670307"), name="李秀兰")
    holders.add_category(holder.pk, **ELDER, valid_from=date(2027, 3, 7), **BY)
    actions.change_number(holder.pk, number=id_number(5, born=born), evidence=PAPER, **BY)
    assert elder_of(holder) == becomes


def test_a_sex_is_told_and_a_number_of_the_same_birth_date_counts_nothing_anew(wang_fang: Holder) -> None:
    actions.change_number(wang_fang.pk, number=id_number(3), evidence=PAPER, **BY)
    assert recounted(wang_fang) == []
    actions.change_number(wang_fang.pk, number=id_number(3, female=False), evidence=PAPER, **BY)
    assert recounted(wang_fang) == [("性别", "女", "男")]
    wang_fang.refresh_from_db()
    assert (wang_fang.sex, wang_fang.birth_date) == ("1", date(1990, 3, 7))
