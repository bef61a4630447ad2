"""Who may be registered, and who may act for a holder. Pure decisions."""

import re
import unicodedata
from collections.abc import Collection, Container
from dataclasses import dataclass
from datetime import date
from typing import Final

from django.db.models import TextChoices

from yikatong.core.actor import Actor, Role
from yikatong.registry.holders import certificates, countries, names
from yikatong.registry.holders.certificates import Certificate, Kind
from yikatong.registry.holders.models import Category, Guardianship, Holder, Proof
from yikatong.registry.holders.refusals import (
    AddressTooLong,
    BadCategory,
    BadGuardianship,
    BadPhone,
    BadProof,
    BirthDateDiffers,
    BirthDateMissing,
    BirthDateWrong,
    GuardianTooYoung,
    NationalityWrong,
    NoGround,
    NotAForeigner,
    NotYetElder,
    NumberKnown,
    OutsideProvince,
    PermitEndMissing,
    ProofExpired,
    ReasonTooShort,
    SexDiffers,
)

CHINA: Final = "CHN"
#: Own social-security number, for those whose certificate carries one of 18 digits.
_CARRIES_NUMBER: Final = frozenset({Kind.RESIDENT_ID, Kind.HK_MO_TW_RESIDENCE, Kind.FOREIGN_RESIDENT})
_PERMIT_REGIONS: Final = {"H": "HKG", "M": "MAC"}


class Ground(TextChoices):
    """申领依据: why a person may hold a card of the province (Guangdong art. 5)."""

    RESIDENCE = "residence", "居住"
    WORK = "work", "就业"
    INSURANCE = "insurance", "参加社会保险"
    SERVICES = "services", "享受公共服务"


#: What a document proves.
PROVES: Final[dict[Proof.Kind, Ground]] = {
    Proof.Kind.HOUSEHOLD: Ground.RESIDENCE,
    Proof.Kind.RESIDENCE_PERMIT: Ground.RESIDENCE,
    Proof.Kind.INSURANCE: Ground.INSURANCE,
    Proof.Kind.EMPLOYMENT: Ground.WORK,
    Proof.Kind.WORK_PERMIT: Ground.WORK,
    Proof.Kind.ENROLMENT: Ground.SERVICES,
    Proof.Kind.SERVICE: Ground.SERVICES,
}
#: Certificates that are proof of residence themselves: identity card, 居住证 of compatriots, permanent residence.
_PROVES_RESIDENCE: Final = frozenset({Kind.RESIDENT_ID, Kind.HK_MO_TW_RESIDENCE, Kind.FOREIGN_RESIDENT})
ADULT: Final = 18
ELDER: Final = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What is filled in about a person, as typed."""

    kind: str
    number: str
    name: str
    phone: str
    division_code: str
    ground: str
    sex: str | None = None
    birth_date: date | None = None
    address: str = ""
    nationality: str = CHINA
    ethnicity: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A claim that holds, in one spelling."""

    certificate: Certificate
    name: names.Name
    social_security_number: str
    sex: str
    birth_date: date
    nationality: str
    ethnicity: str
    phone: str
    address: str
    division_code: str
    ground: str


def read(claim: Claim, *, known_divisions: Container[str], province_code: str, today: date) -> Person:
    """The person a claim describes; raises BadCertificate, BadName or one of the refusals above."""
    certificate = certificates.check(
        kind_of(claim.kind), claim.number, known_divisions=known_divisions, today=today
    )
    nationality = _nationality(certificate.kind, claim.nationality)
    if claim.ground not in Ground.values:
        raise NoGround
    check_division(claim.division_code, known_divisions, province_code)
    if len(claim.address) > 100:
        raise AddressTooLong
    return Person(
        certificate=certificate,
        name=names.normalise(claim.name),
        social_security_number=social_security_number(certificate, nationality),
        sex=_sex(certificate, claim.sex),
        birth_date=_birth_date(certificate, claim.birth_date, today),
        nationality=nationality,
        ethnicity=claim.ethnicity,
        phone=phone(claim.phone),
        address=claim.address.strip(),
        division_code=claim.division_code,
        ground=claim.ground,
    )


def check_division(code: str, known_divisions: Container[str], province_code: str) -> None:
    """Raises OutsideProvince for a place that is none, or another province's; a code has six digits or nine."""
    if not re.fullmatch("[0-9]{6}(?:[0-9]{3})?", code):
        raise OutsideProvince
    if not code.startswith(province_code[:2]) or code[:6] not in known_divisions:
        raise OutsideProvince


def phone(text: str) -> str:
    """Eleven digits, without country code, blanks and hyphens; raises BadPhone."""
    plain = re.sub(r"[\s-]", "", unicodedata.normalize("NFKC", text)).removeprefix("+86")
    if not re.fullmatch(r"1[3-9][0-9]{9}", plain):
        raise BadPhone
    return plain


def awaits_number(holder: Holder) -> bool:
    """A newborn known by his birth certificate only: the household registration has yet to give a number."""
    return {one.kind for one in holder.certificates.all() if one.is_current} == {Kind.BIRTH.value}


def check_given_number(holder: Holder, given: Certificate) -> None:
    """Raises NumberKnown, BirthDateDiffers, SexDiffers."""
    if not awaits_number(holder):
        raise NumberKnown
    if given.birth_date != holder.birth_date:
        raise BirthDateDiffers("号码中的出生日期与登记的不一致，请核对。")
    if holder.sex not in {Holder.Sex.UNKNOWN.value, given.sex}:
        raise SexDiffers("号码中的性别与登记的不一致，请核对。")


def social_security_number(certificate: Certificate, nationality: str) -> str:
    """社会保障号码, 18 characters: the certificate's own number where it has 18 digits.

    Else the country or region code, then the certificate number filled with zeros to fifteen: the form in
    which the social insurance of foreigners numbers its members.
    """
    number = certificate.number
    if certificate.kind in _CARRIES_NUMBER and len(number) == 18:
        return number
    region = {
        Kind.HK_MO_PERMIT: _PERMIT_REGIONS.get(number[:1], CHINA),
        Kind.TW_PERMIT: "TWN",
    }.get(certificate.kind, nationality)
    return region + number.rjust(15, "0")[-15:]


def birthday(born: date, years: int) -> date:
    """The day on which a person is so many years old; who is born on 29 February is so on 1 March."""
    try:
        return born.replace(year=born.year + years)
    except ValueError:
        return date(born.year + years, 3, 1)


def independent_on(born: date, years: int) -> date:
    """The first day on which a person of the province may act alone (profile, `independent_age`)."""
    return birthday(born, years)


def check_guardianship(ground: str, evidence: str) -> None:
    """A guardian who was appointed shows by whom; any other, that he is of the family."""
    appointed = Guardianship.Ground.APPOINTED
    if ground not in Guardianship.Ground.values or evidence not in Guardianship.Evidence.values:
        raise BadGuardianship
    if (ground == appointed) != (evidence == Guardianship.Evidence.APPOINTMENT):
        raise BadGuardianship


def check_guardian_age(born: date | None, today: date) -> None:
    if born is not None and birthday(born, ADULT) > today:
        raise GuardianTooYoung


def state_on(valid_from: date, valid_until: date | None, day: date) -> Category.State:
    """What a category is on a day by its half-open period."""
    if valid_until is not None and valid_until <= max(day, valid_from):
        return Category.State.OFF
    return Category.State.ON if valid_from <= day else Category.State.COMING


def check_category(holder: Holder, kind: str, source: str, begins: date, ends: date | None) -> None:
    if kind not in Category.Kind.values or not source.strip():
        raise BadCategory
    if ends is not None and ends <= begins:
        raise BadCategory("截止日期应晚于起始日期，请核对。")
    if kind == Category.Kind.ELDER and birthday(holder.birth_date, ELDER) > begins:
        raise NotYetElder


def reason(text: str) -> str:
    """A reason as it is kept; raises ReasonTooShort."""
    plain = text.strip()
    if not 2 <= len(plain) <= 100:
        raise ReasonTooShort
    return plain


def check_proof(
    holder: Holder, kind: str, number: str, issuer: str, begins: date, ends: date | None, today: date
) -> None:
    if (
        kind not in Proof.Kind.values
        or not 1 <= len(number.strip()) <= 60
        or not 2 <= len(issuer.strip()) <= 100
    ):
        raise BadProof
    if kind == Proof.Kind.WORK_PERMIT and holder.nationality == CHINA:
        raise NotAForeigner
    if kind == Proof.Kind.WORK_PERMIT and ends is None:
        raise PermitEndMissing
    if begins > today or (ends is not None and ends <= today):
        raise ProofExpired
    if ends is not None and ends <= begins:
        raise BadProof


def is_proven(ground: str, proofs: Collection[str], certificates: Collection[str]) -> bool:
    """Whether documents in force prove a ground; certificates of residents prove their residence."""
    if ground == Ground.RESIDENCE and _PROVES_RESIDENCE & set(certificates):
        return True
    return any(PROVES[Proof.Kind(kind)] == ground for kind in proofs)


def unproven_words(ground: str) -> str:
    wanted = "或".join(kind.label for kind, proven in PROVES.items() if proven == ground)
    return f"申领依据“{Ground(ground).label}”还没有有效的证明材料。下一步：登记{wanted}后再申领。"


def serves(by: Actor, division_code: str) -> bool:
    """Whether the actor may serve a holder of this division.

    全省通办: staff of the province serve every holder of the province (Guangdong art. 5, Opinions 10).
    """
    return by.role is not Role.HOLDER and division_code.startswith(by.scope[:2])


def acts_for(by: Actor, holder: Holder) -> bool:
    """The holder himself, one who acts for him, or staff who may serve him."""
    if by.role is Role.HOLDER:
        return holder.pk in {by.id, by.for_holder}
    return serves(by, holder.division_code)


def kind_of(code: str) -> Kind:
    """Raises BadCertificate for a code that is none."""
    for kind in Kind:
        if kind.value == code:
            return kind
    raise certificates.BadCertificate("没有这种证件类型，请从列表中选择。")


def _nationality(kind: Kind, code: str) -> str:
    """The code for a code or a Chinese name."""
    plain = countries.code_of(code)
    foreign = kind in {Kind.PASSPORT, Kind.FOREIGN_RESIDENT}
    if not plain or foreign == (plain == CHINA):
        raise NationalityWrong
    return plain


def _sex(certificate: Certificate, filled: str | None) -> str:
    if certificate.sex and filled not in {None, "", Holder.Sex.UNKNOWN.value, certificate.sex}:
        raise SexDiffers
    return certificate.sex or (filled if filled in Holder.Sex.values and filled else Holder.Sex.UNKNOWN.value)


def _birth_date(certificate: Certificate, filled: date | None, today: date) -> date:
    if certificate.birth_date and filled not in {None, certificate.birth_date}:
        raise BirthDateDiffers
    born = certificate.birth_date or filled
    if born is None:
        raise BirthDateMissing
    if not certificates.EARLIEST_BIRTH <= born <= today:
        raise BirthDateWrong
    return born
