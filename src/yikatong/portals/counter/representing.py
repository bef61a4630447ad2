"""Who may stand at the desk for a holder, and what can be ended: choices of forms, arguments of acts."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID

from yikatong.core.masking import mask_number
from yikatong.registry.cards.actions.representatives import is_child
from yikatong.registry.cards.models import Authorisation, CaseKind
from yikatong.registry.holders.certificates import Kind
from yikatong.registry.holders.models import Category, Guardianship, Holder

Choice = tuple[str, str]
_GUARDIAN, _AGENT = "guardian:", "agent:"


def choices(holder: Holder, matter: CaseKind, day: date) -> list[Choice]:
    """The holder himself (for a child applying, his guardians), then agents with an authorisation for the matter.

    "" stands for the usual case: himself, or a child's guardian, whom the act looks up.
    """
    agents_ = [(f"{_AGENT}{key}", label) for key, label in agents(holder, day, matter)]
    if matter in {CaseKind.APPLY, CaseKind.REPLACE} and is_child(holder, day):
        known = [(f"{_GUARDIAN}{key}", f"监护人 {label}") for key, label in guardians(holder, day)]
        return (known or [("", "监护人（尚未登记）")]) + agents_
    return [("", "本人"), *agents_]


def certificates(holder: Holder) -> list[Choice]:
    """Present certificates that have a period, to record it of one."""
    present = (
        holder.certificates.filter(is_current=True).exclude(kind=Kind.BIRTH).order_by("-created_at", "pk")
    )
    return [(str(one.pk), f"{one} {mask_number(one.number)}") for one in present]


def guardians(holder: Holder, day: date) -> list[Choice]:
    found = Guardianship.objects.filter(ward=holder, ended_at=None, valid_from__lte=day, valid_until__gt=day)
    return [(str(one.pk), str(one)) for one in found.order_by("created_at", "pk")]


def agents(holder: Holder, day: date, matter: CaseKind | None = None) -> list[Choice]:
    found = Authorisation.objects.filter(
        holder=holder, ended_at=None, valid_from__lte=day, valid_until__gt=day
    )
    if matter is not None:
        found = found.filter(matters__contains=[matter.value])
    rows = found.order_by("created_at", "pk")
    return [(str(one.pk), f"代办人 {one}（{one.matter_words}，至 {_last(one.valid_until)}）") for one in rows]


def _last(until: date) -> date:
    """The last day of a half-open period, as people say it."""
    return until - timedelta(days=1)


def concessions(holder: Holder, day: date) -> list[Choice]:
    """Categories that hold or will, to end one of."""
    found = [one for one in holder.categories.order_by("valid_from", "pk") if not _is_over(one, day)]
    return [(str(one.pk), f"{one}（{one.source}，{one.valid_from} 起）") for one in found]


def _is_over(category: Category, day: date) -> bool:
    return category.valid_until is not None and category.valid_until <= max(day, category.valid_from)


def who(given: dict[str, Any]) -> dict[str, UUID]:
    """Arguments of an act for what was chosen."""
    chosen = given.get("stands") or ""
    if chosen.startswith(_GUARDIAN):
        return {"guardianship_id": UUID(chosen.removeprefix(_GUARDIAN))}
    if chosen.startswith(_AGENT):
        return {"authorisation_id": UUID(chosen.removeprefix(_AGENT))}
    return {}
