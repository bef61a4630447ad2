"""A reader that is none: one virtual card lies on it, or is taken away."""

from collections.abc import Iterator
from contextlib import contextmanager

from yikatong.adapters.national_card.terminal import Channel
from yikatong.adapters.national_card.virtual import VirtualCard
from yikatong.registry.cards.chip.faults import Fault, fault


class VirtualReader:
    """A `Reader`."""

    def __init__(self, placed: VirtualCard | None, name: str = "虚拟读卡器") -> None:
        self.placed, self.name = placed, name

    def is_occupied(self) -> bool:
        return self.placed is not None

    @contextmanager
    def card(self) -> Iterator[Channel]:
        if self.placed is None:
            raise fault(Fault.NO_CARD)
        self.placed.reset()
        yield self.placed
