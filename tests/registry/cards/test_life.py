"""A card's life, act by act: exact statuses of both halves, and refusals that change nothing."""

from collections.abc import Callable
from datetime import date
from importlib import resources

import pytest
from procrastinate.contrib.django.models import ProcrastinateJob

from tests.registry.conftest import (
    APART,
    AT,
    CLOSED,
    JOINT,
    LEADER,
    LI_QIANG,
    MIAN_YANG,
    SUPERVISOR,
    ZHAO_MIN,
    bank_answers,
    days,
    herself,
    make_card,
    state,
)
from yikatong.core.clock import day_of
from yikatong.core.errors import DomainError, Forbidden, NotFound
from yikatong.core.models import AuditEntry, Look
from yikatong.registry.banks.rules import BankClosedToNew, NoBank
from yikatong.registry.cards import actions, queries, rules
from yikatong.registry.cards.models import Card, CardEvent, Case, CaseStatus, ECard
from yikatong.registry.holders.models import Holder
from yikatong.registry.regions import law, profile

Carry = Callable[..., Card]
Ready = Callable[..., Case]
LOSS = {"division_code": "510107", "by": LI_QIANG, "at": AT}


def everything() -> tuple[object, ...]:
    """All that an act may change; equal before and after a refusal."""
    return (
        sorted(Card.objects.values_list()),
        sorted(Case.objects.values_list("pk", "status", "card")),
        CardEvent.objects.count(),
        AuditEntry.objects.count(),
        ProcrastinateJob.objects.count(),
        sorted(ECard.objects.values_list("card_id", "status")),
    )


def refused(code: str, act: Callable[[], object]) -> DomainError:
    before = everything()
    with pytest.raises(DomainError) as refusal:
        act()
    assert refusal.value.code == code
    assert everything() == before
    return refusal.value


@pytest.mark.clause("G5", "O8", "B1")
def test_an_application_has_number_limit_and_owner(wang_fang: Holder) -> None:
    case = actions.apply(wang_fang.pk, bank_code=JOINT, division_code="510107", by=LI_QIANG, at=AT)
    assert case.number.startswith("5101071120")
    assert len(case.number) == 16
    assert (case.status, case.step_due_on, case.fee_fen) == ("submitted", date(2026, 11, 24), 0)
    waiting = queries.timeline(case)[-1]
    assert (waiting.owner, waiting.due_on, waiting.is_current) == (
        "四川省成都市武侯区社会保障卡经办机构（审核岗）",
        date(2026, 11, 24),
        True,
    )
    actions.check(case.pk, by=SUPERVISOR, at=AT)
    stored = Case.objects.get()
    assert (stored.status, stored.step_due_on) == ("checked", date(2026, 11, 25))
    assert [step.label for step in queries.timeline(stored)[:2]] == ["待审核", "待银行预开户"]


@pytest.mark.clause("G5", "B1")
def test_who_took_a_case_does_not_approve_it(wang_fang: Holder) -> None:
    case = actions.apply(wang_fang.pk, bank_code=JOINT, division_code="510107", by=LI_QIANG, at=AT)
    refusal = refused("four_eyes", lambda: actions.check(case.pk, by=LI_QIANG, at=AT))
    assert refusal.message.startswith(
        "四眼原则：本件由您受理，不能由您本人审核通过。下一步：请另一名审核人员"
    )
    actions.check(case.pk, by=SUPERVISOR, at=AT)
    assert Case.objects.get().status == "checked"
    # What has been decided is told as that, also to its taker.
    refused("case_illegal_move", lambda: actions.check(case.pk, by=LI_QIANG, at=AT))


@pytest.mark.clause("G5", "B1")
def test_a_supervisor_who_took_a_case_waits_for_another_too(wang_fang: Holder) -> None:
    case = actions.apply(wang_fang.pk, bank_code=JOINT, division_code="510107", by=SUPERVISOR, at=AT)
    refused("four_eyes", lambda: actions.check(case.pk, by=SUPERVISOR, at=AT))
    actions.check(case.pk, by=LI_QIANG, at=AT)
    assert Case.objects.get().status == "checked"


@pytest.mark.clause("G5", "B1", "B3")
def test_a_holders_own_application_is_free_to_any_checker(wang_fang: Holder) -> None:
    case = actions.apply(wang_fang.pk, bank_code=JOINT, division_code="510107", by=herself(wang_fang), at=AT)
    actions.check(case.pk, by=LI_QIANG, at=AT)
    assert Case.objects.get().status == "checked"


@pytest.mark.clause("Q2")
@pytest.mark.parametrize(
    ("four_eyes", "supervisors_alone", "clerk", "supervisor"),
    [(True, False, True, True), (True, True, True, False), (False, False, False, False)],
)
def test_the_profile_says_who_may_approve_alone(
    four_eyes: bool,  # noqa: FBT001
    supervisors_alone: bool,  # noqa: FBT001
    clerk: bool,  # noqa: FBT001
    supervisor: bool,  # noqa: FBT001
) -> None:
    text = (resources.files("yikatong.registry.regions") / "profiles" / "sichuan.toml").read_text(
        encoding="utf-8"
    )
    text = text.replace("four_eyes = true", f"four_eyes = {str(four_eyes).lower()}")
    text = text.replace("supervisors_alone = false", f"supervisors_alone = {str(supervisors_alone).lower()}")
    province = profile.parse(text, source="test")
    assert [rules.needs_four_eyes(one, province) for one in (LI_QIANG, SUPERVISOR)] == [clerk, supervisor]


@pytest.mark.clause("G5", "B1")
def test_one_person_has_one_application_and_one_card(wang_fang: Holder, carry: Carry) -> None:
    def again() -> Case:
        return actions.apply(wang_fang.pk, bank_code=JOINT, division_code="510107", by=LI_QIANG, at=AT)

    again()
    refused("has_open_case", again)
    actions.withdraw(Case.objects.get().pk, by=herself(wang_fang), at=AT)
    carry(wang_fang)
    refusal = refused("has_card", again)
    assert "第五条" in refusal.article


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"bank_code": "00000"}, NoBank.code),
        ({"bank_code": CLOSED}, BankClosedToNew.code),
        ({"delivery": "2"}, "delivery_invalid"),
        ({"outlet_id": LI_QIANG.id}, "outlet_unknown"),
        ({"by": ZHAO_MIN}, "not_found"),
        ({"by": LEADER}, "forbidden"),
    ],
)
@pytest.mark.clause("G5", "G20", "B6")
def test_a_wrong_application_is_refused_by_name(
    wang_fang: Holder, changes: dict[str, object], code: str
) -> None:
    form = {"bank_code": JOINT, "division_code": "510107", "by": LI_QIANG, "at": AT} | changes
    refused(code, lambda: actions.apply(wang_fang.pk, **form))  # type: ignore[arg-type]


@pytest.mark.clause("G5", "B1")
def test_two_halves_are_activated_apart(wang_fang: Holder, ready: Ready) -> None:
    case = ready(wang_fang)
    refused("card_illegal_move", lambda: actions.activate(case.card_id, by=LI_QIANG, at=AT))  # type: ignore[arg-type]
    card = actions.hand_over(case.pk, by=LI_QIANG, at=AT)
    assert state(card) == ("A", "preopened")
    actions.activate_account(card.pk, by=LI_QIANG, at=AT)
    assert state(card) == ("A", "active")
    actions.activate(card.pk, by=LI_QIANG, at=AT)
    assert state(card) == ("1", "active")
    assert Case.objects.get(pk=case.pk).status == "done"
    refusal = refused("card_illegal_move", lambda: actions.activate(card.pk, by=LI_QIANG, at=AT))
    assert refusal.message == "卡片当前为“正常”，不能办理启用。卡片可以正常使用。"
    assert refusal.facts == {"from": "1", "to": "1"}
    assert [e.kind for e in queries.events_of(card)] == ["handed_over", "account_activated", "activated"]


def test_a_card_is_handed_over_once(wang_fang: Holder, ready: Ready) -> None:
    case = ready(wang_fang)
    actions.hand_over(case.pk, by=LI_QIANG, at=AT)
    refusal = refused("case_illegal_move", lambda: actions.hand_over(case.pk, by=LI_QIANG, at=AT))
    assert refusal.message.startswith("受理单当前为“已办结”")


@pytest.mark.clause("G5", "N17", "S14", "B2")
def test_a_temporary_loss_stops_both_halves_and_ends_by_itself(wang_fang: Holder, carry: Carry) -> None:
    card = carry(wang_fang)
    actions.report_temporary_loss(card.pk, by=herself(wang_fang), at=AT)
    assert state(card) == ("B", "active"), "until the bank has answered"
    bank_answers()
    assert state(card) == ("B", "lost")
    lost = Card.objects.get(pk=card.pk)
    assert lost.loss_ends_at == AT + days(7)
    cover = queries.loss_cover(lost, day=day_of(AT))
    assert (cover.social_security, cover.bank, cover.ends_at) == (True, True, AT + days(7))
    assert actions.release_ended_losses(at=AT + days(6.99)) == 0
    assert actions.release_ended_losses(at=AT + days(7)) == 1
    assert state(card) == ("1", "active")
    assert actions.release_ended_losses(at=AT + days(8)) == 0
    last = queries.events_of(card).last()
    assert last is not None
    assert (last.kind, last.from_status, last.to_status, last.actor_name) == ("loss_ended", "B", "1", "平台")


@pytest.mark.clause("G5", "B2")
def test_where_the_bank_has_not_joined_only_one_half_stops(wang_fang: Holder, carry: Carry) -> None:
    card = carry(wang_fang, bank_code=APART)
    actions.report_loss(card.pk, by=LI_QIANG, at=AT)
    assert state(card) == ("2", "active")
    cover = queries.loss_cover(Card.objects.get(pk=card.pk), day=day_of(AT))
    assert (cover.social_security, cover.bank, cover.hotline) == (True, False, "95901")
    assert "须另向天府惠民银行挂失" in cover.advice


@pytest.mark.clause("G5", "B2")
def test_every_move_defers_the_job_of_the_codes_in_its_transaction(wang_fang: Holder, carry: Carry) -> None:
    card = carry(wang_fang)
    ProcrastinateJob.objects.all().delete()
    actions.report_loss(card.pk, by=LI_QIANG, at=AT)
    assert list(ProcrastinateJob.objects.order_by("id").values_list("task_name", "args")) == [
        ("codes.card_changed", {"card_id": str(card.pk)}),
        ("banks.send", {"bank": JOINT}),
    ]


@pytest.mark.clause("G5", "B2")
def test_a_temporary_loss_is_released_by_the_holder_a_formal_one_at_the_counter(
    wang_fang: Holder, carry: Carry
) -> None:
    card = carry(wang_fang)
    actions.report_temporary_loss(card.pk, by=herself(wang_fang), at=AT)
    actions.release_loss(card.pk, by=herself(wang_fang), at=AT)
    assert state(card) == ("1", "active")
    actions.report_loss(card.pk, by=herself(wang_fang), at=AT)
    refused("channel_not_offered", lambda: actions.release_loss(card.pk, by=herself(wang_fang), at=AT))
    actions.release_loss(card.pk, by=LI_QIANG, at=AT)
    assert state(card) == ("1", "active")
    refused("card_illegal_move", lambda: actions.release_loss(card.pk, by=LI_QIANG, at=AT))


@pytest.mark.clause("G5", "S14", "B2")
def test_a_province_may_make_formal_losses_final(
    wang_fang: Holder, carry: Carry, settings: pytest.FixtureRequest
) -> None:
    card = carry(wang_fang)
    actions.report_loss(card.pk, by=LI_QIANG, at=AT)
    final = next(name for name in profile.names() if not profile.load(name).loss.formal_releasable)
    settings.PROVINCE = final  # type: ignore[attr-defined]
    refusal = refused("formal_loss_final", lambda: actions.release_loss(card.pk, by=LI_QIANG, at=AT))
    assert refusal.article.startswith(law.cite("S14"))


@pytest.mark.clause("G5", "B2")
def test_a_lost_card_is_replaced_and_ends_when_the_new_one_is_activated(
    wang_fang: Holder, carry: Carry
) -> None:
    old = carry(wang_fang)
    ECard.objects.create(holder=wang_fang, card=old, number="E1", issued_at=AT)
    refused("loss_first", lambda: actions.replace(wang_fang.pk, reason="lost", **LOSS))
    actions.report_loss(old.pk, by=LI_QIANG, at=AT)
    refused("reason_invalid", lambda: actions.replace(wang_fang.pk, reason="damaged", **LOSS))
    case = actions.replace(wang_fang.pk, reason="lost", **LOSS)
    assert (case.fee_fen, case.bank_id, case.old_card_id) == (2000, JOINT, old.pk)
    refused("has_open_case", lambda: actions.release_loss(old.pk, by=LI_QIANG, at=AT))
    refused("has_open_case", lambda: actions.cancel(old.pk, reason="moved", by=LI_QIANG, at=AT))
    new = actions.hand_over(make_card(case).pk, by=LI_QIANG, at=AT)
    bank_answers()
    assert (state(old), state(new)) == (("2", "lost"), ("A", "preopened"))
    assert ECard.objects.get().card_id == old.pk
    actions.activate(new.pk, by=LI_QIANG, at=AT)
    assert (state(old), state(new)) == (("3", "lost"), ("1", "preopened"))
    assert ECard.objects.get().card_id == new.pk
    assert queries.card_of(wang_fang.pk) == new


@pytest.mark.clause("G5", "B2")
def test_a_badly_made_card_is_replaced_free_of_charge(wang_fang: Holder, carry: Carry) -> None:
    old = carry(wang_fang)
    case = actions.replace(wang_fang.pk, reason="defect", **LOSS)
    assert case.fee_fen == 0
    new = actions.hand_over(make_card(case).pk, by=LI_QIANG, at=AT)
    assert state(old)[0] == "1"
    refused("has_coming_card", lambda: actions.replace(wang_fang.pk, reason="damaged", **LOSS))
    refused("new_card_lost_while_old_lives", lambda: actions.report_loss(new.pk, by=LI_QIANG, at=AT))
    actions.activate(new.pk, by=LI_QIANG, at=AT)
    assert (state(old)[0], state(new)[0]) == ("4", "1")
    assert Card.objects.get(pk=old.pk).cancel_reason == "replaced"


def test_a_new_card_cancelled_before_activation_leaves_the_old_one_replaceable(
    wang_fang: Holder, carry: Carry
) -> None:
    old = carry(wang_fang)
    first = actions.hand_over(
        make_card(actions.replace(wang_fang.pk, reason="damaged", **LOSS)).pk, by=LI_QIANG, at=AT
    )
    actions.cancel(first.pk, reason="request", by=LI_QIANG, at=AT)
    second = actions.hand_over(
        make_card(actions.replace(wang_fang.pk, reason="damaged", **LOSS)).pk, by=LI_QIANG, at=AT
    )
    actions.activate(second.pk, by=LI_QIANG, at=AT)
    assert [state(card)[0] for card in (old, first, second)] == ["4", "4", "1"]


@pytest.mark.clause("G5", "B2", "S2")
def test_cancelling_ends_the_card_its_e_card_and_nothing_can_follow(wang_fang: Holder, carry: Carry) -> None:
    card = carry(wang_fang)
    ECard.objects.create(holder=wang_fang, card=card, number="E1", issued_at=AT)
    refused("reason_invalid", lambda: actions.cancel(card.pk, reason="because", by=LI_QIANG, at=AT))
    actions.cancel(card.pk, reason="moved", by=LI_QIANG, at=AT)
    assert state(card)[0] == "4"
    assert ECard.objects.get().status == "removed"
    for act in (actions.report_loss, actions.report_temporary_loss, actions.release_loss, actions.activate):
        refusal = refused("card_illegal_move", lambda act=act: act(card.pk, by=LI_QIANG, at=AT))
        assert refusal.message.startswith("卡片当前为“注销”")
        assert refusal.article
    assert (
        actions.apply(wang_fang.pk, bank_code=JOINT, division_code="510107", by=LI_QIANG, at=AT).status
        == "submitted"
    )


def test_a_card_cancelled_before_hand_over_closes_its_case(wang_fang: Holder, ready: Ready) -> None:
    case = ready(wang_fang)
    actions.cancel(case.card_id, reason="request", by=LI_QIANG, at=AT)  # type: ignore[arg-type]
    stored = Case.objects.get(pk=case.pk)
    assert (stored.status, stored.closed_at) == ("done", AT)
    refused("case_illegal_move", lambda: actions.hand_over(case.pk, by=LI_QIANG, at=AT))


def test_a_card_lost_before_activation_is_not_brought_to_life_by_release(
    wang_fang: Holder, ready: Ready
) -> None:
    card = actions.hand_over(ready(wang_fang).pk, by=LI_QIANG, at=AT)
    actions.report_loss(card.pk, by=LI_QIANG, at=AT)
    refused("lost_before_activation", lambda: actions.release_loss(card.pk, by=LI_QIANG, at=AT))


@pytest.mark.clause("G5", "O10", "B4", "G17")
def test_another_city_serves_and_another_province_sees_nothing(wang_fang: Holder, carry: Carry) -> None:
    card = carry(wang_fang)
    for act in (actions.report_loss, actions.report_temporary_loss, actions.release_loss):
        refused("not_found", lambda act=act: act(card.pk, by=ZHAO_MIN, at=AT))
        with pytest.raises((Forbidden, NotFound)):
            act(card.pk, by=LEADER, at=AT)
    actions.report_loss(card.pk, by=MIAN_YANG, at=AT)
    assert state(card)[0] == "2"


def test_a_holder_cannot_touch_the_card_of_another(wang_fang: Holder, register: Carry, carry: Carry) -> None:
    card = carry(wang_fang)
    other = register(2, name="赵六")
    refused("not_found", lambda: actions.report_loss(card.pk, by=herself(other), at=AT))  # type: ignore[arg-type]


@pytest.mark.clause("G5", "B3")
def test_every_matter_has_a_number_for_its_receipt(wang_fang: Holder, carry: Carry) -> None:
    card = carry(wang_fang)
    actions.report_temporary_loss(card.pk, by=herself(wang_fang), at=AT)
    newest = queries.cases_of(wang_fang.pk)[0]
    assert (newest.kind, newest.status, newest.channel) == ("loss", "done", "mobile")
    found = queries.case(newest.number, by=LI_QIANG, at=AT)
    assert found.pk == newest.pk
    assert Look.objects.get().purpose == "查询受理进度"
    with pytest.raises(NotFound):
        queries.case(newest.number, by=ZHAO_MIN, at=AT)


def test_a_rejected_case_says_why_and_frees_the_holder(wang_fang: Holder) -> None:
    case = actions.apply(wang_fang.pk, bank_code=JOINT, division_code="510107", by=herself(wang_fang), at=AT)
    refused("note_missing", lambda: actions.reject(case.pk, reason=" ", by=LI_QIANG, at=AT))
    refused("forbidden", lambda: actions.check(case.pk, by=herself(wang_fang), at=AT))
    actions.reject(case.pk, reason="照片不清晰", by=LI_QIANG, at=AT)
    stored = Case.objects.get()
    assert (stored.status, stored.closed_at, stored.step_due_on) == ("rejected", AT, None)
    assert queries.timeline(stored)[-1].note == "照片不清晰"
    actions.apply(wang_fang.pk, bank_code=JOINT, division_code="510107", by=LI_QIANG, at=AT)


def test_a_failed_case_goes_again_and_one_in_a_batch_is_not_withdrawn(wang_fang: Holder) -> None:
    case = actions.apply(wang_fang.pk, bank_code=JOINT, division_code="510107", by=LI_QIANG, at=AT)
    Case.objects.filter(pk=case.pk).update(status=CaseStatus.FAILED)
    actions.retry(case.pk, by=LI_QIANG, at=AT)
    assert Case.objects.get().status == "checked"


def test_case_numbers_keep_growing_and_never_repeat() -> None:
    assert rules.case_number("510107", date(2026, 11, 21), 338) == "5101071121000338"
    assert rules.case_number("510107001", date(2026, 11, 21), 1_000_001) == "51010711211000001"


def test_ages_give_the_category_of_the_card() -> None:
    day = date(2026, 11, 20)
    born = [date(2021, 1, 1), date(2015, 1, 1), date(1990, 1, 1), date(1966, 11, 20), date(1966, 11, 21)]
    assert [rules.category_of(one, day).value for one in born] == ["1", "2", "3", "4", "3"]


def test_the_roles_are_kept_apart(wang_fang: Holder) -> None:
    case = actions.apply(wang_fang.pk, bank_code=JOINT, division_code="510107", by=SUPERVISOR, at=AT)
    refused("forbidden", lambda: actions.hand_over(case.pk, by=LEADER, at=AT))
