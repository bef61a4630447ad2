"""What the sandbox registers know.

They agree with what they are asked but for a small share of persons, always the same ones, so that a demonstration
has something to settle and a second round finds nothing new. What was entered for a person goes before that.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final

import msgspec
from psycopg import Connection
from psycopg.types.json import Jsonb

from yikatong.core.sm.sm3 import sm3

_PER: Final = 10_000
#: In ten thousand: how many persons differ in which fact, and what the register says of them.
ODD: Final[dict[str, dict[str, tuple[int, str]]]] = {
    "population": {"name": (20, "{name}芳")},
    "civil": {"death": (2, "2026-10-01")},
    "health": {"death": (2, "2026-10-02"), "phone": (30, "138{digits}")},
    "credit": {"phone": (20, "137{digits}")},
    "insurance": {"insured": (100, "未参保"), "phone": (20, "136{digits}")},
}
UNKNOWN: Final = {"population": 5}


class Question(msgspec.Struct, frozen=True):
    reference: str
    number: str
    name: str


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """What a department enters of a person; `facts` by field, a death as ISO date."""

    register: str
    number: str
    name: str
    known: bool = True
    facts: dict[str, str] = {}


def answers(
    connection: Connection[Any], register: str, questions: Sequence[Question]
) -> list[dict[str, Any]]:
    entered = _entered(connection, register, [one.number for one in questions])
    return [{"reference": one.reference} | _of(register, one, entered.get(one.number)) for one in questions]


def enter(connection: Connection[Any], entry: Entry) -> None:
    connection.execute(
        "INSERT INTO peer_sources.entry (register, number, name, known, facts) VALUES (%s, %s, %s, %s, %s)",
        (entry.register, entry.number, entry.name, entry.known, Jsonb(entry.facts)),
    )


def changes(connection: Connection[Any], register: str, after: int, most: int) -> list[tuple[int, str]]:
    """Of whom something has been entered since, in order, each with its position."""
    return connection.execute(
        "SELECT id, number FROM peer_sources.entry WHERE register = %s AND id > %s ORDER BY id LIMIT %s",
        (register, after, most),
    ).fetchall()


def _entered(connection: Connection[Any], register: str, numbers: list[str]) -> dict[str, Entry]:
    rows = connection.execute(
        "SELECT DISTINCT ON (number) number, name, known, facts FROM peer_sources.entry"
        " WHERE register = %s AND number = ANY(%s) ORDER BY number, id DESC",
        (register, numbers),
    ).fetchall()
    return {
        number: Entry(register=register, number=number, name=name, known=known, facts=facts)
        for number, name, known, facts in rows
    }


def _of(register: str, question: Question, entry: Entry | None) -> dict[str, Any]:
    if entry is not None:
        return {"known": entry.known, "facts": {"name": entry.name} | entry.facts if entry.known else {}}
    return made_up(register, question)


def made_up(register: str, question: Question) -> dict[str, Any]:
    """What a register says of one of whom nothing was entered: the same every time, wherever it is asked."""
    if _dice(register, question, "person") < UNKNOWN.get(register, 0):
        return {"known": False, "facts": {}}
    return {"known": True, "facts": {"name": question.name} | dict(_odd(register, question))}


def _odd(register: str, question: Question) -> Iterator[tuple[str, str]]:
    for field, (share, says) in ODD[register].items():
        if _dice(register, question, field) < share:
            yield (
                field,
                says.format(name=question.name, digits=f"{_dice(register, question, 'digits'):08d}"),
            )


def _dice(register: str, question: Question, what: str) -> int:
    chip = sm3(f"{register}|{what}|{question.number}".encode())
    return int.from_bytes(chip[:4], "big") % _PER
