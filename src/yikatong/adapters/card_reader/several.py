"""Several readers at one desk as one: the card that lies there, by contact or through the air, as iType has it.

1 contact   2 contactless   3 either, contact first   4 either, contactless first
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import IntEnum
from typing import ClassVar, Final

from yikatong.adapters.card_reader import Reader
from yikatong.adapters.national_card.terminal import Channel
from yikatong.core.errors import DomainError
from yikatong.registry.cards.chip.faults import CardFault, Fault, fault

#: How the makers name the contactless half of a reader.
_CONTACTLESS: Final = re.compile(r"contactless|picc|\bCL\b|NFC|非接", re.IGNORECASE)


class Interface(IntEnum):
    CONTACT = 1
    CONTACTLESS = 2
    CONTACT_FIRST = 3
    CONTACTLESS_FIRST = 4

    @classmethod
    def of(cls, number: int) -> "Interface":
        """CardFault -14 for any other number."""
        try:
            return cls(number)
        except ValueError:
            raise fault(Fault.BAD_PARAMETERS) from None


class TwoCards(DomainError):
    """Nobody may guess whose card is meant."""

    code: ClassVar[str] = "reader_two_cards"
    status: ClassVar[int] = 409
    message = "有两张卡同时放在读卡器上，请只留下要办理的一张，再按 F8。"


class Several:
    """A `Reader` over those that `find` finds at the moment: readers come and go with their plugs."""

    def __init__(
        self, find: Callable[[], list[Reader]], interface: Interface = Interface.CONTACT_FIRST
    ) -> None:
        self._find, self._interface = find, interface

    @property
    def name(self) -> str:
        return "、".join(reader.name for reader in self._find())

    def is_occupied(self) -> bool:
        return bool(self._occupied())

    @contextmanager
    def card(self) -> Iterator[Channel]:
        """CardFault -2 when no reader of that interface has a card, TwoCards; else as the reader says."""
        found = self._occupied()
        if not found:
            raise fault(Fault.NO_CARD)
        first = found[0]
        if any(is_contactless(one) == is_contactless(first) for one in found[1:]):
            raise TwoCards
        with first.card() as channel:
            yield channel

    def _occupied(self) -> list[Reader]:
        """Readers with a card, the preferred interface first. One that fails is out unless it is the only one."""
        asked = [one for one in self._find() if self._is_meant(one)]
        found: list[Reader] = []
        faults: list[CardFault] = []
        for reader in asked:
            try:
                if reader.is_occupied():
                    found.append(reader)
            except CardFault as trouble:
                faults.append(trouble)
        if asked and len(faults) == len(asked):
            raise faults[0]
        contactless_first = self._interface is Interface.CONTACTLESS_FIRST
        return sorted(found, key=lambda one: is_contactless(one) != contactless_first)

    def _is_meant(self, reader: Reader) -> bool:
        if self._interface is Interface.CONTACT:
            return not is_contactless(reader)
        return self._interface is not Interface.CONTACTLESS or is_contactless(reader)


def is_contactless(reader: Reader) -> bool:
    """By its name: a card that lies there already could tell by its answer to reset, an empty field cannot."""
    return bool(_CONTACTLESS.search(reader.name))
