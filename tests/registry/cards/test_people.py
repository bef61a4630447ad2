"""What happens in a person's life: names, numbers, places, death, leaving, two records of one person."""

from collections.abc import Callable
from datetime import date, timedelta
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
from yikatong.core.errors import DomainError
from yikatong.core.models import AuditEntry
from yikatong.registry.cards import actions
from yikatong.registry.cards.models import Card, CardEvent, Case, CaseStatus, ECard
from yikatong.registry.holders import actions as holders
from yikatong.registry.holders import queries
from yikatong.registry.holders.actions.life import HOLDER_MOVES
from yikatong.registry.holders.models import Certificate, Holder, LifeEvent, Merge

Register = Callable[..., Holder]
Carry = Callable[..., Card]
DEATH: dict[str, Any] = {"on": date(2026, 11, 18), "evidence": "居民死亡医学证明 510000000001"}
PAPER = "户口簿 510107001"
BY: dict[str, Any] = {"by": LI_QIANG, "at": AT}
CHIEF: dict[str, Any] = {"by": SUPERVISOR, "at": AT}


def refused(code: str, act: Callable[[], object]) -> DomainError:
    """The refusal, which must have left no trace in the audit log."""
    before = (AuditEntry.objects.count(), LifeEvent.objects.count(), Case.objects.count())
    with pytest.raises(DomainError) as caught:
        act()
    assert caught.value.code == code
    assert (AuditEntry.objects.count(), LifeEvent.objects.count(), Case.objects.count()) == before
    return caught.value


def found(text: str) -> list[tuple[Any, str]]:
    return [(one.holder_id, one.status) for one in queries.find(text, purpose="窗口办理", **BY)]


def ecard_of(card: Card) -> ECard:
    return ECard.objects.create(holder_id=card.holder_id, card=card, number="E1", issued_at=AT)


# --- changes ---


@pytest.mark.clause("A1", "N13")
def test_a_new_name_keeps_the_old_one_readable(wang_fang: Holder) -> None:
    case = actions.change_name(wang_fang.pk, name="王.芳华", evidence=PAPER, **BY)
    assert (case.kind, case.reason, case.status) == ("change", "name", "done")
    stored = Holder.objects.get()
    assert (stored.name, stored.name_original) == ("王·芳华", "王.芳华")
    event = LifeEvent.objects.get()
    assert (event.kind, event.before, event.after, event.evidence) == ("name", "王芳", "王·芳华", PAPER)
    assert AuditEntry.objects.filter(event="holders:holder:life_name").count() == 1
    refused(
        "nothing_changed", lambda: actions.change_name(wang_fang.pk, name="王·芳华", evidence=PAPER, **BY)
    )
    refused("evidence_missing", lambda: actions.change_name(wang_fang.pk, name="王五", evidence=" ", **BY))
    refused("name_character", lambda: actions.change_name(wang_fang.pk, name="王5", evidence=PAPER, **BY))
    stranger: dict[str, Any] = {"by": ZHAO_MIN, "at": AT}
    refused("not_found", lambda: actions.change_name(wang_fang.pk, name="王五", evidence=PAPER, **stranger))


@pytest.mark.clause("A1", "N13")
def test_the_old_number_still_finds_the_person_and_stays_his(wang_fang: Holder, register: Register) -> None:
    new = id_number(77, born="19900308")
    actions.change_number(wang_fang.pk, number=new, evidence=PAPER, **BY)
    stored = Holder.objects.get()
    assert (stored.social_security_number, stored.birth_date) == (new, date(1990, 3, 8))
    assert found(id_number(1)) == found(new) == [(wang_fang.pk, "正常")]
    current = Certificate.objects.filter(is_current=True)
    assert [one.number for one in current] == [new]
    refusal = refused("already_registered", lambda: register(1))
    assert refusal.facts == {"holder_id": str(wang_fang.pk)}
    event = LifeEvent.objects.get(kind="number")
    assert (event.before, event.after) == (id_number(1), new)
    other = register(5, name="赵六")

    def change(number: str) -> Callable[[], Case]:
        return lambda: actions.change_number(other.pk, number=number, evidence=PAPER, **BY)

    refused("certificate_of_another", change(new))
    refused("certificate_of_another", change(id_number(1)))
    refused("certificate_already_linked", change(id_number(5)))
    refused("certificate_checksum", change(new[:-1] + ("1" if new[-1] != "1" else "2")))


def test_a_passport_is_no_number_to_change(register: Register) -> None:
    french = register(
        kind="C", number="E1234567", nationality="FRA", birth_date=date(1980, 1, 2), name="Jean Exemple"
    )
    act = lambda: actions.change_number(french.pk, number="E7654321", evidence=PAPER, **BY)  # noqa: E731
    assert "请登记新证件" in refused("number_kind_not_changed", act).message


@pytest.mark.clause("B4", "O10")
def test_a_move_within_the_province_leaves_the_card_good(wang_fang: Holder, carry: Carry) -> None:
    card = carry(wang_fang)
    place: dict[str, Any] = {"division_code": "510703", "address": "绵阳市涪城区示例路 2 号"}
    case = actions.move(wang_fang.pk, **place, evidence=PAPER, by=MIAN_YANG, at=AT)
    assert (case.reason, case.division_code) == ("relocated", "510703")
    assert state(card)[0] == "1"
    event = LifeEvent.objects.get()
    assert (event.before, event.after) == (
        "510107 成都市武侯区示例路 1 号", "510703 绵阳市涪城区示例路 2 号",
    )  # fmt: skip
    refused("nothing_changed", lambda: actions.move(wang_fang.pk, **place, evidence=PAPER, **BY))
    abroad = {"division_code": "500103", "evidence": PAPER}
    refused("outside_province", lambda: actions.move(wang_fang.pk, **abroad, **BY))


# --- the end ---


@pytest.mark.clause("A6", "B2", "S2", "O12")
@pytest.mark.parametrize("lost", [False, True])
def test_a_death_ends_everything_in_one_act(wang_fang: Holder, carry: Carry, lost: bool) -> None:  # noqa: FBT001
    card = carry(wang_fang)
    ecard_of(card)
    if lost:
        actions.report_loss(card.pk, **BY)
    replacing = actions.replace(
        wang_fang.pk, reason="lost" if lost else "damaged", division_code="510107", **BY
    )
    case = actions.record_death(wang_fang.pk, **DEATH, **BY)
    assert (case.kind, case.reason, case.card_id) == ("cancel", "deceased", card.pk)
    stored = Holder.objects.get()
    assert (stored.status, stored.deceased_on) == ("deceased", date(2026, 11, 18))
    ended = Card.objects.get()
    assert (ended.status, ended.cancel_reason, ended.cancelled_at) == ("3" if lost else "4", "deceased", AT)
    assert ECard.objects.get().status == "removed"
    replacing.refresh_from_db()
    assert (replacing.status, replacing.steps.latest("at", "pk").note) == ("withdrawn", "持卡人登记为“已故”")
    leaving: dict[str, Any] = {"reason": "moved", "evidence": "户口迁移证 1"}
    refused("holder_ended", lambda: actions.record_leaving(wang_fang.pk, **leaving, **BY))
    refusal = refused("holder_ended", lambda: actions.record_death(wang_fang.pk, **DEATH, **BY))
    assert refusal.message == ("该持卡人登记为“已故”，不能办理此项业务。下一步：登记有误的，由业务主管恢复。")
    assert refusal.facts == {"status": "deceased"}
    wish: dict[str, Any] = {"bank_code": JOINT, "division_code": "510107"}
    refused("holder_not_active", lambda: actions.apply(wang_fang.pk, **wish, **BY))


@pytest.mark.clause("A6")
@pytest.mark.parametrize("on", [date(2026, 11, 21), date(1990, 3, 6)])
def test_nobody_dies_tomorrow_or_before_he_is_born(wang_fang: Holder, carry: Carry, on: date) -> None:
    carry(wang_fang)
    death = DEATH | {"on": on}
    refused("death_date_invalid", lambda: actions.record_death(wang_fang.pk, **death, **BY))
    refused(
        "evidence_missing", lambda: actions.record_death(wang_fang.pk, **(DEATH | {"evidence": ""}), **BY)
    )
    assert (Holder.objects.get().status, Card.objects.get().status) == ("active", "1")


def test_a_card_is_not_cancelled_for_a_death_that_is_not_registered(wang_fang: Holder, carry: Carry) -> None:
    card = carry(wang_fang)
    refusal = refused("death_first", lambda: actions.cancel(card.pk, reason="deceased", **BY))
    assert refusal.message == ("持卡人死亡的，请办理死亡登记：登记后其社会保障卡、电子社保卡和设备同时停用。")


@pytest.mark.clause("A6")
def test_a_card_made_while_its_holder_died_is_never_handed_over(wang_fang: Holder, ready: Any) -> None:
    case = actions.apply(wang_fang.pk, bank_code=JOINT, division_code="510107", **BY)
    Case.objects.filter(pk=case.pk).update(status=CaseStatus.PRODUCING)
    actions.record_death(wang_fang.pk, **DEATH, **BY)
    case = make_card(case)
    refused("holder_not_active", lambda: actions.hand_over(case.pk, **BY))
    card = actions.cancel(Card.objects.get().pk, reason="deceased", **BY)
    assert card.status == "4"


@pytest.mark.clause("A6", "B2")
@pytest.mark.parametrize(("before", "after"), [("1", "1"), ("2", "2"), ("B", "B"), ("A", "A")])
def test_a_death_that_was_none_is_undone_by_a_supervisor(
    wang_fang: Holder, carry: Carry, ready: Any, before: str, after: str
) -> None:
    if before == "A":
        card = actions.hand_over(ready(wang_fang).pk, **BY)
    else:
        card = carry(wang_fang)
        ecard_of(card)
    if before == "2":
        actions.report_loss(card.pk, **BY)
    if before == "B":
        actions.report_temporary_loss(card.pk, **BY)
    actions.record_death(wang_fang.pk, **DEATH, **BY)
    later = AT + days(3)
    refused("forbidden", lambda: actions.restore(wang_fang.pk, reason="本人健在", by=LI_QIANG, at=later))
    refused("reason_too_short", lambda: actions.restore(wang_fang.pk, reason="", by=SUPERVISOR, at=later))
    actions.restore(wang_fang.pk, reason="本人健在，同名误登", by=SUPERVISOR, at=later)
    stored, card = Holder.objects.get(), Card.objects.get()
    assert (stored.status, stored.deceased_on) == ("active", None)
    assert (card.status, card.cancelled_at, card.cancel_reason) == (after, None, "")
    assert card.loss_ends_at == (later + timedelta(days=7) if before == "B" else None)
    if before != "A":
        assert ECard.objects.get().status == "removed"  # the holder issues it again himself
    assert [one.kind for one in LifeEvent.objects.order_by("at")] == ["deceased", "restored"]
    assert CardEvent.objects.latest("at", "pk").kind == "revived"
    refused("holder_not_ended", lambda: actions.restore(wang_fang.pk, reason="再次", by=SUPERVISOR, at=later))


@pytest.mark.clause("A6", "B2", "G5")
def test_who_is_alive_after_all_can_replace_his_card_again(wang_fang: Holder, carry: Carry) -> None:
    card = carry(wang_fang)
    wish: dict[str, Any] = {"reason": "defect", "division_code": "510107"}
    waiting = make_card(actions.replace(wang_fang.pk, **wish, **BY))
    actions.record_death(wang_fang.pk, **DEATH, **BY)
    actions.restore(wang_fang.pk, reason="本人健在", **CHIEF)
    assert state(card)[0] == "1"  # the one in his hands lives, the one never handed over stays ended
    assert Card.objects.values_list("status", "replaces").get(pk=waiting.card_id) == ("4", None)
    made = make_card(actions.replace(wang_fang.pk, **wish, **BY))
    actions.activate(actions.hand_over(made.pk, **BY).pk, **BY)
    assert (state(card)[0], Card.objects.get(pk=made.card_id).status) == ("4", "1")


@pytest.mark.clause("A6", "G5")
def test_a_card_made_while_its_holder_was_held_for_dead_ends_the_one_it_replaces(
    wang_fang: Holder, carry: Carry
) -> None:
    card = carry(wang_fang)
    case = actions.replace(wang_fang.pk, reason="defect", division_code="510107", **BY)
    Case.objects.filter(pk=case.pk).update(status=CaseStatus.PRODUCING)
    actions.record_death(wang_fang.pk, **DEATH, **BY)
    made = make_card(case)
    Card.objects.filter(pk=made.card_id).update(
        replaces=None
    )  # as it comes back beside a card that has ended
    actions.restore(wang_fang.pk, reason="本人健在", **CHIEF)
    actions.activate(actions.hand_over(made.pk, **BY).pk, **BY)
    assert (state(card)[0], Card.objects.get(pk=made.card_id).status) == ("4", "1")


def test_a_card_cancelled_before_the_death_stays_cancelled(wang_fang: Holder, carry: Carry) -> None:
    card = carry(wang_fang)
    actions.cancel(card.pk, reason="request", **BY)
    actions.record_death(wang_fang.pk, **DEATH, **BY)
    actions.restore(wang_fang.pk, reason="本人健在", **CHIEF)
    assert (Card.objects.get().status, Card.objects.get().cancel_reason) == ("4", "request")


@pytest.mark.clause("A6")
def test_who_has_left_may_come_back_and_applies_anew(wang_fang: Holder, carry: Carry) -> None:
    carry(wang_fang)
    leave: dict[str, Any] = {"reason": "emigrated", "evidence": "户口注销证明 1"}
    refused(
        "reason_invalid", lambda: actions.record_leaving(wang_fang.pk, **(leave | {"reason": "lost"}), **BY)
    )
    actions.record_leaving(wang_fang.pk, **leave, **BY)
    assert (Holder.objects.get().status, Card.objects.get().cancel_reason) == ("left", "emigrated")
    actions.restore(wang_fang.pk, reason="回国定居", **CHIEF)
    assert (Holder.objects.get().status, Card.objects.get().status) == ("active", "4")
    assert actions.apply(wang_fang.pk, bank_code=JOINT, division_code="510107", **BY).status == "submitted"


@pytest.mark.clause("A1", "A6")
@pytest.mark.parametrize("end", ["dead", "merged"])
def test_nothing_new_is_entered_on_a_record_that_has_ended(
    wang_fang: Holder, register: Register, end: str
) -> None:
    child = register(3, number=id_number(3, born="20200307"))
    if end == "dead":
        for one in (wang_fang, child):
            actions.record_death(one.pk, **(DEATH | {"on": date(2026, 11, 18)}), **BY)
    else:
        kept = register(9)
        for one in (wang_fang, child):
            actions.merge(kept.pk, one.pk, reason="同一人两次登记", evidence=PAPER, **CHIEF)
    category: dict[str, Any] = {"kind": "student", "source": "学生证", "valid_from": date(2026, 9, 1)}
    parent: dict[str, Any] = {
        "name": "李家长", "kind": "A", "number": id_number(8), "ground": "parent", "evidence": "birth",
    }  # fmt: skip
    agent: dict[str, Any] = {
        "name": "李代办", "kind": "A", "number": id_number(8), "matters": ["loss"], "evidence": "letter",
        "valid_until": date(2026, 12, 1),
    }  # fmt: skip
    proof: dict[str, Any] = {"kind": "household", "number": "1", "issuer": "示例派出所"}
    for act in (
        lambda: holders.change_phone(wang_fang.pk, phone="13800000000", **BY),
        lambda: holders.link_certificate(wang_fang.pk, kind="C", number="E1234567", **BY),
        lambda: holders.add_category(wang_fang.pk, **category, **BY),
        lambda: holders.prove(wang_fang.pk, **proof, **BY),
        lambda: holders.register_guardian(child.pk, **parent, **BY),
        lambda: actions.authorise(wang_fang.pk, **agent, **BY),
    ):
        refused("holder_ended", act)


def test_who_had_left_and_is_wrongly_said_to_have_died_has_left_again(wang_fang: Holder) -> None:
    actions.record_leaving(wang_fang.pk, reason="moved", evidence="户口迁移证 1", **BY)
    actions.record_death(wang_fang.pk, **DEATH, by=LI_QIANG, at=AT + days(1))
    actions.restore(wang_fang.pk, reason="本人健在", by=SUPERVISOR, at=AT + days(2))
    assert (Holder.objects.get().status, Holder.objects.get().deceased_on) == ("left", None)
    events = LifeEvent.objects.order_by("at")
    assert [(one.kind, one.before, one.after) for one in events] == [
        ("left", "active", None),
        ("deceased", "left", "2026-11-18"),
        ("restored", "deceased", "left"),
    ]


def test_every_status_of_a_holder_has_its_ways() -> None:
    assert set(HOLDER_MOVES) == set(Holder.Status)
    assert {to for ways in HOLDER_MOVES.values() for to in ways} == set(Holder.Status)


# --- one person once ---


@pytest.fixture
def twice(register: Register) -> tuple[Holder, Holder]:
    """王芳 by her identity card, and again by her residence permit of before."""
    return register(1), register(kind="M", number=id_number(7, region="810000"), name="王芳")


@pytest.mark.clause("A1", "N13", "O12")
def test_two_records_of_one_person_become_one(twice: tuple[Holder, Holder], carry: Carry) -> None:
    kept, gone = twice
    mine, doubled = carry(kept), carry(gone)
    ecard_of(doubled)
    proof: dict[str, Any] = {"kind": "student", "source": "教育部门名单", "valid_from": date(2026, 9, 1)}
    holders.add_category(kept.pk, **proof, **BY)
    holders.add_category(gone.pk, **proof, **BY)
    holders.add_category(gone.pk, **(proof | {"kind": "disabled"}), **BY)
    why: dict[str, Any] = {"reason": "同一人两次登记", "evidence": PAPER}
    refused("forbidden", lambda: actions.merge(kept.pk, gone.pk, **why, **BY))
    refused("merge_self", lambda: actions.merge(kept.pk, kept.pk, **why, **CHIEF))
    merged = actions.merge(kept.pk, gone.pk, **why, **CHIEF)
    gone.refresh_from_db()
    assert (gone.status, gone.merged_into_id) == ("merged", kept.pk)
    assert set(Certificate.objects.values_list("holder_id", flat=True)) == {kept.pk}
    assert sorted(kept.categories.values_list("kind", flat=True)) == ["disabled", "student"]
    assert (state(mine)[0], state(doubled)[0], ECard.objects.get().status) == ("1", "4", "removed")
    for number in (id_number(1), id_number(7, region="810000"), Card.objects.get(pk=doubled.pk).number):
        assert found(number) == [(kept.pk, "正常")]
    assert found("王芳") == [(kept.pk, "正常")]
    refusal = refused("holder_ended", lambda: actions.merge(kept.pk, gone.pk, **why, **CHIEF))
    assert refusal.facts == {"status": "merged"}
    # … and two again.
    refused("forbidden", lambda: actions.unmerge(merged.pk, reason="不是同一人", **BY))
    actions.unmerge(merged.pk, reason="不是同一人", by=SUPERVISOR, at=AT + days(1))
    gone.refresh_from_db()
    assert (gone.status, gone.merged_into_id) == ("active", None)
    assert (state(mine)[0], state(doubled)[0]) == ("1", "1")
    assert gone.certificates.get().is_current
    assert sorted(gone.categories.values_list("kind", flat=True)) == ["disabled", "student"]
    assert list(kept.categories.values_list("kind", flat=True)) == ["student"]
    assert found(id_number(7, region="810000")) == [(gone.pk, "正常")]
    refused("merge_undone", lambda: actions.unmerge(merged.pk, reason="再次", **CHIEF))


@pytest.mark.clause("A1")
def test_a_card_goes_over_to_the_record_that_has_none(twice: tuple[Holder, Holder], carry: Carry) -> None:
    without, having = twice
    card = carry(having)
    why: dict[str, Any] = {"reason": "同一人两次登记", "evidence": PAPER}
    actions.merge(without.pk, having.pk, **why, **CHIEF)
    assert Card.objects.values_list("holder", "status").get() == (without.pk, "1")
    assert Card.objects.get().pk == card.pk


def test_a_merge_waits_for_a_card_in_production(twice: tuple[Holder, Holder], carry: Carry) -> None:
    kept, gone = twice
    carry(kept)
    case = actions.apply(gone.pk, bank_code=JOINT, division_code="510107", **BY)
    Case.objects.filter(pk=case.pk).update(status=CaseStatus.PRODUCING)
    why: dict[str, Any] = {"reason": "同一人两次登记", "evidence": PAPER}
    refused("case_in_production", lambda: actions.merge(kept.pk, gone.pk, **why, **CHIEF))
    gone.refresh_from_db()
    assert (gone.status, gone.certificates.count(), Merge.objects.count()) == ("active", 1, 0)


def test_a_merge_is_not_undone_while_the_kept_one_is_dead(twice: tuple[Holder, Holder]) -> None:
    kept, gone = twice
    merged = actions.merge(kept.pk, gone.pk, reason="同一人两次登记", evidence=PAPER, **CHIEF)
    actions.record_death(kept.pk, **DEATH, **BY)
    refused("merge_changed_since", lambda: actions.unmerge(merged.pk, reason="不是同一人", **CHIEF))
    actions.restore(kept.pk, reason="登记有误", **CHIEF)
    actions.unmerge(merged.pk, reason="不是同一人", **CHIEF)
    assert Holder.objects.filter(status="active").count() == 2


@pytest.mark.clause("A4")
def test_a_dead_guardian_and_a_dead_agent_act_no_more(register: Register) -> None:
    child = register(9, number=id_number(9, born="20161120"), name="王小宝")
    father = register(40, number=id_number(40, born="19850101"), name="王建国")
    paper: dict[str, Any] = {"name": "王建国", "kind": "A", "number": id_number(40, born="19850101")}
    holders.register_guardian(child.pk, **paper, ground="parent", evidence="birth", **BY)
    mother = register(41, number=id_number(41, born="19860101"), name="赵小梅")
    given = actions.authorise(
        mother.pk, **paper, matters=["apply"], evidence="kin", valid_until=date(2027, 1, 1), **BY
    )
    actions.record_death(father.pk, **DEATH, **BY)
    wish: dict[str, Any] = {"bank_code": JOINT, "division_code": "510107"}
    refused("guardian_needed", lambda: actions.apply(child.pk, **wish, **BY))
    with_agent = wish | {"authorisation_id": given.pk}
    refused("agent_not_authorised", lambda: actions.apply(mother.pk, **with_agent, **BY))
    assert actions.apply(mother.pk, **wish, by=herself(mother), at=AT).applicant == "self"


def test_former_names_and_numbers_are_sealed(wang_fang: Holder) -> None:
    actions.change_name(wang_fang.pk, name="王芳华", evidence=PAPER, **BY)
    actions.change_number(wang_fang.pk, number=id_number(77), evidence=PAPER, **BY)
    with connection.cursor() as cursor:
        cursor.execute("SELECT row_to_json(e)::text FROM holders_lifeevent e")
        text = " ".join(row[0] for row in cursor.fetchall())
    for word in (id_number(1), id_number(77), "王芳"):
        assert word not in text
        assert word.encode().hex() not in text
