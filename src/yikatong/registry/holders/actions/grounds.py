"""申领依据: each ground for a card is proven by a document (Guangdong art. 5)."""

from datetime import date, datetime
from uuid import UUID

from django.db import transaction

from yikatong.core.actor import Actor
from yikatong.core.clock import day_of
from yikatong.core.permissions import Permission, require
from yikatong.registry.holders import refusals, rules
from yikatong.registry.holders.actions.records import active, note
from yikatong.registry.holders.models import Holder, Proof


@transaction.atomic
def prove(  # noqa: PLR0913 - the fields of one document
    holder_id: UUID,
    *,
    kind: str,
    number: str,
    issuer: str,
    valid_from: date | None = None,
    valid_until: date | None = None,
    by: Actor,
    at: datetime,
) -> Proof:
    """Record the document that proves a ground; the holder's ground becomes the one it proves.

    A foreigner's work permit 外国人工作许可 is carried on the card from then on (Opinions 7).
    Raises HolderEnded, BadProof, ProofExpired, NotAForeigner.
    """
    require(by, Permission.HOLDER_REGISTER)
    holder, today = active(holder_id, by=by), day_of(at)
    begins = valid_from or today
    rules.check_proof(holder, kind, number, issuer, begins, valid_until, today)
    proof = Proof.objects.create(
        holder=holder,
        kind=kind,
        number=number.strip(),
        issuer=issuer.strip(),
        valid_from=begins,
        valid_until=valid_until,
        created_at=at,
        created_by=by.name,
    )
    holder.ground = rules.PROVES[Proof.Kind(kind)].value
    holder.save(update_fields=["ground"])
    note("ground_proven", holder, by=by, at=at, kind=kind, ground=holder.ground)
    return proof


def check_ground(holder: Holder, *, at: datetime) -> None:
    """Raises GroundUnproven unless a document in force proves the holder's ground."""
    day = day_of(at)
    proofs = [one.kind for one in holder.proofs.all() if one.holds_on(day)]
    certificates = [one.kind for one in holder.certificates.all() if one.is_current]
    if not rules.is_proven(holder.ground, proofs, certificates):
        raise refusals.GroundUnproven(rules.unproven_words(holder.ground))
