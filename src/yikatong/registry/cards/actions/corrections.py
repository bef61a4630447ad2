"""补正: a checker names what is to be corrected; the office's clock stands until the applicant has done so."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import transaction

from yikatong.core import audit
from yikatong.core.actor import SYSTEM, Actor, Role
from yikatong.core.clock import day_of
from yikatong.core.permissions import Permission, require
from yikatong.registry.banks.models import Agreement
from yikatong.registry.banks.terms import accepting, check_delegated
from yikatong.registry.cards import elsewhere, refusals
from yikatong.registry.cards.actions.applications import outlet_of
from yikatong.registry.cards.actions.moves import locked_case, move_case
from yikatong.registry.cards.actions.notices import tell_holder
from yikatong.registry.cards.models import Case, CaseStatus, Correction
from yikatong.registry.regions.calendar import calendar

Item = Correction.Item

#: What the applicant can put right wherever he is; the rest is seen in original at a counter.
ANYWHERE: Final = frozenset({Item.BANK, Item.OUTLET, Item.ADDRESS, Item.GROUND})
_CHUNK: Final = 500
_TEXT_MAX: Final = 200


@dataclass(frozen=True, slots=True)
class Answers:
    """What the applicant gives; `seen` are items whose originals a clerk has seen, each with his words."""

    bank_code: str = ""
    outlet_id: UUID | None = None
    address: str = ""
    ground: str = ""
    seen: Mapping[str, str] | None = None


@transaction.atomic
def ask_correction(case_id: UUID, *, items: Mapping[str, str], by: Actor, at: datetime) -> Case:
    """Return the case to its applicant; `items`: what is wrong, by item. The days left are kept for later."""
    require(by, Permission.CARD_CHECK)
    wanted = {item: text.strip() for item, text in items.items()}
    if not wanted or not all(wanted.values()) or not set(wanted) <= set(Item.values):
        raise refusals.NothingToCorrect
    case = elsewhere.at_place_of_issue(locked_case(case_id, by=by), by=by)
    day = day_of(at)
    left = calendar(day).between(day, case.step_due_on) if case.step_due_on else None
    said = "、".join(Item(item).label for item in wanted)
    case = move_case(case, CaseStatus.CORRECTING, by=by, at=at, note=f"请补正：{said}", days_left=left)
    Correction.objects.bulk_create(
        Correction(case=case, item=item, wanted=text[:_TEXT_MAX], asked_at=at, asked_by=by.name)
        for item, text in wanted.items()
    )
    tell_holder(
        case.holder_id,
        f"您的社会保障卡{case.get_kind_display()}（受理号 {case.number}）需要补正：{said}。"
        f"请在 {case.step_due_on:%Y-%m-%d} 前补正，逾期视为放弃。",
        "case.correcting",
    )
    return case


@transaction.atomic
def correct(case_id: UUID, *, answers: Answers, by: Actor, at: datetime) -> Case:
    """Answer what can be answered; with the last open item the case goes back to its checker.

    Raises NotCorrecting, NothingCorrected, CounterOnly, NoBank, NoOutlet.
    """
    require(by, Permission.CARD_APPLY)
    case = locked_case(case_id, by=by)
    check_delegated(Agreement.Matter(case.kind), by=by, at=at)
    if case.status != CaseStatus.CORRECTING:
        raise refusals.NotCorrecting
    if answers.seen and by.role is Role.HOLDER:
        raise refusals.CounterOnly
    waiting = list(case.corrections.filter(answered_at=None))
    given = {one.pk: text for one in waiting if (text := _apply(case, one.item, answers, by=by, at=at))}
    if not given:
        raise refusals.NothingCorrected
    for one in waiting:
        if one.pk in given:
            _keep(one, given[one.pk], by=by, at=at)
    case.save(update_fields=["bank", "outlet", "delivery", "address"])
    _note(case, [one.item for one in waiting if one.pk in given], by=by, at=at)
    if len(given) < len(waiting):
        return case
    return move_case(case, CaseStatus.SUBMITTED, by=by, at=at, note="已补正", days_left=None)


def _note(case: Case, items: list[str], *, by: Actor, at: datetime) -> None:
    subject = f"case:{case.pk}"
    audit.record("cards:case:corrected", subject=subject, holder_id=case.holder_id, by=by, at=at, items=items)


def _apply(case: Case, item: str, answers: Answers, *, by: Actor, at: datetime) -> str:
    """Put one answer into the case; returns it in words, "" where there is none."""
    if item == Item.BANK and answers.bank_code:
        case.bank = accepting(answers.bank_code, by=by, at=at)
        return str(case.bank.name)
    if item == Item.OUTLET and answers.outlet_id:
        case.outlet, case.delivery = outlet_of(answers.outlet_id), "0"
        return case.outlet.name if case.outlet else ""
    if item == Item.ADDRESS and answers.address.strip():
        case.address = answers.address.strip()[:_TEXT_MAX]
        return str(case.address)
    if item == Item.GROUND and answers.ground.strip():
        return answers.ground.strip()[:_TEXT_MAX]
    return (answers.seen or {}).get(item, "").strip()[:_TEXT_MAX]


def _keep(one: Correction, answer: str, *, by: Actor, at: datetime) -> None:
    one.answer, one.answered_at, one.answered_by, one.channel = answer, at, by.name, by.channel
    one.save(update_fields=["answer", "answered_at", "answered_by", "channel"])


def close_uncorrected(*, at: datetime) -> int:
    """Corrections whose time is over end as given up, drafts kept long enough as withdrawn; returns how many."""
    total = 0
    while chunk := _close_chunk(at):
        total += chunk
    return total


@transaction.atomic
def _close_chunk(at: datetime) -> int:
    waiting = Case.objects.select_for_update(skip_locked=True, no_key=True).filter(
        status__in=[CaseStatus.DRAFT, CaseStatus.CORRECTING], step_due_on__lt=day_of(at)
    )
    cases = list(waiting.order_by("step_due_on", "pk")[:_CHUNK])
    for case in cases:
        if case.status == CaseStatus.DRAFT:
            move_case(case, CaseStatus.WITHDRAWN, by=SYSTEM, at=at, note="草稿保存期满，自动撤回")
        else:
            _give_up(case, at)
    return len(cases)


def _give_up(case: Case, at: datetime) -> None:
    move_case(case, CaseStatus.ABANDONED, by=SYSTEM, at=at, note="补正期限已过，视为放弃申请", days_left=None)
    tell_holder(
        case.holder_id,
        f"您的社会保障卡{case.get_kind_display()}（受理号 {case.number}）超过补正期限，已视为放弃。需要时可以重新申请。",
        "case.abandoned",
    )
