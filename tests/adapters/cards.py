"""An invented card and what reads it."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from itertools import count
from pathlib import Path
from typing import Any

from yikatong.adapters.hsm.soft import SoftHsm
from yikatong.adapters.national_card.image import Image, Person, personalise
from yikatong.adapters.national_card.virtual import VirtualCard
from yikatong.core.keyring import Keyring
from yikatong.registry.cards import numbers
from yikatong.registry.cards.chip.faults import Fault, fault
from yikatong.registry.cards.chip.keys import Chip

MASTER = bytes(range(32))
PIN = "862904"
CHIP = Chip.of(
    numbers.identifier("510100", 7, b"test"), numbers.reset_information(b"MAKER", (7).to_bytes(8, "big"))
)
WANG_FANG = Person(
    chip=CHIP,
    card_number=numbers.make("A", 7),
    category="3",
    spec_version="3.00",
    issued_on=date(2026, 11, 20),
    expires_on=date(2036, 11, 20),
    social_security_number="510107199003070129",
    name="王芳",
    sex="2",
    ethnicity="01",
    birth_date=date(1990, 3, 7),
)
SSSE = bytes.fromhex("00A404000F7378312E73682EC9E7BBE1B1A3D5CF")
EF05, EF06 = bytes.fromhex("00A4020002EF05"), bytes.fromhex("00A4020002EF06")


def hsm(folder: Path, master: bytes = MASTER) -> SoftHsm:
    return SoftHsm(folder / "cards.json", Keyring(master))


def image(device: SoftHsm, person: Person = WANG_FANG, **changes: Any) -> Image:
    written = replace(person, **changes)
    return personalise(written, device.personalise(written.chip), pin=PIN)


def card(device: SoftHsm, person: Person = WANG_FANG, **changes: Any) -> VirtualCard:
    return VirtualCard(image(device, person, **changes), draw=draws())


class Torn:
    """A channel whose card is torn out at the n-th command: before it reaches the chip, or after it was done.

    What the chip did it keeps; the terminal hears nothing (-4), and the chip is without power.
    """

    def __init__(self, chip: VirtualCard, *, at: int, is_done: bool) -> None:
        self.chip, self._at, self._is_done, self.sent = chip, at, is_done, 0

    @property
    def atr(self) -> bytes:
        return self.chip.atr

    def transmit(self, command: bytes) -> bytes:
        self.sent += 1
        if self.sent == self._at and self._is_done:
            self.chip.transmit(command)
        if self.sent >= self._at:
            self.chip.reset()
            raise fault(Fault.MUTE)
        return self.chip.transmit(command)


def draws() -> Any:
    """Random bytes that are none: 1, 2, 3 … as long as asked for."""
    numbers_drawn: Iterator[int] = count(1)
    return lambda size: next(numbers_drawn).to_bytes(size, "big")
