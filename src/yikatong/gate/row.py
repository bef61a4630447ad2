"""One presentation on its way to the table, and what the table made of it."""

from dataclasses import dataclass
from typing import NamedTuple

METHOD_CODE, METHOD_SHORT = 1, 2
FLAG_GOOD_FAITH = 1
NO_DEVICE = -1
ANY_GENERATION = -1


class Row(NamedTuple):
    """A use to be recorded. The order of fields is the order of the statement's array parameters.

    `day`, `shown_day`: days since 2000-01-01. `used_at`: microseconds since then, UTC. `outcome`: what the
    bytes alone said, 0 or a Reason; the statement goes on from there. (`reference`, `made_at`, `counter`) may
    be spent once. `evidence` and `hot_version` belong to offline uses.
    """

    terminal: int
    key_generation: int
    sequence: int
    day: int
    used_at: int
    method: int
    scene: int
    outcome: int
    device: int
    generation: int
    amount_fen: int
    concession: int
    digest: bytes
    reference: bytes
    made_at: int
    counter: int
    shown_day: int
    evidence: bytes | None = None
    hot_version: int = 0

    @property
    def identity(self) -> tuple[int, int]:
        return self.terminal, self.sequence

    @property
    def shown(self) -> tuple[bytes, int, int]:
        return self.reference, self.made_at, self.counter


class Decision(NamedTuple):
    """What the table says of a row, as the statement returns it.

    `refusal`: a Reason that leaves no trace (terminal stopped …), then the rest is None. Otherwise the stored
    use. `first_used_at`: when it was stored before this request, its time in unix microseconds; else None.
    """

    ordinal: int
    refusal: int
    outcome: int
    scene: int
    amount_fen: int
    concession: int
    flag: int
    first_terminal: int | None = None
    first_sequence: int | None = None
    first_used_at: int | None = None


@dataclass(frozen=True, slots=True)
class Failed:
    """A row that could not be recorded; nothing of it is in the table. `reused`: its sequence holds another use."""

    reused: bool


Fate = Decision | Failed
