"""登记: what is typed of a person, read by the same rules at the check page and at the act."""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.urls import reverse

from yikatong.core.actor import Actor
from yikatong.core.clock import day_of
from yikatong.core.errors import DomainError
from yikatong.portals.shared import validity
from yikatong.registry.holders import actions, refusals, rules
from yikatong.registry.holders.actions import AlreadyRegistered
from yikatong.registry.holders.certificates import BadCertificate
from yikatong.registry.holders.names import BadName
from yikatong.registry.holders.validity import check
from yikatong.registry.matching import inquiries
from yikatong.registry.regions.law import province
from yikatong.registry.regions.queries import KnownDivisions

FIELDS_AT_FAULT: Final[dict[type[DomainError], str]] = {
    BadCertificate: "number",
    BadName: "name",
    refusals.BadPhone: "phone",
    refusals.NoGround: "ground",
    refusals.OutsideProvince: "division_code",
    refusals.AddressTooLong: "address",
    refusals.BirthDateMissing: "birth_date",
    refusals.BirthDateWrong: "birth_date",
    refusals.BirthDateDiffers: "birth_date",
    refusals.SexDiffers: "sex",
    refusals.NationalityWrong: "nationality",
} | validity.FIELDS_AT_FAULT
_CLAIM: Final = (
    "kind", "number", "name", "phone", "ground", "division_code", "address", "birth_date", "nationality"
)  # fmt: skip


def _claim(given: dict[str, Any]) -> dict[str, Any]:
    return {name: given[name] for name in _CLAIM} | {"sex": given["sex"] or None}


def verify(given: dict[str, Any], *, by: Actor, at: datetime) -> None:  # noqa: ARG001
    """Raises what `register` would say of the form itself; whether the person is there already, only the act says."""
    person = rules.read(
        rules.Claim(**_claim(given)),
        known_divisions=KnownDivisions(),
        province_code=province().code,
        today=day_of(at),
    )
    check(validity.told(given), person.certificate.kind, person.birth_date, day_of(at))


def register(given: dict[str, Any], *, by: Actor, at: datetime) -> str:
    holder = actions.register(**_claim(given), validity=validity.told(given), by=by, at=at)
    inquiries.ask_now(holder.pk, at=at)
    return _page_of(holder.pk) + "?done=registered"


def link(refusal: DomainError) -> tuple[str, str] | None:
    """To the person who is registered already."""
    if isinstance(refusal, AlreadyRegistered):
        return _page_of(UUID(refusal.facts["holder_id"])), "打开已登记的持卡人"
    return None


def _page_of(holder_id: UUID) -> str:
    return reverse("counter-holder", args=[holder_id])
