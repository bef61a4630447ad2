"""What happens to people: they come and go, are taken for another, and change what is registered of them."""

from datetime import date, timedelta
from uuid import UUID

from bench.year import rates
from bench.year.cards import Cards
from bench.year.people import BANKS, COUNTIES, ELSEWHERE, Person, name
from yikatong.registry.cards import actions
from yikatong.registry.holders import actions as holders
from yikatong.registry.holders.models import Category


class Persons(Cards):
    """Each is an act of registry at its moment; who is new applies for a card."""

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
        self.apply(person, self.channel())

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
            self.gone(person)
            if self.dice.random() < rates.DEATH_UNDONE:
                self.on(self.dice.randint(2, 20), self.undo_death, person)

    def undo_death(self, person: Person) -> None:
        if self.do("restore", actions.restore, person.key, reason="登记有误", by=self.office.supervisor):
            self.ended.discard(person.key)
            self.carrying.add(person)

    def leave(self) -> None:
        if person := self.somebody():
            why = {"reason": self.dice.choice(["moved", "emigrated"]), "evidence": "户口迁移证 1"}
            if self.do("record_leaving", actions.record_leaving, person.key, **why):
                self.gone(person)

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
            self.has_lost(person)

    def end_agent(self, authorisation: UUID) -> None:
        self.do("end_authorisation", actions.end_authorisation, authorisation)
