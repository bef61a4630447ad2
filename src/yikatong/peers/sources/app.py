"""The departments' registers over HTTP (WSGI): pages of questions, pages of changes."""

import random
import time
from typing import Any, Final

import msgspec
from psycopg import Connection

from yikatong.core import env
from yikatong.peers import faults
from yikatong.peers.signed import Reply, Signed, tables_of
from yikatong.peers.sources import registers
from yikatong.peers.sources.registers import ODD, Entry, Question

SCHEMA: Final = "peer_sources"
PAGE_MOST: Final = 500


class _LookUp(msgspec.Struct, frozen=True):
    register: str
    questions: list[Question]


class _Changes(msgspec.Struct, frozen=True):
    register: str
    after: str = ""
    most: int = PAGE_MOST


def _look_up(connection: Connection[Any], body: bytes) -> Reply:
    asked = msgspec.json.decode(body, type=_LookUp)
    if asked.register not in ODD or len(asked.questions) > PAGE_MOST:
        return 400, b'{"error":"unknown register or too long a page"}'
    given = {"answers": registers.answers(connection, asked.register, asked.questions)}
    return _given(connection, asked.register, given, "answers")


def _changes(connection: Connection[Any], body: bytes) -> Reply:
    asked = msgspec.json.decode(body, type=_Changes)
    if asked.register not in ODD or not (asked.after or "0").isdigit():
        return 400, b'{"error":"unknown register or position"}'
    most = max(1, min(asked.most, PAGE_MOST))
    rows = registers.changes(connection, asked.register, int(asked.after or 0), most + 1)
    page = rows[:most]
    after = str(page[-1][0]) if page else asked.after
    given = {"numbers": [number for _, number in page], "after": after, "more": len(rows) > most}
    return _given(connection, asked.register, given, "numbers")


def _given(connection: Connection[Any], register: str, content: dict[str, Any], rows: str) -> Reply:
    """The answer, unless something was chosen to go wrong."""
    fault = faults.next_for(connection, SCHEMA, register)
    _think()
    return faults.spoilt(fault, content, rows) or (200, msgspec.json.encode(content))


def _enter(connection: Connection[Any], body: bytes) -> Reply:
    registers.enter(connection, msgspec.json.decode(body, type=Entry))
    return 200, b"{}"


def _think() -> None:
    """A department's system takes a moment; a quarter of what a bank takes."""
    mean_s = env.load().bank_sandbox_delay_ms / 4000
    if mean_s:
        time.sleep(min(random.lognormvariate(0, 0.6), 3.0) * mean_s)


application: Final = Signed(
    {
        "/sources/v1/look-up": _look_up,
        "/sources/v1/changes": _changes,
        "/sources/v1/entries": _enter,
        "/sources/v1/faults": faults.setting(SCHEMA, faults.OF_PAGES),
    },
    make_tables=tables_of(__package__, SCHEMA),
    key_path=lambda: env.load().sandbox_key_path("sources"),
    body_max=256 * 1024,
)
