"""The lists a terminal holds: taken only when signed, newer and whole; a delta where it fits, else the full list."""

import json
from typing import NamedTuple

from yikatong.terminal import answers
from yikatong.terminal.errors import ListRefused
from yikatong.terminal.store import Store
from yikatong.terminal.terms import terms_of
from yikatong.using.codes.pass_ import (
    Envelope,
    Hotlist,
    Reason,
    Refused,
    TrustList,
    apply_delta,
    read_envelope,
    read_hotlist,
    read_trust,
)


class Held(NamedTuple):
    """A list as told to people. `confirmed_at`: when the gate last said that this version is the newest."""

    kind: str
    scene: int
    version: int
    made_at: int
    entries: int
    confirmed_at: int


def held(store: Store) -> list[Held]:
    rows = store.rows("SELECT kind, scene, version, made_at, entries FROM list ORDER BY kind DESC, scene")
    return [Held(**dict(row), confirmed_at=confirmed_at(store, row["kind"], row["scene"])) for row in rows]


def trust(store: Store) -> TrustList:
    """The trust list; an empty one when none is held, which trusts nobody."""
    found = store.rows("SELECT payload FROM list WHERE kind = 'trust'")
    return read_trust(_unsigned(found[0]["payload"])) if found else TrustList([])


def hotlist(store: Store, scene: int) -> Hotlist | None:
    found = store.rows("SELECT * FROM list WHERE kind = 'hot' AND scene = ?", scene)
    if not found:
        return None
    row = found[0]
    return Hotlist(row["payload"], scene=scene, version=row["version"], made_at=row["made_at"])


def confirmed_at(store: Store, kind: str, scene: int) -> int:
    """Since when the held version may have a successor we do not know of: 0 when never confirmed."""
    return int(store.get(f"confirmed_{kind}_{scene}") or 0)


def confirm(store: Store, newest: answers.Lists, at: int) -> None:
    """The gate named the newest versions: those we hold are as fresh as now."""
    wanted = {("trust", 0): newest.trust} | {("hot", int(scene)): each for scene, each in newest.hot.items()}
    for each in held(store):
        if wanted.get((each.kind, each.scene)) == each.version:
            store.put(**{f"confirmed_{each.kind}_{each.scene}": at})


def take(store: Store, text: bytes, *, kind: str, scene: int) -> None:
    """Verify a list and put it in place of the held one. Raises ListRefused; then nothing has changed."""
    try:
        envelope = read_envelope(text, _signer(store, text))
        entries, payload = _merged(store, envelope, kind, scene)
    except Refused as refusal:
        raise ListRefused(refusal.reason) from None
    row = (kind, scene, envelope.to_version, envelope.made_at, entries, payload)
    store.run("INSERT OR REPLACE INTO list VALUES (?, ?, ?, ?, ?, ?)", *row)


def _merged(store: Store, envelope: Envelope, kind: str, scene: int) -> tuple[int, bytes]:
    """Number of entries and what is stored: a trust list's envelope, a hotlist's sorted references."""
    if envelope.kind != kind or envelope.scene != scene:
        raise Refused(Reason.LIST_MALFORMED)
    version = version_of(store, envelope.kind, envelope.scene)
    if envelope.kind == "trust":
        return len(read_trust(envelope, held=version).keys), envelope.to_json().encode()
    old = hotlist(store, envelope.scene)
    new = (
        apply_delta(old, envelope)
        if old is not None and envelope.from_version
        else read_hotlist(envelope, held=version)
    )
    return len(new), new.references


def version_of(store: Store, kind: str, scene: int) -> int:
    found = store.rows("SELECT version FROM list WHERE kind = ? AND scene = ?", kind, scene)
    return int(found[0][0]) if found else 0


def _signer(store: Store, text: bytes) -> bytes:
    """The list key that the envelope names, as the sign-in told it."""
    try:
        fields = json.loads(text)
        named = (fields["issuer"], fields["key_id"])
    except (ValueError, TypeError, KeyError, RecursionError):
        raise Refused(Reason.LIST_MALFORMED) from None
    for key in terms_of(store).list_keys:
        if (key.issuer, key.key_id) == named:
            return answers.unpacked(key.public)
    raise Refused(Reason.LIST_BAD_SIGNATURE)


def _unsigned(stored: bytes) -> Envelope:
    """A stored trust list was verified when it came; its signature needs no second look."""
    fields = json.loads(stored)
    payload = answers.unpacked(fields["payload"])
    return Envelope(
        "trust", 0, 0, fields["to"], fields["made_at"], fields["issuer"], fields["key_id"], payload
    )
