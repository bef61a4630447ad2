"""How the terminal is, for whoever looks after it."""

from typing import NamedTuple

from yikatong.terminal import offline, ticking, upload
from yikatong.terminal.errors import NotEnrolled
from yikatong.terminal.store import Store
from yikatong.terminal.terms import terms_of

_DISPUTED = """
SELECT count(*) FROM use
WHERE state = 'settled' AND presentation IS NOT NULL AND outcome = 0 AND json_extract(fate, '$.accepted') = 0
"""


class Health(NamedTuple):
    """`passed_offline`: let pass, not handed in. `disputed`: let pass offline, but not so recorded by the gate."""

    terminal: int
    gate: str
    stopped: str
    day: str
    clock_ahead_s: int
    waiting: int
    passed_offline: int
    offline_uses_max: int
    disputed: int
    sequence_next: int


def of(store: Store) -> Health:
    """Raises NotEnrolled."""
    if store.get("terminal") is None:
        raise NotEnrolled
    terms = terms_of(store) if store.get("terms") else None
    return Health(
        terminal=store.get("terminal"),
        gate=store.get("gate"),
        stopped=store.get("stopped") or "",
        day=terms.day if terms else "",
        clock_ahead_s=ticking.offset_of_machine(store, ticking.hands()),
        waiting=upload.waiting(store),
        passed_offline=offline.waiting(store),
        offline_uses_max=terms.offline_uses_max if terms else 0,
        disputed=int(store.rows(_DISPUTED)[0][0]),
        sequence_next=store.get("sequence_next") or 0,
    )
