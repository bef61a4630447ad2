"""Cards lost, found and replaced in these weeks."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from yikatong.cli.demo.applicants import DAYS, Applicant, Lasting
from yikatong.cli.demo.diary import Weeks, himself
from yikatong.cli.demo.plan import Person
from yikatong.registry.cards import actions
from yikatong.registry.cards.models import Card, CardStatus
from yikatong.registry.cards.rules import ReplaceReason
from yikatong.registry.regions.models import Outlet

#: Of a thousand holders, in these weeks; and the fewest.
PER_MILLE, FEWEST = 3, 12
_GROWN, _OLD = 18, 75
#: What becomes of it, in turn. Replacements have the days of an application of the same fate.
KINDS: Final = (
    "found", "temporary", "lost", "replaced:done", "damaged:ready", "lost", "replaced:submitted", "temporary",
    "formal found", "expired:done", "replaced:ready", "temporary",
)  # fmt: skip
_REASON: Final = {
    "replaced": ReplaceReason.LOST, "damaged": ReplaceReason.DAMAGED, "expired": ReplaceReason.EXPIRED,
}  # fmt: skip
Case = tuple[Person, Card, str]


def enter(weeks: Weeks, lasting: Lasting) -> None:
    for person, card, kind in _who(weeks):
        before, _, fate = kind.partition(":")
        if fate:
            _replaced(weeks, lasting, person, card, before, fate)
        elif kind in {"found", "temporary"}:
            _temporary(weeks, card, person, is_found=kind == "found")
        else:
            _formal(weeks, card, person, is_found=kind == "formal found")


def _who(weeks: Weeks) -> Iterator[Case]:
    """Grown-ups with a card in use, spread over all counties; not the demonstration's own people."""
    people = {person.holder.pk: person for person in weeks.loading.people[100:]}
    carrying = [
        (people[card.holder_id], card)
        for card in weeks.loading.cards
        if card.status == CardStatus.NORMAL and card.holder_id in people
    ]
    grown = [one for one in carrying if _GROWN < one[0].age < _OLD and one[0].kind == "A"]
    count = max(FEWEST, weeks.loading.sizes.holders * PER_MILLE // 1000)
    for number, (person, card) in enumerate(weeks.dice.sample(grown, min(count, len(grown)))):
        yield person, card, KINDS[number % len(KINDS)]


def _temporary(weeks: Weeks, card: Card, person: Person, *, is_found: bool) -> None:
    """From a phone, at any hour; it ends by itself, or the holder finds the card and says so."""

    def report(at: datetime) -> None:
        ends = actions.report_temporary_loss(card.pk, by=himself(person), at=at).loss_ends_at
        weeks.banks_answer(at)
        weeks.diary.enter(at + timedelta(hours=30), release) if is_found else None
        assert ends is not None  # noqa: S101 - a temporary loss ends
        weeks.diary.enter(ends + timedelta(seconds=30), lambda when: actions.release_ended_losses(at=when))

    def release(at: datetime) -> None:
        actions.release_loss(card.pk, by=weeks.taker(None, card.division_code), at=at)
        weeks.banks_answer(at)

    hours = 24 * 9
    weeks.diary.enter(weeks.moment(4) if is_found else weeks.lately(hours), report)


def _formal(weeks: Weeks, card: Card, person: Person, *, is_found: bool) -> None:
    weeks.diary.enter(weeks.moment(weeks.dice.randint(3, 9)), partial(_report, weeks, card, person))
    if is_found:
        weeks.diary.enter(weeks.moment(weeks.dice.randint(0, 2)), partial(_release, weeks, card))


def _report(weeks: Weeks, card: Card, person: Person, at: datetime) -> None:
    by = himself(person) if weeks.dice.random() < 0.6 else weeks.taker(None, card.division_code)
    actions.report_loss(card.pk, by=by, at=at)
    weeks.banks_answer(at)


def _release(weeks: Weeks, card: Card, at: datetime) -> None:
    actions.release_loss(card.pk, by=weeks.taker(None, card.division_code), at=at)
    weeks.banks_answer(at)


def _replaced(weeks: Weeks, lasting: Lasting, person: Person, card: Card, why: str, fate: str) -> None:
    """The loss first where it is lost; then the replacement, its fee paid by those who come to a counter."""
    moment = weeks.lately(20) if fate == "submitted" else weeks.moment(DAYS[fate][0][0])
    if why == "replaced":
        weeks.diary.enter(moment - timedelta(hours=2), partial(_report, weeks, card, person))
    halls = [one for one in weeks.outlets_in(card.division_code) if not weeks.staff[one.pk][0].bank]
    outlet = halls[0] if halls else None
    weeks.diary.enter(moment, partial(_replace, weeks, lasting, person, outlet, _REASON[why], fate))


def _replace(
    weeks: Weeks,
    lasting: Lasting,
    person: Person,
    outlet: Outlet | None,
    reason: str,
    fate: str,
    at: datetime,
) -> None:
    paying = fate == "done"
    by = weeks.taker(outlet, person.holder.division_code) if paying else himself(person)
    division = outlet.division_code if outlet else person.holder.division_code
    case = actions.replace(
        person.holder.pk,
        reason=reason,
        outlet_id=outlet.pk if outlet else None,
        division_code=division,
        by=by,
        at=at,
    )
    if paying and case.fee_fen:
        weeks.given += 1
        actions.take_fee(
            case.pk, receipt=f"SJ{at:%Y%m%d}{weeks.given:04d}", by=by, at=at + timedelta(minutes=2)
        )
    lasting.goes_on(Applicant(person, fate, str(case.bank_id), outlet, by), case)
