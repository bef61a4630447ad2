"""One half of the city lives through a day: each thing a person does is an act of registry, at its moment."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import Any
from uuid import UUID

from bench.year import rates
from bench.year.ledger import Ledger
from bench.year.office import Office
from bench.year.people import BANKS, COUNTIES, ELSEWHERE, Numbers, Person, Pool, age_on, name
from yikatong.core.actor import Actor, Channel, Role
from yikatong.core.clock import BEIJING
from yikatong.core.sm import sm2
from yikatong.core.workdays import is_workday
from yikatong.registry.cards import actions
from yikatong.registry.cards.actions import Wish
from yikatong.registry.cards.models import CaseKind
from yikatong.registry.holders import actions as holders
from yikatong.registry.holders.models import Category
from yikatong.using.codes import actions as codes

_CHANNELS = {"mobile": Channel.MOBILE, "web": Channel.WEB, "kiosk": Channel.KIOSK}
_WORKDAYS = 249  # of 2026, by the public calendar
_DAYS = 365


@dataclass
class Shard:
    """The people of a shard, what they are doing, and the office that serves them."""

    office: Office
    people: list[Person]
    given: Numbers
    dice: Random
    intensity: float = 1.0
    ledger: Ledger = field(default_factory=Ledger)

    def __post_init__(self) -> None:
        self.carrying, self.without, self.temporary, self.lost = Pool(), Pool(), Pool(), Pool()
        self.at = datetime(2026, 1, 1, tzinfo=UTC)
        self.later: defaultdict[date, list[tuple[Callable[..., None], tuple[Any, ...]]]] = defaultdict(list)
        self.ended: set[UUID] = set()
        self.phones: dict[UUID, UUID] = {}
        for person in self.people:
            (self.carrying if person.card else self.without).add(person)
        self.size = len(self.people)
        self.office.shard = self

    # --- a day ---

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
            for _ in range(self._how_many(rate)):
                getattr(self, rate.name)()
        if self.open:
            self.office.close()
        return self.ledger

    def _how_many(self, rate: rates.Rate) -> int:
        if not (self.open or rate.any_day):
            return 0
        expected = self.size * rate.per_mille / 1000 * self.intensity / (_DAYS if rate.any_day else _WORKDAYS)
        return int(expected) + (self.dice.random() < expected % 1)

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

    def rostered(self, rows: list[tuple[Person, UUID]]) -> None:
        """People a school or an employer has applied for are people of ours from now on."""
        for person, case in rows:
            self.people.append(person)
            self.office.cases[case] = person

    # --- persons come and go ---

    def _enter(self, born: date, county: str) -> tuple[Person, str] | None:
        number = self.given.new(county, born)
        claim = {
            "kind": "A", "number": number, "name": name(self.dice), "phone": f"138{self.dice.randrange(10**8):08d}",
            "division_code": county, "ground": "residence", "address": "示例街道 1 号",
        }  # fmt: skip
        holder = self.do("register", holders.register, **claim)
        if holder is None:
            return None
        person = Person(holder.pk, born, county, self.dice.choice(BANKS))
        self.people.append(person)
        self.without.add(person)
        return person, number

    def birth(self) -> None:
        parent = self.grown_up()
        entered = self._enter(self.day - timedelta(days=self.dice.randint(5, 60)), self.dice.choice(COUNTIES))
        if parent is None or entered is None:
            return
        child, _ = entered
        number = self.given.new(
            parent.county, parent.born
        )  # the parent's second document, as on the certificate
        guardian = {
            "name": name(self.dice),
            "kind": "A",
            "number": number,
            "ground": "parent",
            "evidence": "birth",
        }
        if self.do("register_guardian", holders.register_guardian, child.key, **guardian):
            self.apply(child, "counter")

    def newcomer(self) -> None:
        born = self.day - timedelta(days=self.dice.randint(17 * 365, 60 * 365))
        entered = self._enter(born, self.dice.choice(COUNTIES))
        if entered is None:
            return
        person, _ = entered
        if self.dice.random() < 0.2:
            proof = {"kind": "employment", "number": "合同 1", "issuer": "示例公司"}
            self.do("prove", holders.prove, person.key, **proof)
        self.apply(person, self._channel())

    def _channel(self) -> str:
        return self.dice.choices(list(rates.CHANNELS), weights=list(rates.CHANNELS.values()))[0]

    def apply(self, person: Person, channel: str) -> None:
        """In one go, or as a draft first that is ended in another channel, or never."""
        who = self.office.clerk if channel == "counter" else self.himself(person, _CHANNELS[channel])
        if channel != "counter" and self.dice.random() < rates.DRAFTED:
            wish = Wish(division_code=person.county, bank_code=person.bank)
            self.do("save_draft", actions.save_draft, person.key, kind=CaseKind.APPLY, wish=wish, by=who)
            if self.dice.random() < rates.DRAFT_ENDED_ELSEWHERE:
                self.on(self.dice.randint(1, 5), self.apply, person, "counter")
            return
        wish_for = {
            "bank_code": person.bank,
            "division_code": person.county,
            "outlet_id": self.office.outlet.pk,
        }
        case = self.do("apply", actions.apply, person.key, **wish_for, by=who)
        if case is not None:
            self.without.discard(person)
            self.office.took(person, case)

    def death(self) -> None:
        person = self.somebody()
        for _ in range(3):  # the old die more often
            other = self.somebody()
            if person and other and other.born < person.born:
                person = other
        if person is None:
            return
        evidence = {"on": self.day, "evidence": "居民死亡医学证明 1"}
        if self.do("record_death", actions.record_death, person.key, **evidence):
            self._gone(person)
            if self.dice.random() < rates.DEATH_UNDONE:
                self.on(self.dice.randint(2, 20), self.undo_death, person)

    def undo_death(self, person: Person) -> None:
        if self.do("restore", actions.restore, person.key, reason="登记有误", by=self.office.supervisor):
            self.ended.discard(person.key)
            self.carrying.add(person)

    def _gone(self, person: Person) -> None:
        self.ended.add(person.key)
        for pool in (self.carrying, self.without, self.temporary, self.lost):
            pool.discard(person)

    def leave(self) -> None:
        if person := self.somebody():
            why = {"reason": self.dice.choice(["moved", "emigrated"]), "evidence": "户口迁移证 1"}
            if self.do("record_leaving", actions.record_leaving, person.key, **why):
                self._gone(person)

    def duplicate(self) -> None:
        """A compatriot who has a record here already is entered again under his permit."""
        person = self.somebody()
        if person is None:
            return
        permit = f"H{self.dice.randrange(10**8):08d}"
        claim = {
            "kind": "J", "number": permit, "name": name(self.dice), "phone": f"137{self.dice.randrange(10**8):08d}",
            "division_code": person.county, "ground": "residence", "birth_date": person.born, "sex": "1",
        }  # fmt: skip
        again = self.do("register", holders.register, **claim)
        if again is not None:
            self.on(self.dice.randint(3, 30), self.merge, person, again.pk)

    def merge(self, kept: Person, gone: UUID) -> None:
        why = {"reason": "同一人两次登记", "evidence": "户口簿 1", "by": self.office.supervisor}
        merged = self.do("merge", actions.merge, kept.key, gone, **why)
        if merged is not None and self.dice.random() < rates.MERGE_UNDONE:
            self.on(self.dice.randint(1, 10), self.unmerge, merged.pk)

    def unmerge(self, merged: UUID) -> None:
        self.do("unmerge", actions.unmerge, merged, reason="不是同一人", by=self.office.supervisor)

    # --- persons change ---

    def move(self) -> None:
        if person := self.somebody():
            there = self.dice.choice(COUNTIES + ELSEWHERE)
            place = {
                "division_code": there,
                "address": f"示例路 {self.dice.randint(1, 999)} 号",
                "evidence": "户口簿 1",
            }
            if self.do("move", actions.move, person.key, **place):
                person.county = there

    def rename(self) -> None:
        if person := self.somebody():
            self.do("change_name", actions.change_name, person.key, name=name(self.dice), evidence="户口簿 1")

    def renumber(self) -> None:
        if person := self.somebody():
            number = self.given.new(COUNTIES[0], person.born)
            self.do("change_number", actions.change_number, person.key, number=number, evidence="户口簿 1")

    def rephone(self) -> None:
        if person := self.somebody():
            phone = f"136{self.dice.randrange(10**8):08d}"
            self.do("change_phone", holders.change_phone, person.key, phone=phone)

    def category(self) -> None:
        person = self.somebody()
        if person is None:
            return
        begins = self.day + timedelta(days=self.dice.randint(-20, 40))
        proof = {
            "kind": self.dice.choice(["low_income", "student", "veteran", "disabled"]), "valid_from": begins,
            "valid_until": begins + timedelta(days=self.dice.choice([60, 365])), "source": "document",
            "evidence": "证明 1",
        }  # fmt: skip
        found = self.do("add_category", holders.add_category, person.key, **proof)
        if found is not None and self.dice.random() < 0.2:
            self.on(self.dice.randint(1, 30), self.end_category, found)

    def end_category(self, category: Category) -> None:
        self.do("end_category", holders.end_category, category.pk, reason="不再符合条件")

    def agent(self) -> None:
        person = self.grown_up()
        if person is None:
            return
        number = self.given.new(person.county, date(1980, 1, 1) + timedelta(days=self.dice.randrange(5_000)))
        agent = {
            "name": name(self.dice), "kind": "A", "number": number, "matters": ["loss", "replace"],
            "evidence": "letter", "valid_until": self.day + timedelta(days=90),
        }  # fmt: skip
        given = self.do("authorise", actions.authorise, person.key, **agent)
        if given is None:
            return
        chance = self.dice.random()
        if chance < 0.5:
            self.on(self.dice.randint(1, 20), self.agent_reports, person, given.pk)
        elif chance < 0.7:
            self.on(self.dice.randint(1, 20), self.end_agent, given.pk)

    def agent_reports(self, person: Person, authorisation: UUID) -> None:
        if person.card and self.do(
            "report_loss", actions.report_loss, person.card, authorisation_id=authorisation
        ):
            self._lost(person)

    def end_agent(self, authorisation: UUID) -> None:
        self.do("end_authorisation", actions.end_authorisation, authorisation)

    # --- e-cards ---

    def ecard(self) -> None:
        person = self.grown_up()
        if person is None:
            return
        who = self.himself(person)
        if self.do("issue_ecard", codes.issue_ecard, person.key, by=who):
            key = sm2.generate().public
            bound = self.do(
                "register_device", codes.register_device, person.key, public_key=key, name="手机", by=who
            )
            if bound is not None:
                self.phones[bound.id] = person.key

    def rebind(self) -> None:
        if self.phones:
            device = self.dice.choice(list(self.phones)[-50:])
            who = Actor(self.phones.pop(device), "本人", Role.HOLDER, Channel.MOBILE)
            self.do("revoke_device", codes.revoke_device, device, by=who)

    # --- losses and replacements ---

    def temporary_loss(self) -> None:
        person = self.somebody()
        if person is None or person.card is None:
            return
        if self.do(
            "report_temporary_loss", actions.report_temporary_loss, person.card, by=self.himself(person)
        ):
            self.carrying.discard(person)
            self.temporary.add(person)
            chance = self.dice.random()
            if chance < 0.3:
                self.on(self.dice.randint(1, 6), self.found, person)
            elif chance < 0.5:
                self.on(self.dice.randint(1, 6), self.formal, person)
            else:
                self.on(8, self.end_temporary_loss, person)

    def end_temporary_loss(self, person: Person) -> None:
        """It has ended by itself, at night."""
        if person in self.temporary:
            self.temporary.discard(person)
            self.carrying.add(person)

    def found(self, person: Person) -> None:
        if person.card and self.do("release_loss", actions.release_loss, person.card):
            self.temporary.discard(person)
            self.lost.discard(person)
            self.carrying.add(person)

    def formal(self, person: Person) -> None:
        who = self.office.clerk if self.open and self.dice.random() < 0.5 else self.himself(person)
        if person.card and self.do("report_loss", actions.report_loss, person.card, by=who):
            self._lost(person)

    def _lost(self, person: Person) -> None:
        for pool in (self.carrying, self.temporary):
            pool.discard(person)
        self.lost.add(person)
        if self.dice.random() < 1 / 7:
            self.on(self.dice.randint(1, 10), self.found, person)
        else:
            self.on(self.dice.randint(1, 12), self.replace, person, "lost")

    def loss(self) -> None:
        if person := self.somebody():
            self.formal(person)

    def damage(self) -> None:
        if person := self.somebody():
            self.replace(person, self.dice.choice(["damaged", "damaged", "damaged", "defect"]))

    def other_bank(self) -> None:
        if person := self.somebody():
            person.bank = self.dice.choice([bank for bank in BANKS if bank != person.bank])
            self.replace(person, "bank")

    def renewals(self) -> None:
        """Ten years after its issue a card expires; half of those who carry one come for another within the year."""
        share = rates.RENEWED * 0.1 * self.size / _WORKDAYS * self.intensity
        for _ in range(int(share) + (self.dice.random() < share % 1)):
            if person := self.somebody():
                self.replace(person, "expired")

    def replace(self, person: Person, reason: str) -> None:
        channel = self._channel()
        who = self.office.clerk if channel == "counter" else self.himself(person, _CHANNELS[channel])
        child = age_on(person.born, self.day) < 16
        wish = {
            "reason": reason, "bank_code": person.bank, "division_code": person.county,
            "outlet_id": self.office.outlet.pk,
        }  # fmt: skip
        by = self.office.clerk if child else who
        case = self.do("replace", actions.replace, person.key, **wish, by=by)
        if case is not None:
            self.carrying.discard(person)
            self.lost.discard(person)
            self.office.took(person, case)

    def mistake(self) -> None:
        """People try what they may not; it is refused and changes nothing."""
        person = self.somebody()
        if person is None or person.card is None:
            return
        stranger, card = self.himself(person), self.somebody()
        tried: list[tuple[str, Callable[[], Any]]] = [
            ("apply", lambda: self.apply(person, "counter")),
            ("release_loss", lambda: self.do("release_loss", actions.release_loss, person.card)),
            ("hand_over", self.office.try_unpaid),
            (
                "report_loss",
                lambda: card and card is not person and self.do(
                    "report_loss", actions.report_loss, card.card, by=stranger
                ),
            ),
            ("change_phone", lambda: self.do("change_phone", holders.change_phone, person.key, phone="12345")),
            ("replace", lambda: self.do(
                "replace", actions.replace, person.key, reason="lost", division_code=person.county
            )),
        ]  # fmt: skip
        self.dice.choice(tried)[1]()
