"""Agreements of invented banks, confirmed and in force for as long as any test looks."""

from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from yikatong.registry.banks.models import Agreement
from yikatong.registry.regions.models import Outlet

SINCE, UNTIL = date(2020, 1, 1), date(2090, 1, 1)
ALL = [one.value for one in Agreement.Matter]


def agree(bank_code: str, *, outlets: list[UUID] | None = None, **promises: Any) -> Agreement:
    """The bank's one agreement, made or changed; without `outlets` all there are when it is made may do all matters."""
    begun: dict[str, Any] = {
        "number": f"协议-{bank_code}",
        "valid_from": SINCE,
        "valid_until": UNTIL,
        "opens_accounts": True,
        "matters": ALL,
        "status": "confirmed",
        "drafted_at": datetime(2020, 1, 1, tzinfo=UTC),
        "drafted_by": "甲",
        "confirmed_at": datetime(2020, 1, 1, tzinfo=UTC),
        "confirmed_by": "乙",
    }
    agreement, is_new = Agreement.objects.update_or_create(
        bank_id=bank_code, number=begun["number"], defaults=promises, create_defaults=begun | promises
    )
    if is_new or outlets is not None:
        agreement.outlets.set(Outlet.objects.all() if outlets is None else outlets)
    return agreement
