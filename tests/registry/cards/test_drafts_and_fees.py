"""Begun in one channel and ended in another; what a replacement costs, and why it may cost nothing."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest

from tests.registry.conftest import (
    APART,
    AT,
    CLOSED,
    JOINT,
    LI_QIANG,
    SUPERVISOR,
    ZHAO_MIN,
    herself,
    make_card,
)
from yikatong.core.actor import Actor, Channel, Role
from yikatong.core.errors import DomainError, Forbidden, NotFound
from yikatong.core.models import AuditEntry
from yikatong.registry.cards import actions, refusals, rules
from yikatong.registry.cards.actions import Wish
from yikatong.registry.cards.models import Card, Case, CaseKind
from yikatong.registry.holders import actions as holder_acts
from yikatong.registry.holders.models import Holder
from yikatong.registry.regions.law import province

pytestmark = pytest.mark.django_db

LATER = AT + timedelta(days=3)


def at_kiosk(holder: Holder) -> Actor:
    return Actor(holder.pk, "持卡人本人", Role.HOLDER, Channel.KIOSK)


def draft(holder: Holder, by: Actor | None = None, **wish: Any) -> Case:
    given = Wish(**({"division_code": "510107"} | wish))
    return actions.save_draft(holder.pk, kind=CaseKind.APPLY, wish=given, by=by or herself(holder), at=AT)


@pytest.mark.clause("B1", "B3", "S14", "G5")
def test_begun_on_a_phone_ended_at_the_counter(wang_fang: Holder) -> None:
    begun = draft(wang_fang, bank_code=APART)
    ended = actions.apply(wang_fang.pk, bank_code=JOINT, division_code="510107", by=LI_QIANG, at=LATER)

    assert (ended.pk, ended.number, ended.status, ended.bank_id) == (
        begun.pk,
        begun.number,
        "submitted",
        JOINT,
    )
    assert (ended.channel, ended.created_by, ended.step_due_on) == ("mobile", "李强", date(2026, 11, 25))
    assert list(ended.steps.values_list("status", "channel")) == [
        ("draft", "mobile"),
        ("submitted", "counter"),
    ]


@pytest.mark.clause("B1", "B3")
def test_begun_at_the_counter_ended_by_the_holder_at_a_kiosk(wang_fang: Holder) -> None:
    begun = draft(wang_fang, by=LI_QIANG)
    ended = actions.apply(
        wang_fang.pk, bank_code=JOINT, division_code="510107", delivery="1", address="示例路 9 号",
        by=at_kiosk(wang_fang), at=LATER,
    )  # fmt: skip

    assert (ended.pk, ended.channel, ended.delivery, ended.address) == (
        begun.pk,
        "counter",
        "1",
        "示例路 9 号",
    )
    assert Case.objects.count() == 1
    assert list(ended.steps.values_list("status", "channel")) == [
        ("draft", "counter"),
        ("submitted", "kiosk"),
    ]


def test_saving_again_keeps_one_draft_with_what_was_said_last(wang_fang: Holder) -> None:
    first = draft(wang_fang, bank_code=APART, address="甲")
    second = draft(wang_fang, by=LI_QIANG, bank_code=JOINT)

    stored = Case.objects.get()
    assert (second.pk, stored.bank_id, stored.address, stored.step_due_on) == (
        first.pk,
        JOINT,
        None,
        date(2026, 12, 20),
    )
    assert list(stored.steps.values_list("channel", flat=True)) == ["mobile", "counter"]


def test_a_draft_is_no_open_matter_and_may_be_dropped(wang_fang: Holder) -> None:
    begun = draft(wang_fang)

    assert actions.withdraw(begun.pk, by=herself(wang_fang), at=AT).status == "withdrawn"
    assert draft(wang_fang).number != begun.number


def test_a_draft_too_old_is_withdrawn(wang_fang: Holder) -> None:
    begun = draft(wang_fang)

    assert actions.close_uncorrected(at=AT + timedelta(days=30)) == 0
    assert actions.close_uncorrected(at=AT + timedelta(days=31)) == 1
    begun.refresh_from_db()
    assert (begun.status, begun.steps.latest("at").note) == ("withdrawn", "草稿保存期满，自动撤回")


def test_a_draft_of_another_matter_gives_way(carry: Callable[..., Card], wang_fang: Holder) -> None:
    carry(wang_fang)
    wish = Wish(division_code="510107", reason="damaged")
    first = actions.save_draft(wang_fang.pk, kind=CaseKind.REPLACE, wish=wish, by=LI_QIANG, at=AT)
    Case.objects.filter(pk=first.pk).update(kind=CaseKind.APPLY)  # a roster has brought the card meanwhile
    saved = actions.save_draft(wang_fang.pk, kind=CaseKind.REPLACE, wish=wish, by=LI_QIANG, at=AT)

    first.refresh_from_db()
    assert (first.status, first.steps.latest("at", "id").note) == ("withdrawn", "改办补换")
    assert (saved.kind, saved.status, saved.reason) == ("replace", "draft", "damaged")
    with pytest.raises(refusals.HasCard):
        draft(wang_fang)


@pytest.mark.parametrize(
    ("wish", "refusal"),
    [
        ({"bank_code": CLOSED}, DomainError),
        ({"outlet_id": UUID(int=7)}, refusals.NoOutlet),
        ({"delivery": "9"}, refusals.BadDelivery),
    ],
)
def test_a_wrong_draft_is_refused(
    wang_fang: Holder, wish: dict[str, Any], refusal: type[DomainError]
) -> None:
    with pytest.raises(refusal):
        draft(wang_fang, **wish)

    assert Case.objects.count() == 0


def test_a_draft_waits_for_no_second_application(wang_fang: Holder) -> None:
    actions.apply(wang_fang.pk, bank_code=JOINT, division_code="510107", by=LI_QIANG, at=AT)

    with pytest.raises(refusals.HasOpenCase):
        draft(wang_fang)
    with pytest.raises(NotFound):
        draft(wang_fang, by=ZHAO_MIN)


# --- fees ---


def replace(holder: Holder, by: Actor = LI_QIANG, **more: Any) -> Case:
    return actions.replace(
        holder.pk, **({"reason": "damaged", "division_code": "510107"} | more), by=by, at=AT
    )


def category(holder: Holder, kind: str, *, until: date | None = None) -> None:
    holder_acts.add_category(
        holder.pk,
        kind=kind,
        valid_from=date(2020, 1, 1),
        valid_until=until,
        source="民政",
        by=LI_QIANG,
        at=AT,
    )


@pytest.mark.clause("B3", "S14")
def test_a_replacement_is_paid_by_receipt_before_it_is_handed_over(
    carry: Callable[..., Card], wang_fang: Holder
) -> None:
    carry(wang_fang)
    case = replace(wang_fang)
    assert (case.fee_fen, case.fee_ground, case.fee_paid_at) == (2000, "", None)
    card = make_card_unpaid(case)
    with pytest.raises(refusals.FeeUnpaid, match=r"工本费 20.00 元尚未缴纳"):
        actions.hand_over(case.pk, by=LI_QIANG, at=AT)

    paid = actions.take_fee(case.pk, receipt=" sj-2026-001 ", by=LI_QIANG, at=LATER)

    assert (paid.fee_receipt, paid.fee_paid_at) == ("SJ-2026-001", LATER)
    assert AuditEntry.objects.filter(event="cards:case:fee_paid").latest("at").facts == {"fen": 2000}
    with pytest.raises(refusals.FeePaid):
        actions.take_fee(case.pk, receipt="SJ-2026-002", by=LI_QIANG, at=LATER)
    assert actions.hand_over(case.pk, by=LI_QIANG, at=LATER).pk == card.pk


def make_card_unpaid(case: Case) -> Card:
    made = make_card(case)
    Case.objects.filter(pk=case.pk).update(fee_receipt="", fee_paid_at=None)
    assert made.card is not None
    return made.card


def test_one_receipt_pays_one_case(
    carry: Callable[..., Card], register: Callable[..., Holder], wang_fang: Holder
) -> None:
    other = register(2)
    carry(wang_fang)
    carry(other)
    actions.take_fee(replace(wang_fang).pk, receipt="SJ-1001", by=LI_QIANG, at=AT)
    second = replace(other)

    with pytest.raises(refusals.ReceiptUsed):
        actions.take_fee(second.pk, receipt="SJ-1001", by=LI_QIANG, at=AT)
    with pytest.raises(refusals.ReceiptInvalid):
        actions.take_fee(second.pk, receipt="无", by=LI_QIANG, at=AT)
    with pytest.raises(Forbidden):
        actions.take_fee(second.pk, receipt="SJ-1002", by=herself(other), at=AT)


def test_a_first_card_costs_nothing(wang_fang: Holder) -> None:
    case = actions.apply(wang_fang.pk, bank_code=JOINT, division_code="510107", by=LI_QIANG, at=AT)

    assert case.fee_fen == 0
    with pytest.raises(refusals.NothingToPay):
        actions.take_fee(case.pk, receipt="SJ-1001", by=LI_QIANG, at=AT)


@pytest.mark.clause("B3")
def test_a_proven_category_pays_nothing_and_the_ground_is_kept(
    carry: Callable[..., Card], wang_fang: Holder
) -> None:
    carry(wang_fang)
    category(wang_fang, "low_income")
    case = replace(wang_fang, by=herself(wang_fang))

    assert (case.fee_fen, case.fee_ground) == (0, "low_income")


@pytest.mark.parametrize(
    ("kind", "until"),
    [("low_income", date(2026, 11, 20)), ("veteran", None)],  # over today; not waived for in this province
)
def test_a_category_over_or_not_waived_pays(
    carry: Callable[..., Card], wang_fang: Holder, kind: str, until: date | None
) -> None:
    carry(wang_fang)
    category(wang_fang, kind, until=until)

    assert replace(wang_fang).fee_fen == 2000


def test_a_badly_made_card_says_so(carry: Callable[..., Card], wang_fang: Holder) -> None:
    carry(wang_fang)
    case = replace(wang_fang, reason="defect")

    assert (case.fee_fen, case.fee_ground) == (0, "defect")


def test_where_nothing_is_taken_from_anybody_no_card_was_badly_made() -> None:
    free = province().model_copy(update={"card": province().card.model_copy(update={"replacement_fen": 0})})
    assert rules.fee("lost", free, proven=()) == rules.Fee(0)
    assert rules.fee("defect", free, proven=()) == rules.Fee(0, "defect")


@pytest.mark.parametrize(
    ("ground", "note", "refusal"),
    [
        ("low_income", "", refusals.WaiverUnproven),
        ("disaster", " ", refusals.WaiverNoteMissing),
        ("veteran", "", refusals.WaiverUnknown),
        ("friendship", "熟人", refusals.WaiverUnknown),
    ],
)
def test_a_waiver_needs_its_ground(
    carry: Callable[..., Card], wang_fang: Holder, ground: str, note: str, refusal: type[DomainError]
) -> None:
    carry(wang_fang)

    with pytest.raises(refusal):
        replace(wang_fang, fee_ground=ground, fee_note=note)

    assert not Case.objects.filter(kind="replace").exists()


def test_staff_record_a_waiver_and_a_supervisor_may_later(
    carry: Callable[..., Card], wang_fang: Holder, register: Callable[..., Holder]
) -> None:
    carry(wang_fang)
    with pytest.raises(Forbidden):
        replace(wang_fang, by=herself(wang_fang), fee_ground="disaster", fee_note="洪水")
    case = replace(wang_fang, fee_ground="disaster", fee_note="洪水，社区证明")
    assert (case.fee_fen, case.fee_ground, case.fee_note) == (0, "disaster", "洪水，社区证明")

    other = register(2)
    carry(other)
    later = replace(other)
    with pytest.raises(Forbidden):
        actions.waive_fee(later.pk, ground="policy", note="换发通知", by=LI_QIANG, at=AT)
    waived = actions.waive_fee(later.pk, ground="policy", note="换发通知", by=SUPERVISOR, at=AT)
    assert (waived.fee_fen, waived.fee_ground) == (0, "policy")
