"""Kinds of applicants: children with guardians, agents, proven grounds, foreigners with a work permit."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.db import connection

from tests.registry.conftest import (
    AT,
    JOINT,
    LI_QIANG,
    MIAN_YANG,
    SUPERVISOR,
    ZHAO_MIN,
    days,
    herself,
    id_number,
    make_card,
    state,
)
from yikatong.core.actor import Actor, Channel, Role
from yikatong.core.clock import BEIJING
from yikatong.core.errors import DomainError
from yikatong.core.models import AuditEntry
from yikatong.registry.cards import actions, rosters
from yikatong.registry.cards.models import Authorisation, Card, Case, Roster
from yikatong.registry.cards.rosters import columns
from yikatong.registry.holders import actions as holders
from yikatong.registry.holders import queries
from yikatong.registry.holders.models import Guardianship, Holder, Proof

Register = Callable[..., Holder]
WISH: dict[str, Any] = {"bank_code": JOINT, "division_code": "510107"}
FATHER = id_number(40, born="19850101", female=False)
GUARDIAN: dict[str, Any] = {
    "name": "王建国", "kind": "A", "number": FATHER, "ground": "parent", "evidence": "birth",
    "evidence_number": "S510000001",
}  # fmt: skip
AGENT: dict[str, Any] = {
    "name": "赵大力", "kind": "A", "number": id_number(41), "matters": ["apply", "loss"],
    "evidence": "letter", "valid_until": date(2026, 12, 20),
}  # fmt: skip


def refused(code: str, act: Callable[[], object]) -> DomainError:
    """The refusal, which must have left no trace in the audit log."""
    before = AuditEntry.objects.count()
    with pytest.raises(DomainError) as caught:
        act()
    assert caught.value.code == code
    assert AuditEntry.objects.count() == before
    return caught.value


@pytest.fixture
def child(register: Register) -> Holder:
    """Ten years old."""
    return register(9, number=id_number(9, born="20161120"), name="王小宝")


def events() -> list[str]:
    return list(AuditEntry.objects.order_by("pk").values_list("event", flat=True))


# --- guardians ---


@pytest.mark.clause("O10", "A4")
def test_a_child_is_applied_for_by_a_registered_guardian(child: Holder) -> None:
    refusal = refused("guardian_needed", lambda: actions.apply(child.pk, **WISH, by=LI_QIANG, at=AT))
    assert refusal.message == (
        "未满 16 周岁的，由监护人代为办理。"
        "下一步：监护人持本人证件和监护关系证明到服务窗口登记监护关系，再由监护人办理。"
    )
    assert refusal.article.endswith("实施意见》（十）")
    assert Case.objects.count() == 0
    holders.register_guardian(child.pk, **GUARDIAN, by=LI_QIANG, at=AT)
    case = actions.apply(child.pk, **WISH, by=LI_QIANG, at=AT)
    stored = Case.objects.get(pk=case.pk)
    assert (stored.applicant, stored.guardian) == ("guardian", f"王建国 {FATHER}")
    assert stored.guardian_masked == "王*国"


@pytest.mark.clause("O10", "A4")
def test_a_guardianship_ends_on_the_sixteenth_birthday(child: Holder) -> None:
    held = holders.register_guardian(child.pk, **GUARDIAN, by=LI_QIANG, at=AT)
    assert (held.valid_from, held.valid_until) == (date(2026, 11, 20), date(2032, 11, 20))
    evening = datetime(2032, 11, 19, 23, 59, tzinfo=BEIJING)
    assert holders.end_grown_wards(at=evening) == 0
    assert holders.guardianship_for(child, None, by=LI_QIANG, at=evening).pk == held.pk
    assert holders.end_grown_wards(at=evening + timedelta(minutes=1)) == 1
    held.refresh_from_db()
    assert (held.ended_at, held.end_reason) == (evening + timedelta(minutes=1), "已满可独立办理年龄")
    assert holders.end_grown_wards(at=evening + timedelta(minutes=2)) == 0
    case = actions.apply(child.pk, **WISH, by=herself(child), at=evening + timedelta(minutes=2))
    assert (case.applicant, case.guardian) == ("self", None)


@pytest.mark.clause("O10", "A4")
def test_a_guardian_acts_over_the_network_in_his_own_name_only(child: Holder, register: Register) -> None:
    father = register(40, number=FATHER, name="王建国")
    stranger = register(41, name="赵大力")
    assert holders.register_guardian(child.pk, **GUARDIAN, by=LI_QIANG, at=AT).guardian_id == father.pk
    refused("guardian_needed", lambda: actions.apply(child.pk, **WISH, by=herself(child), at=AT))
    for_child = Actor(stranger.pk, "代", Role.HOLDER, Channel.MOBILE, for_holder=child.pk)
    refused("guardian_needed", lambda: actions.apply(child.pk, **WISH, by=for_child, at=AT))
    for_child = Actor(father.pk, "父", Role.HOLDER, Channel.MOBILE, for_holder=child.pk)
    assert actions.apply(child.pk, **WISH, by=for_child, at=AT).applicant == "guardian"


@pytest.mark.clause("A4", "B3")
def test_a_guardian_who_becomes_a_holder_later_acts_over_the_network(
    child: Holder, register: Register
) -> None:
    assert holders.register_guardian(child.pk, **GUARDIAN, by=LI_QIANG, at=AT).guardian_id is None
    father = register(40, number=FATHER, name="王建国")
    for_child = Actor(father.pk, "父", Role.HOLDER, Channel.MOBILE, for_holder=child.pk)
    assert actions.apply(child.pk, **WISH, by=for_child, at=AT).applicant == "guardian"


@pytest.mark.clause("A4")
def test_a_guardian_who_comes_with_a_roster_is_known_by_his_children(
    child: Holder, places: None, partners: None
) -> None:
    holders.register_guardian(child.pk, **GUARDIAN, by=LI_QIANG, at=AT)
    row = (
        f"A,{FATHER},王建国,男,{FATHER[6:10]}-{FATHER[10:12]}-{FATHER[12:14]},,13900000040,510107,,{JOINT},,"
    )
    data = f"{','.join(columns.REQUIRED)}\n{row}\n".encode()
    roster = rosters.receive(data, "单位.csv", kind="employer", applicant="示例公司", by=SUPERVISOR, at=AT)
    assert rosters.run(roster.pk).cases == 1
    assert Guardianship.objects.get().guardian_id == Case.objects.get().holder_id


@pytest.mark.clause("A4")
@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"ground": "friend"}, "guardianship_invalid"),
        ({"evidence": "roster2"}, "guardianship_invalid"),
        ({"ground": "appointed"}, "guardianship_invalid"),
        ({"evidence": "appointment"}, "guardianship_invalid"),
        ({"number": id_number(8, born="20081121")}, "guardian_too_young"),
        ({"number": FATHER[:-1] + ("1" if FATHER[-1] != "1" else "2")}, "certificate_checksum"),
        ({"name": "王3"}, "name_character"),
    ],
)
def test_a_faulty_guardianship_is_refused_by_name(child: Holder, changes: dict[str, str], code: str) -> None:
    refused(code, lambda: holders.register_guardian(child.pk, **(GUARDIAN | changes), by=LI_QIANG, at=AT))
    assert Guardianship.objects.count() == 0


@pytest.mark.clause("A4")
def test_no_one_is_his_own_guardian_nor_twice_nor_that_of_an_adult(child: Holder, wang_fang: Holder) -> None:
    register = holders.register_guardian
    own = GUARDIAN | {"kind": "C", "number": "E1234567"}
    holders.link_certificate(child.pk, kind="C", number="E1234567", by=LI_QIANG, at=AT)
    refused("guardian_is_ward", lambda: register(child.pk, **own, by=LI_QIANG, at=AT))
    refusal = refused("not_a_ward", lambda: register(wang_fang.pk, **GUARDIAN, by=LI_QIANG, at=AT))
    assert refusal.message == "此人已满 16 周岁，不登记监护人，请由本人办理。"
    refused("not_found", lambda: register(child.pk, **GUARDIAN, by=ZHAO_MIN, at=AT))
    held = register(child.pk, **GUARDIAN, by=LI_QIANG, at=AT)
    refused("guardian_known", lambda: register(child.pk, **GUARDIAN, by=MIAN_YANG, at=AT))
    refused("reason_too_short", lambda: holders.end_guardianship(held.pk, reason=" ", by=LI_QIANG, at=AT))
    holders.end_guardianship(held.pk, reason="法院变更监护人", by=LI_QIANG, at=AT)
    refused(
        "guardianship_ended", lambda: holders.end_guardianship(held.pk, reason="再次", by=LI_QIANG, at=AT)
    )
    refused("guardian_needed", lambda: actions.apply(child.pk, **WISH, by=LI_QIANG, at=AT))
    register(child.pk, **GUARDIAN, by=LI_QIANG, at=AT)
    assert Guardianship.objects.filter(ended_at=None).count() == 1


def test_a_name_and_number_of_a_guardian_are_stored_sealed(child: Holder) -> None:
    holders.register_guardian(child.pk, **GUARDIAN, by=LI_QIANG, at=AT)
    with connection.cursor() as cursor:
        cursor.execute("SELECT row_to_json(g)::text FROM holders_guardianship g")
        text = cursor.fetchone()[0]
    assert FATHER not in text
    assert "王建国" not in text
    assert FATHER.encode().hex() not in text


@pytest.mark.clause("O10", "A4")
def test_the_bank_half_of_a_child_is_activated_by_a_guardian(child: Holder) -> None:
    held = holders.register_guardian(child.pk, **GUARDIAN, by=LI_QIANG, at=AT)
    case = make_card(actions.apply(child.pk, **WISH, by=LI_QIANG, at=AT))
    card = actions.hand_over(case.pk, by=LI_QIANG, at=AT)
    holders.end_guardianship(held.pk, reason="法院变更监护人", by=LI_QIANG, at=AT)
    refused("guardian_needed", lambda: actions.activate_account(card.pk, by=LI_QIANG, at=AT))
    assert state(card) == ("A", "preopened")
    holders.register_guardian(child.pk, **GUARDIAN, by=LI_QIANG, at=AT)
    actions.activate_account(card.pk, by=LI_QIANG, at=AT)
    assert state(card) == ("A", "active")


# --- agents ---


@pytest.mark.clause("O10", "A4")
def test_an_agent_acts_within_his_matters_until_his_day(wang_fang: Holder) -> None:
    given = actions.authorise(wang_fang.pk, **AGENT, by=LI_QIANG, at=AT)
    case = actions.apply(wang_fang.pk, **WISH, authorisation_id=given.pk, by=LI_QIANG, at=AT)
    assert (case.applicant, case.authorisation_id) == ("agent", given.pk)
    last = datetime(2026, 12, 19, 23, 59, tzinfo=BEIJING)
    actions.withdraw(case.pk, by=herself(wang_fang), at=AT)
    actions.withdraw(
        actions.apply(wang_fang.pk, **WISH, authorisation_id=given.pk, by=LI_QIANG, at=last).pk,
        by=LI_QIANG,
        at=last,
    )
    refusal = refused(
        "agent_not_authorised",
        lambda: actions.apply(
            wang_fang.pk, **WISH, authorisation_id=given.pk, by=LI_QIANG, at=last + timedelta(minutes=1)
        ),
    )
    assert refusal.message.startswith("代办人没有这项业务的有效授权。下一步：登记代办授权")
    assert refusal.article.endswith("实施意见》（十）")


@pytest.mark.clause("O10", "A4", "B2")
def test_a_loss_by_an_agent_names_him_and_one_beyond_his_matters_changes_nothing(
    wang_fang: Holder, carry: Callable[..., Card], register: Register
) -> None:
    card = carry(wang_fang)
    given = actions.authorise(wang_fang.pk, **AGENT, by=LI_QIANG, at=AT)
    other = actions.authorise(
        register(2, name="赵六").pk, **(AGENT | {"number": id_number(50)}), by=LI_QIANG, at=AT
    )

    def act(do: Callable[..., Card], key: Any) -> Callable[[], Card]:
        return lambda: do(card.pk, authorisation_id=key, by=LI_QIANG, at=AT)

    refused("agent_not_authorised", act(actions.report_loss, other.pk))
    assert Card.objects.get().status == "1"
    act(actions.report_temporary_loss, given.pk)()
    loss = Case.objects.get(kind="loss")
    assert (loss.applicant, loss.authorisation_id) == ("agent", given.pk)
    refused("agent_not_authorised", act(actions.release_loss, given.pk))
    assert Card.objects.get().status == "B"


@pytest.mark.clause("O10", "A4")
def test_the_holder_takes_an_authorisation_back(wang_fang: Holder, register: Register) -> None:
    given = actions.authorise(wang_fang.pk, **AGENT, by=LI_QIANG, at=AT)
    stranger = register(2, name="赵六")
    refused("not_found", lambda: actions.end_authorisation(given.pk, by=herself(stranger), at=AT))
    actions.end_authorisation(given.pk, by=herself(wang_fang), at=AT)
    refused("authorisation_ended", lambda: actions.end_authorisation(given.pk, by=LI_QIANG, at=AT))
    refused(
        "agent_not_authorised",
        lambda: actions.apply(wang_fang.pk, **WISH, authorisation_id=given.pk, by=LI_QIANG, at=AT),
    )
    assert [one for one in events() if "authorisation" in one] == [
        "cards:authorisation:given",
        "cards:authorisation:ended",
    ]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"matters": []}, "authorisation_invalid"),
        ({"matters": ["activate"]}, "authorisation_invalid"),
        ({"evidence": "word"}, "authorisation_invalid"),
        ({"valid_until": None}, "authorisation_invalid"),
        ({"valid_until": date(2026, 11, 20)}, "authorisation_invalid"),
        ({"valid_until": date(2027, 11, 22)}, "authorisation_invalid"),
        ({"number": id_number(1)}, "agent_is_holder"),
    ],
)
def test_an_authorisation_without_matter_or_end_is_refused(
    wang_fang: Holder, changes: dict[str, Any], code: str
) -> None:
    refused(code, lambda: actions.authorise(wang_fang.pk, **(AGENT | changes), by=LI_QIANG, at=AT))
    assert Authorisation.objects.count() == 0


# --- grounds ---


@pytest.mark.clause("G5", "A2")
@pytest.mark.parametrize(
    ("ground", "kind", "wanted"),
    [
        ("work", "employment", "劳动合同或就业登记或外国人工作许可"),
        ("insurance", "insurance", "参保缴费证明"),
        ("services", "enrolment", "学籍或录取证明或公共服务办理凭证"),
    ],
)
def test_a_ground_is_proven_before_a_card_is_applied_for(
    register: Register, ground: str, kind: str, wanted: str
) -> None:
    holder = register(ground=ground)
    refusal = refused("ground_unproven", lambda: actions.apply(holder.pk, **WISH, by=LI_QIANG, at=AT))
    assert refusal.message.endswith(f"还没有有效的证明材料。下一步：登记{wanted}后再申领。")
    assert refusal.article.endswith("》第五条")
    holders.prove(holder.pk, kind=kind, number="ZM-001", issuer="成都示例公司", by=LI_QIANG, at=AT)
    assert actions.apply(holder.pk, **WISH, by=LI_QIANG, at=AT).status == "submitted"


@pytest.mark.clause("G5", "A2")
def test_a_proof_that_has_run_out_proves_nothing(register: Register) -> None:
    holder = register(ground="work")
    ends = date(2026, 12, 1)
    paper: dict[str, Any] = {"kind": "employment", "number": "HT-9", "issuer": "成都示例公司"}
    holders.prove(holder.pk, **paper, valid_until=ends, by=LI_QIANG, at=AT)
    refused("ground_unproven", lambda: actions.apply(holder.pk, **WISH, by=LI_QIANG, at=AT + days(11)))
    late: dict[str, Any] = {"by": LI_QIANG, "at": AT + days(11)}
    refused("proof_expired", lambda: holders.prove(holder.pk, **paper, valid_until=ends, **late))
    refused("proof_invalid", lambda: holders.prove(holder.pk, **(paper | {"number": " "}), **late))
    refused("proof_invalid", lambda: holders.prove(holder.pk, **(paper | {"kind": "visa"}), **late))
    assert Proof.objects.count() == 1


@pytest.mark.clause("S8", "G10", "O7", "A3")
def test_a_foreigner_applies_with_his_work_permit_and_carries_it(register: Register) -> None:
    french = register(
        kind="C", number="E1234567", nationality="FRA", birth_date=date(1980, 1, 2), name="Jean Exemple",
        ground="residence",
    )  # fmt: skip
    refused("ground_unproven", lambda: actions.apply(french.pk, **WISH, by=LI_QIANG, at=AT))
    permit: dict[str, Any] = {"kind": "work_permit", "number": "FRA51000126001", "issuer": "示例市科技局"}
    refused("work_permit_end_missing", lambda: holders.prove(french.pk, **permit, by=LI_QIANG, at=AT))
    holders.prove(french.pk, **permit, valid_until=date(2027, 11, 20), by=LI_QIANG, at=AT)
    assert Holder.objects.get().ground == "work"
    assert actions.apply(french.pk, **WISH, by=LI_QIANG, at=AT).status == "submitted"
    carried = queries.work_permit(french.pk, date(2027, 11, 19))
    assert carried is not None
    assert carried.number == "FRA51000126001"
    assert queries.work_permit(french.pk, date(2027, 11, 20)) is None


@pytest.mark.clause("A3")
def test_a_work_permit_is_no_citizens(wang_fang: Holder) -> None:
    permit: dict[str, Any] = {"kind": "work_permit", "number": "1", "issuer": "示例市科技局"}
    refused(
        "work_permit_of_citizen",
        lambda: holders.prove(wang_fang.pk, **permit, valid_until=date(2027, 1, 1), by=LI_QIANG, at=AT),
    )


@pytest.mark.clause("S8", "G10", "A3")
def test_a_residence_permit_of_a_compatriot_proves_his_residence(register: Register) -> None:
    hong_kong = register(kind="M", number=id_number(7, region="810000"), name="陈示例")
    assert actions.apply(hong_kong.pk, **WISH, by=LI_QIANG, at=AT).status == "submitted"


# --- rosters ---


@pytest.mark.clause("O10", "A4", "B1")
def test_a_school_hands_in_its_pupils_with_their_guardians(places: None, partners: None) -> None:
    header = ",".join([*columns.REQUIRED, columns.GUARDIAN_NAME, columns.GUARDIAN_NUMBER])
    pupil = f"A,{id_number(9, born='20161120')},王小宝,女,2016-11-20,,13900000009,510107,,{JOINT},,,王建国,{FATHER}"
    roster = rosters.receive(
        f"{header}\n{pupil}\n".encode(), "学校.csv", kind="school", applicant="示例小学", by=SUPERVISOR, at=AT
    )
    assert rosters.run(roster.pk).cases == 1
    case = Case.objects.get()
    assert (case.applicant, case.organisation, case.guardian) == ("school", "示例小学", f"王建国 {FATHER}")
    held = Guardianship.objects.get()
    assert (held.ward_id, held.name, held.number, held.evidence) == (
        case.holder_id,
        "王建国",
        FATHER,
        "roster",
    )
    assert (held.valid_until, held.ended_at) == (date(2032, 11, 20), None)
    assert "holders:holder:guardian_registered" in events()


def test_a_roster_of_no_known_kind_is_refused(places: None) -> None:
    kind: dict[str, Any] = {"kind": "friend", "by": SUPERVISOR, "at": AT}
    refused("roster_kind_invalid", lambda: rosters.receive(b"x", "a.csv", **kind))
    assert Roster.objects.count() == 0


@pytest.mark.clause("S15", "O10")
def test_the_numbers_of_proofs_lie_sealed(child: Holder, register: Register) -> None:
    """A birth certificate leads to the child, a notarised letter to the agent."""
    guardianship = holders.register_guardian(child.pk, **GUARDIAN, by=LI_QIANG, at=AT)
    letter = {"evidence": "notarised", "evidence_number": " SC2026-1 "}
    authorisation = actions.authorise(register(2).pk, **(AGENT | letter), by=LI_QIANG, at=AT)
    lying = []
    with connection.cursor() as cursor:
        for table in ("holders_guardianship", "cards_authorisation"):
            cursor.execute(f"SELECT evidence_number FROM {table}")
            lying += [bytes(one) for (one,) in cursor.fetchall()]
    assert len(lying) == 2
    assert not any(plain in one for one in lying for plain in (b"S510000001", b"SC2026-1"))
    guardianship.refresh_from_db()
    authorisation.refresh_from_db()
    assert (guardianship.evidence_number, authorisation.evidence_number) == ("S510000001", "SC2026-1")
