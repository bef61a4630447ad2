"""What an authoritative source answers: a Protocol here, adapters wired by the setting MATCH_SOURCES."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Final, Protocol

from django.conf import settings
from django.utils.module_loading import import_string

from yikatong.registry.matching.models import Issue


class SourceUnavailable(Exception):
    """The source did not answer; the slice is asked again. The text (Chinese) says why, without personal data."""


@dataclass(frozen=True, slots=True)
class Question:
    """Whom a source is asked about: no more than it needs to find him."""

    reference: str
    number: str
    name: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What a source knows. `facts`: value by field, only what it is an authority for; a death as ISO date."""

    reference: str
    is_known: bool
    facts: Mapping[Issue.Field, str] = field(default_factory=dict)


class Source(Protocol):
    """One department's register. `label` is its Chinese name."""

    label: str

    def look_up(self, questions: Sequence[Question]) -> Sequence[Answer]:
        """An answer for each question, in any order; raises SourceUnavailable."""
        ...


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
    return {key: _made(path) for key, path in settings.MATCH_SOURCES.items()}


@cache
def _made(path: str) -> Source:
    made: Source = import_string(path)()
    return made


def label_of(key: str) -> str:
    """The Chinese name of a source, also of one that is wired no more."""
    found = sources().get(key)
    return found.label if found else LABELS.get(key, key)
