"""Whom, when and by whom: the people of a shard by what they have, its days, and what is still to come."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

from bench.year import rates
from bench.year.ledger import Ledger
from bench.year.office import Office
from bench.year.people import Numbers, Person, Pool, age_on
from yikatong.core.actor import Actor, Channel, Role

CHANNELS = {"mobile": Channel.MOBILE, "web": Channel.WEB, "kiosk": Channel.KIOSK}
WORKDAYS, DAYS = 249, 365  # of 2026, by the public calendar


@dataclass
class Choosing:
    """The people of a shard, and the office that serves them. Nothing is asked of the database to choose somebody."""

    office: Office
    people: list[Person]
    given: Numbers
    dice: Random
    intensity: float = 1.0
    ledger: Ledger = field(default_factory=Ledger)

    def __post_init__(self) -> None:
        self.carrying, self.without, self.temporary, self.lost = Pool(), Pool(), Pool(), Pool()
        self.at = datetime(2026, 1, 1, tzinfo=UTC)
        self.day, self.open = self.at.date(), False
        self.later: defaultdict[date, list[tuple[Callable[..., None], tuple[Any, ...]]]] = defaultdict(list)
        self.ended: set[UUID] = set()
        self.phones: dict[UUID, UUID] = {}
        for person in self.people:
            (self.carrying if person.card else self.without).add(person)
        self.size = len(self.people)

    def now(self) -> datetime:
        """Each act has a moment of its own."""
        self.at += timedelta(seconds=1)
        return self.at

    def on(self, days: int, act: Callable[..., None], *arguments: Any) -> None:
        self.later[self.day + timedelta(days=days)].append((act, arguments))

    def do(
        self, what: str, act: Callable[..., Any], /, *arguments: Any, by: Actor | None = None, **options: Any
    ) -> Any:
        return self.ledger.do(what, act, *arguments, by=by or self.office.clerk, at=self.now(), **options)

    def himself(self, person: Person, channel: Channel = Channel.MOBILE) -> Actor:
        return Actor(person.key, "本人", Role.HOLDER, channel)

    def somebody(self) -> Person | None:
        return self.carrying.pick(self.dice)

    def grown_up(self) -> Person | None:
        for _ in range(20):
            person = self.somebody()
            if person is not None and age_on(person.born, self.day) >= 18:
                return person
        return None

    def how_many(self, rate: rates.Rate) -> int:
        if not (self.open or rate.any_day):
            return 0
        expected = self.size * rate.per_mille / 1000 * self.intensity / (DAYS if rate.any_day else WORKDAYS)
        return int(expected) + (self.dice.random() < expected % 1)

    def channel(self) -> str:
        return self.dice.choices(list(rates.CHANNELS), weights=list(rates.CHANNELS.values()))[0]

    def gone(self, person: Person) -> None:
        self.ended.add(person.key)
        for pool in (self.carrying, self.without, self.temporary, self.lost):
            pool.discard(person)
