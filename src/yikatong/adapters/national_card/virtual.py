"""A virtual card: the chip of `chip.step` with its state, in and out of power. One command at a time."""

import os
import threading

from yikatong.adapters.national_card import chip, state
from yikatong.adapters.national_card.image import Image
from yikatong.adapters.national_card.state import Draw, Session


class VirtualCard:
    """Bytes in, bytes out, never an exception. `contactless`: it lies on the field, not in the slot."""

    def __init__(self, image: Image, draw: Draw = os.urandom, *, contactless: bool = False) -> None:
        self._image, self._draw = image, draw
        self._state = state.new(image)._replace(session=Session(contactless=contactless))
        self._turn = threading.Lock()

    def __repr__(self) -> str:
        return f"VirtualCard({self._image.history.hex()})"

    @property
    def atr(self) -> bytes:
        return self._image.contactless_atr if self._state.session.contactless else self._image.atr

    def present(self, *, contactless: bool) -> None:
        """Lay the same card into the slot or on the field, with what it remembers."""
        with self._turn:
            self._state = self._state._replace(session=Session(contactless=contactless))

    def reset(self) -> bytes:
        """Take the power and give it again: answer to reset."""
        with self._turn:
            self._state = self._state._replace(session=Session(contactless=self._state.session.contactless))
        return self.atr

    def transmit(self, command: bytes) -> bytes:
        with self._turn:
            answer = chip.step(self._image, self._state, command, self._draw)
            self._state = answer.state
        return answer.raw
