"""Read the uses of cards and codes."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from yikatong.core.clock import day_of
from yikatong.registry.catalogue.models import Place
from yikatong.using.codes.pass_ import Reason
from yikatong.using.usage.models import Use

_REASONS: dict[int, Reason] = {int(reason): reason for reason in Reason}


@dataclass(frozen=True, slots=True)
class SeenUse:
    """A use as its holder sees it. `outcome`: 0 accepted, else the number of a refusal reason."""

    used_at: datetime
    place: str
    icon: str
    method: str
    is_offline: bool
    outcome: int
    amount_fen: int
    flag: int = Use.Flag.NONE

    @property
    def accepted(self) -> bool:
        return self.outcome == 0

    @property
    def refusal(self) -> str:
        """Why it was refused, in a sentence; "" when it was not."""
        return _REASONS[self.outcome].sentence if self.outcome else ""

    @property
    def advice(self) -> str:
        """What the holder can do about a refusal; "" when there was none."""
        return _REASONS[self.outcome].holder if self.outcome else ""

    @property
    def note(self) -> str:
        """What else the holder should know, such as a use after a loss that the terminal could not know of."""
        return Use.Flag(self.flag).label


def of_holder(holder_id: UUID, limit: int, *, since: datetime, before: datetime) -> list[SeenUse]:
    """The latest `limit` uses of a holder in [since, before); two queries.

    The span is the caller's to keep short: each of its days is a table to plan for and to lock.
    """
    # The business day of a use is its own, or the one before while a night bus drives on (gate.sequence).
    days = (day_of(since) - timedelta(days=1), day_of(before))
    uses = Use.objects.filter(holder_id=holder_id, day__range=days, used_at__gte=since, used_at__lt=before)
    rows = list(uses.order_by("-used_at", "-sequence")[:limit])
    places = Place.objects.select_related("domain").in_bulk({row.place_id for row in rows if row.place_id})
    return [_seen(row, places.get(row.place_id) if row.place_id else None) for row in rows]


def _seen(use: Use, place: Place | None) -> SeenUse:
    return SeenUse(
        used_at=use.used_at,
        place=place.name if place else f"终端 {use.terminal:012d}",
        icon=(place.domain.icon if place else "") or "scan-line",
        method=Use.Method(use.method).label,
        is_offline=use.is_offline,
        outcome=use.outcome,
        amount_fen=use.amount_fen,
        flag=use.flag,
    )
