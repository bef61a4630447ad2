"""The key device 加密机 as the platform needs it. Knows no Django; adapters implement it, a setting names one.

Keys never pass through here: a caller names a key by its address and a card by its numbers, and gets values.
"""

import importlib
from functools import lru_cache
from typing import ClassVar, Protocol, cast

from yikatong.core import env
from yikatong.core.errors import DomainError
from yikatong.registry.cards.chip.keys import CardKey, Chip


class HsmUnavailable(DomainError):
    """The key device does not answer, or does not hold the key. `reason` is for the log, never for the asker."""

    code: ClassVar[str] = "hsm_unavailable"
    status: ClassVar[int] = 503
    message = "加密机暂时不可用，请稍后重新读卡；急需办理的请核验本人证件。"

    def __init__(self, reason: str = "") -> None:
        super().__init__()
        self.reason = reason


class CardHsm(Protocol):
    """Values under the keys of one card. Safe for threads; raises HsmUnavailable.

    `factor` is the eight bytes of a conversation; for a MAC it may be empty: the card's own key then.
    """

    def authenticator(self, key: CardKey, chip: Chip, *, factor: bytes, data: bytes) -> bytes:
        """Eight bytes, for an internal or external authentication."""
        ...

    def mac(self, key: CardKey, chip: Chip, *, factor: bytes, message: bytes) -> bytes:
        """Four bytes over `message`."""
        ...

    def seal(self, key: CardKey, chip: Chip, *, factor: bytes, head: bytes, secret: bytes) -> bytes:
        """`secret`, at most fourteen bytes, in a secure message for the command that begins with `head`."""
        ...

    def is_mac(self, key: CardKey, chip: Chip, *, factor: bytes, message: bytes, claim: bytes) -> bool:
        """Whether `claim` is that MAC; takes as long for any claim."""
        ...


@lru_cache(maxsize=1)
def card_hsm() -> CardHsm:
    """The installation's key device, as `YIKATONG_CARD_HSM` names it ("module:class")."""
    module, _, name = env.load().card_hsm.partition(":")
    return cast("CardHsm", getattr(importlib.import_module(module), name)())
