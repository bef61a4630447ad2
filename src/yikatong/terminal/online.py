"""Asking the gate. The sequence is on disk before the question leaves, so no other question ever bears it."""

import msgspec

from yikatong.terminal import answers, offline, sequence, session, ticking
from yikatong.terminal.errors import GateDown, GateRefused
from yikatong.terminal.gate_client import GateClient
from yikatong.terminal.memory import Memory
from yikatong.terminal.store import Store
from yikatong.terminal.terms import terms_of
from yikatong.terminal.verdict import Local, Verdict
from yikatong.using.codes.pass_ import Presentation, Reason, Refused, decode_text, parse

_TRIES = 2
_TEXT_MOST = 1024  # what the gate takes; a pass has 406 characters
_HOLD_OFF_S = 15  # after a gate that let us wait in vain, nobody else waits for it so soon


def verify(
    store: Store, client: GateClient | None, text: str, *, amount_fen: int = 0, scene: int | None = None
) -> Verdict:
    """Pass or not: as the gate says, or, while it does not answer (`client` None: is not asked), as we decide.

    Raises TerminalError when neither can be had; then nobody passes.
    """
    terms_of(store)
    if store.get("stopped"):
        return Verdict.refused(Local.STOPPED, is_offline=client is None)
    if len(text) > _TEXT_MOST:
        return Verdict.refused(Reason.TOO_LARGE)
    if client is None or _is_held_off(store):
        return offline.decide(store, text, amount_fen=amount_fen, scene=scene)
    try:
        return _asked(store, client, text, amount_fen=amount_fen, scene=scene)
    except GateRefused as refusal:
        return _of_request(store, refusal)


def _asked(
    store: Store, client: GateClient, text: str, *, amount_fen: int, scene: int | None, again: bool = True
) -> Verdict:
    number = _announce(store, amount_fen)
    wanted = {"sequence": number, "code": text, "amount_fen": amount_fen}
    try:
        fate = _answer(store, client, msgspec.json.encode(wanted | ({"scene": scene} if scene else {})))
    except GateDown as down:
        if not down.is_refused_connection:
            store.put(gate_slow_at=ticking.hands().wall)
        return offline.decide(store, text, amount_fen=amount_fen, scene=scene, asked=number)
    except GateRefused as refusal:
        _drop(store, number)
        if refusal.reason is not Reason.SEQUENCE_REUSED or not again:
            raise
        session.sign_in(store, client)  # a store put back from a copy: the gate knows further sequences
        return _asked(store, client, text, amount_fen=amount_fen, scene=scene, again=False)
    _settle(store, fate, _presentation(text))
    return Verdict.of_gate(fate)


def _is_held_off(store: Store) -> bool:
    since = ticking.hands().wall - (store.get("gate_slow_at") or 0)
    return 0 <= since < _HOLD_OFF_S


def _announce(store: Store, amount_fen: int) -> int:
    with store.transaction():
        at = ticking.now(store, ticking.hands())
        number = sequence.take(store, at=at)
        store.run("INSERT INTO use VALUES (?, 'asking', ?, ?, NULL, 0, 0, NULL)", number, at, amount_fen)
    return number


def _answer(store: Store, client: GateClient, body: bytes) -> answers.Fate:
    """The same question twice when the first answer is lost: the gate answers it as the first time."""
    for left in range(_TRIES - 1, -1, -1):
        try:
            return answers.read(
                answers.Fate, session.ask(store, client, "POST", "/gate/v1/verify", body).body
            )
        except GateDown as error:
            if not left or error.is_refused_connection:
                raise
    raise AssertionError  # pragma: no cover - the loop returns or raises


def _settle(store: Store, fate: answers.Fate, shown: Presentation | None) -> None:
    with store.transaction():
        store.run(
            "UPDATE use SET state = 'settled', outcome = ?, fate = ? WHERE sequence = ?",
            fate.reason,
            msgspec.json.encode(fate).decode(),
            fate.sequence,
        )
        if fate.accepted and shown is not None:
            Memory(store).record_shown(shown)


def _drop(store: Store, number: int) -> None:
    """The gate refused the request as such and recorded nothing; the sequence stays spent."""
    store.run("DELETE FROM use WHERE sequence = ?", number)


def _of_request(store: Store, refusal: GateRefused) -> Verdict:
    """Some refusals of a request say to the person at the gate: not here. The rest are faults to be mended."""
    if refusal.reason in session.GONE:
        session.note_stopped(store, refusal.reason)
    elif refusal.reason is not Reason.TERMINAL_WRONG_SCENE:
        raise refusal
    return Verdict.refused(refusal.reason, is_offline=False)


def _presentation(text: str) -> Presentation | None:
    try:
        return parse(decode_text(text))
    except Refused:
        return None
