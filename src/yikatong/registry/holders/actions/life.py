"""生命事项: a name, number or place changes; a person dies, leaves, or turns out to be there still."""

from datetime import date, datetime
from uuid import UUID

from django.db import transaction

from yikatong.core.actor import Actor
from yikatong.core.clock import day_of
from yikatong.core.constraints import refusing
from yikatong.core.errors import DomainError
from yikatong.core.permissions import Permission, require
from yikatong.registry.holders import certificates, names, refusals, rules
from yikatong.registry.holders import validity as periods
from yikatong.registry.holders.actions.records import (
    CHANGE,
    AlreadyLinked,
    CertificateOfAnother,
    active,
    add_certificate,
    certificate_index,
    ended_refusal,
    note,
    social_security_index,
)
from yikatong.registry.holders.actions.recounting import Recounted, recorded, recount
from yikatong.registry.holders.certificates import Kind
from yikatong.registry.holders.models import Certificate, Guardianship, Holder, LifeEvent
from yikatong.registry.holders.signals import holder_ended, holder_registered
from yikatong.registry.holders.validity import UNTOLD, Validity
from yikatong.registry.outlets.offering import check_offered
from yikatong.registry.regions.law import province
from yikatong.registry.regions.queries import KnownDivisions

Status = Holder.Status

#: The only ways of a holder's status; each is an act of its own.
HOLDER_MOVES: dict[Status, frozenset[Status]] = {
    Status.ACTIVE: frozenset({Status.DECEASED, Status.LEFT, Status.MERGED}),
    Status.DECEASED: frozenset({Status.ACTIVE, Status.LEFT}),
    Status.LEFT: frozenset({Status.ACTIVE, Status.DECEASED}),
    Status.MERGED: frozenset({Status.ACTIVE}),
}
#: Which records may end how: who is dead neither leaves nor dies again. Back goes only who is restored.
_ENDS_FROM: dict[Status, frozenset[Status]] = {
    Status.DECEASED: frozenset({Status.ACTIVE, Status.LEFT}),
    Status.LEFT: frozenset({Status.ACTIVE}),
    Status.MERGED: frozenset({Status.ACTIVE}),
}
_CARRYING = frozenset({Kind.RESIDENT_ID, Kind.HK_MO_TW_RESIDENCE, Kind.FOREIGN_RESIDENT})


class NothingChanged(DomainError):
    code, status = "nothing_changed", 422
    message = "与现在登记的相同，没有变更。请核对后重新填写。"


class EvidenceMissing(DomainError):
    code, status = "evidence_missing", 422
    message = "请填写依据材料的名称和编号，2 至 100 字。"


class NotANewNumber(DomainError):
    code, status = "number_kind_not_changed", 422
    message = "此人没有可以变更的居民身份证、居住证或永久居留身份证号码；换了护照或通行证的，请登记新证件。"


class WrongDeathDate(DomainError):
    code, status = "death_date_invalid", 422
    message = "死亡日期不能晚于今天或早于出生日期，请核对。"


class NotEnded(DomainError):
    code = "holder_not_ended"
    message = "该持卡人没有死亡或迁出登记，不需要恢复；已合并的请撤销合并。"


@transaction.atomic
def change_name(holder_id: UUID, *, name: str, evidence: str, by: Actor, at: datetime) -> Holder:
    """A new name; the former one stays readable. Raises HolderEnded, BadName, NothingChanged, EvidenceMissing."""
    require(by, Permission.HOLDER_REGISTER)
    check_offered(CHANGE, by=by, at=at)
    holder, new, proof = active(holder_id, by=by), names.normalise(name), evidence_of(evidence)
    if new.text == holder.name:
        raise NothingChanged
    before, holder.name = holder.name, new.text
    holder.name_original = "" if new.original == new.text else new.original[:80]
    holder.save(update_fields=["name", "name_original"])
    happened(holder, LifeEvent.Kind.NAME, before=before, after=new.text, evidence=proof, by=by, at=at)
    return holder


@transaction.atomic
def change_number(
    holder_id: UUID, *, number: str, evidence: str, validity: Validity = UNTOLD, by: Actor, at: datetime
) -> tuple[Holder, list[Recounted]]:
    """A new 18-digit number of the same kind of document; the old one still finds the person.

    Birth date and sex follow the new number, and what hangs on them is counted anew: returned with the holder.
    `validity`: of the new document. Raises HolderEnded, NotANewNumber, BadCertificate, AlreadyLinked,
    CertificateOfAnother, EvidenceMissing, and the refusals of `validity.check`.
    """
    require(by, Permission.HOLDER_REGISTER)
    check_offered(CHANGE, by=by, at=at)
    holder, proof = active(holder_id, by=by), evidence_of(evidence)
    kind = _carrying_kind(holder)
    checked = certificates.check(kind, number, known_divisions=KnownDivisions(), today=day_of(at))
    index, social = certificate_index(kind, checked.number), social_security_index(checked.number)
    if (other := Certificate.objects.filter(kind=kind, number_index=index).first()) is not None:
        raise AlreadyLinked if other.holder_id == holder.pk else CertificateOfAnother
    if Holder.objects.filter(social_security_index=social).exclude(pk=holder.pk).exists():
        raise CertificateOfAnother
    before, born, sex = holder.social_security_number, holder.birth_date, holder.sex
    told = periods.check(validity, kind, checked.birth_date or born, day_of(at))
    with refusing({"certificate_belongs_to_one": CertificateOfAnother}):
        Certificate.objects.filter(holder=holder, kind=kind).update(is_current=False)
        add_certificate(holder, kind, checked.number, at, told)
    holder.social_security_number, holder.social_security_index = checked.number, social
    holder.birth_date = checked.birth_date or holder.birth_date
    holder.sex = checked.sex or holder.sex
    holder.save(update_fields=["social_security_number", "social_security_index", "birth_date", "sex"])
    kinds = LifeEvent.Kind
    happened(holder, kinds.NUMBER, before=before, after=checked.number, evidence=proof, by=by, at=at)
    return holder, recorded(holder, recount(holder, born=born, sex=sex, by=by, at=at), by=by, at=at)


@transaction.atomic
def give_number(holder_id: UUID, *, number: str, evidence: str, by: Actor, at: datetime) -> Holder:
    """The number a newborn receives with the registration of the household; given again, nothing happens.

    His birth certificate still finds him. Raises HolderEnded, NumberKnown, BadCertificate, BirthDateDiffers,
    SexDiffers, CertificateOfAnother, EvidenceMissing.
    """
    require(by, Permission.HOLDER_REGISTER)
    holder, proof = active(holder_id, by=by), evidence_of(evidence)
    kind = Kind.RESIDENT_ID
    checked = certificates.check(kind, number, known_divisions=KnownDivisions(), today=day_of(at))
    if holder.social_security_number == checked.number:
        return holder
    rules.check_given_number(holder, checked)
    index, social = certificate_index(kind, checked.number), social_security_index(checked.number)
    if Certificate.objects.filter(kind=kind, number_index=index).exists():
        raise CertificateOfAnother
    if Holder.objects.filter(social_security_index=social).exists():
        raise CertificateOfAnother
    before = holder.social_security_number
    Certificate.objects.filter(holder=holder).update(is_current=False)
    with refusing({"certificate_belongs_to_one": CertificateOfAnother}):
        add_certificate(holder, kind, checked.number, at)
    holder.social_security_number, holder.social_security_index = checked.number, social
    holder.save(update_fields=["social_security_number", "social_security_index"])
    kinds = LifeEvent.Kind
    happened(holder, kinds.NUMBER, before=before, after=checked.number, evidence=proof, by=by, at=at)
    holder_registered.send(Holder, holder_id=holder.pk, at=at)  # now other registers can know him
    return holder


@transaction.atomic
def correct_birth_certificate(
    holder_id: UUID, *, was: str, number: str, evidence: str, by: Actor, at: datetime
) -> Holder:
    """A number mistyped when the child was entered. Unlike a former number it was never his, and finds him no more.

    Where it stands for the number he does not have yet, that follows; so does what his guardian has shown.
    Raises HolderEnded, BadCertificate, CertificateOfAnother, EvidenceMissing.
    """
    require(by, Permission.HOLDER_REGISTER)
    holder, proof, kind = active(holder_id, by=by), evidence_of(evidence), Kind.BIRTH
    checked = certificates.check(kind, number, known_divisions=KnownDivisions(), today=day_of(at))
    index = certificate_index(kind, checked.number)
    others = Certificate.objects.filter(kind=kind, number_index=index)
    if others.exclude(holder=holder).exists():
        raise CertificateOfAnother
    with refusing({"certificate_belongs_to_one": CertificateOfAnother}):
        entered = Certificate.objects.filter(
            holder=holder, kind=kind, number_index=certificate_index(kind, was)
        )
        entered.update(number=checked.number, number_index=index)
    if rules.awaits_number(holder):
        holder.social_security_number = rules.social_security_number(checked, holder.nationality)
        holder.social_security_index = social_security_index(holder.social_security_number)
        holder.save(update_fields=["social_security_number", "social_security_index"])
    for shown in Guardianship.objects.filter(ward=holder, evidence=Guardianship.Evidence.BIRTH):
        if shown.evidence_number == was:  # sealed: no query compares it
            shown.evidence_number = checked.number
            shown.save(update_fields=["evidence_number"])
    kinds = LifeEvent.Kind
    happened(holder, kinds.NUMBER, before=was, after=checked.number, evidence=proof, by=by, at=at)
    return holder


def _carrying_kind(holder: Holder) -> Kind:
    """The kind of document whose number is the holder's social security number."""
    for one in holder.certificates.filter(is_current=True):
        if Kind(one.kind) in _CARRYING and len(one.number) == 18:
            return Kind(one.kind)
    raise NotANewNumber


@transaction.atomic
def move(
    holder_id: UUID, *, division_code: str, address: str = "", evidence: str, by: Actor, at: datetime
) -> Holder:
    """To another place in the province: the record goes with its person, the card stays good.

    Raises HolderEnded, OutsideProvince, AddressTooLong, NothingChanged, EvidenceMissing.
    """
    require(by, Permission.HOLDER_REGISTER)
    check_offered(CHANGE, by=by, at=at)
    holder, proof, plain = active(holder_id, by=by), evidence_of(evidence), address.strip()
    rules.check_division(division_code, KnownDivisions(), province().code)
    if len(plain) > 100:
        raise refusals.AddressTooLong
    if (division_code, plain or None) == (holder.division_code, holder.address):
        raise NothingChanged
    before = f"{holder.division_code} {holder.address or ''}".strip()
    holder.division_code, holder.address = division_code, plain or None
    holder.save(update_fields=["division_code", "address"])
    after = f"{division_code} {plain}".strip()
    happened(holder, LifeEvent.Kind.MOVED, before=before, after=after, evidence=proof, by=by, at=at)
    return holder


def end(  # noqa: PLR0913 - the fields of one ending
    holder: Holder,
    status: Status,
    kind: LifeEvent.Kind,
    *,
    on: date | None = None,
    evidence: str,
    reason: str = "",
    by: Actor,
    at: datetime,
) -> LifeEvent:
    """End a locked holder's record; devices go in the same transaction. Part of the acts of cards."""
    check_end(holder, status)
    if on is not None and not holder.birth_date <= on <= day_of(at):
        raise WrongDeathDate
    proof, was = evidence_of(evidence), holder.status
    holder.status, holder.deceased_on = status, on
    holder.save(update_fields=["status", "deceased_on"])
    after = on.isoformat() if on else None
    event = happened(holder, kind, before=str(was), after=after, evidence=proof, reason=reason, by=by, at=at)
    holder_ended.send(Holder, holder_id=holder.pk, by=by, at=at)
    return event


def restore(holder: Holder, *, reason: str, by: Actor, at: datetime) -> LifeEvent:
    """The record of a locked holder is what it was before: he did not die, or came back. Returns the ending undone."""
    if holder.status not in {Status.DECEASED, Status.LEFT}:
        raise NotEnded
    ended = holder.life_events.filter(kind__in=[LifeEvent.Kind.DECEASED, LifeEvent.Kind.LEFT]).latest("at")
    said, was, now = rules.reason(reason), holder.status, Status(ended.before or Status.ACTIVE)
    if now not in HOLDER_MOVES[Status(was)]:
        raise NotEnded
    holder.status, holder.deceased_on = now, None
    holder.save(update_fields=["status", "deceased_on"])
    kind = LifeEvent.Kind.RESTORED
    happened(holder, kind, before=str(was), after=str(now), reason=said, by=by, at=at)
    return ended


def check_end(holder: Holder, to: Status) -> None:
    """Whether the record may end so; raises HolderEnded."""
    if Status(holder.status) not in _ENDS_FROM[to]:
        raise ended_refusal(holder)


def evidence_of(text: str) -> str:
    """The proof as it is kept; raises EvidenceMissing."""
    plain = text.strip()
    if not 2 <= len(plain) <= 100:
        raise EvidenceMissing
    return plain


def happened(  # noqa: PLR0913 - the fields of one event
    holder: Holder,
    kind: LifeEvent.Kind,
    *,
    before: str | None = None,
    after: str | None = None,
    evidence: str = "",
    reason: str = "",
    by: Actor,
    at: datetime,
) -> LifeEvent:
    """Event and audit of a change."""
    note(f"life_{kind.value}", holder, by=by, at=at)
    return LifeEvent.objects.create(
        holder=holder,
        at=at,
        kind=kind,
        before=before,
        after=after,
        evidence=evidence,
        reason=reason,
        actor_name=by.name,
        channel=by.channel,
    )
