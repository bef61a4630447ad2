"""What people do about their cards: apply, lose and find, replace, take the e-card to a phone, and try what they may not."""

from collections.abc import Callable
from typing import Any

from bench.year import rates
from bench.year.choosing import CHANNELS, WORKDAYS, Choosing
from bench.year.people import BANKS, Person, age_on
from yikatong.core.actor import Actor, Channel, Role
from yikatong.core.sm import sm2
from yikatong.registry.cards import actions
from yikatong.registry.cards.actions import Wish
from yikatong.registry.cards.models import CaseKind
from yikatong.registry.holders import actions as holders
from yikatong.using.codes import actions as codes


class Cards(Choosing):
    """Each is an act of registry, or of codes, at its moment."""

    def apply(self, person: Person, channel: str) -> None:
        """In one go, or as a draft first that is ended in another channel, or never."""
        who = self.office.clerk if channel == "counter" else self.himself(person, CHANNELS[channel])
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
            self.has_lost(person)

    def has_lost(self, person: Person) -> None:
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
        share = rates.RENEWED * 0.1 * self.size / WORKDAYS * self.intensity
        for _ in range(int(share) + (self.dice.random() < share % 1)):
            if person := self.somebody():
                self.replace(person, "expired")

    def replace(self, person: Person, reason: str) -> None:
        channel = self.channel()
        who = self.office.clerk if channel == "counter" else self.himself(person, CHANNELS[channel])
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
