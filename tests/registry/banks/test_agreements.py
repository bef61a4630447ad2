"""Agreements: written by one, confirmed by another; what a bank may do on a day is what its agreement says."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest

from tests.agreements import agree
from tests.registry.conftest import APART, AT, JOINT, LEADER, LI_QIANG, SUPERVISOR, bank_answers
from yikatong.core.actor import Actor, Channel, Role
from yikatong.core.clock import day_of
from yikatong.core.errors import DomainError, Forbidden
from yikatong.core.models import AuditEntry
from yikatong.registry.banks import agreeing, deliveries, terms
from yikatong.registry.banks.models import Agreement, BankRequest, Delivery
from yikatong.registry.banks.rules import (
    MatterNotDelegated,
    NoAgreement,
    OpensNoAccounts,
    OutletNotDelegated,
)
from yikatong.registry.cards import actions
from yikatong.registry.cards.models import Card, Case
from yikatong.registry.holders.models import Holder
from yikatong.registry.outlets.rules import SERVICES
from yikatong.registry.regions.models import Organisation, Outlet

Carry = Callable[..., Card]
TODAY = day_of(AT)
OTHER = Actor(UUID(int=6), "刘主任", Role.SUPERVISOR, Channel.WEB, scope="51", organisation="省社保卡中心")
NEXT_YEAR = date(2027, 1, 1)


def drafted(bank: str = APART, **changes: Any) -> Agreement:
    entry: dict[str, Any] = {
        "number": "川社卡合作〔2026〕009 号",
        "valid_from": date(2026, 11, 1),
        "valid_until": date(2028, 11, 1),
        "promises": {"opens_accounts": True, "joint_loss": True, "delivers_by": 9},
    }
    return agreeing.draft(bank, **(entry | changes), by=SUPERVISOR, at=AT)


@pytest.fixture
def hall(partners: None, places: None) -> Outlet:
    """Outlets of the joint bank: one it has been delegated, one it has not."""
    keeper = Organisation.objects.create(
        code="51-bank-95901", name="蜀安银行", kind="bank", division_code="510100"
    )
    common = {
        "organisation": keeper,
        "division_code": "510107",
        "address": "示例路 1 号",
        "hours": "周一至周五",
        "services": list(SERVICES),
    }
    for number in (1, 2):
        Outlet.objects.create(number=f"510107000{number}", name=f"蜀安银行第{number}网点", **common)
    return Outlet.objects.get(number="5101070001")


def lin_fang(outlet: Outlet | None) -> Actor:
    return Actor(
        UUID(int=7), "林芳", Role.BANK_CLERK, Channel.COUNTER, scope="5101", bank=JOINT,
        outlet_id=outlet.pk if outlet else None,
    )  # fmt: skip


@pytest.mark.clause("G12", "K2")
def test_it_holds_once_another_has_confirmed_it(partners: None) -> None:
    Agreement.objects.filter(bank=APART).delete()
    made = drafted()
    assert terms.in_force(APART, TODAY) is None, "a draft promises nothing"
    with pytest.raises(agreeing.FourEyesOfAgreement, match="录入人不能复核自己录入的协议"):
        agreeing.confirm(made.pk, by=SUPERVISOR, at=AT)
    assert terms.in_force(APART, TODAY) is None

    agreeing.confirm(made.pk, by=OTHER, at=AT)

    found = terms.in_force(APART, TODAY)
    assert found == made
    assert terms.in_force(APART, date(2026, 10, 31)) is None
    assert terms.in_force(APART, date(2028, 11, 1)) is None, "half-open"
    with pytest.raises(agreeing.NotADraft):
        agreeing.confirm(made.pk, by=OTHER, at=AT)
    events = AuditEntry.objects.filter(event__startswith="banks:agreement").order_by("pk")
    assert [(one.event.rpartition(":")[2], one.actor_name) for one in events] == [
        ("drafted", "周主任"),
        ("confirmed", "刘主任"),
    ]


def test_the_next_agreement_takes_the_place_of_the_last(partners: None) -> None:
    before = Agreement.objects.get(bank=APART)
    made = drafted(valid_from=NEXT_YEAR, valid_until=date(2029, 1, 1))
    agreeing.confirm(made.pk, by=OTHER, at=AT)

    assert terms.in_force(APART, date(2026, 12, 31)) == before
    assert terms.in_force(APART, NEXT_YEAR) == made
    before.refresh_from_db()
    assert (before.ends_on, before.end_reason) == (NEXT_YEAR, f"由协议 {made.number} 接替")

    earlier = drafted(number="更早", valid_from=date(2026, 12, 1), valid_until=date(2030, 1, 1))
    with pytest.raises(agreeing.LaterAgreement):
        agreeing.confirm(earlier.pk, by=OTHER, at=AT)
    agreeing.drop(earlier.pk, by=SUPERVISOR, at=AT)
    assert Agreement.objects.get(pk=earlier.pk).status == "dropped"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"valid_until": date(2026, 11, 1)}, "agreement_invalid"),
        ({"number": f"协议-{APART}"}, "agreement_number_taken"),
        ({"bank": "00000"}, "bank_unknown"),
    ],
)
def test_a_wrong_draft_is_refused(partners: None, changes: dict[str, Any], code: str) -> None:
    before = Agreement.objects.count()
    with pytest.raises(DomainError) as refusal:
        drafted(**changes)
    assert refusal.value.code == code
    assert Agreement.objects.count() == before


def test_only_the_province_s_supervisors_write_agreements(partners: None) -> None:
    made = drafted()
    for by in (LEADER, LI_QIANG):
        with pytest.raises(Forbidden):
            agreeing.confirm(made.pk, by=by, at=AT)
    of_a_city = Actor(UUID(int=12), "市主任", Role.SUPERVISOR, Channel.WEB, scope="5101")
    with pytest.raises(Forbidden, match="只能由省级岗位办理"):
        agreeing.confirm(made.pk, by=of_a_city, at=AT)
    assert Agreement.objects.get(pk=made.pk).status == "draft"


@pytest.mark.clause("G12", "G20", "K2")
def test_without_an_agreement_no_new_cards_and_the_old_ones_go_on(wang_fang: Holder, carry: Carry) -> None:
    card = carry(wang_fang)
    agreement = Agreement.objects.get(bank=JOINT)
    asked = agreeing.ask_end(agreement.pk, on=TODAY, reason="服务质量不达标", by=SUPERVISOR, at=AT)
    assert terms.in_force(JOINT, TODAY) == agreement, "it holds until another has confirmed its end"
    with pytest.raises(agreeing.FourEyesOfAgreement):
        agreeing.confirm_end(asked.pk, by=SUPERVISOR, at=AT)
    agreeing.confirm_end(asked.pk, by=OTHER, at=AT)
    assert terms.in_force(JOINT, TODAY) is None

    with pytest.raises(NoAgreement) as refusal:
        actions.replace(
            wang_fang.pk, reason="damaged", bank_code=JOINT, division_code="510107", by=LI_QIANG, at=AT
        )
    assert refusal.value.message == (
        "蜀安银行目前没有生效的合作协议，不能办理新卡；已经发放的卡不受影响。请选择其他合作银行。"
    )
    assert not Case.objects.filter(kind="replace").exists()
    assert [bank.pk for bank in terms.offered(TODAY)] == [APART]

    actions.report_loss(card.pk, by=LI_QIANG, at=AT)
    assert BankRequest.objects.get(act="report_loss").bank_id == JOINT, "its duty to existing cards goes on"
    bank_answers()
    assert Card.objects.select_related("account").get(pk=card.pk).account.status == "lost"  # type: ignore[union-attr]


def test_a_bank_whose_agreement_opens_no_accounts_takes_none(wang_fang: Holder) -> None:
    agree(JOINT, opens_accounts=False)
    with pytest.raises(OpensNoAccounts):
        actions.apply(wang_fang.pk, bank_code=JOINT, division_code="510107", by=LI_QIANG, at=AT)
    assert [bank.pk for bank in terms.offered(TODAY)] == [APART]


@pytest.mark.parametrize(
    ("on", "reason", "refused"),
    [
        (TODAY - timedelta(days=1), "到期不再续签", agreeing.CannotEnd),
        (date(2090, 1, 1), "到期不再续签", agreeing.CannotEnd),
        (TODAY, "无", agreeing.NoReason),
    ],
)
def test_an_end_has_its_day_and_its_reason(partners: None, on: date, reason: str, refused: type) -> None:
    agreement = Agreement.objects.get(bank=JOINT)
    with pytest.raises(refused):
        agreeing.ask_end(agreement.pk, on=on, reason=reason, by=SUPERVISOR, at=AT)
    assert Agreement.objects.get(pk=agreement.pk).ends_on is None


@pytest.mark.clause("G12", "K2")
def test_an_outlet_does_what_is_delegated_and_nothing_else(
    hall: Outlet, wang_fang: Holder, carry: Carry
) -> None:
    card = carry(wang_fang)
    agree(JOINT, outlets=[hall.pk], matters=["loss"])
    actions.report_temporary_loss(card.pk, by=lin_fang(hall), at=AT)

    with pytest.raises(MatterNotDelegated) as refusal:
        actions.release_loss(card.pk, by=lin_fang(hall), at=AT)
    assert (refusal.value.message, refusal.value.status) == (
        "合作协议没有委托本行网点办理解挂，请到社会保障服务大厅办理。", 403,
    )  # fmt: skip
    second = Outlet.objects.get(number="5101070002")
    for outlet in (second, None):
        with pytest.raises(OutletNotDelegated):
            actions.report_loss(card.pk, by=lin_fang(outlet), at=AT)
    assert Card.objects.get(pk=card.pk).status == "B"
    assert terms.delegated(by=lin_fang(hall), at=AT) == {"loss"}
    assert terms.delegated(by=lin_fang(second), at=AT) == frozenset()
    actions.release_loss(card.pk, by=LI_QIANG, at=AT)


@pytest.mark.clause("G12", "K3")
def test_lists_are_owed_only_for_the_days_agreed(partners: None) -> None:
    agree(APART, delivers_by=9, valid_from=TODAY - timedelta(days=2))
    Delivery.objects.create(bank_id=APART, day=TODAY - timedelta(days=5), due_at=AT, received_at=AT)
    assert deliveries.expect(at=AT) == 2
    owed = Delivery.objects.filter(received_at=None).order_by("day")
    assert [one.day for one in owed] == [TODAY - timedelta(days=2), TODAY - timedelta(days=1)]
    assert owed[0].due_at == deliveries.due_at(9, owed[0].day)
