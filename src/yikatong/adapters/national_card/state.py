"""What a chip remembers: `Memory` for ever, `Session` until its power goes. Both are values, never changed in place."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final, NamedTuple

from yikatong.adapters.national_card.image import Image
from yikatong.registry.cards.chip.keys import CardKey

PIN_TRIES: Final = 3
KEY_TRIES: Final = 3
MAC_TRIES: Final = 3
LOG_ROWS: Final = 30

Draw = Callable[[int], bytes]
#: Application, file and tag.
Item = tuple[bytes, int, int]


class Amounts(NamedTuple):
    """Fen: from the personal account, paid by the holder himself, paid from the pool."""

    account: int
    own: int
    pool: int

    @property
    def raw(self) -> bytes:
        return b"".join(value.to_bytes(4, "big") for value in self)


class Begun(NamedTuple):
    """A transaction that has been prepared and not yet carried out."""

    kind: int
    amounts: Amounts
    terminal: bytes
    random: bytes


class Proof(NamedTuple):
    """What the last transaction answered, for a terminal that did not hear it."""

    kind: int
    sequence: int
    answer: bytes


@dataclass(frozen=True, slots=True)
class Memory:
    """Survives the loss of power. `year`, `own` and `pool`: what was paid in that year, beside the account."""

    pin: bytes = field(repr=False)
    pin_tries: int = PIN_TRIES
    key_tries: tuple[tuple[CardKey, int], ...] = ()
    balance: int = 0
    year: int = 0
    own: int = 0
    pool: int = 0
    debits: int = 0
    loads: int = 0
    bad_macs: int = 0
    log: tuple[bytes, ...] = field(default=(), repr=False)  # the latest first
    proof: Proof | None = field(default=None, repr=False)
    written: tuple[tuple[Item, bytes], ...] = field(default=(), repr=False)  # after the maker

    def value_of(self, item: Item) -> bytes | None:
        """What was written there since the maker; None when nothing was."""
        return dict(self.written).get(item)

    def with_value(self, item: Item, value: bytes) -> "Memory":
        return replace(self, written=tuple((dict(self.written) | {item: value}).items()))

    def tries_of(self, key: CardKey) -> int:
        return dict(self.key_tries).get(key, KEY_TRIES)

    def with_tries(self, key: CardKey, count: int) -> "Memory":
        return replace(self, key_tries=tuple((dict(self.key_tries) | {key: count}).items()))

    @property
    def is_locked(self) -> bool:
        return self.bad_macs >= MAC_TRIES


@dataclass(frozen=True, slots=True)
class Session:
    """Gone with the power, most of it also when another application is chosen."""

    application: bytes = b""
    file: int = 0
    challenges: tuple[bytes, ...] = field(default=(), repr=False)  # the last two
    opened: frozenset[CardKey] = frozenset()
    pin_shown: bool = False
    begun: Begun | None = None
    contactless: bool = False


class State(NamedTuple):
    memory: Memory
    session: Session

    def remember(self, **changes: object) -> "State":
        return self._replace(memory=replace(self.memory, **changes))  # type: ignore[arg-type]

    def now(self, **changes: object) -> "State":
        return self._replace(session=replace(self.session, **changes))  # type: ignore[arg-type]


class Answer(NamedTuple):
    """What a command leads to: the state after it, the data and the status word."""

    state: State
    data: bytes
    status: int

    @property
    def raw(self) -> bytes:
        return self.data + self.status.to_bytes(2, "big")


def new(image: Image) -> State:
    """A chip as it leaves the maker, without power."""
    return State(Memory(pin=image.pin), Session())
