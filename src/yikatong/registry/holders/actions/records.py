"""Register holders and keep their records: one person once."""

from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from django.db import IntegrityError, transaction

from yikatong.core import audit
from yikatong.core.actor import Actor
from yikatong.core.asking import Question
from yikatong.core.clock import day_of
from yikatong.core.constraints import refusing
from yikatong.core.errors import DomainError, NotFound
from yikatong.core.fields import blind_index
from yikatong.core.permissions import Permission, require
from yikatong.registry.holders import certificates, refusals, rules
from yikatong.registry.holders import validity as periods
from yikatong.registry.holders.certificates import Kind
from yikatong.registry.holders.models import Certificate, Guardianship, Holder
from yikatong.registry.holders.rules import Claim, Person
from yikatong.registry.holders.signals import holder_registered
from yikatong.registry.holders.validity import UNTOLD, Validity
from yikatong.registry.outlets.offering import check_offered
from yikatong.registry.regions.law import ByLaw, province
from yikatong.registry.regions.queries import KnownDivisions

#: 可办业务 of an outlet, as in `outlets.rules.SERVICES`.
CHANGE: Final = "信息变更"


class AlreadyRegistered(ByLaw):
    """`facts["holder_id"]` is the holder who is there already."""

    code, articles = "already_registered", ("G5",)
    message = "此人已经登记，不能重复登记。请直接查找该持卡人办理。"


class CertificateOfAnother(DomainError):
    code = "certificate_of_another"
    message = "该证件已登记在另一持卡人名下，请核对；确属同一人的，转业务主管核实合并。"


class AlreadyLinked(DomainError):
    code = "certificate_already_linked"
    message = "该证件已在此持卡人名下，不需要再次登记。"


class HolderEnded(ByLaw):
    """facts: status."""

    code, articles = "holder_ended", ("G5",)


def certificate_index(kind: str, number: str) -> bytes:
    """Blind index of a certificate number. The kind stands apart in its own column."""
    return blind_index("certificate", f"{kind}:{number}")


def social_security_index(number: str) -> bytes:
    return blind_index("social_security", number)


def phone_index(number: str) -> bytes:
    return blind_index("phone", number)


def register(
    *,
    by: Actor,
    at: datetime,
    birth_date: date | None = None,
    validity: Validity = UNTOLD,
    **claim: Any,
) -> Holder:
    """Enter a person once, with the first certificate; fields as in `rules.Claim`.

    Raises BadCertificate, BadName, NoGround and the other refusals of rules, those of `validity.check`, and
    AlreadyRegistered; of two
    clerks who enter one person at the same moment, the second gets it too.
    """
    require(by, Permission.HOLDER_REGISTER)
    person = rules.read(
        Claim(birth_date=birth_date, **claim),
        known_divisions=KnownDivisions(),
        province_code=province().code,
        today=day_of(at),
    )
    if not rules.serves(by, person.division_code):
        raise NotFound
    told = periods.check(validity, person.certificate.kind, person.birth_date, day_of(at))
    return _enter(person, told, by=by, at=at)


def _enter(person: Person, validity: Validity, *, by: Actor, at: datetime) -> Holder:
    with transaction.atomic():
        if (there := _there(person)) is not None:
            raise AlreadyRegistered(holder_id=str(there))
        try:
            with transaction.atomic():
                holder = Holder.objects.create(**columns(person), created_at=at)
                add_certificate(holder, person.certificate.kind, person.certificate.number, at, validity)
        except IntegrityError:  # the other clerk was first
            if (there := _there(person)) is None:
                raise
            raise AlreadyRegistered(holder_id=str(there)) from None
        facts = {"kind": person.certificate.kind.value, "ground": person.ground}
        audit.record(
            "holders:holder:registered",
            subject=f"holder:{holder.pk}",
            holder_id=holder.pk,
            by=by,
            at=at,
            **facts,
        )
        holder_registered.send(Holder, holder_id=holder.pk, at=at)
    return holder


def columns(person: Person) -> dict[str, Any]:
    """The columns of a holder's row, but for its key and time."""
    return {
        "name": person.name.text,
        "name_original": "" if person.name.original == person.name.text else person.name.original[:80],
        "social_security_number": person.social_security_number,
        "social_security_index": social_security_index(person.social_security_number),
        "sex": person.sex,
        "birth_date": person.birth_date,
        "nationality": person.nationality,
        "ethnicity": person.ethnicity,
        "division_code": person.division_code,
        "phone": person.phone,
        "phone_index": phone_index(person.phone),
        "address": person.address or None,
        "ground": person.ground,
    }


def _there(person: Person) -> UUID | None:
    certificate = person.certificate
    found = Certificate.objects.filter(
        kind=certificate.kind, number_index=certificate_index(certificate.kind, certificate.number)
    )
    known = Holder.objects.filter(social_security_index=social_security_index(person.social_security_number))
    return found.values_list("holder_id", flat=True).first() or _now(known.first())


def _now(known: Holder | None) -> UUID | None:
    """The record of a person today: one that was merged lives on in another."""
    return None if known is None else known.merged_into_id or known.pk


def add_certificate(
    holder: Holder, kind: Kind, number: str, at: datetime, validity: Validity = UNTOLD
) -> Certificate:
    """The certificate of one who is locked or new; children of whom its bearer was made guardian know him from now on."""
    index = certificate_index(kind, number)
    certificate = Certificate.objects.create(
        holder=holder,
        kind=kind.value,
        number=number,
        number_index=index,
        valid_from=validity.begins,
        valid_until=validity.ends,
        is_long_term=validity.is_long_term,
        created_at=at,
    )
    unlinked = Guardianship.objects.filter(guardian=None, ended_at=None, kind=kind.value, number_index=index)
    unlinked.exclude(ward=holder).update(guardian=holder)
    return certificate


_LOCKED: Final = Question(lambda key: Holder.objects.select_for_update(no_key=True).filter(pk=key), UUID)


def locked(holder_id: UUID, *, by: Actor) -> Holder:
    """The holder's row, locked for an act; NotFound to a stranger."""
    holder = _LOCKED.first(holder_id)
    if holder is None or not rules.acts_for(by, holder):
        raise NotFound("没有找到这位持卡人。请核对后重试。")
    return holder


def active(holder_id: UUID, *, by: Actor) -> Holder:
    """The holder's row, locked, of one who is there; raises NotFound, HolderEnded."""
    holder = locked(holder_id, by=by)
    if holder.status != Holder.Status.ACTIVE:
        raise ended_refusal(holder)
    return holder


def ended_refusal(holder: Holder) -> HolderEnded:
    text = f"该持卡人登记为“{holder.get_status_display()}”，不能办理此项业务。下一步：登记有误的，由业务主管恢复。"
    return HolderEnded(text, status=str(holder.status))


@transaction.atomic
def link_certificate(
    holder_id: UUID, *, kind: str, number: str, validity: Validity = UNTOLD, by: Actor, at: datetime
) -> Certificate:
    """The same person under a new certificate: linked, never doubled. The older one of its kind stays."""
    require(by, Permission.HOLDER_REGISTER)
    check_offered(CHANGE, by=by, at=at)
    holder = active(holder_id, by=by)
    checked = certificates.check(
        rules.kind_of(kind), number, known_divisions=KnownDivisions(), today=day_of(at)
    )
    if checked.birth_date not in {None, holder.birth_date}:
        raise refusals.BirthDateDiffers("证件上的出生日期与该持卡人登记的不一致，请核对是否同一人。")
    told = periods.check(validity, checked.kind, holder.birth_date, day_of(at))
    index = certificate_index(checked.kind, checked.number)
    other = Certificate.objects.filter(kind=checked.kind, number_index=index).first()
    if other is not None:
        raise AlreadyLinked if other.holder_id == holder.pk else CertificateOfAnother
    with refusing({"certificate_belongs_to_one": CertificateOfAnother}):
        Certificate.objects.filter(holder=holder, kind=checked.kind).update(is_current=False)
        certificate = add_certificate(holder, checked.kind, checked.number, at, told)
    note("certificate_linked", holder, by=by, at=at, kind=checked.kind.value)
    return certificate


@transaction.atomic
def change_phone(holder_id: UUID, *, phone: str, by: Actor, at: datetime) -> Holder:
    require(by, Permission.HOLDER_REGISTER)
    check_offered(CHANGE, by=by, at=at)
    holder = active(holder_id, by=by)
    holder.phone = rules.phone(phone)
    holder.phone_index = phone_index(holder.phone)
    holder.save(update_fields=["phone", "phone_index"])
    note("phone_changed", holder, by=by, at=at)
    return holder


def note(what: str, holder: Holder, *, by: Actor, at: datetime, **facts: Any) -> None:
    """Audit of an act on a holder's record; `facts` are never personal data."""
    audit.record(
        f"holders:holder:{what}", subject=f"holder:{holder.pk}", holder_id=holder.pk, by=by, at=at, **facts
    )
