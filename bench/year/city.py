"""The city: its shards by day, its night after each day. In one process, or a process for each shard."""

import gc
import multiprocessing as mp
import traceback
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from multiprocessing.connection import Connection
from random import Random
from typing import Any, Protocol
from uuid import UUID

from django.db import connections

from bench.year import seed
from bench.year.ledger import Ledger
from bench.year.lines import Lines
from bench.year.night import Night
from bench.year.office import Office
from bench.year.people import BANKS, Numbers, Person
from bench.year.shard import Shard
from yikatong.core.clock import BEIJING
from yikatong.registry.regions.models import Outlet

Tell = Callable[[date, Ledger], None]


@dataclass(frozen=True, slots=True)
class Plan:
    """`intensity` multiplies every rate: a small city in a short time sees everything nevertheless."""

    holders: int
    first: date
    shards: int = 1
    seed: int = 2026
    intensity: float = 1.0

    @property
    def eve(self) -> datetime:
        return datetime.combine(self.first, time(0, 30), BEIJING).astimezone(UTC)

    def numbers(self, place: int) -> Numbers:
        """The night, which enters rosters, counts apart from the shards."""
        return Numbers(place, self.shards + 1)

    def dice(self, place: int) -> Random:
        return Random(f"{self.seed}:{place}")


class Living(Protocol):
    """A shard, here or in a process of its own: first everything is begun, then everything is waited for."""

    def begin(self, what: str, *arguments: Any) -> None: ...
    def end(self) -> Any: ...


def founded(plan: Plan, place: int, outlet: Outlet) -> Shard:
    """A shard with its people, stored."""
    dice, given = plan.dice(place), plan.numbers(place)
    count = plan.holders // plan.shards
    people = seed.people(place, plan.shards, count, at=plan.eve, given=given, dice=dice)
    shard = Shard(Office(outlet, place, dice), people, given, dice, plan.intensity)
    shard.lines = Lines(list(BANKS[place :: plan.shards]), dice)
    return shard


class Here:
    """A shard in this process."""

    def __init__(self, plan: Plan, place: int, outlet: Outlet) -> None:
        self.shard, self.answer = founded(plan, place, outlet), None

    def begin(self, what: str, *arguments: Any) -> None:
        self.answer = getattr(self.shard, what)(*arguments)

    def end(self) -> Any:
        return self.answer


class Apart:
    """A shard in a process of its own, with its own connection."""

    def __init__(self, plan: Plan, place: int, outlet: Outlet) -> None:
        context = mp.get_context("fork")
        self.line, theirs = context.Pipe()
        connections.close_all()
        self.process = context.Process(target=_serve, args=(theirs, plan, place, outlet), daemon=True)
        self.process.start()

    def begin(self, what: str, *arguments: Any) -> None:
        self.line.send((what, arguments))

    def end(self) -> Any:
        is_well, answer = self.line.recv()
        if not is_well:
            raise RuntimeError(answer)
        return answer


def _serve(line: Connection, plan: Plan, place: int, outlet: Outlet) -> None:
    connections.close_all()
    shard: Shard | None = None
    try:
        shard = founded(plan, place, outlet)
        gc.collect()
        gc.freeze()  # its people stay for the year: no collection need look at them again
        line.send((True, None))
        while True:
            what, arguments = line.recv()
            line.send((True, getattr(shard, what)(*arguments)))
    except EOFError:
        return
    except BaseException:  # noqa: BLE001 - shown by the parent
        line.send((False, traceback.format_exc()))


class City:
    """`founded` once made: divisions, banks, halls, and every shard's people."""

    def __init__(self, plan: Plan, *, apart: bool) -> None:
        self.plan = plan
        outlets = seed.places(plan.shards)
        self.shards: Sequence[Living] = [
            (Apart if apart else Here)(plan, place, outlet) for place, outlet in enumerate(outlets)
        ]
        if apart:
            for one in self.shards:
                one.end()
        seed.finish(plan.holders, at=plan.eve)
        place = plan.shards
        self.night = Night(plan.numbers(place), plan.dice(place), plan.holders, plan.intensity)

    def live(self, days: Iterable[date], tell: Tell = lambda _day, _ledger: None) -> Ledger:
        """Day after day; returns all that was done."""
        total = Ledger()
        for day in days:
            done = Ledger()
            for one in self.shards:
                one.begin("live", day)
            for one in self.shards:
                done.add(one.end())
            for one in self.shards:
                one.begin("answer", day)
            for one in self.shards:
                done.add(one.end())
            night, rostered = self.night.pass_(day)
            done.add(night)
            self._share(rostered)
            total.add(done)
            tell(day, done)
        return total

    def _share(self, rostered: list[tuple[Person, UUID]]) -> None:
        for place, one in enumerate(self.shards):
            if mine := rostered[place :: len(self.shards)]:
                one.begin("rostered", mine)
                one.end()
