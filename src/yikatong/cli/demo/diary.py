"""The last weeks of the demonstration: who serves whom, at which hour, and what happens one after another."""

import heapq
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from itertools import count
from random import Random
from uuid import UUID

from yikatong.cli.demo.plan import Loading, Person
from yikatong.core.actor import Actor, Channel, Role
from yikatong.core.clock import BEIJING, day_of
from yikatong.core.models import StaffUser
from yikatong.registry.banks import requests
from yikatong.registry.banks.connector import Answer
from yikatong.registry.banks.models import BankAccount, BankAct, BankRequest
from yikatong.registry.cards import actions, numbers
from yikatong.registry.regions.calendar import calendar
from yikatong.registry.regions.models import Outlet

WORKDAYS = 16
_MORNING, _LUNCH, _AFTERNOON, _EVENING = 9 * 60, 12 * 60, 13 * 60 + 30, 17 * 60
_OPEN_BEFORE_TODAY_COUNTS = time(10)
Act = Callable[[datetime], object]


@dataclass
class Diary:
    """Acts in the order of their moments; an act may enter what follows from it. Nothing lies after `until`."""

    until: datetime
    _entries: list[tuple[datetime, int, Act]] = field(default_factory=list)
    _order: "count[int]" = field(default_factory=count)

    def enter(self, moment: datetime, act: Act) -> None:
        if moment <= self.until:
            heapq.heappush(self._entries, (moment, next(self._order), act))

    def live(self) -> None:
        while self._entries:
            moment, _, act = heapq.heappop(self._entries)
            act(moment)


@dataclass
class Weeks:
    """The working days up to the loading, the last one last, and the people at work on them."""

    loading: Loading
    dice: Random
    diary: Diary
    days: list[date]
    staff: dict[UUID, list[Actor]]
    checkers: dict[str, Actor]
    centre: Actor
    tried: list[Outlet]  # where the people work whom everybody may try
    given: int = 0

    def moment(self, back: int) -> datetime:
        """Some minute of the office hours `back` working days before the last one."""
        minute = self.dice.choice(
            [self.dice.randrange(_MORNING, _LUNCH), self.dice.randrange(_AFTERNOON, _EVENING)]
        )
        return self.at(back, minute)

    def at(self, back: int, minute: int) -> datetime:
        """That minute of the day; what would lie ahead of the loading has just been."""
        day = self.days[-1 - back]
        begin = datetime.combine(day, time(), BEIJING)
        wanted = begin + timedelta(minutes=minute, seconds=self.dice.randrange(60))
        latest = self.loading.at - timedelta(minutes=5)
        return wanted if wanted <= latest else latest - timedelta(minutes=self.dice.uniform(0, 80))

    def lately(self, hours: float) -> datetime:
        """Any hour of day or night, as phones have them."""
        return self.loading.at - timedelta(hours=self.dice.uniform(0.1, hours))

    def taker(self, outlet: Outlet | None, city: str) -> Actor:
        """A clerk of that outlet, else of a hall of the city, else of the first hall there is (全省通办)."""
        if outlet is not None and outlet.pk in self.staff:
            return self.staff[outlet.pk][0]
        halls = (one for one in self.loading.outlets if one.division_code[:4] == city[:4] and _is_hall(one))
        return next((self.staff[one.pk][0] for one in halls), self.staff[self.loading.outlets[0].pk][0])

    def checker(self, division: str) -> Actor:
        """Who decides at the place of issue, and has not taken the case."""
        return self.checkers.get(division[:4], self.centre)

    @property
    def halls(self) -> list[Outlet]:
        return [one for one in self.loading.outlets if _is_hall(one)]

    def outlets_in(self, city: str) -> list[Outlet]:
        return [one for one in self.loading.outlets if one.division_code[:4] == city[:4]]

    def banks_answer(self, moment: datetime) -> None:
        """What the job that sends does, with banks that answer within seconds."""
        for bank in self.loading.banks:
            while (request := requests.claim(bank.pk, at=moment)) is not None:
                answered = moment + timedelta(seconds=self.dice.uniform(1, 6))
                requests.settle(request.pk, self._answer(request, answered), at=answered)
                if request.case_id is not None:
                    actions.account_answered(request.pk, at=answered)

    def _answer(self, request: BankRequest, at: datetime) -> Answer:
        act = BankAct(request.act)
        if act is BankAct.OPEN:
            self.given += 1
            body = (
                f"{request.bank.bin}7{self.given:011d}"  # 7: neither the sandbox of the files nor of the line
            )
            return Answer(True, "00", "", body + numbers.luhn_digit(body), "preopened", at)
        assert request.account_id is not None  # noqa: S101 - all but an opening have one
        account = BankAccount.objects.get(pk=request.account_id)
        before = "active" if account.activated_at else "preopened"
        after = {"activate": "active", "report_loss": "lost", "release": before, "close": "closed"}
        return Answer(True, "00", "", "", after.get(act.value, str(account.status)), at)


def himself(person: Person, channel: Channel = Channel.MOBILE) -> Actor:
    return Actor(person.holder.pk, "持卡人本人", Role.HOLDER, channel)


def open_weeks(loading: Loading) -> Weeks:
    staff: dict[UUID, list[Actor]] = {}
    for user in StaffUser.objects.filter(outlet_id__isnull=False).order_by("staff_number"):
        if user.role != Role.SUPERVISOR and user.outlet_id is not None:
            staff.setdefault(user.outlet_id, []).append(user.actor())
    checkers = {
        one.division_code[:4]: staff[one.pk][-1] for one in reversed(loading.outlets) if _is_hall(one)
    }
    centre = StaffUser.objects.get(username="chenxiao").actor()
    dice = loading.dice("weeks")
    tried = {one.outlet_id for one in StaffUser.objects.filter(username__in=["liqiang", "linfang"])}
    days, tried_here = _workdays(loading.at), [one for one in loading.outlets if one.pk in tried]
    return Weeks(loading, dice, Diary(loading.at), days, staff, checkers, centre, tried_here)


def _is_hall(outlet: Outlet) -> bool:
    return outlet.organisation.kind != "bank"


def _workdays(at: datetime) -> list[date]:
    """The last working days; today is one of them once the offices have been open for a while."""
    today, known = day_of(at), calendar(day_of(at))
    has_begun = known.is_workday(today) and at.astimezone(BEIJING).time() >= _OPEN_BEFORE_TODAY_COUNTS
    last = today if has_begun else known.add(today, -1)
    return [known.add(last, -back) if back else last for back in reversed(range(WORKDAYS))]


def each_morning(weeks: Weeks, jobs: Iterable[Act]) -> None:
    """What the jobs of the house would have done each day, and just now."""
    for job in jobs:
        for back in range(WORKDAYS):
            weeks.diary.enter(weeks.at(back, 8 * 60 + 7), job)
        weeks.diary.enter(weeks.loading.at, job)
