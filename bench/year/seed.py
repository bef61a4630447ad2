"""The city as it stands on the first morning: its cards moved in from elsewhere, set by set, by COPY."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any

from bench.year.people import BANKS, COUNTIES, DIVISIONS, Numbers, Person, age_on, name
from yikatong.cli.demo.parties import agreements
from yikatong.core import audit
from yikatong.core.actor import SYSTEM
from yikatong.core.clock import day_of
from yikatong.core.copying import copy_in
from yikatong.core.ids import uuid7
from yikatong.registry.banks.accounts import account_index
from yikatong.registry.banks.models import Agreement, Bank, BankAccount
from yikatong.registry.cards import numbers
from yikatong.registry.cards.batches import numbers_after_loading
from yikatong.registry.cards.models import Card, ECard
from yikatong.registry.cards.rules import category_of, expiry
from yikatong.registry.holders.actions import certificate_index, phone_index, social_security_index
from yikatong.registry.holders.models import Category, Certificate, Guardianship, Holder
from yikatong.registry.holders.rules import independent_on
from yikatong.registry.outlets.rules import SERVICES
from yikatong.registry.regions.law import province
from yikatong.registry.regions.models import Division, Organisation, Outlet
from yikatong.using.codes.models import Device

CHUNK = 5_000
CARRYING, WITH_ECARD = 0.96, 0.6
_INDEPENDENT = 16


@dataclass
class Rows:
    """A chunk's rows, table by table."""

    holders: list[Holder] = field(default_factory=list)
    certificates: list[Certificate] = field(default_factory=list)
    categories: list[Category] = field(default_factory=list)
    guardianships: list[Guardianship] = field(default_factory=list)
    accounts: list[BankAccount] = field(default_factory=list)
    cards: list[Card] = field(default_factory=list)
    ecards: list[ECard] = field(default_factory=list)
    devices: list[Device] = field(default_factory=list)

    def store(self) -> None:
        for rows in (
            self.holders, self.certificates, self.categories, self.guardianships, self.accounts, self.cards,
            self.ecards, self.devices,
        ):  # fmt: skip
            copy_in(rows)


def places(shards: int) -> list[Outlet]:
    """Divisions, banks, and a hall a shard that issues at once."""
    found = province()
    Division.objects.bulk_create(
        Division(code=code, name=text, level=_level(code), province_code=found.code)
        for code, text in DIVISIONS.items()
    )
    entries = [bank for bank in found.banks if bank.code in BANKS]
    fields = ("code", "name", "short_name", "bin", "hotline")
    Bank.objects.bulk_create(Bank(**{one: getattr(bank, one) for one in fields}) for bank in entries)
    since = datetime(2020, 1, 1, tzinfo=UTC)
    Agreement.objects.bulk_create(
        agreements(entries, found.short, date(2020, 1, 1), date(2090, 1, 1), at=since)
    )
    office = Organisation.objects.create(
        code="MYHRSS", name="绵阳市人社局", kind="hrss", division_code="510700"
    )
    return [
        Outlet.objects.create(
            number=f"{COUNTIES[one]}0001", name=f"{DIVISIONS[COUNTIES[one]]}社会保障卡服务大厅", organisation=office,
            division_code=COUNTIES[one], hours="周一至周五 9:00–17:00", issues_at_once=True,
            services=list(SERVICES),
        )
        for one in range(shards)
    ]  # fmt: skip


def _level(code: str) -> int:
    return 1 if code.endswith("0000") else 2 if code.endswith("00") else 3


def people(
    shard: int, shards: int, count: int, *, at: datetime, given: Numbers, dice: Random
) -> list[Person]:
    """This shard's people, stored; a child's guardian is one of the grown-ups before him."""
    made: list[Person] = []
    adults: list[tuple[Person, str, str]] = []
    for first in range(0, count, CHUNK):
        rows = Rows()
        serials = range(first, min(first + CHUNK, count))
        made.extend(_person(one * shards + shard, rows, adults, at, given, dice) for one in serials)
        rows.store()
    return made


def finish(count: int, *, at: datetime) -> None:
    """Once all shards have loaded: numbers go on behind the loaded ones, and the log says what came in."""
    numbers_after_loading()
    audit.record("cards:card:loaded", subject="city", by=SYSTEM, at=at, holders=count)


def _born(day: date, dice: Random) -> date:
    """Ages as in the census of 2020: 18 % below 15, 63 % to 59, 19 % above, evenly within each."""
    low, high = dice.choices([(0, 14), (15, 59), (60, 90)], weights=[18, 63, 19])[0]
    return day - timedelta(days=dice.randint(low * 365 + 30, high * 365 + 364))


def _person(
    serial: int, rows: Rows, adults: list[tuple[Person, str, str]], at: datetime, given: Numbers, dice: Random
) -> Person:
    day = day_of(at)
    born, county = _born(day, dice), dice.choice(COUNTIES)
    number, called = given.new(county, born), name(dice)
    phone = f"139{serial:08d}"
    holder = Holder(
        name=called, social_security_number=number, social_security_index=social_security_index(number),
        sex="1" if int(number[16]) % 2 else "2", birth_date=born, nationality="CHN", ethnicity="01",
        division_code=county, phone=phone, phone_index=phone_index(phone), address=f"示例街道 {serial % 900 + 1} 号",
        ground="residence", created_at=at - timedelta(days=dice.randint(30, 3_000)),
    )  # fmt: skip
    rows.holders.append(holder)
    rows.certificates.append(
        Certificate(
            holder=holder, kind="A", number=number, number_index=certificate_index("A", number), created_at=at
        )
    )
    person = Person(holder.pk, born, county, dice.choice(BANKS))
    rows.categories.extend(_categories(holder, day, at, dice))
    if age_on(born, day) < _INDEPENDENT and adults:
        rows.guardianships.append(_guardianship(holder, dice.choice(adults), at))
    elif age_on(born, day) >= 25:
        adults.append((person, called, number))
    if dice.random() < CARRYING:
        person.card = _card(serial, holder, person.bank, rows, at, dice)
    return person


def _categories(holder: Holder, day: date, at: datetime, dice: Random) -> Iterator[Category]:
    facts: dict[str, Any] = {
        "holder": holder,
        "state": "on",
        "created_at": at,
        "end_reason": "",
        "created_by": "迁入",
    }
    age = age_on(holder.birth_date, day)
    if age >= 61:
        yield Category(kind="elder", valid_from=day - timedelta(days=300), source="licence", **facts)
    if 7 <= age <= 22 and dice.random() < 0.8:  # to the end of some school year
        ends = date(day.year + dice.randint(0, 3), 9, 1)
        if ends > day:
            yield Category(
                kind="student",
                valid_from=day - timedelta(days=200),
                valid_until=ends,
                source="education",
                **facts,
            )
    if dice.random() < 0.03:
        yield Category(kind="disabled", valid_from=day - timedelta(days=400), source="disabled", **facts)


def _guardianship(ward: Holder, guardian: tuple[Person, str, str], at: datetime) -> Guardianship:
    person, called, number = guardian
    return Guardianship(
        ward=ward, guardian_id=person.key, name=called, kind="A", number=number,
        number_index=certificate_index("A", number), ground="parent", evidence="birth", valid_from=ward.birth_date,
        valid_until=independent_on(ward.birth_date, _INDEPENDENT), created_at=at, created_by="迁入",
    )  # fmt: skip


def _card(serial: int, holder: Holder, bank: str, rows: Rows, at: datetime, dice: Random) -> Any:
    """Issued on some day of the last ten years, so that a tenth expires in the year that comes."""
    day = day_of(at)
    issued = max(day - timedelta(days=dice.randint(1, 3_650)), holder.birth_date)
    since = at - (day - issued)
    entry = province().bank(bank)
    body = f"{entry.bin}{serial:012d}"
    number = body + numbers.luhn_digit(body)
    account = BankAccount(
        holder_id=holder.pk, bank_id=bank, number=number, number_index=account_index(number), status="active",
        opened_at=since, activated_at=since,
    )  # fmt: skip
    card = Card(
        holder=holder, number=numbers.make(province().letter_of(holder.division_code), serial),
        identification=numbers.identifier("510700", serial, dice.randbytes(4)),
        reset_info=numbers.reset_information(b"YKOLD", dice.randbytes(8)), account=account,
        category=category_of(holder.birth_date, day), division_code="510700", status="1", issued_on=issued,
        expires_on=expiry(issued, 10), activated_at=since,
    )  # fmt: skip
    rows.accounts.append(account)
    rows.cards.append(card)
    if dice.random() < WITH_ECARD and age_on(holder.birth_date, day) >= 6:
        ecard = ECard(holder=holder, card=card, number=f"510700{day:%Y%m%d}{serial:010d}", issued_at=since)
        rows.ecards.append(ecard)
        rows.devices.append(
            Device(
                id=uuid7(),
                ecard=ecard,
                holder=holder,
                public_key=b"",
                name="网页出码",
                is_server=True,
                registered_at=since,
            )
        )
    return card.pk
