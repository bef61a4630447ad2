from collections.abc import Callable
from dataclasses import replace
from datetime import date

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.registry.conftest import AT, LEADER, LI_QIANG, MIAN_YANG, ZHAO_MIN, herself, id_number
from yikatong.core.actor import Role
from yikatong.core.errors import DomainError, Forbidden, NotFound
from yikatong.core.models import AuditEntry, Look
from yikatong.registry.holders import actions, queries, refusals
from yikatong.registry.holders.actions import AlreadyLinked, AlreadyRegistered, CertificateOfAnother
from yikatong.registry.holders.certificates import WrongChecksum
from yikatong.registry.holders.models import Certificate, Holder
from yikatong.registry.regions.law import cite

Register = Callable[..., Holder]


@pytest.mark.clause("G5", "N13", "A1")
def test_it_registers_a_person_with_what_the_certificate_says(register: Register) -> None:
    holder = register(name="阿米娜.买买提")
    stored = Holder.objects.get()
    assert (stored.pk, stored.name, stored.name_original) == (holder.pk, "阿米娜·买买提", "阿米娜.买买提")
    assert (stored.sex, stored.birth_date, stored.phone) == ("2", date(1990, 3, 7), "13900000001")
    assert stored.social_security_number == id_number(1)
    assert Certificate.objects.get().number == id_number(1)
    assert AuditEntry.objects.get().event == "holders:holder:registered"


@pytest.mark.clause("cap:O1", "S15", "G17")
def test_no_personal_field_is_stored_in_clear(wang_fang: Holder) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT row_to_json(h)::text || row_to_json(c)::text FROM holders_holder h, holders_certificate c"
        )
        text = cursor.fetchone()[0]
    assert id_number(1) not in text
    assert "13900000001" not in text
    assert id_number(1).encode().hex() not in text


@pytest.mark.clause("A1")
def test_a_person_is_registered_once(register: Register) -> None:
    first = register()
    with pytest.raises(AlreadyRegistered) as refusal:
        register(name="王芳芳", number=id_number(1).lower())
    assert refusal.value.facts == {"holder_id": str(first.pk)}
    assert Holder.objects.get().name == "王芳"
    assert AuditEntry.objects.count() == 1


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"number": id_number(1)[:17] + ("0" if id_number(1)[17] != "0" else "1")}, "certificate_checksum"),
        ({"number": "110102199003070028"[:17] + "X"}, "certificate_checksum"),
        ({"kind": "Z"}, "certificate_invalid"),
        ({"ground": ""}, "no_ground"),
        ({"phone": "12345"}, "phone_invalid"),
        ({"division_code": "110101"}, "outside_province"),
        ({"division_code": "519999"}, "outside_province"),
        ({"birth_date": date(1991, 1, 1)}, "birth_date_differs"),
        ({"sex": "1"}, "sex_differs"),
        ({"nationality": "USA"}, "nationality_invalid"),
        ({"name": "王3"}, "name_character"),
        ({"kind": "C", "number": "E12345678", "nationality": "FRA"}, "birth_date_missing"),
        ({"kind": "C", "number": "E12345678"}, "nationality_invalid"),
    ],
)
def test_a_faulty_claim_is_refused_by_name_and_stores_nothing(
    register: Register, changes: dict[str, object], code: str
) -> None:
    with pytest.raises(DomainError) as refusal:
        register(**changes)
    assert refusal.value.code == code
    assert Holder.objects.count() == Certificate.objects.count() == AuditEntry.objects.count() == 0


@pytest.mark.clause("G5", "A2")
def test_without_ground_it_names_the_article(register: Register) -> None:
    with pytest.raises(refusals.NoGround) as refusal:
        register(ground="tourism")
    assert refusal.value.article == cite("G5")
    assert refusal.value.article.endswith("》第五条")


@pytest.mark.clause("S8", "G10", "A3")
def test_foreigners_and_compatriots_get_a_social_security_number(register: Register) -> None:
    french = register(
        kind="C", number="e 1234567", nationality="FRA", birth_date=date(1980, 1, 2), name="Jean Exemple"
    )
    hong_kong = register(kind="J", number="H12345678", birth_date=date(1980, 1, 2), name="陈示例")
    assert french.social_security_number == "FRA0000000E1234567"
    assert hong_kong.social_security_number == "HKG000000H12345678"
    assert (french.sex, len(french.social_security_number)) == ("9", 18)


@pytest.mark.clause("A1")
def test_a_new_certificate_is_linked_to_the_same_person(register: Register) -> None:
    holder = register(kind="J", number="H12345678", birth_date=date(1990, 3, 7), name="陈示例")
    residence = id_number(7, region="810000")
    actions.link_certificate(holder.pk, kind="M", number=residence, by=LI_QIANG, at=AT)
    assert sorted(Certificate.objects.values_list("holder_id", "kind")) == [
        (holder.pk, "J"),
        (holder.pk, "M"),
    ]
    with pytest.raises(AlreadyLinked):
        actions.link_certificate(holder.pk, kind="M", number=residence, by=LI_QIANG, at=AT)
    with pytest.raises(AlreadyRegistered):
        register(kind="M", number=residence, name="陈示例")
    other = register(9)
    with pytest.raises(CertificateOfAnother):
        actions.link_certificate(other.pk, kind="M", number=residence, by=LI_QIANG, at=AT)
    assert (Holder.objects.count(), Certificate.objects.count()) == (2, 3)


def test_a_certificate_of_another_birth_date_is_not_linked(wang_fang: Holder) -> None:
    with pytest.raises(refusals.BirthDateDiffers):
        actions.link_certificate(
            wang_fang.pk, kind="A", number=id_number(born="19900308"), by=LI_QIANG, at=AT
        )
    assert Certificate.objects.count() == 1


@pytest.mark.clause("N9", "G7", "A5")
def test_a_category_holds_for_its_half_open_period(wang_fang: Holder) -> None:
    period = {"valid_from": date(2026, 1, 1), "valid_until": date(2027, 1, 1)}
    actions.add_category(wang_fang.pk, kind="student", source="教育部门名单", by=LI_QIANG, at=AT, **period)
    assert [c.kind for c in queries.categories_on(wang_fang.pk, date(2026, 12, 31))] == ["student"]
    assert queries.categories_on(wang_fang.pk, date(2027, 1, 1)) == []
    with pytest.raises(actions.CategoryOverlaps):
        actions.add_category(
            wang_fang.pk, kind="student", source="教育部门名单", by=LI_QIANG, at=AT, **period
        )


@pytest.mark.parametrize(
    ("text", "matched"),
    [
        (id_number(1), "certificate"),
        (f" {id_number(1).lower()} ", "certificate"),
        ("139 0000 0001", "phone"),
        ("王芳", "name"),
    ],
)
@pytest.mark.clause("G17", "cap:O2")
def test_it_finds_by_each_key_and_writes_who_looked(wang_fang: Holder, text: str, matched: str) -> None:
    (found,) = queries.find(text, by=LI_QIANG, at=AT, purpose="窗口办理")
    assert (found.holder_id, found.matched) == (wang_fang.pk, matched)
    assert found.name == ("王芳" if matched == "certificate" else "王*")
    assert id_number(1)[6:14] not in found.certificate
    look = Look.objects.get()
    assert (look.holder_id, look.looker_name, look.purpose) == (wang_fang.pk, "李强", "窗口办理")


@pytest.mark.clause("G5", "O10", "B4")
def test_staff_of_the_province_find_by_exact_number_but_not_by_name(wang_fang: Holder) -> None:
    assert [f.holder_id for f in queries.find(id_number(1), by=MIAN_YANG, at=AT, purpose="通办")] == [
        wang_fang.pk
    ]
    assert queries.find("王芳", by=MIAN_YANG, at=AT, purpose="通办") == []
    assert queries.find("13900000001", by=MIAN_YANG, at=AT, purpose="通办") == []
    assert Look.objects.count() == 1


@pytest.mark.clause("G17")
def test_a_stranger_sees_nothing_and_leaves_no_trace(wang_fang: Holder) -> None:
    for text in (id_number(1), "王芳", "13900000001"):
        assert queries.find(text, by=ZHAO_MIN, at=AT, purpose="好奇") == []
    with pytest.raises(NotFound):
        queries.get(wang_fang.pk, by=ZHAO_MIN, at=AT, purpose="好奇")
    with pytest.raises(NotFound):
        actions.change_phone(wang_fang.pk, phone="13800000000", by=ZHAO_MIN, at=AT)
    with pytest.raises(NotFound):
        queries.reveal(wang_fang.pk, "phone", reason="好奇好奇", by=ZHAO_MIN, at=AT)
    with pytest.raises(Forbidden):
        queries.find("王芳", by=LEADER, at=AT, purpose="好奇")
    assert Look.objects.count() == 0
    assert Holder.objects.get().phone == "13900000001"


def test_at_most_twenty_are_found_and_each_is_logged(register: Register) -> None:
    for serial in range(1, 24):
        register(serial)
    assert len(queries.find("王芳", by=LI_QIANG, at=AT, purpose="窗口办理")) == 20
    assert Look.objects.count() == 20


@pytest.mark.clause("G17")
def test_revealing_needs_a_reason_that_the_holder_sees(wang_fang: Holder) -> None:
    with pytest.raises(queries.ReasonMissing):
        queries.reveal(wang_fang.pk, "number", reason=" ", by=LI_QIANG, at=AT)
    assert Look.objects.count() == 0
    assert queries.reveal(wang_fang.pk, "number", reason="核对证件", by=LI_QIANG, at=AT) == id_number(1)
    look = Look.objects.get()
    assert (look.purpose, look.fields) == ("核对证件", ["证件号码"])


def test_a_holder_reads_herself_without_a_look_row(wang_fang: Holder) -> None:
    own = queries.get(wang_fang.pk, by=herself(wang_fang), at=AT, purpose="本人查询")
    assert own.pk == wang_fang.pk
    assert Look.objects.count() == 0
    with pytest.raises(NotFound):
        queries.get(wang_fang.pk, by=replace(herself(wang_fang), id=LI_QIANG.id), at=AT, purpose="他人")


def test_the_search_by_certificate_and_phone_uses_the_indexes(wang_fang: Holder) -> None:
    readings = dict(queries._readings(id_number(1), exact_only=False))
    readings |= dict(queries._readings("13900000001", exact_only=False))
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
    for match in ("certificate", "phone"):
        plan = Holder.objects.filter(readings[match]).order_by("pk").explain()
        assert "Seq Scan" not in plan, plan


def test_a_number_is_looked_up_by_index_whoever_asks(wang_fang: Holder) -> None:
    """A condition of this or that would read all holders, ninety million of them, for every number typed at a kiosk."""
    auditor = replace(LEADER, role=Role.AUDITOR)
    with CaptureQueriesContext(connection) as asked:
        assert queries.by_number(id_number(1)) == wang_fang
        assert queries.key_of_number(id_number(1), by=auditor, at=AT) == wang_fang.pk
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        for one in asked.captured_queries:
            if "SELECT" not in one["sql"] or "holders_" not in one["sql"]:
                continue
            cursor.execute(f"EXPLAIN {one['sql']}")
            plan = "\n".join(row[0] for row in cursor.fetchall())
            assert "Seq Scan" not in plan, plan
            assert "SubPlan" not in plan, plan


def test_a_wrong_check_character_does_not_tell_the_right_one(register: Register) -> None:
    right = id_number(1)[-1]
    with pytest.raises(WrongChecksum) as refusal:
        register(number=id_number(1)[:17] + ("1" if right != "1" else "2"))
    assert right not in refusal.value.message.replace("18", "").replace("17", "")
