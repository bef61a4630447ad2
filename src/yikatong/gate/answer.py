"""Words for the fate of a use. Derived from what is stored alone, so that a resend gets the first answer again.

Never a name, a number of a person, or at whose terminal a code was used before.
"""

from functools import lru_cache
from typing import NamedTuple

from yikatong.gate import concessions
from yikatong.gate.arrays import EPOCH_UNIX
from yikatong.gate.messages import UseOut
from yikatong.gate.row import FLAG_GOOD_FAITH, Decision, Failed, Fate, Row
from yikatong.using.codes.reasons import Reason

ACCEPTED = "通过"
REASONS: dict[int, Reason] = {int(reason): reason for reason in Reason}
UNRECORDED = "本条记录未能保存"


@lru_cache(maxsize=256)
def words(reason: int) -> tuple[str, str, str, str]:
    """Name, sentence, next step at the terminal, word to the holder."""
    if not reason:
        return "accepted", ACCEPTED, "", ""
    found = REASONS[reason]
    return found.name.lower(), found.sentence, found.operator, found.holder


def refused(sequence: int, reason: Reason) -> UseOut:
    """A row of a batch that was refused as such and not recorded."""
    return UseOut(sequence, False, reason, *words(reason))


def unrecorded(sequence: int) -> UseOut:
    """A row that could not be stored for a fault of ours; it may be sent again."""
    return UseOut(sequence, False, 0, "not_recorded", UNRECORDED, "请稍后重新上传")


def answer(row: Row, fate: Fate) -> UseOut:
    """The answer to one row."""
    if isinstance(fate, Failed):
        return refused(row.sequence, Reason.SEQUENCE_REUSED) if fate.reused else unrecorded(row.sequence)
    if fate.refusal:
        return refused(row.sequence, REASONS[fate.refusal])
    return _recorded(row, fate)


def _recorded(row: Row, use: Decision) -> UseOut:
    used_at = row.used_at // 1_000_000 + EPOCH_UNIX
    if use.first_used_at is not None:
        used_at = use.first_used_at // 1_000_000
    told = _told(use.outcome, use.scene, use.concession)
    # By position: of a thousand rows handed in at once each is such a call.
    return UseOut(
        row.sequence,
        use.outcome == 0,
        use.outcome,
        *told.words,
        use.scene,
        used_at,
        use.amount_fen,
        told.fare_class,
        told.concessions,
        use.flag == FLAG_GOOD_FAITH,
        use.first_sequence if use.first_terminal == row.terminal else None,
        use.first_used_at is not None,
    )


class _Told(NamedTuple):
    """The part of an answer that is the same for many uses."""

    words: tuple[str, str, str, str]
    fare_class: int | None
    concessions: list[str]


@lru_cache(maxsize=4096)
def _told(outcome: int, scene: int, concession: int) -> _Told:
    if outcome:
        return _Told(words(outcome), None, [])
    return _Told(words(0), concessions.fare_class(scene, concession), concessions.names(concession))
