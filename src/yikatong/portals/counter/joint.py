"""联办 at the counter: forms into acts, and where they lead."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.urls import reverse

from yikatong.core.actor import Actor
from yikatong.core.errors import DomainError
from yikatong.registry.holders.actions import AlreadyRegistered
from yikatong.registry.holders.models import Holder
from yikatong.registry.joint import actions
from yikatong.registry.joint.actions import Guardian, Making, Newborn, Veteran
from yikatong.registry.joint.models import JointMatter
from yikatong.registry.joint.rules import JointKnown

Given = dict[str, Any]
_CHILD = (
    "name", "sex", "birth_date", "birth_certificate", "hospital", "mother_name", "household_book",
    "division_code", "id_number",
)  # fmt: skip
_SERVED = ("discharge_certificate", "discharged_on", "unit", "household_book", "phone", "division_code")


def check_newborn(given: Given, *, by: Actor, at: datetime) -> None:
    actions.check_newborn(_newborn(given), guardian=_guardian(given), by=by, at=at)


def open_newborn(given: Given, *, by: Actor, at: datetime) -> str:
    return address(
        actions.open_newborn(_newborn(given), _making(given), guardian=_guardian(given), by=by, at=at)
    )


def check_veteran(holder: Holder, given: Given, *, by: Actor, at: datetime) -> None:
    actions.check_veteran(holder, _veteran(given), by=by, at=at)


def open_veteran(holder: Holder, given: Given, *, by: Actor, at: datetime) -> str:
    making = _making(given) if "bank_code" in given else None
    return address(actions.open_veteran(holder.pk, _veteran(given), making, by=by, at=at))


def link(refusal: DomainError) -> tuple[str, str] | None:
    """To the first one, or to the person who is registered already."""
    if isinstance(refusal, JointKnown) and (number := refusal.facts.get("number")):
        return reverse("counter-joint-matter", args=[number]), "打开已受理的联办件"
    if isinstance(refusal, AlreadyRegistered):
        return reverse("counter-holder", args=[refusal.facts["holder_id"]]), "打开已登记的持卡人"
    return None


def address(joint: JointMatter) -> str:
    return reverse("counter-joint-matter", args=[joint.number]) + "?new=1"


def _newborn(given: Given) -> Newborn:
    address = given["address"] if given["delivery"] == "1" else ""
    return Newborn(**{name: given[name] for name in _CHILD}, address=address)


def _guardian(given: Given) -> Guardian:
    return Guardian(
        name=given["guardian_name"],
        kind=given["guardian_kind"],
        number=given["guardian_number"],
        phone=given["phone"],
        relation=given["relation"],
    )


def _veteran(given: Given) -> Veteran:
    return Veteran(**{name: given[name] for name in _SERVED})


def _making(given: Given) -> Making:
    by_post = given["delivery"] == "1"
    return Making(
        bank_code=given["bank_code"],
        outlet_id=UUID(given["outlet_id"]) if given["outlet_id"] and not by_post else None,
        division_code=given["division_code"],
        delivery=given["delivery"],
        address=given["address"] if by_post else "",
    )
