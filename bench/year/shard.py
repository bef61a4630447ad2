"""One part of the city lives through a day: what was put off to it, its office, and what happens at its rates."""

from datetime import UTC, date, datetime, time
from uuid import UUID

from bench.year import rates
from bench.year.ledger import Ledger
from bench.year.lines import Lines
from bench.year.people import Person
from bench.year.persons import Persons
from yikatong.core.clock import BEIJING
from yikatong.core.workdays import is_workday


class Shard(Persons):
    """The people of a shard, what they are doing, and the office that serves them."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.office.shard = self
        self.lines = Lines([], self.dice)

    def live(self, day: date) -> Ledger:
        """Everything of one day, from nine o'clock on; returns what has been done since the last one."""
        self.day, self.at = day, datetime.combine(day, time(9), BEIJING).astimezone(UTC)
        self.ledger = self.office.ledger = Ledger()
        self.open = is_workday(day)
        for act, arguments in self.later.pop(day, []):
            if self.open or act == self.end_temporary_loss:
                act(*arguments)
            else:
                self.on(1, act, *arguments)
        if self.open:
            self.office.work()
            self.renewals()
        for rate in rates.RATES:
            for _ in range(self.how_many(rate)):
                getattr(self, rate.name)()
        if self.open:
            self.office.close()
        return self.ledger

    def answer(self, day: date) -> Ledger:
        """The banks of which this shard is the other end answer."""
        return self.lines.answer(day)

    def rostered(self, rows: list[tuple[Person, UUID]]) -> None:
        """People a school or an employer has applied for are people of ours from now on."""
        for person, case in rows:
            self.people.append(person)
            self.office.cases[case] = person
