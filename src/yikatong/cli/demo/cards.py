"""Cards, accounts and e-cards of the demonstration as the platform took them over; `applicants` go on from there."""

from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from random import Random

from yikatong.cli.demo.plan import Loading, Person
from yikatong.core import audit
from yikatong.core.actor import SYSTEM
from yikatong.core.clock import BEIJING, day_of
from yikatong.core.copying import copy_in
from yikatong.core.ids import uuid7
from yikatong.registry.banks.accounts import account_index
from yikatong.registry.banks.models import Bank, BankAccount
from yikatong.registry.cards import numbers
from yikatong.registry.cards.batches import numbers_after_loading
from yikatong.registry.cards.models import Card, CardStatus, ECard
from yikatong.registry.cards.rules import CancelReason, category_of, expiry
from yikatong.using.codes.models import Device

# Share of holders in each state of the live card when the platform took the cards over; the rest have none yet.
STATES = {
    CardStatus.NORMAL: 940,
    CardStatus.LOST: 14,
    CardStatus.LOST_CANCELLED: 8,
    CardStatus.CANCELLED: 12,
}
WITHOUT = 20
FEWEST_WITHOUT = 36
ACCOUNT_OF = {
    CardStatus.NORMAL: BankAccount.Status.ACTIVE,
    CardStatus.LOST: BankAccount.Status.LOST,
    CardStatus.LOST_CANCELLED: BankAccount.Status.CLOSED,
    CardStatus.CANCELLED: BankAccount.Status.CLOSED,
}
ECARD_SHARE = 0.66


@dataclass
class Made:
    """Rows gathered before they are written in one go."""

    accounts: list[BankAccount] = field(default_factory=list)
    cards: list[Card] = field(default_factory=list)
    ecards: list[ECard] = field(default_factory=list)
    devices: list[Device] = field(default_factory=list)


def load_cards(loading: Loading) -> None:
    """Cards issued before the platform began: taken over as they stood, without a story of their own.

    Holders 0 to 99 have normal cards, but for the demonstration's own people, who get theirs in the last weeks.
    """
    dice, made = loading.dice("cards"), Made()
    without = max(WITHOUT, FEWEST_WITHOUT * 1000 // loading.sizes.holders)
    for index, person in enumerate(loading.people):
        status = CardStatus.NORMAL if index < 100 else _state(dice, person, without)
        if status is None or person in loading.known:
            loading.applicants.append(person)
        else:
            _card(loading, dice, person, index, status, made)
    for rows in (made.accounts, made.cards, made.ecards, made.devices):
        copy_in(rows)
    numbers_after_loading()
    audit.record("cards:card:loaded", subject="cards", by=SYSTEM, at=loading.at, cards=len(made.cards))
    loading.cards = made.cards


def _state(dice: Random, person: Person, without: int) -> CardStatus | None:
    """One who has proven his ground may be without a card: he is about to apply."""
    state = dice.choices([*STATES, None], weights=[*STATES.values(), without])[0]
    may_apply = person.kind == "A" and person.holder.ground == "residence"
    return state or (None if may_apply else CardStatus.NORMAL)


def _card(loading: Loading, dice: Random, person: Person, index: int, status: CardStatus, made: Made) -> None:
    bank = loading.banks[index % len(loading.banks)]
    day = day_of(loading.at)
    age_days = (day - person.holder.birth_date).days
    issued = day - timedelta(days=min(dice.randint(40, 3_300), max(age_days - 30, 1)))
    since = datetime.combine(issued, time(10), BEIJING) + timedelta(minutes=dice.randrange(400))
    ended = status in {CardStatus.CANCELLED, CardStatus.LOST_CANCELLED}
    lost_at = max(loading.at - timedelta(days=dice.randint(22, 300)), since + timedelta(days=5))
    lost = status in {CardStatus.LOST, CardStatus.LOST_CANCELLED}
    ended_at = lost_at + timedelta(days=3) if ended else None
    account = _account(person, bank, index, status, since, ended_at)
    city = loading.profile.city_of(person.holder.division_code)
    card = Card(
        holder=person.holder,
        number=numbers.make(loading.profile.letter_of(city), index),
        identification=numbers.identifier(city, index, dice.randbytes(4)),
        reset_info=numbers.reset_information(b"YKDEM", dice.randbytes(8)),
        account=account,
        category=category_of(person.holder.birth_date, issued),
        division_code=city,
        status=status,
        issued_on=issued,
        expires_on=expiry(issued, loading.profile.card.validity_years),
        activated_at=since,
        lost_at=lost_at if lost else None,
        cancelled_at=ended_at,
        cancel_reason="" if not ended else CancelReason.REPLACED if lost else CancelReason.REQUEST,
    )
    made.accounts.append(account)
    made.cards.append(card)
    if not ended and dice.random() < ECARD_SHARE:
        made.ecards.append(ecard := _ecard(card, max(since, loading.at - timedelta(days=700)), index))
        made.devices.append(_device(ecard, ecard.issued_at))


def _account(
    person: Person, bank: Bank, index: int, status: CardStatus, since: datetime, ended_at: datetime | None
) -> BankAccount:
    body = f"{bank.bin}{index:012d}"
    number = body + numbers.luhn_digit(body)
    return BankAccount(
        holder_id=person.holder.id,
        bank=bank,
        number=number,
        number_index=account_index(number),
        status=ACCOUNT_OF[status],
        opened_at=since - timedelta(days=9),
        activated_at=since,
        closed_at=ended_at,
    )


def _ecard(card: Card, at: datetime, index: int) -> ECard:
    """签发号: division, day, ten digits."""
    number = f"{card.division_code[:6]}{day_of(at):%Y%m%d}{index:010d}"
    return ECard(holder=card.holder, card=card, number=number, issued_at=at)


def _device(ecard: ECard, at: datetime) -> Device:
    """The row that codes made by the server bear; `yikatong demo live` shows such codes."""
    return Device(
        id=uuid7(),
        ecard=ecard,
        holder=ecard.holder,
        public_key=b"",
        name="网页出码",
        is_server=True,
        registered_at=at,
    )
