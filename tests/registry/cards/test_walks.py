"""Random walks of acts over the real database: whatever is tried, the books stay in order."""

from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from tests.registry.conftest import AT, JOINT, LI_QIANG, SUPERVISOR, herself, id_number
from yikatong.adapters.production_sandbox import whole_round
from yikatong.core.actor import Actor
from yikatong.core.clock import day_of
from yikatong.core.errors import DomainError
from yikatong.registry.cards import actions, rules
from yikatong.registry.cards.actions import Answers, Wish
from yikatong.registry.cards.models import (
    CASE_TRANSITIONS,
    COMING,
    LIVE,
    OPEN_CASES,
    REVIVALS,
    TRANSITIONS,
    Card,
    CardEvent,
    CardStatus,
    Case,
    CaseKind,
    CaseStatus,
    ECard,
    Escalation,
)
from yikatong.registry.holders import actions as holders
from yikatong.registry.holders.actions.life import HOLDER_MOVES
from yikatong.registry.holders.models import Holder, Merge

PEOPLE = 2
picks = st.integers(0, 7)
_DECIDED = (CaseStatus.SUBMITTED, CaseStatus.CHECKED)


class Life(RuleBasedStateMachine):
    """Two holders, a clerk, the sandboxes, and the passing of time."""

    def __init__(self) -> None:
        super().__init__()
        self.at = AT
        Life.born += PEOPLE
        self.people = [self._enter(Life.born - n) for n in range(PEOPLE)]
        self.were = {one.pk: Holder.Status.ACTIVE for one in self.people}

    born = 0

    def _enter(self, serial: int) -> Holder:
        number = id_number(serial % 499, born=f"19{60 + serial // 499:02d}0307")
        return holders.register(
            kind="A", number=number, name="王芳", phone="13900000001", division_code="510107",
            ground="residence", by=LI_QIANG, at=AT,
        )  # fmt: skip

    def _try(self, act: Any, *args: Any, **options: Any) -> None:
        try:
            act(*args, by=options.pop("by", LI_QIANG), at=self.at, **options)
        except DomainError:
            return

    def _card(self, pick: int) -> Card | None:
        cards = list(Card.objects.filter(holder__in=self.people).order_by("pk"))
        return cards[-1 - pick % len(cards)] if cards else None

    def _case(self, pick: int) -> Case | None:
        cases = list(
            Case.objects.filter(holder__in=self.people, kind__in=("apply", "replace")).order_by("-pk")
        )
        return cases[pick % min(len(cases), 3)] if cases else None

    @initialize(carried=st.integers(0, PEOPLE))
    def begin(self, carried: int) -> None:
        for who in range(carried):
            self.carry(who)
            self.issue_ecard(who)

    @rule(who=st.integers(0, PEOPLE - 1))
    def apply(self, who: int) -> None:
        self._try(actions.apply, self.people[who].pk, bank_code=JOINT, division_code="510107")

    @rule(who=st.integers(0, PEOPLE - 1), reason=st.sampled_from([*rules.ReplaceReason.values, "none"]))
    def replace(self, who: int, reason: str) -> None:
        self._try(actions.replace, self.people[who].pk, reason=reason, division_code="510107")

    @rule(
        pick=picks,
        act=st.sampled_from([actions.check, actions.withdraw, actions.retry, actions.hand_over]),
        by=st.sampled_from([LI_QIANG, SUPERVISOR]),
    )
    def case_act(self, pick: int, act: Any, by: Actor) -> None:
        if case := self._case(pick):
            self._try(act, case.pk, by=by)

    @rule(pick=picks)
    def reject(self, pick: int) -> None:
        if case := self._case(pick):
            self._try(actions.reject, case.pk, reason="材料不全")

    @rule(
        pick=picks,
        act=st.sampled_from(
            [
                actions.activate, actions.activate_account, actions.report_loss,
                actions.report_temporary_loss, actions.release_loss,
            ]
        ),
        himself=st.booleans(),
    )  # fmt: skip
    def card_act(self, pick: int, act: Any, himself: bool) -> None:  # noqa: FBT001
        if card := self._card(pick):
            self._try(act, card.pk, by=herself(card.holder) if himself else LI_QIANG)

    @rule(pick=picks, reason=st.sampled_from(rules.CancelReason.values))
    def cancel(self, pick: int, reason: str) -> None:
        if card := self._card(pick):
            self._try(actions.cancel, card.pk, reason=reason)

    def pay(self, case: Case) -> None:
        self._try(actions.take_fee, case.pk, receipt=f"SJ{case.number}")

    @rule(pick=picks, bring=st.booleans(), himself=st.booleans())
    def correction(self, pick: int, bring: bool, himself: bool) -> None:  # noqa: FBT001
        """Sent back; perhaps answered at once, by the holder or at the counter."""
        if case := self._case(pick):
            self._try(actions.ask_correction, case.pk, items={"bank": "请另选", "photo": "不清"})
            if bring:
                by = herself(case.holder) if himself else LI_QIANG
                seen = None if himself else {"photo": "已采集"}
                self._try(actions.correct, case.pk, answers=Answers(bank_code=JOINT, seen=seen), by=by)

    @rule(who=st.integers(0, PEOPLE - 1), kind=st.sampled_from([CaseKind.APPLY, CaseKind.REPLACE]))
    def draft(self, who: int, kind: CaseKind) -> None:
        holder = self.people[who]
        wish = Wish(division_code="510107", bank_code=JOINT)
        self._try(actions.save_draft, holder.pk, kind=kind, wish=wish, by=herself(holder))

    @rule(failing=st.sampled_from([0.0, 0.5]))
    def produce(self, failing: float) -> None:
        for case in Case.objects.filter(holder__in=self.people, status="submitted"):
            self._try(actions.check, case.pk, by=SUPERVISOR)
        self._try(whole_round, JOINT, maker_failing=failing, by=SUPERVISOR)

    @rule(who=st.integers(0, PEOPLE - 1))
    def carry(self, who: int) -> None:
        """The usual way through, so that walks do not stay at the start."""
        self.apply(who)
        self.produce(0.0)
        for case in Case.objects.filter(holder=self.people[who], status="ready"):
            self.pay(case)
            self._try(actions.hand_over, case.pk)
        for card in Card.objects.filter(holder=self.people[who], status="A"):
            self._try(actions.activate, card.pk)

    @rule(who=st.integers(0, PEOPLE - 1), reason=st.sampled_from(["lost", "damaged"]), then=st.booleans())
    def renew(self, who: int, reason: str, then: bool) -> None:  # noqa: FBT001
        """Lose or wear out the live card, and get a new one as far as into the hands, or into use."""
        for card in Card.objects.filter(holder=self.people[who], status="1"):
            if reason == "lost":
                self._try(actions.report_loss, card.pk)
        self.replace(who, reason)
        self.produce(0.0)
        for case in Case.objects.filter(holder=self.people[who], status="ready"):
            self.pay(case)
            self._try(actions.hand_over, case.pk)
        for card in Card.objects.filter(holder=self.people[who], status="A"):
            if then:
                self._try(actions.activate, card.pk)

    @rule(who=st.integers(0, PEOPLE - 1), dies=st.booleans())
    def end(self, who: int, dies: bool) -> None:  # noqa: FBT001
        if dies:
            self._try(actions.record_death, self.people[who].pk, on=AT.date(), evidence="死亡证明 1")
        else:
            self._try(actions.record_leaving, self.people[who].pk, reason="moved", evidence="户口迁移证 1")

    @rule(who=st.integers(0, PEOPLE - 1))
    def restore(self, who: int) -> None:
        self._try(actions.restore, self.people[who].pk, reason="登记有误", by=SUPERVISOR)

    @rule(kept=st.integers(0, PEOPLE - 1))
    def merge(self, kept: int) -> None:
        one, other = self.people[kept], self.people[1 - kept]
        self._try(actions.merge, one.pk, other.pk, reason="重复登记", evidence="户口簿 1", by=SUPERVISOR)

    @rule()
    def unmerge(self) -> None:
        for merged in Merge.objects.filter(gone__in=self.people, undone_at=None):
            self._try(actions.unmerge, merged.pk, reason="不是同一人", by=SUPERVISOR)

    @rule(who=st.integers(0, PEOPLE - 1))
    def issue_ecard(self, who: int) -> None:
        card = Card.objects.filter(holder=self.people[who], status="1").first()
        if card is not None:
            ECard.objects.update_or_create(
                holder=self.people[who],
                defaults={"card": card, "status": "issued", "issued_at": AT},
                create_defaults={"card": card, "number": f"E{card.pk.hex[:20]}", "issued_at": AT},
            )

    @rule(days=st.integers(1, 8))
    def time_passes(self, days: int) -> None:
        self.at += timedelta(days=days)
        actions.release_ended_losses(at=self.at)
        actions.close_uncorrected(at=self.at)
        actions.escalate_overdue(at=self.at)

    @invariant()
    def statuses_have_moved_along_their_tables(self) -> None:
        moves = CardEvent.objects.filter(card__holder__in=self.people).exclude(from_status="")
        for event in moves.exclude(kind="account_activated"):
            table = REVIVALS if event.kind == "revived" else TRANSITIONS
            assert CardStatus(event.to_status) in table[CardStatus(event.from_status)], event.kind
        for card in Card.objects.filter(holder__in=self.people):
            chain = list(card.events.order_by("pk").values_list("from_status", "to_status"))
            assert all(one[1] == two[0] for one, two in pairwise(chain))
            assert chain[-1][1] == card.status
        for case in Case.objects.filter(holder__in=self.people):
            steps = [CaseStatus(one) for one in case.steps.order_by("pk").values_list("status", flat=True)]
            saved_again = (CaseStatus.DRAFT, CaseStatus.DRAFT)
            ways = [(one, two) for one, two in pairwise(steps) if (one, two) != saved_again]
            assert all(two in CASE_TRANSITIONS[one] for one, two in ways)
            assert steps[-1] == case.status

    @invariant()
    def holders_have_moved_along_their_table(self) -> None:
        for holder in Holder.objects.filter(pk__in=self.were):
            now, was = Holder.Status(holder.status), self.were[holder.pk]
            assert now == was or now in HOLDER_MOVES[was]
            self.were[holder.pk] = now

    @invariant()
    def who_has_ended_has_no_card_in_use(self) -> None:
        for holder in Holder.objects.filter(pk__in=[one.pk for one in self.people]).exclude(status="active"):
            assert not Card.objects.filter(holder=holder, status__in=["A", *LIVE]).exists()
            assert not ECard.objects.filter(holder=holder, status="issued").exists()
            assert (holder.merged_into_id is not None) == (holder.status == "merged")
            assert (holder.deceased_on is not None) == (holder.status == "deceased")

    @invariant()
    def a_certificate_belongs_to_one_who_is_not_merged(self) -> None:
        for holder in Holder.objects.filter(pk__in=[one.pk for one in self.people], status="merged"):
            assert holder.certificates.count() == 0

    @invariant()
    def a_person_has_one_live_and_one_coming_card_at_most(self) -> None:
        for holder in self.people:
            statuses = list(holder.cards.values_list("status", flat=True))
            assert sum(status in LIVE for status in statuses) <= 1
            assert sum(status in COMING for status in statuses) <= 1

    @invariant()
    def the_e_card_points_at_the_live_card(self) -> None:
        for ecard in ECard.objects.filter(holder__in=self.people, status="issued").select_related("card"):
            assert ecard.card.status in LIVE

    @invariant()
    def every_open_case_has_limit_and_owner(self) -> None:
        for case in Case.objects.filter(holder__in=self.people):
            is_open = case.status in {*OPEN_CASES, CaseStatus.DRAFT}
            assert (case.step_due_on is not None) == is_open
            assert (case.status in rules.CASE_OWNER) == is_open
            assert (case.closed_at is None) == is_open
            assert case.days_left is None or case.status == CaseStatus.CORRECTING
            asked = case.corrections.filter(answered_at=None).exists()
            assert asked or case.status != CaseStatus.CORRECTING

    @invariant()
    def what_has_risen_is_late_in_that_very_step(self) -> None:
        for one in Escalation.objects.filter(case__holder__in=self.people, closed_at=None):
            assert (one.case.status, one.case.step_due_on) == (one.status, one.due_on)
            assert one.due_on < day_of(self.at)

    @invariant()
    def no_card_was_handed_over_unpaid(self) -> None:
        done = Case.objects.filter(holder__in=self.people, kind="replace", status="done", fee_fen__gt=0)
        assert not done.filter(fee_paid_at=None, card__status__in=["A", *LIVE]).exists()

    @invariant()
    def nobody_has_approved_what_he_took(self) -> None:
        for case in Case.objects.filter(holder__in=self.people, kind__in=("apply", "replace")):
            taken, approved = (case.steps.filter(status=one).order_by("pk").first() for one in _DECIDED)
            # The first: a failed case that goes again has been approved before.
            assert taken is not None or not case.steps.exclude(status__in=["draft", "withdrawn"]).exists()
            assert approved is None or taken is None or approved.actor_id != taken.actor_id

    @invariant()
    def a_temporary_loss_has_an_end_and_nothing_else_has(self) -> None:
        for card in Card.objects.filter(holder__in=self.people):
            assert (card.loss_ends_at is not None) == (card.status == "B")


@pytest.mark.clause("G5", "N17", "B1", "B2")
def test_no_walk_breaks_the_books(places: None, partners: None) -> None:
    checks = [HealthCheck.too_slow, HealthCheck.data_too_large]
    run_state_machine_as_test(
        Life,
        settings=settings(
            max_examples=25, stateful_step_count=25, deadline=None, derandomize=True, database=None,
            suppress_health_check=checks,
        ),
    )  # fmt: skip
