"""登记历史: what has changed of a person, masked as everything on a holder's page."""

from dataclasses import dataclass
from datetime import datetime

from yikatong.core.masking import mask_number
from yikatong.registry.holders import names
from yikatong.registry.holders.models import Holder, LifeEvent
from yikatong.registry.holders.queries import records_of
from yikatong.registry.regions.queries import full_name

SHOWN = 20
Kind = LifeEvent.Kind
_STATUSES = dict(Holder.Status.choices)


@dataclass(frozen=True, slots=True)
class Line:
    label: str
    at: datetime
    before: str
    after: str
    grounds: str
    actor: str


def of(holder: Holder) -> list[Line]:
    """The latest first, with what happened to the records that were merged into this one."""
    events = LifeEvent.objects.filter(holder__in=records_of(holder)).order_by("-at", "-pk")[:SHOWN]
    return [_line(one, is_other=one.holder_id != holder.pk) for one in events]


def _line(one: LifeEvent, *, is_other: bool) -> Line:
    grounds = "；".join(filter(None, (one.evidence, one.reason)))
    before, after = _shown(one.kind, one.before), _shown(one.kind, one.after)
    label = one.get_kind_display() + ("（并入的登记）" if is_other else "")
    return Line(label, one.at, before, after, grounds, one.actor_name)


def _shown(kind: str, text: str | None) -> str:
    if not text:
        return "—"
    if kind == Kind.NAME:
        return names.mask(text)
    if kind == Kind.NUMBER:
        return mask_number(text)
    if kind == Kind.VALIDITY:
        return text.replace("/", " 至 ")
    if kind == Kind.MOVED:
        return full_name(text[:6])
    return str(_STATUSES.get(text, text))  # an ending says what he was; a death, the day
