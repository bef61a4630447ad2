"""A virtual card: the chip of `chip.step` with its state, in and out of power. One command at a time."""

import os
import threading

from yikatong.adapters.national_card import chip, state
from yikatong.adapters.national_card.image import Image
from yikatong.adapters.national_card.state import Draw, Session


class VirtualCard:
    """Bytes in, bytes out, never an exception."""

    def __init__(self, image: Image, draw: Draw = os.urandom) -> None:
        self._image, self._draw = image, draw
        self._state = state.new(image)
        self._turn = threading.Lock()

    def __repr__(self) -> str:
        return f"VirtualCard({self._image.history.hex()})"

    @property
    def atr(self) -> bytes:
        return self._image.atr

    def reset(self) -> bytes:
        """Take the power and give it again: answer to reset."""
        with self._turn:
            self._state = self._state._replace(session=Session())
        return self.atr

    def transmit(self, command: bytes) -> bytes:
        with self._turn:
            answer = chip.step(self._image, self._state, command, self._draw)
            self._state = answer.state
        return answer.raw
