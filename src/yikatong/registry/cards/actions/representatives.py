"""代办与监护: who stands before the clerk in a holder's place, and on which proof (Opinions 10)."""

from collections.abc import Collection
from datetime import date, datetime
from uuid import UUID

from django.db import transaction

from yikatong.core import audit
from yikatong.core.actor import Actor, Role
from yikatong.core.clock import day_of
from yikatong.core.errors import NotFound
from yikatong.core.permissions import Permission, require
from yikatong.registry.cards import refusals, rules
from yikatong.registry.cards.models import ApplicantKind, Authorisation, Case, CaseKind
from yikatong.registry.holders import certificates, names
from yikatong.registry.holders.actions import active, certificate_index, guardianship_for
from yikatong.registry.holders.actions import locked as locked_holder
from yikatong.registry.holders.models import Certificate, Holder
from yikatong.registry.holders.rules import independent_on, kind_of
from yikatong.registry.regions.law import province
from yikatong.registry.regions.queries import KnownDivisions


@transaction.atomic
def authorise(  # noqa: PLR0913 - the fields of one authorisation
    holder_id: UUID,
    *,
    name: str,
    kind: str,
    number: str,
    matters: Collection[str],
    evidence: str,
    evidence_number: str = "",
    valid_until: date | None,
    by: Actor,
    at: datetime,
) -> Authorisation:
    """Let an agent do some matters for a holder, from today until a day (not included), a year at most.

    Raises HolderEnded, BadAuthorisation, OwnAgent, BadName, BadCertificate.
    """
    require(by, Permission.HOLDER_REGISTER)
    holder, today = active(holder_id, by=by), day_of(at)
    ends = rules.check_authorisation(matters, evidence, today, valid_until)
    checked = certificates.check(kind_of(kind), number, known_divisions=KnownDivisions(), today=today)
    index = certificate_index(checked.kind, checked.number)
    if Certificate.objects.filter(holder=holder, kind=checked.kind, number_index=index).exists():
        raise refusals.OwnAgent
    authorisation = Authorisation.objects.create(
        holder=holder,
        name=names.normalise(name).text,
        kind=checked.kind.value,
        number=checked.number,
        number_index=index,
        matters=[one for one in CaseKind.values if one in set(matters)],
        evidence=evidence,
        evidence_number=evidence_number.strip()[:60] or None,
        valid_from=today,
        valid_until=ends,
        created_at=at,
        created_by=by.name,
    )
    _note("given", authorisation, by=by, at=at)
    return authorisation


@transaction.atomic
def end_authorisation(authorisation_id: UUID, *, by: Actor, at: datetime) -> Authorisation:
    """Take an authorisation back, at any time: the holder himself, or a clerk for him."""
    holder_id = Authorisation.objects.filter(pk=authorisation_id).values_list("holder_id", flat=True).first()
    if holder_id is None:
        raise NotFound("没有找到这项代办授权。请核对后重试。")
    if by.role is not Role.HOLDER:
        require(by, Permission.HOLDER_REGISTER)
    locked_holder(holder_id, by=by)
    authorisation = Authorisation.objects.get(pk=authorisation_id)
    if not authorisation.holds_on(day_of(at)):
        raise refusals.AuthorisationEnded
    authorisation.ended_at = at
    authorisation.save(update_fields=["ended_at"])
    _note("ended", authorisation, by=by, at=at)
    return authorisation


def stand_in(
    case: Case,
    holder: Holder,
    *,
    guardianship_id: UUID | None = None,
    authorisation_id: UUID | None = None,
    by: Actor,
    at: datetime,
) -> Case:
    """Write on a case who acts: an agent with his authorisation, for a child his guardian, else himself.

    Raises AgentNotAuthorised; GuardianNeeded where a child has no guardian in force.
    """
    if is_child(holder, day_of(at)):
        guardianship = guardianship_for(holder, guardianship_id, by=by, at=at)
        case.applicant, case.guardian = ApplicantKind.GUARDIAN, f"{guardianship.name} {guardianship.number}"
    if authorisation_id is not None:
        case.authorisation = authorised(holder.pk, authorisation_id, CaseKind(case.kind), at=at)
        case.applicant = ApplicantKind.AGENT
    return case


def authorised(holder_id: UUID, authorisation_id: UUID, matter: CaseKind, *, at: datetime) -> Authorisation:
    """The authorisation, if it holds now for this holder and matter; raises AgentNotAuthorised."""
    found = Authorisation.objects.filter(pk=authorisation_id, holder_id=holder_id).first()
    if found is None or matter not in found.matters or not found.holds_on(day_of(at)):
        raise refusals.AgentNotAuthorised
    same = Certificate.objects.filter(kind=found.kind, number_index=found.number_index)
    if same.filter(holder__status=Holder.Status.DECEASED).exists():
        raise refusals.AgentNotAuthorised
    return found


def is_child(holder: Holder, day: date) -> bool:
    """Whether a guardian must act for the holder on that day (profile, `independent_age`)."""
    return independent_on(holder.birth_date, province().card.independent_age) > day


def _note(what: str, authorisation: Authorisation, *, by: Actor, at: datetime) -> None:
    audit.record(
        f"cards:authorisation:{what}",
        subject=f"authorisation:{authorisation.pk}",
        holder_id=authorisation.holder_id,
        by=by,
        at=at,
        matters=list(authorisation.matters),
        until=authorisation.valid_until.isoformat(),
    )
