"""The server's half of iReadCardBas in HSM mode: is this the card we made, and what does the key device say?

Knows no Django: the gate asks for terminals, `actions.authenticating` for clerks.
"""

import hmac
from typing import Final

from yikatong.registry.cards.chip.hsm import CardHsm
from yikatong.registry.cards.chip.keys import CardKey, Chip
from yikatong.registry.cards.chip.messages import AuthAnswer, AuthRequest

#: What a terminal can read once the chip has taken its external authentication, as the holder reads it in the log.
OPENED: Final = ("社会保障号码", "姓名", "卡号")


def answer(request: AuthRequest, hsm: CardHsm) -> AuthAnswer:
    """The values for both authentications; raises HsmUnavailable."""
    inner, outer = request.internal, request.external
    return AuthAnswer(
        internal=hsm.authenticator(CardKey.IRK, request.chip, factor=inner.factor, data=inner.data),
        internal_data=inner.data,
        external=hsm.authenticator(CardKey.RKSSSE, request.chip, factor=outer.factor, data=outer.data),
        external_data=outer.data,
    )


def is_ours(chip: Chip, reset_info: str) -> bool:
    """Whether the chip's 卡复位信息 is the one registered for its 卡识别码."""
    return hmac.compare_digest(chip.reset_info.encode(), reset_info.upper().encode())
