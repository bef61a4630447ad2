"""Who has applied in these weeks, and how far each has come: by the acts themselves, step by step."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from functools import partial
from itertools import cycle
from typing import Any, Final
from uuid import UUID

from yikatong.adapters.bank_files import sandbox as bank_sandbox
from yikatong.adapters.card_maker import sandbox as maker_sandbox
from yikatong.cli.demo.diary import Weeks, each_morning, himself, open_weeks
from yikatong.cli.demo.plan import Loading, Person
from yikatong.core.actor import Actor, Channel
from yikatong.core.clock import BEIJING, day_of
from yikatong.core.errors import DomainError
from yikatong.insight.dashboards import actions as dashboards
from yikatong.registry.banks.models import BankAccount
from yikatong.registry.cards import actions, batches
from yikatong.registry.cards.actions import Answers, Wish
from yikatong.registry.cards.actions.representatives import is_child
from yikatong.registry.cards.batches.opening import NothingToProduce
from yikatong.registry.cards.models import Batch, Card, Case, CaseKind, CaseStatus
from yikatong.registry.holders import actions as holders
from yikatong.registry.matching import inquiries
from yikatong.registry.regions.models import Outlet

#: What becomes of an application, in the order in which applicants get it: the first dozen show every state.
FATES: Final = (
    "done", "submitted", "ready", "checked", "overdue", "producing", "correcting", "preopened", "draft", "inactive",
    "done", "ready", "rejected", "withdrawn", "corrected", "done", "submitted", "ready", "done", "submitted", "done",
    "producing", "done", "inactive", "checked",
)  # fmt: skip
#: Working days before the last one: when he applies, and when it is checked.
DAYS: Final[dict[str, tuple[tuple[int, int], int]]] = {
    "early": ((14, 14), 13), "done": ((11, 10), 9), "inactive": ((11, 10), 9), "ready": ((8, 7), 6),
    "producing": ((5, 4), 3), "preopened": ((3, 2), 1), "checked": ((1, 1), 0), "overdue": ((6, 6), -1),
    "correcting": ((4, 4), -1), "corrected": ((5, 5), -1), "rejected": ((5, 5), -1), "withdrawn": ((3, 3), -1),
}  # fmt: skip
#: Batches: opened in the afternoon of a day, back from the card maker on another; the last two are under way.
ROUNDS: Final = ((13, 11), (8, 5), (5, 2), (2, None))
HANDED_FROM: Final = {"early": (10, 10), "done": (4, 0), "inactive": (4, 0)}
AT_ONCE: Final = 4
RETRIED: Final = 0.7
TO_TRIED: Final = 0.7
#: 全省通办: taken by a hall of another city, half of it by the first one's.
ELSEWHERE: Final = 0.08
_SHUT: Final = 16 * 60 + 40
_REASONS: Final = ("申领依据不符：居住地址与证明不一致", "照片不合格，且未按时补交", "该证件已过有效期")
_WANTED: Final = ({"phone": "号码已停机"}, {"address": "请写明楼栋和门牌"}, {"photo": "照片背景须为白色"})


@dataclass
class Applicant:
    person: Person
    fate: str
    bank: str
    outlet: Outlet | None
    by: Actor
    case: Case = field(init=False)  # once he has applied

    @property
    def division(self) -> str:
        return self.outlet.division_code if self.outlet else self.person.holder.division_code


def load_weeks(loading: Loading) -> None:
    """Applications, replacements, losses and batches of the last weeks."""
    from yikatong.cli.demo import (
        losses,
        roster,
        shelf,
        sources,
    )  # losses end in replacements, which are applications

    weeks = open_weeks(loading)
    lasting = Lasting(weeks)
    at_once = _for_the_first_hall(weeks)
    for person, fate in _fates([one for one in loading.applicants if one not in at_once], loading.known):
        lasting.begins(person, fate)
    losses.enter(weeks, lasting)
    shelf.enter(weeks, at_once)
    roster.enter(weeks)
    lasting.batches()
    weeks.diary.enter(_last_night(loading.at), partial(_take_stock, loading))
    each_morning(weeks, [lambda at: actions.escalate_overdue(at=at), lambda at: inquiries.ask_due(at=at)])
    lasting.orders()
    with sources.answering():
        weeks.diary.live()
    carried = Card.objects.filter(pk__in=[card.pk for card in lasting.activated]).select_related("holder")
    loading.cards.extend(carried)


def _last_night(at: datetime) -> datetime:
    return datetime.combine(day_of(at), time(), BEIJING) - timedelta(minutes=10)


def _take_stock(loading: Loading, at: datetime) -> None:
    """Holders and cards as they stood, which today's are compared with."""
    dashboards.take_stock(cities=[city.code for city in loading.profile.cities], at=at)


def _fates(people: list[Person], known: list[Person]) -> Iterator[tuple[Person, str]]:
    fates = cycle(FATES)
    for person in people:
        yield person, "early" if person in known else next(fates)


def _for_the_first_hall(weeks: Weeks) -> list[Person]:
    """Grown-ups of its city whose cards are made while they wait."""
    city = weeks.loading.outlets[0].division_code[:4]
    here = [
        one for one in weeks.loading.applicants[2:] if one.holder.division_code[:4] == city and one.age >= 18
    ]
    return here[:AT_ONCE]


class Lasting:
    """Applications that last for days."""

    def __init__(self, weeks: Weeks) -> None:
        self.weeks, self.loading, self.dice = weeks, weeks.loading, weeks.dice
        self.activated: list[Card] = []
        self.fates: dict[UUID, str] = {}
        self.late: list[Applicant] = []
        self.adults = [one for one in self.loading.people[:100] if one.kind == "A" and one.age >= 25]

    # --- the beginning ---

    def begins(self, person: Person, fate: str) -> None:
        bank, outlet = self._where(person, fate)
        channel = self.dice.choices(["counter", "mobile", "web", "kiosk"], weights=[55, 30, 9, 6])[0]
        child = is_child(person.holder, day_of(self.loading.at))
        at_desk = (
            outlet is not None and (child or channel == "counter") and fate not in {"draft", "submitted"}
        )
        by = self.weeks.taker(outlet, person.holder.division_code) if at_desk or child else None
        one = Applicant(person, fate, bank, outlet, by or himself(person, _channel(channel)))
        begin = self._apply_with_guardian if child else self._apply
        if fate == "draft":
            self._at(self.weeks.lately(90), self._draft, one)
        elif fate == "submitted":
            self._at(self.weeks.lately(20), begin, one)
        else:
            first, last = DAYS[fate][0]
            self._at(self.weeks.moment(self.dice.randint(last, first)), begin, one)

    def _where(self, person: Person, fate: str) -> tuple[str, Outlet | None]:
        """An outlet of his city and a bank it serves. One that waits for its bank has a bank by file."""
        outlets = self.weeks.outlets_in(person.holder.division_code)
        if fate in DAYS and fate != "early" and self.dice.random() < ELSEWHERE:
            outlets = self.weeks.halls if self.dice.random() < 0.5 else self.weeks.halls[:1]
        outlet = self._chosen(outlets) if outlets else None
        open_now = [one for one in self.loading.banks if one.accepts_new]
        online = {entry.code for entry in self.loading.profile.banks if entry.is_online}
        if fate == "checked":
            open_now = [one for one in open_now if one.pk not in online] or open_now
        staff = self.weeks.staff.get(outlet.pk, []) if outlet else []
        if staff and staff[0].bank:
            if any(one.pk == staff[0].bank for one in open_now):
                return staff[0].bank, outlet
            outlet = next((one for one in outlets if not self.weeks.staff[one.pk][0].bank), None)
        return self.dice.choice(open_now).pk, outlet

    def _chosen(self, outlets: list[Outlet]) -> Outlet:
        """The outlets whose clerks everybody may try are those most people of their city go to."""
        tried = [one for one in self.weeks.tried if one in outlets]
        return self.dice.choice(tried if tried and self.dice.random() < TO_TRIED else outlets)

    def _at(self, moment: datetime, act: Callable[[Applicant, datetime], object], one: Applicant) -> None:
        self.weeks.diary.enter(moment, partial(act, one))

    def _draft(self, one: Applicant, at: datetime) -> None:
        wish = Wish(division_code=one.division, bank_code=one.bank, outlet_id=_key(one.outlet))
        actions.save_draft(
            one.person.holder.pk, kind=CaseKind.APPLY, wish=wish, by=himself(one.person), at=at
        )

    def _apply_with_guardian(self, one: Applicant, at: datetime) -> None:
        guardian = self.dice.choice(self.adults)
        claim = {
            "name": guardian.holder.name, "kind": guardian.kind, "number": guardian.number, "ground": "parent",
            "evidence": "birth", "evidence_number": f"T{self.dice.randrange(10**9):09d}",
        }  # fmt: skip
        by = self.weeks.taker(None, one.person.holder.division_code)
        holders.register_guardian(one.person.holder.pk, **claim, by=by, at=at)
        one.by = one.by if one.by.role == by.role else by
        self._apply(one, at)

    def _apply(self, one: Applicant, at: datetime) -> None:
        case = actions.apply(
            one.person.holder.pk, bank_code=one.bank, outlet_id=_key(one.outlet), division_code=one.division,
            by=one.by, at=at,
        )  # fmt: skip
        self.goes_on(one, case)

    # --- what the office does with it ---

    def goes_on(self, one: Applicant, case: Case) -> None:
        one.case = case
        self.fates[case.pk] = one.fate
        checked = DAYS[one.fate][1] if one.fate in DAYS else -1
        if checked >= 0:
            self._at(self._checked_at(checked), self._check, one)
        then: dict[str, tuple[int, Callable[[Applicant, datetime], object]]] = {
            "correcting": (2, self._ask), "corrected": (4, self._ask), "rejected": (4, self._reject),
            "withdrawn": (2, self._withdraw),
        }  # fmt: skip
        if one.fate in then:
            back, act = then[one.fate]
            self._at(self.weeks.moment(back), act, one)
        if one.fate == "overdue":
            self.late.append(one)

    def _checked_at(self, back: int) -> datetime:
        """Before the afternoon's batch goes out."""
        return self.weeks.at(back, self.dice.randrange(9 * 60, 16 * 60))

    def _check(self, one: Applicant, at: datetime) -> None:
        actions.check(one.case.pk, by=self.weeks.checker(one.case.division_code), at=at)
        self.weeks.banks_answer(at)

    def _ask(self, one: Applicant, at: datetime) -> None:
        wanted = self.dice.choice(_WANTED)
        actions.ask_correction(
            one.case.pk, items=wanted, by=self.weeks.checker(one.case.division_code), at=at
        )
        if one.fate == "corrected":
            self.weeks.diary.enter(self.weeks.moment(1), partial(self._correct, one, wanted))

    def _correct(self, one: Applicant, wanted: dict[str, str], at: datetime) -> None:
        by = self.weeks.taker(one.outlet, one.case.division_code)
        answers = Answers(
            seen={item: "已当面核对原件" for item in wanted if item != "address"}, address="示例街道 9 号"
        )
        actions.correct(one.case.pk, answers=answers, by=by, at=at)
        if self.dice.random() < RETRIED:
            self._at(self._checked_at(0), self._check, one)

    def _reject(self, one: Applicant, at: datetime) -> None:
        by = self.weeks.checker(one.case.division_code)
        actions.reject(one.case.pk, reason=self.dice.choice(_REASONS), by=by, at=at)

    def _withdraw(self, one: Applicant, at: datetime) -> None:
        actions.withdraw(one.case.pk, by=one.by, at=at)

    def orders(self) -> None:
        """The supervisor has already spoken on every third late case."""
        for place, words in enumerate(("请今日办结并说明原因", "请与申请人联系，两日内办结")):
            self.weeks.diary.enter(self.weeks.at(1, 15 * 60 + place), partial(self._order, place, words))

    def _order(self, place: int, words: str, at: datetime) -> None:
        for one in self.late[1 + place * 3 :: 6]:
            actions.give_order(one.case.pk, order=words, by=self.weeks.centre, at=at)

    # --- bank and card maker ---

    def batches(self) -> None:
        for opened, back in ROUNDS:
            for bank in self.loading.banks:
                self.weeks.diary.enter(self.weeks.at(opened, _SHUT), partial(self._send, bank.pk, back))
        for bank in self.loading.banks:
            self.weeks.diary.enter(self.weeks.at(1, _SHUT), partial(self._preopen, bank.pk))

    def _preopen(self, bank: str, at: datetime) -> Batch | None:
        who: dict[str, Any] = {"by": self.weeks.centre, "at": at}
        try:
            batch = batches.open_batch(bank, **who)
        except NothingToProduce:
            return None
        if batch.status == Batch.Status.OPEN:
            asked = batches.take_file(batch.pk, "preopening", **who)
            told = bank_sandbox.answer(asked, prefix=batch.bank.bin, failing=0.03)
            batches.take_preopening_return(batch.pk, told, by=self.weeks.centre, at=at + timedelta(minutes=6))
        return batch

    def _send(self, bank: str, back: int | None, at: datetime) -> None:
        batch = self._preopen(bank, at)
        if batch is None:
            return
        at += timedelta(minutes=9)
        batch = batches.start_production(batch.pk, by=self.weeks.centre, at=at)
        if batch.status != Batch.Status.PRODUCING:
            return
        order = batches.take_file(batch.pk, "production", by=self.weeks.centre, at=at)
        if back is not None:
            made = maker_sandbox.answer(order, failing=0.05)
            self.weeks.diary.enter(self.weeks.at(back, 10 * 60), partial(self._returned, batch, made))

    def _returned(self, batch: Batch, made: bytes, at: datetime) -> None:
        batches.take_return(batch.pk, made, by=self.weeks.centre, at=at)
        self._hand_out(batch)

        self._retry(batch, at)

    def _retry(self, batch: Batch, at: datetime) -> None:
        """Most of what has failed goes again the next day; some lies there, and rises to the supervisor."""
        failed = Case.objects.filter(batch_rows__batch=batch, status=CaseStatus.FAILED).order_by("number")
        for case in failed:
            if self.dice.random() < RETRIED:
                again = at + timedelta(hours=self.dice.uniform(20, 30))
                self.weeks.diary.enter(again, partial(self._go_again, case))

    def _go_again(self, case: Case, at: datetime) -> None:
        actions.retry(case.pk, note="已核对，重新送制", by=self.weeks.checker(case.division_code), at=at)
        self.weeks.banks_answer(at)

    # --- the card reaches its holder ---

    def _hand_out(self, batch: Batch) -> None:
        waiting = Case.objects.filter(batch_rows__batch=batch, status=CaseStatus.READY)
        for case in waiting.select_related("outlet").order_by("number"):
            fate = self.fates.get(case.pk, "")
            if fate in HANDED_FROM:
                first, last = HANDED_FROM[fate]
                moment = self.weeks.moment(self.dice.randint(last, first))
                self.weeks.diary.enter(moment, partial(self._hand_over, case, fate))

    def _hand_over(self, case: Case, fate: str, at: datetime) -> None:
        by = self.weeks.taker(case.outlet, case.division_code)
        try:
            card = actions.hand_over(case.pk, by=by, at=at)
        except DomainError:  # a bank's clerk serves his own bank's cards only
            return
        if fate == "inactive":
            return
        at += timedelta(minutes=3)
        card = actions.activate(card.pk, by=by, at=at)
        preopened = card.account is not None and card.account.status == BankAccount.Status.PREOPENED
        if preopened and not is_child(card.holder, day_of(at)) and self.dice.random() < 0.8:
            actions.activate_account(card.pk, by=by, at=at + timedelta(minutes=1))
        self.weeks.banks_answer(at + timedelta(minutes=2))
        self.activated.append(card)


def _channel(name: str) -> Channel:
    return {"web": Channel.WEB, "kiosk": Channel.KIOSK}.get(name, Channel.MOBILE)


def _key(outlet: Outlet | None) -> UUID | None:
    return outlet.pk if outlet else None
