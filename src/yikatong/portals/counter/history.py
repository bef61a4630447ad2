"""登记历史: what has changed of a person, masked as everything on a holder's page."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from yikatong.core.masking import mask_number
from yikatong.registry.cards.models import Case, CaseKind
from yikatong.registry.holders import names
from yikatong.registry.holders.models import Holder, LifeEvent
from yikatong.registry.holders.queries import records_of
from yikatong.registry.regions.queries import full_name

SHOWN = 20
Kind = LifeEvent.Kind
_BORN = "born"
_BIRTH_DATE = "出生日期"
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


def with_case(case: Case) -> list[Line]:
    """What a change filed as this case has changed: its events, of the same moment."""
    if case.kind != CaseKind.CHANGE:
        return []
    events = LifeEvent.objects.filter(holder_id=case.holder_id, at=case.created_at).order_by("pk")
    return [_line(one, is_other=False) for one in events]


def _line(one: LifeEvent, *, is_other: bool) -> Line:
    label, grounds = one.get_kind_display(), "；".join(filter(None, (one.evidence, one.reason)))
    if one.kind == Kind.RECOUNTED:  # it says what was counted anew; why, is the kind
        label, grounds = one.reason, label
    kind = _BORN if label == _BIRTH_DATE else one.kind
    before, after = _shown(kind, one.before), _shown(kind, one.after)
    label += "（并入的登记）" if is_other else ""
    return Line(label, one.at, before, after, grounds, one.actor_name)


def _shown(kind: str, text: str | None) -> str:
    if not text:
        return "—"
    if kind in _SAID:
        return _SAID[kind](text)
    return str(_STATUSES.get(text, text))  # an ending says what he was; a death, the day


_SAID: Final[dict[str, Callable[[str], str]]] = {
    Kind.NAME: names.mask,
    Kind.NUMBER: mask_number,
    Kind.MOVED: lambda text: full_name(text[:6]),
    Kind.VALIDITY: lambda text: text.replace("/", " 至 "),
    _BORN: lambda text: f"{text[:4]} 年",  # the day is no more shown than in the number
}
