"""Cards, accounts, e-cards and open cases of the demonstration, in every state they can be in."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random

from yikatong.cli.demo.plan import Loading, Person
from yikatong.core.clock import day_of
from yikatong.core.fields import blind_index
from yikatong.core.ids import uuid7
from yikatong.registry.banks.models import Bank, BankAccount
from yikatong.registry.cards import numbers
from yikatong.registry.cards.batches import numbers_after_loading
from yikatong.registry.cards.models import Card, CardStatus, Case, CaseKind, CaseStatus, CaseStep, ECard
from yikatong.using.codes.models import Device

# Share of holders in each state of the live card; the rest have only a case so far.
STATES = {
    CardStatus.NORMAL: 880,
    CardStatus.TEMPORARILY_LOST: 12,
    CardStatus.LOST: 14,
    CardStatus.LOST_CANCELLED: 8,
    CardStatus.CANCELLED: 12,
    CardStatus.INACTIVE: 25,
    CardStatus.RELEASED: 14,
}
CASES_ONLY = 35
ACCOUNT_OF = {
    CardStatus.NORMAL: BankAccount.Status.ACTIVE,
    CardStatus.TEMPORARILY_LOST: BankAccount.Status.ACTIVE,
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
    cases: list[Case] = field(default_factory=list)
    steps: list[CaseStep] = field(default_factory=list)


def load_cards(loading: Loading) -> None:
    """Holders 0 to 99 have normal cards, so that the demo's people can be chosen there."""
    dice, made = loading.dice("cards"), Made()
    for index, person in enumerate(loading.people):
        status = CardStatus.NORMAL if index < 100 else _state(dice)
        if status is None:
            made.cases.append(_with_account(_case(loading, dice, person, index, None), person, index, made))
        else:
            _card(loading, dice, person, index, status, made)
    made.steps = [
        CaseStep(
            case=case,
            at=case.created_at,
            status=case.status,
            actor_name=case.created_by,
            channel=case.channel,
        )
        for case in made.cases
    ]
    BankAccount.objects.bulk_create(made.accounts, batch_size=2_000)
    Card.objects.bulk_create(made.cards, batch_size=2_000)
    ECard.objects.bulk_create(made.ecards, batch_size=2_000)
    Device.objects.bulk_create(made.devices, batch_size=2_000)
    Case.objects.bulk_create(made.cases, batch_size=2_000)
    CaseStep.objects.bulk_create(made.steps, batch_size=2_000)
    numbers_after_loading()
    loading.cards = made.cards


def _with_account(case: Case, person: Person, index: int, made: Made) -> Case:
    """A case that waits for production has its account already."""
    if case.status == CaseStatus.PREOPENED and case.bank is not None:
        case.account = _account(person, case.bank, index, CardStatus.RELEASED, case.created_at)
        made.accounts.append(case.account)
    return case


def _state(dice: Random) -> CardStatus | None:
    return dice.choices([*STATES, None], weights=[*STATES.values(), CASES_ONLY])[0]


def _card(loading: Loading, dice: Random, person: Person, index: int, status: CardStatus, made: Made) -> None:
    bank = loading.banks[index % len(loading.banks)]
    account = _account(person, bank, index, status, loading.at)
    city = loading.profile.city_of(person.holder.division_code)
    issued = day_of(loading.at) - timedelta(days=dice.randint(20, 3_300))
    started = status not in {CardStatus.RELEASED, CardStatus.INACTIVE}
    lost = status in {CardStatus.LOST, CardStatus.LOST_CANCELLED, CardStatus.TEMPORARILY_LOST}
    ended = status in {CardStatus.CANCELLED, CardStatus.LOST_CANCELLED}
    card = Card(
        holder=person.holder,
        number=numbers.make(loading.profile.letter_of(city), index),
        identification=numbers.identifier(city, index, dice.randbytes(4)),
        reset_info=numbers.reset_information(b"YKDEM", dice.randbytes(8)),
        account=account,
        category="4" if person.age >= 60 else "3" if person.age >= 18 else "2" if person.age >= 6 else "1",
        division_code=city,
        status=status,
        issued_on=issued,
        expires_on=issued.replace(
            year=issued.year + loading.profile.card.validity_years, day=min(issued.day, 28)
        ),
        activated_at=loading.at - timedelta(days=10) if started else None,
        lost_at=loading.at - timedelta(hours=dice.randint(1, 90)) if lost else None,
        loss_ends_at=loading.at + timedelta(days=dice.randint(1, loading.profile.loss.temporary_days))
        if status is CardStatus.TEMPORARILY_LOST
        else None,
        cancelled_at=loading.at - timedelta(days=2) if ended else None,
        cancel_reason="遗失补卡" if status is CardStatus.LOST_CANCELLED else "本人申请" if ended else "",
    )
    made.accounts.append(account)
    made.cards.append(card)
    if started and not ended and dice.random() < ECARD_SHARE:
        made.ecards.append(ecard := _ecard(card, loading.at, index))
        made.devices.append(_device(ecard, loading.at))
    if status is CardStatus.RELEASED:
        made.cases.append(_case(loading, dice, person, index, card))


def _account(person: Person, bank: Bank, index: int, status: CardStatus, at: datetime) -> BankAccount:
    body = f"{bank.bin}{index:012d}"
    number = body + numbers.luhn_digit(body)
    state = ACCOUNT_OF.get(status, BankAccount.Status.PREOPENED)
    return BankAccount(
        holder_id=person.holder.id,
        bank=bank,
        number=number,
        number_index=blind_index("account", number),
        status=state,
        opened_at=at - timedelta(days=20),
        activated_at=at - timedelta(days=9) if state is not BankAccount.Status.PREOPENED else None,
        closed_at=at - timedelta(days=2) if state is BankAccount.Status.CLOSED else None,
    )


def _ecard(card: Card, at: datetime, index: int) -> ECard:
    return ECard(holder=card.holder, card=card, number=f"{card.division_code}{index:012d}", issued_at=at)


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


def _case(loading: Loading, dice: Random, person: Person, index: int, card: Card | None) -> Case:
    """An open application: on its way, or ready to be fetched when the card is made."""
    waiting = [CaseStatus.SUBMITTED, CaseStatus.CHECKED, CaseStatus.PREOPENED, CaseStatus.FAILED]
    status = CaseStatus.READY if card else dice.choices(waiting, weights=[50, 30, 15, 5])[0]
    outlet = loading.outlets[index % len(loading.outlets)]
    return Case(
        id=uuid7(),
        number=f"{outlet.division_code}{day_of(loading.at):%m%d}{900_000 + index % 100_000:06d}",
        kind=CaseKind.APPLY,
        holder=person.holder,
        card=card,
        bank=loading.banks[index % len(loading.banks)],
        status=status,
        channel=dice.choice(["counter", "mobile", "web", "kiosk"]),
        outlet=outlet,
        division_code=outlet.division_code,
        created_at=loading.at - timedelta(hours=dice.randint(1, 120)),
        created_by="本人" if dice.random() < 0.5 else "李强",
        step_due_on=day_of(loading.at) + timedelta(days=dice.randint(-1, 6)),
    )
