"""Rows of a roster that went to another place of issue (全省通办), as the roster's page tells of them."""

from typing import NamedTuple
from uuid import UUID

from django.db.models import Count, Q

from yikatong.registry.cards.elsewhere import place_name
from yikatong.registry.cards.models import Case, CaseStatus


class Route(NamedTuple):
    """One place of issue: how many cases it has, and how many it has yet to check."""

    place: str
    cases: int
    waiting: int


def routes(roster_id: UUID) -> list[Route]:
    """By place, in the order of divisions."""
    sent = Case.objects.filter(roster_row__startswith=f"{roster_id.hex}:").exclude(taken_code="")
    waits = Count("pk", filter=Q(status__in=[CaseStatus.SUBMITTED, CaseStatus.CORRECTING]))
    by_place = sent.order_by("division_code").values_list("division_code")
    rows = by_place.annotate(cases=Count("pk"), waiting=waits)
    return [Route(place_name(code), cases, waiting) for code, cases, waiting in rows]
