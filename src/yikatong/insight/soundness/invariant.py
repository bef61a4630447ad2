"""What must hold of the whole database at every moment between two acts, as questions that answer with what breaks it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Moment:
    """When the books are looked at; jobs have had until `grace` for what was due, and until `yesterday` by days."""

    at: datetime
    grace: datetime
    today: date
    yesterday: date


@dataclass(frozen=True, slots=True)
class Invariant:
    """`sql` selects one text column, a row for each thing that breaks it; `find` does so where SQL cannot look.

    `name` is stable and for machines; `says` is the sentence (Chinese) that holds. SQL may use the parameters
    of `Moment`: %(at)s, %(grace)s, %(today)s, %(yesterday)s; and of the profile %(four_eyes)s, %(rows_kept_days)s.
    """

    name: str
    says: str
    sql: str = ""
    find: Callable[[], Iterable[str]] | None = None


@dataclass(frozen=True, slots=True)
class Breach:
    """An invariant that does not hold: how many things break it, and the first few."""

    name: str
    says: str
    count: int
    examples: tuple[str, ...]


def pairs(table: Any) -> str:
    """A status table as an SQL list of its ways: ('a', 'b'), …"""
    return ", ".join(f"('{old.value}', '{new.value}')" for old, ways in table.items() for new in sorted(ways))


def words(values: Iterable[Any]) -> str:
    """Statuses as an SQL list: 'a', 'b', …"""
    return ", ".join(f"'{getattr(value, 'value', value)}'" for value in values)
