"""The server's half of iReadCardBas in HSM mode: is this the card we made, and what does the key device say?

Knows no Django: the gate asks for terminals, `actions.authenticating` for clerks.
"""

import hmac
from typing import Final

from yikatong.registry.cards.chip.hsm import CardHsm
from yikatong.registry.cards.chip.keys import CardKey, Chip
from yikatong.registry.cards.chip.messages import AuthAnswer, AuthRequest, text_of
from yikatong.registry.cards.chip.requests import DebitRequest, KeyRequest, SecureRequest

#: What a terminal can read once the chip has taken its external authentication, as the holder reads it in the log.
OPENED: Final = ("社会保障号码", "姓名", "卡号")
#: The same where the terminal chooses what it reads: the card then tells whatever it holds.
OPENED_ALL: Final = (*OPENED, "性别", "民族", "出生地", "出生日期", "照片", "常住地", "工作许可")
PAID_FROM: Final = ("个人账户",)


def answer(request: AuthRequest, hsm: CardHsm) -> AuthAnswer:
    """The values for both authentications; raises HsmUnavailable."""
    inner, outer = request.internal, request.external
    return AuthAnswer(
        internal=hsm.authenticator(CardKey.IRK, request.chip, factor=inner.factor, data=inner.data),
        internal_data=inner.data,
        external=hsm.authenticator(CardKey.RKSSSE, request.chip, factor=outer.factor, data=outer.data),
        external_data=outer.data,
    )


def prove(request: KeyRequest, chip: Chip, hsm: CardHsm) -> str:
    """The answer to Step1 of iReadCard, iWriteCard, iReloadPIN, iUnblockPIN; raises HsmUnavailable."""
    value = hsm.authenticator(request.key, chip, factor=request.factor, data=request.data)
    return text_of((value + request.data).hex().upper())


def secure(request: SecureRequest, chip: Chip, hsm: CardHsm) -> str:
    """The answer to Step2 of iReloadPIN (the new PIN sealed) and iUnblockPIN (a MAC alone); raises HsmUnavailable."""
    head = bytes.fromhex(request.head)
    if request.pin:
        secret = bytes.fromhex(request.pin)
        message = hsm.seal(CardKey.STKSSSE, chip, factor=request.factor, head=head, secret=secret)
    else:
        message = hsm.mac(CardKey.STKSSSE, chip, factor=request.factor, message=head)
    return text_of(message.hex().upper())


def debit_mac(request: DebitRequest, chip: Chip, hsm: CardHsm) -> str:
    """The answer to Step1 of iDoDebit; raises HsmUnavailable."""
    return text_of(hsm.mac(CardKey.DPK, chip, factor=request.factor, message=request.message).hex().upper())


def is_debit_proven(request: DebitRequest, tac: bytes, chip: Chip, hsm: CardHsm) -> bool:
    """Whether `tac` is what the card answered to this very debit: proof that it was paid; raises HsmUnavailable."""
    message = request.message + request.terminal_sequence + request.sequence.to_bytes(2, "big")
    return hsm.is_mac(CardKey.DTK, chip, factor=b"", message=message, claim=tac)


def is_ours(chip: Chip, reset_info: str) -> bool:
    """Whether the chip's 卡复位信息 is the one registered for its 卡识别码."""
    return hmac.compare_digest(chip.reset_info.encode(), reset_info.upper().encode())
