"""Two clerks at the same moment, on two real connections: one wins, the other is told why."""

import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import pairwise

import pytest
from django.db import connection

from tests.registry.conftest import AT, JOINT, LI_QIANG, MIAN_YANG, SUPERVISOR, herself, id_number, state
from yikatong.core.actor import Actor
from yikatong.core.errors import DomainError
from yikatong.registry.cards import actions, batches
from yikatong.registry.cards.actions import Wish
from yikatong.registry.cards.models import Batch, Card, Case, CaseKind, CaseStep, Escalation
from yikatong.registry.holders import actions as holders
from yikatong.registry.holders.models import Certificate, Holder, LifeEvent, Merge

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def db(transactional_db: None) -> None:
    """The cast's fixtures ask for `db`: here they must commit."""


def together(*acts: Callable[[], object]) -> Iterator[str]:
    """Run acts at once, each on its own connection; yields "ok" or the code of the refusal, in order."""
    start, outcomes = threading.Barrier(len(acts)), [""] * len(acts)

    def run(at: int, act: Callable[[], object]) -> None:
        try:
            connection.ensure_connection()
            start.wait(timeout=10)
            act()
            outcomes[at] = "ok"
        except DomainError as refusal:
            outcomes[at] = refusal.code
        except Exception as error:  # noqa: BLE001 - the test shows it
            outcomes[at] = repr(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(at, act)) for at, act in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    yield from outcomes


def test_two_clerks_register_one_person(places: None) -> None:
    def enter() -> Holder:
        return holders.register(
            kind="A", number=id_number(), name="王芳", phone="13900000001", division_code="510107",
            ground="residence", by=LI_QIANG, at=AT,
        )  # fmt: skip

    assert sorted(together(enter, enter, enter)) == ["already_registered", "already_registered", "ok"]
    assert (Holder.objects.count(), Certificate.objects.count()) == (1, 1)


def test_two_clerks_apply_for_one_person(wang_fang: Holder) -> None:
    def apply() -> Case:
        return actions.apply(wang_fang.pk, bank_code=JOINT, division_code="510107", by=LI_QIANG, at=AT)

    assert sorted(together(apply, apply, apply)) == ["has_open_case", "has_open_case", "ok"]
    assert (Case.objects.count(), CaseStep.objects.count()) == (1, 1)


@pytest.mark.clause("B1", "B3")
def test_a_draft_submitted_in_two_channels_is_one_case(wang_fang: Holder) -> None:
    wish = Wish(division_code="510107", bank_code=JOINT)
    draft = actions.save_draft(wang_fang.pk, kind=CaseKind.APPLY, wish=wish, by=LI_QIANG, at=AT)

    def submit(by: Actor) -> Case:
        return actions.apply(wang_fang.pk, bank_code=JOINT, division_code="510107", by=by, at=AT)

    outcomes = together(lambda: submit(LI_QIANG), lambda: submit(herself(wang_fang)))
    assert sorted(outcomes) == ["has_open_case", "ok"]
    assert (Case.objects.get().pk, Case.objects.get().status) == (draft.pk, "submitted")


def test_one_fee_is_taken_once(wang_fang: Holder, carry: Callable[..., Card]) -> None:
    carry(wang_fang)
    case = actions.replace(wang_fang.pk, reason="damaged", division_code="510107", by=LI_QIANG, at=AT)

    def take(receipt: str) -> Case:
        return actions.take_fee(case.pk, receipt=receipt, by=LI_QIANG, at=AT)

    assert sorted(together(lambda: take("SJ-0001"), lambda: take("SJ-0002"))) == ["fee_paid", "ok"]


@pytest.mark.clause("B3")
def test_a_step_that_is_left_while_it_rises_stays_with_nobody(wang_fang: Holder) -> None:
    """Whichever comes first, nothing open is left behind."""
    case = actions.apply(wang_fang.pk, bank_code=JOINT, division_code="510107", by=LI_QIANG, at=AT)
    late = AT + timedelta(days=9)
    outcomes = together(
        lambda: actions.check(case.pk, by=SUPERVISOR, at=late),
        lambda: actions.escalate_overdue(at=late),
        lambda: actions.escalate_overdue(at=late),
    )
    assert set(outcomes) == {"ok"}
    assert Case.objects.get().status == "checked"
    assert Escalation.objects.count() <= 1
    assert not Escalation.objects.filter(closed_at=None).exists()


@pytest.mark.clause("G5", "B1")
def test_two_clerks_hand_over_one_card(wang_fang: Holder, ready: Callable[..., Case]) -> None:
    case = ready(wang_fang)
    outcomes = together(
        lambda: actions.hand_over(case.pk, by=LI_QIANG, at=AT),
        lambda: actions.hand_over(case.pk, by=MIAN_YANG, at=AT),
    )
    assert sorted(outcomes) == ["case_illegal_move", "ok"]
    assert case.steps.filter(status="done").count() == 1
    assert Card.objects.get().events.filter(kind="handed_over").count() == 1


def test_loss_and_cancellation_at_once_leave_one_story(wang_fang: Holder, carry: Callable[..., Card]) -> None:
    card = carry(wang_fang)
    outcomes = list(
        together(
            lambda: actions.report_loss(card.pk, by=LI_QIANG, at=AT),
            lambda: actions.cancel(card.pk, reason="request", by=LI_QIANG, at=AT),
            lambda: actions.release_loss(card.pk, by=LI_QIANG, at=AT),
        )
    )
    assert set(outcomes) <= {"ok", "card_illegal_move"}, outcomes
    assert state(card)[0] in {"3", "4"}
    moves = list(
        card.events.exclude(from_status="").order_by("at", "pk").values_list("from_status", "to_status")
    )
    assert all(before[1] == after[0] for before, after in pairwise(moves))


def test_activation_and_loss_of_the_old_card_do_not_leave_two_live(
    wang_fang: Holder, carry: Callable[..., Card], ready: Callable[..., Case]
) -> None:
    old = carry(wang_fang)
    case = actions.replace(wang_fang.pk, reason="damaged", division_code="510107", by=LI_QIANG, at=AT)
    new = actions.hand_over(ready(wang_fang, case).pk, by=LI_QIANG, at=AT)
    outcomes = list(
        together(
            lambda: actions.activate(new.pk, by=LI_QIANG, at=AT),
            lambda: actions.report_loss(old.pk, by=LI_QIANG, at=AT),
            lambda: actions.activate(new.pk, by=LI_QIANG, at=AT),
        )
    )
    assert outcomes.count("ok") >= 1, outcomes
    assert set(outcomes) <= {"ok", "card_illegal_move"}, outcomes
    assert state(new)[0] == "1"
    assert state(old)[0] in {"3", "4"}


def test_two_batches_share_the_cases_between_them(register: Callable[..., Holder]) -> None:
    for serial in range(1, 7):
        holder = register(serial)
        case = actions.apply(holder.pk, bank_code=JOINT, division_code="510107", by=LI_QIANG, at=AT)
        actions.check(case.pk, by=SUPERVISOR, at=AT)

    def gather() -> Batch:
        return batches.open_batch(JOINT, limit=3, by=SUPERVISOR, at=AT)

    outcomes = list(together(gather, gather))
    taken = list(Case.objects.filter(batch_rows__isnull=False).values_list("pk", flat=True))
    assert len(taken) == len(set(taken)) == 3 * outcomes.count("ok")
    assert set(outcomes) <= {"ok", "nothing_to_produce"}, outcomes


@pytest.mark.clause("A6", "B2")
def test_two_clerks_register_one_death(wang_fang: Holder, carry: Callable[..., Card]) -> None:
    card = carry(wang_fang)
    death = {"on": AT.date(), "evidence": "居民死亡医学证明 1", "at": AT}
    outcomes = together(
        lambda: actions.record_death(wang_fang.pk, **death, by=LI_QIANG),
        lambda: actions.record_death(wang_fang.pk, **death, by=MIAN_YANG),
        lambda: actions.record_leaving(
            wang_fang.pk, reason="moved", evidence="户口迁移证 1", by=LI_QIANG, at=AT
        ),
    )
    outcomes = sorted(outcomes)
    assert outcomes.count("ok") in {1, 2}  # who has left may have died since; nobody dies twice
    assert outcomes.count("ok") + outcomes.count("holder_ended") == 3
    assert LifeEvent.objects.filter(kind="deceased").count() <= 1
    assert card.events.filter(kind="cancelled").count() == 1
    assert state(card)[0] == "4"


@pytest.mark.clause("A1")
def test_two_supervisors_merge_two_records_into_each_other(
    wang_fang: Holder, register: Callable[..., Holder]
) -> None:
    other = register(2)
    why = {"reason": "同一人两次登记", "evidence": "户口簿 1", "by": SUPERVISOR, "at": AT}
    outcomes = together(
        lambda: actions.merge(wang_fang.pk, other.pk, **why),
        lambda: actions.merge(other.pk, wang_fang.pk, **why),
    )
    assert sorted(outcomes) == ["holder_ended", "ok"]
    merged = Merge.objects.get()
    assert set(Certificate.objects.values_list("holder_id", flat=True)) == {merged.kept_id}
    assert Holder.objects.get(status="merged").pk == merged.gone_id
