"""A card of the register as a virtual card: for demonstrations, tests and trials of readers, with the soft key device."""

from datetime import date

from yikatong.adapters.hsm.soft import SoftHsm
from yikatong.adapters.national_card.image import INITIAL_PIN, Image, Permit, Person, personalise
from yikatong.adapters.national_card.virtual import VirtualCard
from yikatong.registry.cards.chip.keys import Chip
from yikatong.registry.cards.models import Card
from yikatong.registry.holders import queries


def virtual(card: Card, device: SoftHsm, *, pin: str = INITIAL_PIN) -> VirtualCard:
    return VirtualCard(image(card, device, pin=pin))


def image(card: Card, device: SoftHsm, *, pin: str = INITIAL_PIN, day: date | None = None) -> Image:
    """What the maker would have written on `day`, else on the day of issue; BadIdentifier for chip numbers that are none."""
    person = _person(card, day or card.issued_on)
    return personalise(person, device.personalise(person.chip), pin=pin)


def _person(card: Card, day: date) -> Person:
    holder = card.holder
    proof = queries.work_permit(holder.pk, day)
    permit = None
    if proof is not None and proof.valid_until is not None:
        permit = Permit(proof.number, proof.issuer, proof.valid_from, proof.valid_until)
    return Person(
        chip=Chip.of(card.identification, card.reset_info),
        card_number=card.number,
        category=card.category,
        spec_version=card.spec_version,
        issued_on=card.issued_on,
        expires_on=card.expires_on,
        social_security_number=holder.social_security_number,
        name=holder.name,
        sex=holder.sex,
        ethnicity=holder.ethnicity,
        birth_date=holder.birth_date,
        residence=holder.division_code,
        permit=permit,
    )
