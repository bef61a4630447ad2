"""The only way a card or a case changes its status: locked row, table, event, audit, job."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db import connection, transaction
from procrastinate.contrib.django import app as jobs

from yikatong.core import audit
from yikatong.core.actor import Actor
from yikatong.core.asking import Question
from yikatong.core.clock import day_of
from yikatong.core.errors import NotFound
from yikatong.core.models import AuditEntry
from yikatong.core.storing import store
from yikatong.registry.cards import elsewhere, rules
from yikatong.registry.cards.actions.representatives import authorised
from yikatong.registry.cards.models import (
    CASE_REVIVALS,
    CASE_TRANSITIONS,
    REVIVALS,
    TRANSITIONS,
    ApplicantKind,
    Card,
    CardEvent,
    CardStatus,
    Case,
    CaseKind,
    CaseStatus,
    CaseStep,
    Escalation,
)
from yikatong.registry.cards.rules import CardAct
from yikatong.registry.cards.signals import case_submitted
from yikatong.registry.holders.rules import acts_for
from yikatong.registry.regions.calendar import calendar
from yikatong.registry.regions.law import province

_OF_THE_DRAFT: Final = frozenset({"id", "number", "status", "channel", "step_due_on"})

#: Codes listen under this name; they stand above cards, so the task is named and not imported.
CARD_CHANGED: Final = "codes.card_changed"

_CARD: Final = Question(
    lambda key: (
        Card.objects.select_for_update(of=("self",), no_key=True)
        .select_related("holder", "account__bank")
        .filter(pk=key)
    ),
    UUID,
)
_CASE: Final = Question(
    lambda key: (
        Case.objects.select_for_update(of=("self",), no_key=True)
        .select_related("holder", "bank", "card__account")
        .filter(pk=key)
    ),
    UUID,
)
_DRAFT: Final = Question(
    lambda holder: (
        Case.objects.select_for_update(no_key=True)
        .filter(holder_id=holder, status=CaseStatus.DRAFT)
        .order_by("pk")[:1]
    ),
    UUID,
)


def locked_card(card_id: UUID, *, by: Actor) -> Card:
    """The card's row, locked, with its holder; NotFound to a stranger."""
    card = _CARD.first(card_id)
    if card is None or not acts_for(by, card.holder) or not rules.is_served_by(card, by):
        raise NotFound("没有找到这张社会保障卡。请核对后重试。")
    return card


def locked_case(case_id: UUID, *, by: Actor) -> Case:
    case = _CASE.first(case_id)
    if case is None or not acts_for(by, case.holder) or not rules.is_case_served_by(case, by):
        raise NotFound("没有找到这件受理单。请核对受理号后重试。")
    return case


def move_card(
    card: Card, to: CardStatus, act: CardAct, *, by: Actor, at: datetime, note: str = "", **stamps: Any
) -> Card:
    """Move a locked card along the table; raises IllegalCardMove."""
    old = CardStatus(card.status)
    if to not in TRANSITIONS[old]:
        raise rules.card_refusal(old, act, to)
    card.status = to
    for name, value in stamps.items():
        setattr(card, name, value)
    noted = _card_notes(card, act, old=old, by=by, at=at, note=note)
    store(*noted, changed={card: ["status", *stamps]})
    tell_codes([card.pk])
    return card


def revive_card(card: Card, *, by: Actor, at: datetime) -> Card:
    """Undo the end of a locked card: back to what it was, as its events tell.

    A temporary loss begins anew with its days. A card never handed over stays ended, and another may replace the old one.
    """
    was = CardStatus(card.events.filter(kind=CardAct.CANCEL).latest("at", "pk").from_status)
    old = CardStatus(card.status)
    if was not in REVIVALS.get(old, frozenset()):
        card.replaces = None
        card.save(update_fields=["replaces"])
        return card
    if was is CardStatus.TEMPORARILY_LOST:
        card.loss_ends_at = at + timedelta(days=province().loss.temporary_days)
    card.status, card.cancelled_at, card.cancel_reason = was, None, ""
    card.save(update_fields=["status", "cancelled_at", "cancel_reason", "loss_ends_at"])
    note_card(card, CardAct.REVIVE, old=old, by=by, at=at)
    tell_codes([card.pk])
    return card


def revive_case(case: Case, *, by: Actor, at: datetime) -> Case | None:
    """Undo the end of a case that ended with its holder's record; None where what it was about is gone for good.

    The account opened for it was closed again, so that it begins anew with the bank.
    """
    was = [CaseStatus(one.status) for one in case.steps.order_by("-at", "-pk")[:2]][-1]
    to = CASE_REVIVALS.get(was)
    if case.status != CaseStatus.WITHDRAWN or to is None:
        return None
    case.status, case.closed_at, case.account = to, None, None
    case.step_due_on = due_on(case, to, at)
    case.save(update_fields=["status", "closed_at", "account", "step_due_on"])
    note_case(case, by=by, at=at, note="登记已恢复，继续办理")
    return case


def note_card(card: Card, act: CardAct, *, old: str, by: Actor, at: datetime, note: str = "") -> None:
    """Event and audit of a step, without moving."""
    store(*_card_notes(card, act, old=old, by=by, at=at, note=note))


def _card_notes(
    card: Card, act: CardAct, *, old: str, by: Actor, at: datetime, note: str
) -> tuple[CardEvent, AuditEntry]:
    event = CardEvent(
        card=card,
        at=at,
        kind=act.value,
        from_status=old,
        to_status=card.status,
        actor_name=by.name,
        channel=by.channel,
        note=note[:200],
    )
    facts = {"from": str(old), "to": str(card.status)}
    said = audit.entry(
        f"cards:card:{act.value}", subject=f"card:{card.pk}", holder_id=card.holder_id, by=by, at=at, **facts
    )
    return event, said


def tell_codes(card_ids: Iterable[UUID]) -> None:
    """Defer the job that updates lists and hot entries; it commits with the act."""
    tasks: list[dict[str, Any]] = [{"card_id": str(card_id)} for card_id in card_ids]
    if tasks:
        jobs.configure_task(CARD_CHANGED, allow_unknown=True).batch_defer(*tasks)


def move_case(case: Case, to: CaseStatus, *, by: Actor, at: datetime, note: str = "", **stamps: Any) -> Case:
    """Move a locked case along its table, with the limit of the next step; raises IllegalCaseMove."""
    old = CaseStatus(case.status)
    if to not in CASE_TRANSITIONS[old]:
        raise rules.case_refusal(old, to)
    close_escalations([case], at=at)
    case.step_due_on = due_on(case, to, at)
    case.status = to
    if not CASE_TRANSITIONS[to]:
        stamps["closed_at"] = at
    for name, value in stamps.items():
        setattr(case, name, value)
    changed = {case: ["status", "step_due_on", *stamps]}
    store(_step(case, to, by, at, note), _entry(case, to, by, at), changed=changed)
    return case


def due_on(case: Case, status: CaseStatus, at: datetime) -> date | None:
    """Limit of the step that begins now, by the province's days and the calendar in force."""
    return rules.due_on(case, status, day_of(at), province(), _workday)


def _workday(day: date, count: int) -> date:
    """Asks for the calendar only where a limit is counted: most steps end a case or wait for its holder."""
    return calendar(day).add(day, count)


@transaction.atomic(savepoint=False)
def open_case(
    case: Case, *, status: CaseStatus = CaseStatus.SUBMITTED, by: Actor, at: datetime, note: str = ""
) -> Case:
    """Number and store a new case, submitted or as a draft."""
    case.status = status
    case.number = rules.case_number(case.division_code, day_of(at), next_numbers(1)[0])
    case.channel, case.created_at, case.created_by = by.channel, at, by.name
    case.step_due_on = due_on(case, status, at)
    store(case, _step(case, status, by, at, note), _entry(case, status, by, at))
    return case


def submit(case: Case, *, by: Actor, at: datetime) -> Case:
    """A new case; where its holder, whose row is locked, has a draft of it, the draft becomes the case.

    The draft keeps its number and the channel it began in: begun in one, ended in another.
    """
    taken = _submitted(case, by=by, at=at)
    case_submitted.send(Case, case=taken, at=at)
    return taken


def _submitted(case: Case, *, by: Actor, at: datetime) -> Case:
    draft = taken_draft(case, by=by, at=at)
    note = elsewhere.taken_words(case)
    if draft is None:
        return open_case(case, by=by, at=at, note=note)
    for field in Case._meta.concrete_fields:
        if field.attname not in _OF_THE_DRAFT:
            setattr(draft, field.attname, getattr(case, field.attname))
    draft.created_at, draft.created_by = at, by.name
    draft.save()
    return move_case(draft, CaseStatus.SUBMITTED, by=by, at=at, note=note)


def taken_draft(case: Case, *, by: Actor, at: datetime) -> Case | None:
    """The holder's draft of the same matter, locked; one of another matter is withdrawn."""
    draft = _DRAFT.first(case.holder_id)
    if draft is not None and draft.kind != case.kind:
        move_case(draft, CaseStatus.WITHDRAWN, by=by, at=at, note=f"改办{CaseKind(case.kind).label}")
        return None
    return draft


def close_escalations(cases: Iterable[Case], *, at: datetime) -> None:
    """The step is left: its supervisors need not look after it any more. Only a late step was ever reported."""
    late = [case.pk for case in cases if case.step_due_on is not None and case.step_due_on < day_of(at)]
    if late:
        Escalation.objects.filter(case__in=late, closed_at=None).update(closed_at=at)


def file_done(
    kind: CaseKind,
    card: Card,
    *,
    by: Actor,
    at: datetime,
    reason: str = "",
    note: str = "",
    authorisation_id: UUID | None = None,
) -> Case:
    """受理单 of a matter that ends where it began, so that its receipt has a number; `note` is for its holder.

    Done by an agent, it names his authorisation; raises AgentNotAuthorised. Raises OnlyAtIssue.
    """
    elsewhere.check_elsewhere(kind, card.holder, by=by, at=at)
    about = {"holder_id": card.holder_id, "card": card, "division_code": card.division_code}
    case = Case(kind=kind, reason=reason, note=note, **about)
    if authorisation_id is not None:
        case.authorisation = authorised(card.holder_id, authorisation_id, kind, at=at)
        case.applicant = ApplicantKind.AGENT
    return open_done(case, by=by, at=at)


def open_done(case: Case, *, by: Actor, at: datetime) -> Case:
    """Number and store a case that ends where it began: taken and done, two steps of a row written once."""
    case.status, case.closed_at = CaseStatus.DONE, at
    case.number = rules.case_number(case.division_code, day_of(at), next_numbers(1)[0])
    case.channel, case.created_at, case.created_by = by.channel, at, by.name
    taken_and_done = (CaseStatus.SUBMITTED, CaseStatus.DONE)
    steps = [_step(case, status, by, at) for status in taken_and_done]
    store(case, *steps, *(_entry(case, status, by, at) for status in taken_and_done))
    return case


def next_numbers(count: int) -> list[int]:
    """Numbers for cases from one sequence: no row is hot, gaps are allowed."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval('cards_case_number') FROM generate_series(1, %s)", [count])
        return [row[0] for row in cursor.fetchall()]


def note_case(case: Case, *, by: Actor, at: datetime, note: str = "") -> None:
    store(_step(case, case.status, by, at, note), _entry(case, case.status, by, at))


def _step(case: Case, status: str, by: Actor, at: datetime, note: str = "") -> CaseStep:
    return CaseStep(
        case=case,
        at=at,
        status=status,
        actor_name=by.name,
        actor_id=by.id,
        channel=by.channel,
        note=note[:200],
    )


def _entry(case: Case, status: str, by: Actor, at: datetime) -> AuditEntry:
    subject, facts = f"case:{case.pk}", {"kind": str(case.kind)}
    return audit.entry(
        f"cards:case:{status}", subject=subject, holder_id=case.holder_id, by=by, at=at, **facts
    )
