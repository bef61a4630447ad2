"""A clerk reads a card: which cards, for whom, and what the holder sees of it."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from tests.registry.conftest import AT, LI_QIANG
from yikatong.adapters.hsm.soft import SoftHsm
from yikatong.adapters.national_card import registered, terminal
from yikatong.core.actor import Actor, Channel, Role
from yikatong.core.errors import Forbidden
from yikatong.core.models import AuditEntry, Look
from yikatong.registry.cards import actions
from yikatong.registry.cards.actions.reading import CardUnknown, authenticate
from yikatong.registry.cards.chip.faults import CardFault
from yikatong.registry.cards.chip.messages import AuthAnswer
from yikatong.registry.cards.models import Card
from yikatong.registry.holders.models import Holder

pytestmark = pytest.mark.django_db
ZHAO_MIN = Actor(None, "赵敏", Role.CLERK, Channel.COUNTER, scope="5001")
LEADER = Actor(None, "周敏华", Role.LEADER, Channel.WEB, scope="51")


def begun(card: Card) -> tuple[terminal.Channel, terminal.Begun]:
    chip = registered.virtual(card, SoftHsm())
    return chip, terminal.begin(chip)


def looks(holder: Holder) -> list[Look]:
    return list(Look.objects.filter(holder_id=holder.pk, purpose="窗口读卡"))


@pytest.mark.clause("G17", "S14", "E3")
def test_a_clerk_reads_a_card_and_the_holder_sees_it(
    wang_fang: Holder, carry: Callable[[Holder], Card]
) -> None:
    card = carry(wang_fang)
    chip, asked = begun(card)
    done = authenticate(asked.request.text(), by=LI_QIANG, at=AT)
    assert (done.card_id, done.holder_id) == (card.pk, wang_fang.pk)
    basics = terminal.finish(chip, asked, AuthAnswer.read(done.answer))
    assert (basics.name, basics.social_security_number, basics.card_number) == (
        wang_fang.name, wang_fang.social_security_number, card.number,
    )  # fmt: skip
    (look,) = looks(wang_fang)
    assert (look.looker_name, look.at, look.fields) == (LI_QIANG.name, AT, ["社会保障号码", "姓名", "卡号"])


@pytest.mark.clause("B2")
def test_a_lost_card_is_read_at_the_counter_so_that_it_can_be_released(
    wang_fang: Holder, carry: Callable[[Holder], Card]
) -> None:
    card = carry(wang_fang)
    actions.report_temporary_loss(card.pk, by=LI_QIANG, at=AT + timedelta(minutes=1))
    _, asked = begun(card)
    assert authenticate(asked.request.text(), by=LI_QIANG, at=AT + timedelta(minutes=2)).card_id == card.pk


@pytest.mark.clause("S15", "G17")
def test_another_province_s_clerk_and_other_roles_read_nothing(
    wang_fang: Holder, carry: Callable[[Holder], Card]
) -> None:
    _, asked = begun(carry(wang_fang))
    before = (Look.objects.count(), AuditEntry.objects.count())
    with pytest.raises(CardUnknown, match="不在本省登记"):
        authenticate(asked.request.text(), by=ZHAO_MIN, at=AT)
    with pytest.raises(Forbidden):
        authenticate(asked.request.text(), by=LEADER, at=AT)
    assert (Look.objects.count(), AuditEntry.objects.count()) == before


def test_a_chip_that_differs_from_the_register_is_refused(
    wang_fang: Holder, carry: Callable[[Holder], Card]
) -> None:
    card = carry(wang_fang)
    _, asked = begun(card)
    text = asked.request.text().replace(card.reset_info, "0" * 26)
    with pytest.raises(CardFault) as refusal:
        authenticate(text, by=LI_QIANG, at=AT)
    assert (refusal.value.number, refusal.value.message) == (-22, "传入数据与卡内不符，请重新读卡")
    assert looks(wang_fang) == []
