"""退役军人服务一件事: the category, the card and the departments, by one form (Opinions 10)."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from yikatong.core.actor import Actor, Role
from yikatong.core.clock import day_of
from yikatong.registry.cards import refusals
from yikatong.registry.holders import actions as holders
from yikatong.registry.holders import queries as holder_queries
from yikatong.registry.holders import rules as holder_rules
from yikatong.registry.holders.models import Category, Holder
from yikatong.registry.joint import rules
from yikatong.registry.joint.actions.opening import (
    Making,
    begin,
    card_case,
    check_right,
    once,
    refuse_known,
    refuse_known_holder,
    registrar,
    subject_index,
)
from yikatong.registry.joint.models import JointKind, JointMatter
from yikatong.registry.regions.law import province
from yikatong.registry.regions.queries import KnownDivisions


@dataclass(frozen=True, slots=True, kw_only=True)
class Veteran:
    """The form. `division_code`: where he settles."""

    discharge_certificate: str
    discharged_on: date
    unit: str
    household_book: str
    phone: str
    division_code: str


@transaction.atomic
def open_veteran(
    holder_id: UUID, veteran: Veteran, making: Making | None = None, *, by: Actor, at: datetime
) -> JointMatter:
    """Record who has served, apply for a card where there is none, tell the departments: all or nothing.

    A clerk who has seen the original records the category at once; over the network it begins when the department
    of veterans confirms, for what is not proven opens no concession. Raises HolderNotActive, NotDischarged,
    TooYoungToServe, FieldWrong, JointKnown, OutsideProvince and the refusals of applying for a card.
    """
    check_right(by)
    holder = holders.locked(holder_id, by=by)
    form = check_veteran(holder, veteran, by=by, at=at)
    index = subject_index(JointKind.VETERAN, form["discharge_certificate"])
    with once(JointKind.VETERAN, index, by=by):
        if by.role is not Role.HOLDER:
            _record(holder, form["discharge_certificate"], by=registrar(by), at=at)
        joint = JointMatter(
            kind=JointKind.VETERAN,
            holder=holder,
            subject_index=index,
            division_code=veteran.division_code,
            case=card_case(holder, making, guardianship=None, by=by, at=at),
        )
        return begin(joint, form, has_number=True, by=by, at=at)


def check_veteran(holder: Holder, veteran: Veteran, *, by: Actor, at: datetime) -> dict[str, Any]:
    """The form in one spelling; raises what the opening would say of the form itself."""
    if holder.status != Holder.Status.ACTIVE:
        raise refusals.HolderNotActive
    refuse_known_holder(JointKind.VETERAN, holder, by=by)
    with rules.at("discharged_on"):
        rules.check_veteran(holder.birth_date, veteran.discharged_on, day_of(at))
    form = _form(holder, veteran)
    refuse_known(JointKind.VETERAN, subject_index(JointKind.VETERAN, form["discharge_certificate"]), by=by)
    return form


def _form(holder: Holder, veteran: Veteran) -> dict[str, Any]:
    with rules.at("division_code"):
        holder_rules.check_division(veteran.division_code, KnownDivisions(), province().code)
    with rules.at("phone"):
        phone = holder_rules.phone(veteran.phone)
    return {
        "name": holder.name,
        "discharge_certificate": rules.field("discharge_certificate", veteran.discharge_certificate),
        "discharged_on": veteran.discharged_on.isoformat(),
        "unit": rules.field("unit", veteran.unit),
        "household_book": rules.field("household_book", veteran.household_book),
        "phone": phone,
        "division_code": veteran.division_code,
    }


def _record(holder: Holder, certificate: str, *, by: Actor, at: datetime) -> None:
    """The category, on the original a clerk has seen; once."""
    day, kind = day_of(at), Category.Kind.VETERAN
    if any(one.kind == kind for one in holder_queries.categories_on(holder.pk, day)):
        return
    holders.add_category(
        holder.pk,
        kind=kind,
        valid_from=day,
        source=Category.Source.DOCUMENT.label,
        evidence=certificate,
        by=by,
        at=at,
    )
