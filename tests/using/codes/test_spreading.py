"""How long a loss takes to reach gate, lists and bank, as noted by the jobs that bring it there."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from tests import cast
from tests.bank_sandbox import Sandbox
from tests.using.codes.losing import lost
from yikatong.core.actor import SYSTEM
from yikatong.core.clock import now
from yikatong.registry.banks import tasks as bank_tasks
from yikatong.registry.banks.models import BankRequest
from yikatong.registry.cards import actions as cards
from yikatong.registry.cards.models import Card, CardEvent
from yikatong.using.codes import spreading, tasks
from yikatong.using.codes.models import LossSpread, Standing

Times = Callable[..., None]


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
    legs = spreading.legs(SYSTEM, at=now())
    assert [(leg.name, leg.day.count, leg.week.count, leg.waiting) for leg in legs] == [
        ("gate", 1, 1, 0), ("list", 1, 1, 0), ("most", 0, 0, 1), ("all", 0, 0, 1), ("bank", 1, 1, 0),
        ("partners", 0, 0, 0),
    ]  # fmt: skip
    assert legs[0].day.worst == pytest.approx((spread.gate_at - spread.reported_at).total_seconds(), abs=1e-3)


@pytest.mark.clause("B2")
def test_what_has_not_arrived_waits(card: Card, bank_away: Sandbox) -> None:
    lost(card)
    LossSpread.objects.update(list_at=None, gate_at=None)
    bank_tasks.send(cast.JOINT)
    found = spreading.legs(SYSTEM, at=now())
    assert [(leg.name, leg.week.count, leg.week.median, leg.waiting) for leg in found] == [
        ("gate", 0, None, 1), ("list", 0, None, 1), ("most", 0, None, 1), ("all", 0, None, 1), ("bank", 0, None, 1),
        ("partners", 0, None, 0),
    ]  # fmt: skip
    assert spreading.note_lists(at=now()) == 1, "all its references stand in a list"
    assert spreading.note_lists(at=now()) == 0


def test_median_and_worst_of_several(card: Card, bank: Sandbox) -> None:
    at = now()
    for seconds in (1, 2, 30):
        _spread(card, at - timedelta(hours=23), gate=seconds)
    _spread(card, at - timedelta(days=3), gate=60)
    _spread(card, at - timedelta(days=8), gate=999)
    leg = spreading.legs(SYSTEM, at=at)[0]
    assert (leg.day.count, leg.day.median, leg.day.worst) == (3, 2.0, 30)
    assert leg.day.most == pytest.approx(27.2)
    assert (leg.week.count, leg.week.median, leg.week.worst) == (4, 16.0, 60)
    elsewhere = cast.staff("陈静", "elsewhere", scope="5107").actor()
    assert spreading.legs(elsewhere, at=at)[0].week.count == 0


def _spread(card: Card, at: datetime, *, gate: float) -> None:
    event = CardEvent.objects.create(card=card, at=at, kind="lost", from_status="1", to_status="2")
    LossSpread.objects.create(
        event=event,
        division_code=card.division_code,
        reported_at=at,
        gate_at=at + timedelta(seconds=gate),
        needs_list=False,
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
