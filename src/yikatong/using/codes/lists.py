"""Signed lists for verifiers: whom to trust, and which references are stopped (docs/spec/pass-v1.md §8).

A list travels as a JSON envelope; the SM2 signature covers a fixed byte string, not the JSON text, so nobody
has to agree on spaces. A hotlist is one sorted byte string with 16 bytes an entry: a million are 16 MB and
twenty comparisons, where a Python set would take six times as much memory.
"""

import base64
import json
import struct
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, Literal

from yikatong.core.sm import sm2
from yikatong.using.codes.reasons import Reason, Refused
from yikatong.using.codes.trust import IssuerKey, KeyState, TrustList

_MAGIC = b"YKL1"
_KINDS = {"trust": 1, "hot": 2}
_NUMBERS = {
    "from_version": "from",
    "to_version": "to",
    "made_at": "made_at",
    "issuer": "issuer",
    "key_id": "key_id",
}
_HEAD = struct.Struct(">4sBBIIIBHHI")
_ENTRY = 16


@dataclass(frozen=True, slots=True)
class Envelope:
    """One signed list. A full list has from_version 0; a delta leads from one version to a later one.

    `scene` 0 where the kind has none (trust). `made_at` unix seconds. `signature` is empty before signing.
    """

    kind: Literal["trust", "hot"]
    scene: int
    from_version: int
    to_version: int
    made_at: int
    issuer: int
    key_id: int
    payload: bytes
    signature: bytes = b""

    def to_be_signed(self) -> bytes:
        """`YKL1` · kind · scene · from, to, made_at u32 · issuer u24 · key id u16 · length u32 · payload."""
        issuer = (self.issuer >> 16, self.issuer & 0xFFFF)
        versions = (self.from_version, self.to_version, self.made_at)
        head = (_MAGIC, _KINDS[self.kind], self.scene, *versions, *issuer, self.key_id, len(self.payload))
        return _HEAD.pack(*head) + self.payload

    def signed(self, private: bytes) -> "Envelope":
        """The same list with its SM2 signature."""
        return replace(self, signature=sm2.sign(private, self.to_be_signed()))

    def to_json(self) -> str:
        """The text that travels; `scene` only where there is one."""
        fields: dict[str, Any] = {"kind": self.kind}
        if self.scene:
            fields["scene"] = self.scene
        fields |= {"from": self.from_version, "to": self.to_version, "made_at": self.made_at}
        fields |= {"issuer": self.issuer, "key_id": self.key_id}
        fields |= {"payload": _to_text(self.payload), "signature": _to_text(self.signature)}
        return json.dumps(fields)


def read_envelope(text: str | bytes, signer_public: bytes) -> Envelope:
    """Read and verify a list. Refused(LIST_MALFORMED, LIST_BAD_SIGNATURE)."""
    try:
        envelope = _from_fields(json.loads(text))
        signed = envelope.to_be_signed()
    except (ValueError, TypeError, KeyError, struct.error, RecursionError):
        raise Refused(Reason.LIST_MALFORMED) from None
    if not sm2.verify(signer_public, signed, envelope.signature):
        raise Refused(Reason.LIST_BAD_SIGNATURE)
    return envelope


# --- trust ---


def trust_payload(keys: Iterable[IssuerKey]) -> bytes:
    """JSON {"keys": [...]}, the keys in the order given, public keys in hex."""
    return json.dumps({"keys": [_key_fields(key) for key in keys]}).encode()


def read_trust(envelope: Envelope, *, held: int = 0) -> TrustList:
    """The trust list of a verified envelope. Refused(LIST_MALFORMED, LIST_ROLLED_BACK if below `held`)."""
    if envelope.kind != "trust" or envelope.from_version:
        raise Refused(Reason.LIST_MALFORMED)
    if envelope.to_version < held:
        raise Refused(Reason.LIST_ROLLED_BACK)
    try:
        keys = [_read_key(fields) for fields in json.loads(envelope.payload)["keys"]]
    except (ValueError, TypeError, KeyError, RecursionError):
        raise Refused(Reason.LIST_MALFORMED) from None
    return TrustList(keys, version=envelope.to_version)


# --- hotlist ---


def hot_payload(references: Iterable[bytes]) -> bytes:
    """Full list: the distinct references, sorted, one after another."""
    return b"".join(sorted(set(references)))


def delta_payload(adds: Iterable[bytes], removes: Iterable[bytes]) -> bytes:
    """Delta: number of adds u32 · adds · removes, each distinct and sorted, none in both."""
    added, removed = set(adds), set(removes)
    if added & removed:
        raise ValueError("a reference is both added and removed")
    return len(added).to_bytes(4, "big") + hot_payload(added) + hot_payload(removed)


class Hotlist:
    """Stopped references of one scene, in one byte string. `reference in hotlist` is a binary search."""

    __slots__ = ("made_at", "references", "scene", "version")

    def __init__(self, references: bytes, *, scene: int, version: int, made_at: int) -> None:
        self.references, self.scene, self.version, self.made_at = references, scene, version, made_at

    def __len__(self) -> int:
        return len(self.references) // _ENTRY

    def __iter__(self) -> Iterator[bytes]:
        return (self._at(place) for place in range(len(self)))

    def __contains__(self, reference: object) -> bool:
        if not isinstance(reference, bytes) or len(reference) != _ENTRY:
            return False
        place = self._place(reference)
        return place < len(self) and self._at(place) == reference

    def _at(self, place: int) -> bytes:
        return self.references[place * _ENTRY : (place + 1) * _ENTRY]

    def _place(self, reference: bytes) -> int:
        return bisect_left(range(len(self)), reference, key=self._at)


def read_hotlist(envelope: Envelope, *, held: int = 0) -> Hotlist:
    """The full list of a verified envelope. Refused(LIST_MALFORMED, LIST_GAP (a delta), LIST_ROLLED_BACK)."""
    _check_hot(envelope)
    if envelope.from_version:
        raise Refused(Reason.LIST_GAP)
    if envelope.to_version < held:
        raise Refused(Reason.LIST_ROLLED_BACK)
    references = b"".join(_references(envelope.payload))
    return Hotlist(references, scene=envelope.scene, version=envelope.to_version, made_at=envelope.made_at)


def apply_delta(hot: Hotlist, envelope: Envelope) -> Hotlist:
    """The list after a verified delta; adding what is there and removing what is not changes nothing.

    Refused(LIST_MALFORMED, LIST_ROLLED_BACK when it leads nowhere new, LIST_GAP when it starts elsewhere).
    """
    _check_hot(envelope)
    if envelope.scene != hot.scene or not envelope.from_version or len(envelope.payload) < 4:
        raise Refused(Reason.LIST_MALFORMED)
    if envelope.to_version <= hot.version:
        raise Refused(Reason.LIST_ROLLED_BACK)
    if envelope.from_version != hot.version:
        raise Refused(Reason.LIST_GAP)
    end = 4 + int.from_bytes(envelope.payload[:4], "big") * _ENTRY
    if end > len(envelope.payload):
        raise Refused(Reason.LIST_MALFORMED)
    adds, removes = _references(envelope.payload[4:end]), _references(envelope.payload[end:])
    if set(adds) & set(removes):
        raise Refused(Reason.LIST_MALFORMED)
    merged = _merged(hot, dict.fromkeys(adds, True) | dict.fromkeys(removes, False))
    return Hotlist(merged, scene=hot.scene, version=envelope.to_version, made_at=envelope.made_at)


def _merged(hot: Hotlist, changes: dict[bytes, bool]) -> bytes:
    parts, copied = [], 0
    for reference, wanted in sorted(changes.items()):
        place = hot._place(reference) * _ENTRY  # noqa: SLF001
        parts.append(hot.references[copied:place])
        there = hot.references[place : place + _ENTRY] == reference
        parts.append(reference if wanted else b"")
        copied = place + _ENTRY if there else place
    return b"".join([*parts, hot.references[copied:]])


def _check_hot(envelope: Envelope) -> None:
    if envelope.kind != "hot" or not envelope.scene:
        raise Refused(Reason.LIST_MALFORMED)


def _references(data: bytes) -> list[bytes]:
    """Entries, strictly ascending, or Refused(LIST_MALFORMED)."""
    entries = [data[at : at + _ENTRY] for at in range(0, len(data), _ENTRY)]
    if len(data) % _ENTRY or any(first >= second for first, second in pairwise(entries)):
        raise Refused(Reason.LIST_MALFORMED)
    return entries


# --- JSON's edge ---


def _from_fields(fields: dict[str, Any]) -> Envelope:
    numbers = {name: fields[key] for name, key in _NUMBERS.items()} | {"scene": fields.get("scene", 0)}
    if fields["kind"] not in _KINDS or not all(type(number) is int for number in numbers.values()):
        raise ValueError("kind or a number is wrong")
    payload, signature = _from_text(fields["payload"]), _from_text(fields["signature"])
    envelope = Envelope(kind=fields["kind"], payload=payload, signature=signature, **numbers)
    if envelope.from_version >= envelope.to_version:
        raise ValueError("a list leads to a later version")
    return envelope


def _key_fields(key: IssuerKey) -> dict[str, Any]:
    return {
        "issuer": key.issuer,
        "key_id": key.key_id,
        "public": key.public.hex(),
        "state": key.state.value,
        "not_before": key.not_before,
        "sign_until": key.sign_until,
        "verify_until": key.verify_until,
    }


def _read_key(fields: dict[str, Any]) -> IssuerKey:
    issuer, key_id, *times = (
        fields[name] for name in ("issuer", "key_id", "not_before", "sign_until", "verify_until")
    )
    public = bytes.fromhex(fields["public"])
    if not all(type(number) is int for number in (issuer, key_id, *times)) or not sm2.is_public(public):
        raise ValueError("a number or the public key is wrong")
    return IssuerKey(issuer, key_id, public, KeyState(fields["state"]), *times)


def _to_text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _from_text(text: str) -> bytes:
    if not isinstance(text, str) or any(strange in text for strange in "+/="):
        raise ValueError("not base64url without padding")
    padded = text.encode("ascii") + b"=" * (-len(text) % 4)
    return base64.b64decode(padded, altchars=b"-_", validate=True)  # binascii.Error is a ValueError
