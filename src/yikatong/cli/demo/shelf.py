"""Blank cards at three outlets over these weeks: packs received, cards made at once, spoiled ones, counts seen by two."""

from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

from yikatong.cli.demo.diary import Weeks, himself
from yikatong.cli.demo.plan import Person
from yikatong.core.actor import Actor
from yikatong.core.models import StaffUser
from yikatong.registry.cards import actions
from yikatong.registry.cards.models import CaseStatus
from yikatong.registry.regions.models import Outlet
from yikatong.registry.stock import actions as stock
from yikatong.registry.stock import queries
from yikatong.registry.stock.printer import printer

PACK: Final = 200
_SHUT: Final = 16 * 60 + 50


def enter(weeks: Weeks, people: list[Person]) -> None:
    """`people` come to the first hall, and have their cards made at once: some days ago, and one just now."""
    for place, login in enumerate(("hejing", "linfang", "liqiang")):
        clerk = StaffUser.objects.get(username=login)
        Outlet.objects.filter(pk__in=[clerk.outlet_id]).update(issues_at_once=True)
        for number, bank in enumerate(weeks.loading.banks, 1):
            if clerk.bank_code in {"", bank.pk}:
                pack = {"first": f"{number}{place}0001", "count": PACK}
                weeks.diary.enter(weeks.at(12, 9 * 60 + 20), partial(_receive, bank.pk, pack, clerk.actor()))
                _counts(weeks, bank.pk, clerk.actor(), short=login == "liqiang" and number == 1)
        if not clerk.bank_code:
            spoiled = f"1{place}{PACK:04d}"
            weeks.diary.enter(weeks.at(7, 14 * 60), partial(_spoil, spoiled, clerk.actor()))
    desk = StaffUser.objects.get(username="liqiang").actor()
    for number, person in enumerate(people):
        weeks.diary.enter(weeks.moment(max(6 - 2 * number, 0)), partial(_at_once, weeks, person, desk))


def _hall(by: Actor) -> Outlet:
    assert by.outlet_id is not None  # noqa: S101 - he sits in a hall
    return Outlet.objects.get(pk=by.outlet_id)


def _receive(bank: str, pack: dict[str, Any], by: Actor, at: datetime) -> None:
    stock.receive(bank, **pack, by=by, at=at)


def _spoil(serial: str, by: Actor, at: datetime) -> None:
    stock.spoil(serial, reason="卡面划伤", by=by, at=at)


def _counts(weeks: Weeks, bank: str, by: Actor, *, short: bool) -> None:
    """Each afternoon, and looked at by a second person; once a card is missing."""
    for back in (5, 4, 3, 2, 1):
        weeks.diary.enter(weeks.at(back, _SHUT), partial(_count, weeks, bank, by, short and back == 1))


def _count(weeks: Weeks, bank: str, by: Actor, short: bool, at: datetime) -> None:
    hall = _hall(by)
    lying = queries.in_house(hall, bank)
    note = "少一张，已查找，未找到" if short else ""
    found = stock.count(bank, counted=lying - short, note=note, by=by, at=at)
    other = next((one for one in weeks.staff[hall.pk] if one.id != by.id), None)
    if other is not None:
        stock.confirm_count(found.pk, by=other, at=at + timedelta(minutes=4))


def _at_once(weeks: Weeks, person: Person, desk: Actor, at: datetime) -> None:
    """He applies, another clerk checks, the bank opens the account over the line, the card is printed."""
    hall = _hall(desk)
    online = next((one.code for one in weeks.loading.profile.banks if one.is_online), "")
    if not online or printer() is None:
        return
    wish: dict[str, Any] = {
        "bank_code": online, "outlet_id": hall.pk, "division_code": person.holder.division_code,
    }  # fmt: skip
    case = actions.apply(person.holder.pk, **wish, by=himself(person), at=at - timedelta(minutes=40))
    actions.check(case.pk, by=weeks.checker(case.division_code), at=at - timedelta(minutes=20))
    weeks.banks_answer(at - timedelta(minutes=20))
    stock.issue_at_once(case.pk, by=desk, at=at)
    job = stock.start_next(hall.pk, at=at + timedelta(seconds=4))
    line = printer()
    assert job is not None  # noqa: S101 - it has just been queued
    assert line is not None  # noqa: S101 - seen above
    order = stock.order_of(job, at=at)
    stock.printed(job.pk, order, line.print_card(order, job.blank.serial), at=at + timedelta(seconds=70))
    case.refresh_from_db()
    if case.status == CaseStatus.READY:
        card = actions.hand_over(case.pk, by=desk, at=at + timedelta(minutes=3))
        actions.activate(card.pk, by=desk, at=at + timedelta(minutes=4))
        weeks.banks_answer(at + timedelta(minutes=5))
