"""What the platform tells and asks a department over the line. The adapter is wired by settings."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal, Protocol

from django.conf import settings
from django.utils.module_loading import import_string

#: accepted: it lies with the department · correcting: with the applicant · the others are last words.
State = Literal["accepted", "correcting", "done", "refused", "withdrawn"]
STATES: Final = frozenset({"accepted", "correcting", "done", "refused", "withdrawn"})


class DepartmentAway(Exception):
    """The request has not reached the department; it may be sent again. The message (Chinese) says why."""


class DepartmentSilent(Exception):
    """The request may have reached the department, and no answer that can be trusted came back."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """An act for a department. `number` names it for ever; `item` is the matter it is about."""

    number: str
    department: str
    act: str
    item: str
    key: str
    content: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """Where a matter stands with its department. `number` is theirs; `result` its outcome in small values."""

    state: State
    number: str
    reason: str
    at: datetime
    result: Mapping[str, str] = field(default_factory=dict)


class Connector(Protocol):
    """Every method may raise DepartmentAway or DepartmentSilent. Nothing here is called inside a transaction."""

    def reaches(self, department: str) -> bool:
        """Whether a line to this department is set up at all."""

    def send(self, wanted: Wanted) -> Answer:
        """Have an act carried out, once, however often it is sent."""

    def ask(self, number: str, department: str) -> Answer | None:
        """Where the matter of a request stands now; None when the request never arrived."""


def connector() -> Connector:
    wired: Connector = import_string(settings.DEPARTMENT_CONNECTOR)()
    return wired
