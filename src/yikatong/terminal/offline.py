"""Deciding alone (docs/spec/pass-v1.md §6): everything a decision rests on and its record, in one transaction."""

from yikatong.terminal import holding, sequence, ticking
from yikatong.terminal.answers import Terms
from yikatong.terminal.memory import Memory
from yikatong.terminal.store import Store
from yikatong.terminal.terms import policy_of, terms_of
from yikatong.terminal.verdict import Local, Verdict
from yikatong.using.codes.pass_ import (
    Hotlist,
    Policy,
    Presentation,
    Reason,
    Refused,
    decode_text,
    is_short,
    parse,
    verify_offline,
)

_FORGET_EVERY = 64


def decide(
    store: Store, text: str, *, amount_fen: int = 0, scene: int | None = None, asked: int | None = None
) -> Verdict:
    """Pass or not, without a network. `asked`: the sequence of an online request that got no answer.

    Such a request may have reached the gate, so the record keeps its sequence: handed in, it is the same use.
    Raises NotSignedIn, ClockWentBack, StoreFull, StoreBusy; then nothing is recorded and nobody passes.
    """
    terms = terms_of(store)
    if is_short(text):
        return Verdict.refused(Local.SHORT_CODE_OFFLINE)
    try:
        shown = parse(decode_text(text))
    except Refused as refusal:
        return Verdict.refused(refusal.reason)
    with store.transaction():
        return _decided(store, terms, shown, amount_fen=amount_fen, scene=scene, asked=asked)


def waiting(store: Store) -> int:
    """Uses let pass offline and not yet answered by the gate."""
    return int(store.rows("SELECT count(*) FROM use WHERE state = 'waiting' AND outcome = 0")[0][0])


def _decided(
    store: Store,
    terms: Terms,
    shown: Presentation,
    *,
    amount_fen: int,
    scene: int | None,
    asked: int | None,
) -> Verdict:
    at = ticking.now(store, ticking.hands())
    ticking.check(store, at)
    if waiting(store) >= terms.offline_uses_max:
        return Verdict.refused(Local.OFFLINE_FULL)
    policy, memory = policy_of(terms, scene), Memory(store)
    hot = holding.hotlist(store, shown.credential.scene)
    reason = _refusal(store, shown, hot, memory, policy, at=at, amount_fen=amount_fen)
    if reason and _refusals(store) >= terms.offline_uses_max:
        return Verdict.refused(
            reason
        )  # refusals are told for statistics; a flood of them may not fill the disk
    number = asked or sequence.take(store, at=at)
    row = (number, at, amount_fen, shown.raw, int(reason or 0), 0 if hot is None else hot.version)
    store.run("INSERT OR REPLACE INTO use VALUES (?, 'waiting', ?, ?, ?, ?, ?, NULL)", *row)
    if reason:
        return Verdict.refused(reason, sequence=number)
    memory.record(shown, fen=amount_fen)
    if number % _FORGET_EVERY == 0:
        memory.forget(now=at, policy=policy)
    return Verdict.passed(shown, sequence=number, amount_fen=amount_fen)


def _refusal(
    store: Store,
    shown: Presentation,
    hot: Hotlist | None,
    memory: Memory,
    policy: Policy,
    *,
    at: int,
    amount_fen: int,
) -> Reason | None:
    """A list is as old as the last time the gate called it the newest: nothing may have changed for days."""
    confirmed = holding.confirmed_at(store, "hot", shown.credential.scene)
    try:
        verify_offline(
            shown,
            holding.trust(store),
            () if hot is None else hot,
            now=at,
            seen=memory,
            fen=amount_fen,
            policy=policy,
            hot_made_at=None if hot is None else max(hot.made_at, confirmed),
        )
    except Refused as refusal:
        return refusal.reason
    return None


def _refusals(store: Store) -> int:
    return int(store.rows("SELECT count(*) FROM use WHERE state = 'waiting' AND outcome <> 0")[0][0])
