"""What a chip and a key device compute alike: dispersed keys, authentication values, MACs. Knows no Django.

The block form for 16-byte ciphers of 《社会保障（个人）卡规范》 parts 4 and 9, here with SM4. Nothing in here
stores or shows a key; docs/spec/card-v1.md has the formulas and where each of them comes from.
"""

import hmac
from dataclasses import dataclass
from enum import IntEnum
from typing import Final, Self

from yikatong.core.sm import sm4
from yikatong.registry.cards import numbers

KEY: Final = 16
BLOCK: Final = 16
CHALLENGE: Final = 8
AUTHENTICATOR: Final = 8
MAC: Final = 4
#: Divisions of Zhejiang (33) disperse their city keys under four digits (part 9).
_SHORT_CITY: Final = "33"


class CardKey(IntEnum):
    """A key of the card; the value is its address in the key device.

    UKSSSE, DLK and DTK have addresses of this platform: the public texts name none.
    """

    RKSSSE = 0x004C  # lets a terminal read what is personal
    PUK = 0x0090  # lets a terminal set the PIN anew
    IRK = 0x0170  # proves the card
    STKSSSE = 0x0173  # secure messages
    UKSSSE = 0x0174  # lets a terminal write what has changed
    DPK = 0x017F  # debit
    DLK = 0x0180  # load
    DTK = 0x0181  # proof of a transaction


@dataclass(frozen=True, slots=True)
class Chip:
    """What tells the keys of one chip from those of another: its 卡识别码 and 卡复位信息, both in capitals."""

    identification: str
    reset_info: str

    @classmethod
    def of(cls, identification: str, reset_info: str) -> Self:
        """Checked; raises BadIdentifier."""
        numbers.diversification_factor(reset_info)
        return cls(numbers.check_identifier(identification), reset_info.upper())

    @property
    def division(self) -> str:
        """发卡地区, six digits."""
        return self.identification[:6]


def disperse(key: bytes, factor: bytes) -> bytes:
    """The key one level below: E(K, f ‖ ¬f), `factor` of eight bytes."""
    if len(factor) != CHALLENGE:
        raise ValueError("a dispersal factor has eight bytes")
    return sm4.encrypt_blocks(key, factor + bytes(byte ^ 0xFF for byte in factor))


def levels(chip: Chip) -> tuple[bytes, bytes, bytes]:
    """The factors of province, city and card, from the root downwards."""
    division = chip.division
    city = f"{division[:4]}00sx" if division.startswith(_SHORT_CITY) else f"{division}sx"
    return f"{division[:2]}0000sh".encode(), city.encode(), numbers.diversification_factor(chip.reset_info)


def card_key(root: bytes, chip: Chip) -> bytes:
    """The card's own key under a root key."""
    for factor in levels(chip):
        root = disperse(root, factor)
    return root


def session_key(key: bytes, factor: bytes) -> bytes:
    """E(K, factor ‖ 0⁸): a key for one conversation."""
    if len(factor) != CHALLENGE:
        raise ValueError("a session factor has eight bytes")
    return sm4.encrypt_blocks(key, factor + bytes(BLOCK - CHALLENGE))


def authenticator(key: bytes, factor: bytes, data: bytes) -> bytes:
    """The eight bytes of an internal or external authentication: both halves of E(session, data ‖ 0⁸), added."""
    if len(data) != CHALLENGE:
        raise ValueError("the data of an authentication has eight bytes")
    block = sm4.encrypt_blocks(session_key(key, factor), data + bytes(BLOCK - CHALLENGE))
    return _xor(block[:8], block[8:])


def mac(key: bytes, message: bytes, start: bytes = bytes(BLOCK)) -> bytes:
    """Four bytes: CBC under SM4 from `start`, the last block's four words added. Padded by 80 00 …, always."""
    state = start
    padded = pad(message)
    for at in range(0, len(padded), BLOCK):
        state = sm4.encrypt_blocks(key, _xor(state, padded[at : at + BLOCK]))
    return _xor(_xor(state[:4], state[4:8]), _xor(state[8:12], state[12:]))


def seal_secret(session: bytes, head: bytes, secret: bytes) -> bytes:
    """A short secret in a secure message: E(length ‖ secret ‖ 80 …) ‖ MAC over `head` and that. One block."""
    if len(secret) > BLOCK - 2:
        raise ValueError("the secret does not fit one block")
    sealed = sm4.encrypt_blocks(session, pad(bytes((len(secret),)) + secret))
    return sealed + mac(session, head + sealed)


def open_secret(session: bytes, head: bytes, data: bytes) -> bytes | None:
    """The secret of `seal_secret`; None when it is not one."""
    sealed, claim = data[:BLOCK], data[BLOCK:]
    if not hmac.compare_digest(mac(session, head + sealed), claim):
        return None
    plain = sm4.decrypt_blocks(session, sealed)
    secret = plain[1 : 1 + plain[0]]
    return secret if plain == pad(bytes((len(secret),)) + secret) else None


def pad(message: bytes) -> bytes:
    """`message` ‖ 80 ‖ 00 … up to whole blocks."""
    return message + b"\x80" + bytes(-(len(message) + 1) % BLOCK)


def _xor(left: bytes, right: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(left, right, strict=True))
