"""新生儿出生一件事: the child's record under a guardian, the card and the departments, by one form (Opinions 10)."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.db.models import Q

from yikatong.core.actor import Actor, Role
from yikatong.core.clock import day_of
from yikatong.registry.holders import actions as holders
from yikatong.registry.holders import certificates, names
from yikatong.registry.holders import rules as holder_rules
from yikatong.registry.holders.certificates import Kind
from yikatong.registry.holders.models import Certificate, Guardianship, Holder, Proof
from yikatong.registry.holders.queries import current_certificate
from yikatong.registry.joint import rules
from yikatong.registry.joint.actions.opening import (
    Making,
    begin,
    card_case,
    check_right,
    once,
    refuse_known,
    registrar,
    subject_index,
)
from yikatong.registry.joint.models import JointKind, JointMatter
from yikatong.registry.regions.law import province
from yikatong.registry.regions.queries import KnownDivisions


@dataclass(frozen=True, slots=True, kw_only=True)
class Newborn:
    """The child as typed. `id_number` only where the household registration has been made already."""

    name: str
    sex: str
    birth_date: date
    birth_certificate: str
    hospital: str
    mother_name: str
    household_book: str
    division_code: str
    address: str = ""
    id_number: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Guardian:
    """Who applies, as typed at a counter; a parent who is logged in is read from his own record."""

    name: str
    kind: str
    number: str
    phone: str
    relation: str = Guardianship.Ground.PARENT


@transaction.atomic
def open_newborn(
    newborn: Newborn, making: Making, *, guardian: Guardian | None = None, by: Actor, at: datetime
) -> JointMatter:
    """Register the child, record the guardian, apply for the card and tell the departments: all or nothing.

    `guardian` is given by staff. Raises NotANewborn, FieldWrong, JointKnown, NumberOfAnother, GuardianOfAnother, and
    the refusals of registering, of guardians and of applying for a card.
    """
    check_right(by)
    form, who = check_newborn(newborn, guardian=guardian, by=by, at=at)
    index = subject_index(JointKind.NEWBORN, form["birth_certificate"])
    with once(JointKind.NEWBORN, index, by=by):
        there = _there(form["birth_certificate"], newborn.id_number)
        if there is not None:
            _check_same(there, form)
        child = there or _child(newborn, form, who, by=by, at=at)
        guardianship = _guardianship(child, newborn, who, is_new=there is None, by=by, at=at)
        joint = JointMatter(
            kind=JointKind.NEWBORN,
            holder=child,
            guardianship=guardianship,
            subject_index=index,
            division_code=newborn.division_code,
            case=card_case(child, making, guardianship=guardianship, by=by, at=at),
        )
        form |= {
            "guardian_name": guardianship.name,
            "guardian_number": guardianship.number,
            "relation": guardianship.get_ground_display(),
            "phone": child.phone or "",
        }
        return begin(joint, form, has_number=not holder_rules.awaits_number(child), by=by, at=at)


def check_newborn(
    newborn: Newborn, *, guardian: Guardian | None = None, by: Actor, at: datetime
) -> tuple[dict[str, Any], Guardian]:
    """The form in one spelling, and who applies; raises what the opening would say of the form itself."""
    day = day_of(at)
    with rules.at("birth_date"):
        rules.check_newborn(newborn.birth_date, day)
    form = _form(newborn, day)
    refuse_known(JointKind.NEWBORN, subject_index(JointKind.NEWBORN, form["birth_certificate"]), by=by)
    return form, _checked(guardian, day) if by.role is not Role.HOLDER else _himself(by)


def _form(newborn: Newborn, day: date) -> dict[str, Any]:
    with rules.at("name"):
        name = names.normalise(newborn.name).text
    if newborn.sex not in {Holder.Sex.MALE, Holder.Sex.FEMALE}:
        raise rules.FieldWrong("请选择性别。", field="sex")
    with rules.at("birth_certificate"):
        certificate = _certificate(Kind.BIRTH, newborn.birth_certificate, day)
    if newborn.id_number:
        with rules.at("id_number"):
            _certificate(Kind.RESIDENT_ID, newborn.id_number, day)
    with rules.at("division_code"):
        holder_rules.check_division(newborn.division_code, KnownDivisions(), province().code)
    return {
        "name": name,
        "sex": newborn.sex,
        "birth_date": newborn.birth_date.isoformat(),
        "birth_certificate": certificate.number,
        "hospital": rules.field("hospital", newborn.hospital),
        "mother_name": rules.field("mother_name", newborn.mother_name),
        "household_book": rules.field("household_book", newborn.household_book),
        "division_code": newborn.division_code,
    }


def _certificate(kind: Kind, number: str, day: date) -> certificates.Certificate:
    return certificates.check(kind, number, known_divisions=KnownDivisions(), today=day)


def _checked(guardian: Guardian | None, day: date) -> Guardian:
    if guardian is None:
        raise rules.FieldWrong("请填写监护人。", field="guardian_name")
    with rules.at("guardian_name"):
        names.normalise(guardian.name)
    with rules.at("guardian_number"):
        checked = _certificate(holder_rules.kind_of(guardian.kind), guardian.number, day)
        holder_rules.check_guardian_age(checked.birth_date, day)
    with rules.at("phone"):
        holder_rules.phone(guardian.phone)
    return guardian


def _himself(by: Actor) -> Guardian:
    """The parent who is logged in, with his certificate."""
    holder = Holder.objects.prefetch_related("certificates").get(pk=str(by.id))
    certificate = current_certificate(holder)
    return Guardian(
        name=holder.name, kind=certificate.kind, number=certificate.number, phone=holder.phone or ""
    )


def _child(newborn: Newborn, form: dict[str, Any], who: Guardian, *, by: Actor, at: datetime) -> Holder:
    """The child's record, entered now under his number or, where he has none yet, his birth certificate."""
    child = holders.register(
        kind=Kind.RESIDENT_ID.value if newborn.id_number else Kind.BIRTH.value,
        number=newborn.id_number or form["birth_certificate"],
        name=form["name"],
        sex=form["sex"],
        birth_date=newborn.birth_date,
        phone=who.phone,
        division_code=newborn.division_code,
        address=newborn.address,
        ground=holder_rules.Ground.RESIDENCE.value,
        by=registrar(by),
        at=at,
    )
    holders.prove(
        child.pk,
        kind=Proof.Kind.HOUSEHOLD.value,
        number=form["household_book"],
        issuer="公安机关",
        by=registrar(by),
        at=at,
    )
    return child


def _there(birth_certificate: str, id_number: str) -> Holder | None:
    """The child's record, by the birth certificate or by the number he has already."""
    same = Q(kind=Kind.BIRTH, number_index=holders.certificate_index(Kind.BIRTH, birth_certificate))
    number = certificates.normalise(id_number)
    if number:
        index = holders.certificate_index(Kind.RESIDENT_ID, number)
        same |= Q(kind=Kind.RESIDENT_ID, number_index=index)
    found = Certificate.objects.filter(same).values("holder_id")
    return Holder.objects.select_for_update(no_key=True).filter(pk__in=found).first()


def _check_same(there: Holder, form: dict[str, Any]) -> None:
    if (there.name, there.birth_date.isoformat()) != (form["name"], form["birth_date"]):
        raise rules.NumberOfAnother


def _guardianship(
    child: Holder, newborn: Newborn, who: Guardian, *, is_new: bool, by: Actor, at: datetime
) -> Guardianship:
    """The guardianship in force of this guardian, else a new one; over the network only of a child entered now."""
    known = child.guardianships.filter(ended_at=None)
    kind = holder_rules.kind_of(who.kind)
    checked = _certificate(kind, who.number, day_of(at))
    index = holders.certificate_index(kind, checked.number)
    mine = known.filter(kind=kind.value, number_index=index).first()
    if mine is not None:
        return mine
    if by.role is Role.HOLDER and not is_new:
        raise rules.GuardianOfAnother
    return holders.register_guardian(
        child.pk,
        name=who.name,
        kind=who.kind,
        number=who.number,
        ground=who.relation,
        evidence=Guardianship.Evidence.BIRTH.value,
        evidence_number=_certificate(Kind.BIRTH, newborn.birth_certificate, day_of(at)).number,
        by=registrar(by),
        at=at,
    )
