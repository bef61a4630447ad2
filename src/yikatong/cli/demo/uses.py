"""A week of uses, loaded by binary COPY: morning and evening peaks, refusals, offline uploads."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from random import Random
from typing import Any

from django.db import connection

from yikatong.cli.demo.parties import catalogue_file
from yikatong.cli.demo.plan import Loading
from yikatong.core.clock import BEIJING, day_of
from yikatong.registry.access.models import Terminal
from yikatong.registry.cards.models import Card
from yikatong.using.codes.reasons import Reason
from yikatong.using.usage.models import Use

USES_A_DAY = 0.9  # of a holder with a normal card, on the mean
# Share of each hour of the day, in thousandths, as buses and hospitals fill.
HOURS = [2, 1, 1, 1, 3, 12, 45, 105, 110, 80, 62, 50, 48, 45, 50, 55, 62, 95, 85, 45, 25, 12, 5, 1]
REFUSED_SHARE = 0.012
CODE_REFUSALS = [
    Reason.PRESENTATION_EXPIRED,
    Reason.REPLAYED,
    Reason.WRONG_SCENE,
    Reason.CREDENTIAL_EXPIRED,
    Reason.BAD_MAC,
]
CARD_REFUSALS = {
    "0": Reason.CARD_NOT_ACTIVE,
    "A": Reason.CARD_NOT_ACTIVE,
    "B": Reason.CARD_LOST_TEMPORARY,
    "2": Reason.CARD_LOST,
    "3": Reason.CARD_CANCELLED,
    "4": Reason.CARD_CANCELLED,
}
STOPPED_CARD_SHARE = 0.006
FARES = {"transit": (100, 400), "tourism": (2_000, 6_000), "medical": (500, 9_000)}
COLUMNS = [
    "day", "terminal", "sequence", "used_at", "received_at", "is_offline", "method", "scene", "outcome", "holder_id",
    "card_id", "place_id", "city_code", "domain_code", "amount_fen", "concession", "request_digest",
]  # fmt: skip
TYPES = [
    "date", "int8", "int8", "timestamptz", "timestamptz", "bool", "int2", "int2", "int2", "uuid",
    "uuid", "uuid", "varchar", "varchar", "int8", "int2", "bytea",
]  # fmt: skip


AT_HOME_SHARE = 0.93


@dataclass
class Week:
    """Who may show a card where: most uses are at home, in the city that issued the card."""

    at: datetime
    dice: Random
    terminals: list[Terminal]
    chances: list[int]
    stopped: list[Card]
    live: list[Card]
    of_city: dict[str, list[Card]] = field(default_factory=dict)

    def card_at(self, terminal: Terminal) -> Card:
        if self.stopped and self.dice.random() < STOPPED_CARD_SHARE:
            return self.dice.choice(self.stopped)
        at_home = self.of_city.get(terminal.city_code) if self.dice.random() < AT_HOME_SHARE else None
        return self.dice.choice(at_home or self.live)


def load_uses(loading: Loading) -> None:
    week = _week(loading)
    today = day_of(loading.at)
    for back in reversed(range(loading.sizes.days)):
        _copy(_day(week, today - timedelta(days=back), int(len(loading.cards) * USES_A_DAY)))


def _week(loading: Loading) -> Week:
    terminals = list(Terminal.objects.filter(status="enrolled"))
    weights = {row[1]: row[5] for row in catalogue_file()["places"]}
    kinds = {place.id: place.kind for place in loading.places}
    week = Week(
        at=loading.at,
        dice=loading.dice("uses"),
        terminals=terminals,
        chances=[weights[kinds[terminal.place_id]] for terminal in terminals],
        stopped=[card for card in loading.cards if card.status != "1"],
        live=[card for card in loading.cards if card.status == "1"],
    )
    for card in week.live:
        week.of_city.setdefault(card.division_code, []).append(card)
    return week


def _day(week: Week, day: date, rows: int) -> Iterator[tuple[Any, ...]]:
    dice, sequences = week.dice, dict[int, int]()
    hours = dice.choices(range(24), weights=HOURS, k=rows)
    for terminal, hour in zip(dice.choices(week.terminals, weights=week.chances, k=rows), hours, strict=True):
        used_at = datetime.combine(day, time(hour, dice.randrange(60), dice.randrange(60)), BEIJING)
        if used_at > week.at:
            continue
        sequences[terminal.number] = sequences.get(terminal.number, 0) + 1
        yield _use(dice, day, used_at, terminal, sequences[terminal.number], week.card_at(terminal))


def _use(
    dice: Random, day: date, used_at: datetime, terminal: Terminal, order: int, card: Card
) -> tuple[Any, ...]:
    offline = dice.random() < 0.08
    outcome = CARD_REFUSALS.get(card.status) or (
        dice.choice(CODE_REFUSALS) if dice.random() < REFUSED_SHARE else 0
    )
    low, high = FARES.get(terminal.domain_code, (0, 0))
    concession = 1 if card.category == "4" else 0
    amount = 0 if outcome or concession else dice.randint(low // 50, high // 50) * 50
    sequence = int(f"{day:%Y%m%d}") * 10**8 + order
    return (
        day, terminal.number, sequence, used_at, used_at + timedelta(minutes=37 if offline else 0), offline,
        # a short code is online only
        dice.choices([Use.Method.CODE, Use.Method.SHORT, Use.Method.CARD], weights=[58, 0 if offline else 9, 33])[0].value,
        max(terminal.scenes), int(outcome), card.holder_id, card.id, terminal.place_id, terminal.city_code,
        terminal.domain_code, amount, concession, hashlib.blake2s(str(sequence).encode(), digest_size=16).digest(),
    )  # fmt: skip


def _copy(rows: Iterator[tuple[Any, ...]]) -> None:
    statement = f"COPY usage_use ({', '.join(COLUMNS)}) FROM STDIN (FORMAT BINARY)"
    with connection.cursor() as cursor, cursor.cursor.copy(statement) as copy:
        copy.set_types(TYPES)
        for row in rows:
            copy.write_row(row)
