"""Card readers: where a card lies, and how to speak with it. `Reader` is what the commands and the agent know."""

from contextlib import AbstractContextManager
from typing import Protocol

from yikatong.adapters.national_card.terminal import Channel


class Reader(Protocol):
    """A reader with room for one card."""

    @property
    def name(self) -> str: ...

    def is_occupied(self) -> bool:
        """Whether a card lies on it, without touching the card; CardFault -5, -12."""
        ...

    def card(self) -> AbstractContextManager[Channel]:
        """The card on it, under power for the time of the block; CardFault -2, -4, -5, -11, -12."""
        ...
