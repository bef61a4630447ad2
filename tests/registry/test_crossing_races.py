"""Acts of different rooms that cross on one person, on real connections: lawful one after another, whoever is first.

Each race is run in both orders of starting; no deadlock and no bare database error may reach anyone, and the books
are in order afterwards. Two of the same act are in tests/registry/cards/test_races.py.
"""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest

from tests.refusals.stage import APART, JOINT, Stage
from tests.registry.cards.test_races import together
from tests.registry.conftest import AT, LI_QIANG, MIAN_YANG, SUPERVISOR, bank_answers
from yikatong.core.sm import sm2
from yikatong.insight.soundness import checking
from yikatong.registry.banks import actions as banks
from yikatong.registry.cards import actions, batches
from yikatong.registry.cards.models import Card, Case
from yikatong.registry.holders.models import Certificate, Holder, Merge
from yikatong.registry.stock import actions as stock
from yikatong.registry.stock.models import Blank, PrintJob
from yikatong.using.codes import actions as codes
from yikatong.using.codes.models import Device

pytestmark = pytest.mark.django_db(transaction=True)
Act = Callable[[], object]
#: What was made without the round of files has neither batch nor event of making; and no limit of its own.
SHORT_CUT = {
    "case_moved_along_its_table",
    "card_moved_along_its_table",
    "case_fits_its_card",
    "account_number_valid",
}


@pytest.fixture
def db(transactional_db: None) -> None:
    """The cast's fixtures ask for `db`: here they must commit."""


@pytest.fixture
def stage(places: None, partners: None, settings: Any, tmp_path: Any) -> Stage:
    return Stage(tmp_path, settings)


def raced(*acts: Act, turned: bool) -> list[str]:
    """Outcomes in the order of `acts`, started in that order or in the other."""
    outcomes = list(together(*(acts[::-1] if turned else acts)))
    return outcomes[::-1] if turned else outcomes


def assert_in_order() -> None:
    asked = [one for one in checking.INVARIANTS if one.name not in SHORT_CUT]
    assert checking.breaches(at=AT, chosen=asked) == []
    for card in Card.objects.all():
        moves = (
            card.events.exclude(from_status="").order_by("at", "pk").values_list("from_status", "to_status")
        )
        assert all(one[1] == two[0] for one, two in pairwise(list(moves)))


both_ways = pytest.mark.parametrize("turned", [False, True], ids=["first", "turned"])


@both_ways
@pytest.mark.clause("O10", "B5")
def test_two_clerks_one_blank(stage: Stage, *, turned: bool) -> None:
    seat = stage.seated()
    stock.receive(JOINT, first="000001", count=1, **seat)
    cases = [stage.checked(serial) for serial in (1, 2)]
    for number, case in enumerate(cases):
        account = f"622951900000000001{number}"
        Case.objects.filter(pk=case.pk).update(
            status="preopened",
            account=banks.preopen(case.holder_id, bank_code=JOINT, number=account, by=SUPERVISOR, at=AT),
        )
    outcomes = raced(
        *(lambda case=case: stock.issue_at_once(case.pk, **seat) for case in cases), turned=turned
    )  # type: ignore[misc]
    assert sorted(outcomes) == ["no_blank_cards", "ok"]
    assert (Blank.objects.get().status, PrintJob.objects.count()) == ("taken", 1)
    assert sorted(Case.objects.values_list("status", flat=True)) == ["preopened", "producing"]
    assert_in_order()


@both_ways
@pytest.mark.clause("B2", "B6")
def test_a_loss_and_a_change_of_bank(stage: Stage, *, turned: bool) -> None:
    card = stage.carried()
    outcomes = raced(
        lambda: actions.report_loss(card.pk, **stage.who),
        lambda: stage.replace(card, "bank", bank_code=APART),
        turned=turned,
    )
    assert outcomes[0] == "ok"
    assert outcomes[1] in {"ok", "reason_invalid"}
    bank_answers()
    card.refresh_from_db()
    assert (card.status, Case.objects.filter(kind="replace").count()) == ("2", int(outcomes[1] == "ok"))
    assert_in_order()


@both_ways
@pytest.mark.clause("A6", "B1")
def test_a_death_and_a_hand_over(stage: Stage, *, turned: bool) -> None:
    case = stage.ready()
    outcomes = raced(
        lambda: actions.record_death(case.holder_id, on=AT.date(), **stage.proven, by=MIAN_YANG, at=AT),
        lambda: actions.hand_over(case.pk, **stage.who),
        turned=turned,
    )
    assert outcomes[0] == "ok"
    assert outcomes[1] in {"ok", "case_illegal_move", "holder_not_active"}
    assert (Card.objects.get().status, Holder.objects.get().status) == ("4", "deceased")
    assert_in_order()


@both_ways
@pytest.mark.clause("B2")
def test_a_loss_and_an_activation(stage: Stage, *, turned: bool) -> None:
    card = stage.held()
    outcomes = raced(
        lambda: actions.report_loss(card.pk, by=MIAN_YANG, at=AT),
        lambda: actions.activate(card.pk, **stage.who),
        turned=turned,
    )
    assert outcomes[0] == "ok"
    assert outcomes[1] in {"ok", "card_illegal_move"}
    card.refresh_from_db()
    assert (card.status, card.activated_at is not None) == ("2", outcomes[1] == "ok")
    assert_in_order()


@both_ways
@pytest.mark.clause("A1")
def test_merges_that_cross_over_three_records(stage: Stage, *, turned: bool) -> None:
    one, two, three = (stage.enter(serial) for serial in (1, 2, 3))
    why = {"reason": "同一人多次登记", "evidence": "户口簿 1", "by": SUPERVISOR, "at": AT}
    outcomes = raced(
        lambda: actions.merge(one.pk, two.pk, **why),
        lambda: actions.merge(two.pk, three.pk, **why),
        lambda: actions.merge(three.pk, one.pk, **why),
        turned=turned,
    )
    assert outcomes.count("ok") in {1, 2}
    assert set(outcomes) <= {"ok", "holder_ended"}
    assert Merge.objects.count() == outcomes.count("ok")
    there = Holder.objects.filter(status="active").values_list("pk", flat=True)
    assert set(Certificate.objects.values_list("holder_id", flat=True)) <= set(there)
    assert_in_order()


@both_ways
@pytest.mark.clause("B1", "B3")
def test_a_merge_and_an_application(stage: Stage, *, turned: bool) -> None:
    kept, gone = stage.enter(1), stage.enter(2)
    outcomes = raced(
        lambda: actions.merge(kept.pk, gone.pk, reason="重复登记", **stage.proven, **stage.chief),
        lambda: stage.apply(gone),
        turned=turned,
    )
    assert outcomes[0] == "ok"
    assert outcomes[1] in {"ok", "holder_not_active"}
    assert Case.objects.filter(holder=gone, kind="apply", status="submitted").count() == 0
    assert_in_order()


@both_ways
@pytest.mark.clause("B1", "B3")
def test_one_application_in_two_channels(stage: Stage, *, turned: bool) -> None:
    holder = stage.enter()
    outcomes = raced(
        lambda: stage.apply(holder), lambda: stage.apply(holder, by=stage.himself(holder)), turned=turned
    )
    assert sorted(outcomes) == ["has_open_case", "ok"]
    assert Case.objects.count() == 1
    assert_in_order()


@both_ways
@pytest.mark.clause("B1")
def test_a_withdrawal_and_a_batch(stage: Stage, *, turned: bool) -> None:
    case = stage.checked()
    outcomes = raced(
        lambda: actions.withdraw(case.pk, **stage.who),
        lambda: batches.open_batch(JOINT, **stage.chief),
        turned=turned,
    )
    assert outcomes in (["ok", "nothing_to_produce"], ["case_in_production", "ok"])
    assert Case.objects.get().status == ("withdrawn" if outcomes[0] == "ok" else "checked")
    assert_in_order()


@both_ways
@pytest.mark.clause("B2")
def test_cancelling_collecting_and_replacing_one_card(stage: Stage, *, turned: bool) -> None:
    old = stage.carried()
    new = stage.ready(case=stage.replace(old))
    outcomes = raced(
        lambda: actions.cancel(new.card_id, reason="request", **stage.who),  # type: ignore[arg-type]
        lambda: actions.hand_over(new.pk, **stage.who),
        lambda: stage.replace(old),
        turned=turned,
    )
    assert "ok" in outcomes[:2]
    assert set(outcomes) <= {
        "ok",
        "card_illegal_move",
        "case_illegal_move",
        "has_coming_card",
        "has_open_case",
    }
    assert_in_order()


@both_ways
@pytest.mark.clause("S2", "N17")
def test_a_loss_and_a_new_phone(stage: Stage, *, turned: bool) -> None:
    card = stage.carried()
    himself = {"by": stage.himself(card.holder), "at": AT}
    codes.issue_ecard(card.holder_id, **himself)
    key = sm2.generate().public
    outcomes = raced(
        lambda: actions.report_loss(card.pk, by=LI_QIANG, at=AT),
        lambda: codes.register_device(card.holder_id, public_key=key, name="手机", **himself),
        turned=turned,
    )
    assert outcomes[0] == "ok"
    assert outcomes[1] in {"ok", "card_lost"}
    assert Device.objects.count() == int(outcomes[1] == "ok")
    assert_in_order()
