"""A card of the register as a virtual card: for demonstrations, tests and trials of readers, with the soft key device."""

from yikatong.adapters.hsm.soft import SoftHsm
from yikatong.adapters.national_card.image import INITIAL_PIN, Image, Person, personalise
from yikatong.adapters.national_card.virtual import VirtualCard
from yikatong.registry.cards.chip.keys import Chip
from yikatong.registry.cards.models import Card


def virtual(card: Card, device: SoftHsm, *, pin: str = INITIAL_PIN) -> VirtualCard:
    return VirtualCard(image(card, device, pin=pin))


def image(card: Card, device: SoftHsm, *, pin: str = INITIAL_PIN) -> Image:
    """What the maker would have written; BadIdentifier for a card whose chip numbers are none."""
    person = _person(card)
    return personalise(person, device.personalise(person.chip), pin=pin)


def _person(card: Card) -> Person:
    holder = card.holder
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
    )
