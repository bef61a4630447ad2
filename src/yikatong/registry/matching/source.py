"""What an authoritative source answers: a Protocol here, adapters given by the callable of the setting MATCH_SOURCES."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from django.conf import settings
from django.utils.module_loading import import_string

from yikatong.registry.matching.models import Issue


class SourceUnavailable(Exception):
    """Nothing was learned from the source; it is asked again. The text (Chinese) says why, without personal data."""

    kind = "away"


class SourceAway(SourceUnavailable):
    """It is not there: no connection, or it says so itself."""


class SourceSilent(SourceUnavailable):
    """It did not answer in time, failed, or what came was not signed by it."""

    kind = "silent"


class SourceUnfit(SourceUnavailable):
    """It answered something else than was agreed; nothing of the answer was taken."""

    kind = "unfit"


@dataclass(frozen=True, slots=True)
class Question:
    """Whom a source is asked about: no more than it needs to find him."""

    reference: str
    number: str
    name: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What a source knows. `facts`: value by field, only what it is an authority for; a death as ISO date,
    the period of the identity card as `holders.validity` reads it.
    """

    reference: str
    is_known: bool
    facts: Mapping[Issue.Field, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Changes:
    """One page of those of whom a source has entered something, ours or not; what, a look-up tells.

    `after` is where the next page begins; `more`: there is one already.
    """

    numbers: Sequence[str]
    after: str
    more: bool


class Source(Protocol):
    """One department's register. `label` is its Chinese name. Every method may raise SourceUnavailable."""

    label: str

    def look_up(self, questions: Sequence[Question], *, within_s: float | None = None) -> Sequence[Answer]:
        """An answer for each question, in any order. `within_s` (seconds) where someone is waiting for it."""

    def changes(self, after: str) -> Changes:
        """Of whom it has entered something since the position `after` ("": since ever)."""


#: The departments' registers by key, also where none is wired.
LABELS: Final = {
    "population": "公安人口库",
    "civil": "民政殡葬信息",
    "health": "卫健全员人口库",
    "credit": "公共信用库",
    "insurance": "社会保险参保库",
}
#: The source whose deaths are recorded at once.
OF_DEATHS: Final = "civil"


def sources() -> dict[str, Source]:
    """The wired sources by key; none where the installation has none."""
    found: dict[str, Source] = import_string(settings.MATCH_SOURCES)() if settings.MATCH_SOURCES else {}
    return found


def label_of(key: str) -> str:
    """The Chinese name of a source, also of one that is wired no more."""
    found = sources().get(key)
    return found.label if found else LABELS.get(key, key)
