"""Settle what differs: keep ours, take theirs, or have the holder asked."""

from collections.abc import Callable
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from django.db import transaction

from yikatong.core import audit
from yikatong.core.actor import Actor
from yikatong.core.errors import DomainError, NotFound
from yikatong.core.permissions import Permission, require
from yikatong.registry.cards import actions as cards
from yikatong.registry.holders import actions as holders
from yikatong.registry.holders import validity
from yikatong.registry.holders.rules import acts_for, reason
from yikatong.registry.matching import rules
from yikatong.registry.matching.models import Issue
from yikatong.registry.matching.source import label_of


@transaction.atomic
def keep(issue_id: UUID, *, note: str, by: Actor, at: datetime) -> Issue:
    """保留本库: ours is right; the same value of theirs is not asked again. Raises IssueSettled, ReasonTooShort."""
    return _settle(_locked(issue_id, by=by), Issue.Status.KEPT, note=note, by=by, at=at)


@transaction.atomic
def ask(issue_id: UUID, *, note: str, by: Actor, at: datetime) -> Issue:
    """请本人核实: both may be wrong; the holder sees it and is to come. Raises IssueSettled, ReasonTooShort."""
    return _settle(_locked(issue_id, by=by), Issue.Status.ASKED, note=note, by=by, at=at)


@transaction.atomic
def take(issue_id: UUID, *, note: str, by: Actor, at: datetime) -> Issue:
    """采用来源: theirs is entered by the act that changes that field, with its event and history.

    Raises IssueSettled, NotTakeable, TheirsUnusable, ReasonTooShort.
    """
    issue = _locked(issue_id, by=by)
    rules.check_move(issue, Issue.Status.TAKEN)
    enter = _ENTER.get(Issue.Field(issue.field))
    if enter is None:
        raise rules.NotTakeable
    try:
        enter(issue, f"{label_of(issue.source)}数据，核实人{by.name}", {"by": by, "at": at})
    except DomainError as refusal:
        raise rules.TheirsUnusable(f"来源的数据不能采用：{refusal.message}") from None
    return _settle(issue, Issue.Status.TAKEN, note=note, by=by, at=at)


def _name(issue: Issue, evidence: str, who: dict[str, Any]) -> None:
    cards.change_name(issue.holder_id, name=issue.theirs, evidence=evidence, **who)


def _phone(issue: Issue, _evidence: str, who: dict[str, Any]) -> None:
    holders.change_phone(issue.holder_id, phone=issue.theirs, **who)


def _division(issue: Issue, evidence: str, who: dict[str, Any]) -> None:
    place = {"division_code": issue.theirs, "evidence": evidence}
    cards.move(issue.holder_id, **place, address=issue.holder.address or "", **who)


def _validity(issue: Issue, evidence: str, who: dict[str, Any]) -> None:
    told, card = validity.read(issue.theirs), rules.identity_card(issue.holder)
    if told is None or card is None:
        raise rules.TheirsUnusable
    holders.record_validity(issue.holder_id, validity=told, certificate_id=card.pk, evidence=evidence, **who)


def _death(issue: Issue, evidence: str, who: dict[str, Any]) -> None:
    try:
        day = date.fromisoformat(issue.theirs)
    except ValueError:
        raise rules.TheirsUnusable from None
    cards.record_death(issue.holder_id, on=day, evidence=evidence, **who)


_ENTER: Final[dict[Issue.Field, Callable[[Issue, str, dict[str, Any]], None]]] = {
    Issue.Field.NAME: _name,
    Issue.Field.PHONE: _phone,
    Issue.Field.DIVISION: _division,
    Issue.Field.DEATH: _death,
    Issue.Field.VALIDITY: _validity,
}


def _locked(issue_id: UUID, *, by: Actor) -> Issue:
    require(by, Permission.HOLDER_CORRECT)
    found = Issue.objects.filter(pk=issue_id).values_list("holder_id", flat=True).first()
    if found is None:
        raise NotFound
    holder = holders.locked(found, by=by)  # first the holder, as every act does
    issue = Issue.objects.select_for_update().get(pk=issue_id)
    issue.holder = holder
    if not acts_for(by, holder) or not by.covers(issue.division_code):
        raise NotFound
    return issue


def _settle(issue: Issue, to: Issue.Status, *, note: str, by: Actor, at: datetime) -> Issue:
    rules.check_move(issue, to)
    issue.note, issue.status, issue.settled_at, issue.settled_by = reason(note), to, at, by.name
    issue.save(update_fields=["note", "status", "settled_at", "settled_by"])
    audit.record(
        f"matching:issue:{to.value}",
        subject=f"issue:{issue.pk}",
        holder_id=issue.holder_id,
        by=by,
        at=at,
        source=issue.source,
        field=issue.field,
    )
    return issue
