"""Platforms that accept our codes, over HTTP (WSGI): they take the signed hot lists and say which version they hold."""

import base64
from typing import Any, Final

import msgspec
from psycopg import Connection

from yikatong.core import env
from yikatong.peers import faults
from yikatong.peers.signed import Reply, Signed, tables_of

SCHEMA: Final = "peer_partner"
_ENTRY: Final = 16


class _List(msgspec.Struct, frozen=True, rename={"since": "from"}):
    """The fields of a published list that a verifier needs (pass-v1 §8)."""

    scene: int
    since: int
    to: int
    payload: str


class _Told(msgspec.Struct, frozen=True):
    partner: str
    list: _List


class _Asked(msgspec.Struct, frozen=True):
    partner: str
    scene: int
    reference: str = ""


def _lists(connection: Connection[Any], body: bytes) -> Reply:
    told = msgspec.json.decode(body, type=_Told)
    fault = faults.next_for(connection, SCHEMA, told.partner)
    if spoilt := faults.spoilt(fault, {"versions": []}, "versions"):
        return spoilt
    with connection.transaction():
        held = _taken(connection, told.partner, told.list)
    return 200, msgspec.json.encode({"scene": told.list.scene, "version": held})


def _taken(connection: Connection[Any], partner: str, given: _List) -> int:
    """The version held afterwards; a delta that starts elsewhere is left, and the sender sees it by the answer."""
    held = _version(connection, partner, given.scene, lock=True)
    if given.to <= held or given.since not in {0, held}:
        return held
    payload = base64.urlsafe_b64decode(given.payload + "=" * (-len(given.payload) % 4))
    count = int.from_bytes(payload[:4], "big") if given.since else len(payload) // _ENTRY
    begin = 4 if given.since else 0
    end = begin + count * _ENTRY
    if not given.since:
        connection.execute(
            "DELETE FROM peer_partner.reference WHERE partner = %s AND scene = %s", (partner, given.scene)
        )
    connection.execute(
        "INSERT INTO peer_partner.reference SELECT %s, %s, unnest(%s::text[]) ON CONFLICT DO NOTHING",
        (partner, given.scene, _entries(payload[begin:end])),
    )
    connection.execute(
        "DELETE FROM peer_partner.reference WHERE partner = %s AND scene = %s AND reference = ANY(%s)",
        (partner, given.scene, _entries(payload[end:])),
    )
    connection.execute(
        "UPDATE peer_partner.list SET version = %s WHERE partner = %s AND scene = %s",
        (given.to, partner, given.scene),
    )
    return given.to


def _version(connection: Connection[Any], partner: str, scene: int, *, lock: bool = False) -> int:
    if lock:
        connection.execute(
            "INSERT INTO peer_partner.list VALUES (%s, %s, 0) ON CONFLICT DO NOTHING", (partner, scene)
        )
    query = "SELECT version FROM peer_partner.list WHERE partner = %s AND scene = %s"
    row = connection.execute(f"{query} FOR UPDATE" if lock else query, (partner, scene)).fetchone()
    return int(row[0]) if row else 0


def _entries(data: bytes) -> list[str]:
    return [data[at : at + _ENTRY].hex() for at in range(0, len(data), _ENTRY)]


def _refused(connection: Connection[Any], body: bytes) -> Reply:
    """What this partner's terminals would do with a code under this reference."""
    asked = msgspec.json.decode(body, type=_Asked)
    found = connection.execute(
        "SELECT FROM peer_partner.reference WHERE partner = %s AND scene = %s AND reference = %s",
        (asked.partner, asked.scene, asked.reference),
    ).fetchone()
    version = _version(connection, asked.partner, asked.scene)
    return 200, msgspec.json.encode({"version": version, "refused": found is not None})


application: Final = Signed(
    {
        "/partner/v1/lists": _lists,
        "/partner/v1/refused": _refused,
        "/partner/v1/faults": faults.setting(SCHEMA, faults.OF_PAGES),
    },
    make_tables=tables_of(__package__, SCHEMA),
    key_path=lambda: env.load().sandbox_key_path("partner"),
    body_max=64 * 1024 * 1024,
)
