"""What the bytes of a code say, before any table is asked: genuine or not, whose device, which scene, in time or not.

Online and offline alike the platform recognises its own codes by their MAC: the MAC's secret follows from the
whole credential, and only device and platform have it. The SM2 signatures stand in the evidence of offline
uses, and are verified by a job (using.usage.tasks), not while a terminal waits.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from yikatong.core.sm.sm3 import sm3
from yikatong.gate.arrays import EPOCH_UNIX
from yikatong.gate.concessions import bits
from yikatong.gate.row import ANY_GENERATION, METHOD_CODE, METHOD_SHORT, NO_DEVICE
from yikatong.using.codes import pass_
from yikatong.using.codes.pass_ import Keyset, Policy, Presentation, Reason, Reference, Refused

Keysets = Mapping[tuple[int, int], Keyset]

_DAY_S = 86_400
_BEIJING_S = 8 * 3600


class Finding(NamedTuple):
    """The half of a `Row` that follows from the code alone; `outcome` 0 or a Reason."""

    method: int
    scene: int
    outcome: int
    device: int = NO_DEVICE
    generation: int = ANY_GENERATION
    concession: int = 0
    reference: bytes = b""
    made_at: int = 0
    counter: int = 0


def examine(code: str, keysets: Keysets, *, scenes: frozenset[int], now: int) -> tuple[Finding, bytes]:
    """A scanned text, a pass or a short code; with the bytes that make it the same when it comes again."""
    if pass_.is_short(code):
        return _short(code, keysets, scenes=scenes, now=now), code.encode()
    try:
        content = pass_.decode_text(code)
    except Refused as refused:
        return Finding(METHOD_CODE, 0, refused.reason), code.encode()
    return examine_bytes(content, keysets, scenes=scenes, now=now), content


def examine_bytes(content: bytes, keysets: Keysets, *, scenes: frozenset[int], now: int) -> Finding:
    """The bytes of a pass, at the instant `now` of the clock that saw it."""
    try:
        presentation = pass_.parse(content)
    except Refused as refused:
        return Finding(METHOD_CODE, 0, refused.reason)
    return examine_pass(presentation, keysets, scenes=scenes, now=now)


def examine_pass(
    presentation: Presentation, keysets: Keysets, *, scenes: frozenset[int], now: int
) -> Finding:
    """A parsed presentation."""
    try:
        reference = pass_.verify_online(presentation, keysets, now=now, policy=_policy(scenes))
    except Refused as refused:
        return _finding(presentation, refused.reason)
    return _finding(presentation, reference)


def examine_many(
    shown: Sequence[tuple[Presentation, int]], keysets: Keysets, *, scenes: frozenset[int]
) -> list[Finding]:
    """Parsed presentations, each at its own instant."""
    found = pass_.verify_online_many(shown, keysets, policy=_policy(scenes))
    return [_finding(presentation, of) for (presentation, _), of in zip(shown, found, strict=True)]


def _finding(presentation: Presentation, of: Reference | Reason) -> Finding:
    credential = presentation.credential
    if isinstance(of, Reason):
        # Nothing of it is believed but its words about the scene.
        return Finding(METHOD_CODE, credential.scene, of)
    return Finding(
        METHOD_CODE,
        credential.scene,
        0,
        of.device,
        of.generation,
        bits(credential.claims),
        credential.reference,
        presentation.made_at,
        presentation.counter,
    )


@lru_cache(maxsize=512)
def _policy(scenes: frozenset[int]) -> Policy:
    return Policy(scenes=scenes)


def _short(code: str, keysets: Keysets, *, scenes: frozenset[int], now: int) -> Finding:
    by_number = {key_id: keyset for (_, key_id), keyset in keysets.items()}
    try:
        short = pass_.open_short_code(code, by_number, now=now, scenes=scenes)
    except Refused as refused:
        return Finding(METHOD_SHORT, 0, refused.reason)
    return Finding(
        METHOD_SHORT,
        short.scene,
        0,
        device=short.device,
        reference=short.replay_key,
        made_at=short.expires_at,
    )


def digest(content: bytes, amount_fen: int) -> bytes:
    """What makes two requests under one sequence the same: the code shown and the amount (gate-v1 §5)."""
    return sm3(amount_fen.to_bytes(8, "big") + content)[:16]


def shown_day(made_at: int) -> int:
    """The Beijing day of a presentation, as days since 2000-01-01; kept within what a date column holds."""
    return (made_at + _BEIJING_S - EPOCH_UNIX) // _DAY_S
