"""How long a loss takes to reach gate, lists and bank, as noted by the jobs that bring it there."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from tests import cast
from tests.bank_sandbox import Sandbox
from tests.using.codes.test_devices import KEY
from tests.using.people import of
from yikatong.core.actor import SYSTEM
from yikatong.core.clock import now
from yikatong.registry.banks import tasks as bank_tasks
from yikatong.registry.banks.models import BankRequest
from yikatong.registry.cards import actions as cards
from yikatong.registry.cards.models import Card, CardEvent
from yikatong.using.codes import actions, publish, spreading, tasks
from yikatong.using.codes.models import LossSpread, Standing

Times = Callable[..., None]


@pytest.fixture
def card(db: None) -> Card:
    """王芳's, with credentials in her phone."""
    cast.set_stage()
    wang = cast.wang_fang()
    card = cast.card_in_use(wang)
    actions.issue_ecard(wang.pk, by=of(wang), at=now())
    phone = actions.register_device(wang.pk, public_key=KEY.public, name="手机", by=of(wang), at=now())
    actions.issue_credentials(phone.id, by=of(wang), at=now())
    publish.publish_lists(at=now())
    return card


def lost(card: Card) -> LossSpread:
    cards.report_temporary_loss(card.pk, by=cast.clerk(), at=now())
    tasks.card_changed(str(card.pk))
    return LossSpread.objects.select_related("event").get()


@pytest.mark.clause("G5", "N17", "B2")
def test_a_loss_is_noted_where_it_arrives(card: Card, bank: Sandbox) -> None:
    spread = lost(card)
    assert (spread.event.kind, spread.reported_at) == ("temporarily_lost", spread.event.at)
    assert spread.gate_at is not None
    assert spread.list_at is not None
    assert spread.needs_list
    assert spread.reported_at < spread.gate_at < spread.list_at
    assert spread.bank_request == BankRequest.objects.get()
    bank_tasks.send(cast.JOINT)
    gate, lists, at_bank = spreading.legs(SYSTEM, today=now() - timedelta(hours=1))
    assert [(leg.name, leg.today, leg.month, leg.waiting) for leg in (gate, lists, at_bank)] == [
        ("gate", 1, 1, 0), ("list", 1, 1, 0), ("bank", 1, 1, 0),
    ]  # fmt: skip
    assert gate.today_worst == pytest.approx((spread.gate_at - spread.reported_at).total_seconds(), abs=1e-3)


@pytest.mark.clause("B2")
def test_what_has_not_arrived_waits(card: Card, bank_away: Sandbox) -> None:
    lost(card)
    LossSpread.objects.update(list_at=None, gate_at=None)
    bank_tasks.send(cast.JOINT)
    found = spreading.legs(SYSTEM, today=now() - timedelta(hours=1))
    assert [(leg.name, leg.month, leg.month_median, leg.waiting) for leg in found] == [
        ("gate", 0, None, 1), ("list", 0, None, 1), ("bank", 0, None, 1),
    ]  # fmt: skip
    assert spreading.note_lists(at=now()) == 1, "all its references stand in a list"
    assert spreading.note_lists(at=now()) == 0


def test_median_and_worst_of_several(card: Card, bank: Sandbox) -> None:
    since = now()
    for seconds in (1, 2, 30):
        _spread(card, since, gate=seconds)
    _spread(card, since - timedelta(days=3), gate=60)
    _spread(card, since - timedelta(days=31), gate=999)
    leg = spreading.legs(SYSTEM, today=since)[0]
    assert (leg.today, leg.today_median, leg.today_worst) == (3, 2.0, 30)
    assert (leg.month, leg.month_median, leg.month_worst) == (4, 16.0, 60)
    elsewhere = cast.staff("陈静", "elsewhere", scope="5107").actor()
    assert spreading.legs(elsewhere, today=since)[0].month == 0


def _spread(card: Card, at: datetime, *, gate: float) -> None:
    event = CardEvent.objects.create(card=card, at=at, kind="lost", from_status="1", to_status="2")
    LossSpread.objects.create(
        event=event, reported_at=at, gate_at=at + timedelta(seconds=gate), needs_list=False
    )


def test_a_loss_made_formal_and_one_that_is_over_are_not_noted_again(card: Card, bank: Sandbox) -> None:
    spread = lost(card)
    cards.report_loss(card.pk, by=cast.clerk(), at=now())
    tasks.card_changed(str(card.pk))
    assert LossSpread.objects.get().gate_at == spread.gate_at
    cards.release_loss(card.pk, by=cast.clerk(), at=now())
    tasks.card_changed(str(card.pk))
    assert LossSpread.objects.count() == 1


def test_a_gate_that_still_lets_it_pass_is_not_called_stopped(card: Card, bank: Sandbox) -> None:
    cards.report_temporary_loss(card.pk, by=cast.clerk(), at=now())
    Standing.objects.update(card_status="1")
    spreading.note_loss(card.pk, at=now())
    assert LossSpread.objects.get().gate_at is None
