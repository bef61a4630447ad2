"""What a verifier must do, in this order, and the one reason it answers (docs/spec/pass-v1.md §6).

Online the platform recognises its own MAC and needs no signature; the state of card, holder and terminal and
the replay across terminals are its own tables' affair. Offline a terminal has two signatures, its clock, its
lists and its own memory; what it cannot know is bounded by the limits in the credential.
"""

import hmac
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from yikatong.core.sm import sm2
from yikatong.core.sm.sm3 import hmac_sm3
from yikatong.using.codes.credential import Credential, credential_secret
from yikatong.using.codes.keyset import Keyset
from yikatong.using.codes.presentation import Presentation
from yikatong.using.codes.reasons import Reason, Refused
from yikatong.using.codes.reference import Reference, open_reference, open_references
from yikatong.using.codes.trust import TrustList


@dataclass(frozen=True, slots=True)
class Policy:
    """How a terminal verifies. Seconds throughout.

    scenes: which scenes' codes it takes, None for any · validity_s: how long a presentation lives ·
    tolerance_s: difference of clocks allowed either way · hot_age_s: oldest hotlist allowed, None for any.
    """

    scenes: Container[int] | None = None
    validity_s: int = 60
    tolerance_s: int = 30
    hot_age_s: int | None = None


DEFAULT = Policy()


class Spent(NamedTuple):
    """What this terminal has let pass under one credential."""

    uses: int
    fen: int


class Seen(Protocol):
    """A terminal's own memory; `Journal` is one in the process, a terminal keeps it on its disk."""

    def replayed(self, replay_key: bytes, /) -> bool: ...

    def spent(self, credential: bytes, /) -> Spent: ...


class Journal:
    """`Seen` in memory. A replay key is forgotten once its presentation can no longer be accepted."""

    def __init__(self) -> None:
        self._passed: dict[bytes, int] = {}
        self._spent: dict[bytes, tuple[int, Spent]] = {}

    def replayed(self, replay_key: bytes, /) -> bool:
        return replay_key in self._passed

    def spent(self, credential: bytes, /) -> Spent:
        return self._spent.get(credential, (0, Spent(0, 0)))[1]

    def record(self, presentation: Presentation, *, fen: int = 0) -> None:
        """Remember one use that was let pass."""
        credential = presentation.credential
        before = self.spent(credential.identity)
        after = Spent(before.uses + 1, before.fen + fen)
        self._passed[presentation.replay_key] = presentation.made_at
        self._spent[credential.identity] = (credential.expires_at, after)

    def forget(self, *, now: int, policy: Policy = DEFAULT) -> None:
        """Drop what can no longer matter; call it now and then."""
        oldest = now - policy.validity_s - policy.tolerance_s
        self._passed = {key: made for key, made in self._passed.items() if made > oldest}
        self._spent = {key: entry for key, entry in self._spent.items() if entry[0] > now}


def verify_online(
    presentation: Presentation,
    keysets: Mapping[tuple[int, int], Keyset],
    *,
    now: int,
    policy: Policy = DEFAULT,
) -> Reference:
    """Whose device this is, by the platform's own keysets (issuer, key id). No SM2: two HMACs and one block.

    Refused(UNKNOWN_ISSUER, KEY_WITHDRAWN, BAD_MAC, UNKNOWN_REFERENCE, WRONG_SCENE, NOT_YET_VALID,
    CREDENTIAL_EXPIRED, CLOCK_AHEAD, PRESENTATION_EXPIRED).
    """
    keyset = _authenticated(presentation, keysets)
    reference = open_reference(keyset.reference_key, presentation.credential.reference)
    return _current(presentation, reference, now=now, policy=policy)


def verify_online_many(
    shown: Sequence[tuple[Presentation, int]],
    keysets: Mapping[tuple[int, int], Keyset],
    *,
    policy: Policy = DEFAULT,
) -> list[Reference | Reason]:
    """`verify_online` of many, each at its own instant, in their order; a refusal is its Reason.

    The references are opened in one call of the cipher, which for a single one costs twenty times as much.
    """
    found: list[Reference | Reason] = [Reason.UNKNOWN_REFERENCE] * len(shown)
    genuine: dict[bytes, list[int]] = {}
    for place, (presentation, _) in enumerate(shown):
        try:
            genuine.setdefault(_authenticated(presentation, keysets).reference_key, []).append(place)
        except Refused as refused:
            found[place] = refused.reason
    for key, places in genuine.items():
        opened = open_references(key, [shown[place][0].credential.reference for place in places])
        for place, reference in zip(places, opened, strict=True):
            presentation, now = shown[place]
            try:
                found[place] = _current(presentation, reference, now=now, policy=policy)
            except Refused as refused:
                found[place] = refused.reason
    return found


def _authenticated(presentation: Presentation, keysets: Mapping[tuple[int, int], Keyset]) -> Keyset:
    """The keyset under which device and platform share the presentation's MAC."""
    credential = presentation.credential
    keyset = keysets.get((credential.issuer, credential.key_id))
    if keyset is None:
        raise Refused(Reason.UNKNOWN_ISSUER)
    if keyset.withdrawn:
        raise Refused(Reason.KEY_WITHDRAWN)
    secret = credential_secret(keyset.mac_key, credential.body)
    if not hmac.compare_digest(hmac_sm3(secret, presentation.under_mac)[:12], presentation.mac):
        raise Refused(Reason.BAD_MAC)
    return keyset


def _current(
    presentation: Presentation, reference: Reference | None, *, now: int, policy: Policy
) -> Reference:
    """The opened reference, if it is one, for this scene and this time."""
    if reference is None or reference.scene != presentation.credential.scene:
        raise Refused(Reason.UNKNOWN_REFERENCE)
    check_scene(presentation.credential, policy)
    check_clock(presentation, now=now, policy=policy)
    return reference


def verify_offline(  # noqa: PLR0913 - everything a terminal knows
    presentation: Presentation,
    trust: TrustList,
    hot: Container[bytes],
    *,
    now: int,
    seen: Seen,
    fen: int = 0,
    policy: Policy = DEFAULT,
    hot_made_at: int | None = None,
) -> None:
    """Return when the use of `fen` may pass; it is the caller's to record it in `seen`.

    `hot` answers `reference in hot`; `hot_made_at` is its date, needed when the policy limits its age.
    Refused(UNKNOWN_ISSUER, KEY_WITHDRAWN, KEY_OUT_OF_PERIOD, BAD_CREDENTIAL_SIGNATURE, BAD_DEVICE_SIGNATURE,
    WRONG_SCENE, NOT_YET_VALID, CREDENTIAL_EXPIRED, CLOCK_AHEAD, PRESENTATION_EXPIRED, LIST_TOO_OLD,
    HOTLISTED, REPLAYED, OVER_PER_USE, OVER_OFFLINE_TOTAL, OVER_OFFLINE_USES).
    """
    credential = presentation.credential
    check_signatures(presentation, trust, now=now)
    check_scene(credential, policy)
    check_clock(presentation, now=now, policy=policy)
    if policy.hot_age_s is not None and (hot_made_at is None or now - hot_made_at > policy.hot_age_s):
        raise Refused(Reason.LIST_TOO_OLD)
    if credential.reference in hot:
        raise Refused(Reason.HOTLISTED)
    if seen.replayed(presentation.replay_key):
        raise Refused(Reason.REPLAYED)
    check_limits(credential, seen.spent(credential.identity), fen)


def check_signatures(presentation: Presentation, trust: TrustList, *, now: int) -> None:
    """The issuer vouches for the device's key, the device for this minute."""
    credential = presentation.credential
    key = trust.key_for(credential.issuer, credential.key_id, signed_from=credential.not_before, now=now)
    if not sm2.verify(key.public, credential.body, credential.signature):
        raise Refused(Reason.BAD_CREDENTIAL_SIGNATURE)
    if not sm2.verify(credential.device_public, presentation.under_signature, presentation.signature):
        raise Refused(Reason.BAD_DEVICE_SIGNATURE)


def check_scene(credential: Credential, policy: Policy) -> None:
    if policy.scenes is not None and credential.scene not in policy.scenes:
        raise Refused(Reason.WRONG_SCENE)


def check_clock(presentation: Presentation, *, now: int, policy: Policy) -> None:
    """Half-open everywhere; the tolerance is for clocks that differ, not for an old credential."""
    credential, made_at = presentation.credential, presentation.made_at
    if now < credential.not_before - policy.tolerance_s:
        raise Refused(Reason.NOT_YET_VALID)
    if now >= credential.expires_at:
        raise Refused(Reason.CREDENTIAL_EXPIRED)
    if now < made_at - policy.tolerance_s:
        raise Refused(Reason.CLOCK_AHEAD)
    if now >= made_at + policy.validity_s + policy.tolerance_s:
        raise Refused(Reason.PRESENTATION_EXPIRED)


def check_limits(credential: Credential, spent: Spent, fen: int) -> None:
    """`spent`: what this terminal let pass before. ValueError for a negative amount, which would widen a limit."""
    if fen < 0:
        raise ValueError("a use costs nothing or something, never less")
    limits = credential.limits
    if fen > limits.per_use_fen:
        raise Refused(Reason.OVER_PER_USE)
    if spent.fen + fen > limits.total_fen:
        raise Refused(Reason.OVER_OFFLINE_TOTAL)
    if spent.uses + 1 > limits.uses:
        raise Refused(Reason.OVER_OFFLINE_USES)
