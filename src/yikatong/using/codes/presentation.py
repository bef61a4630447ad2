"""The presentation, shown for a minute: credential · made_at u32 · counter u16 · MAC 12 · signature 64.

The MAC (first 12 bytes of HMAC-SM3 under the credential's secret) is for whoever can ask the issuer, the SM2
signature of the device for whoever cannot; each covers every byte before it. Text: `YKT1:` and Base45.
"""

import re
import struct
from typing import NamedTuple

from yikatong.core.sm import sm2
from yikatong.core.sm.sm3 import hmac_sm3
from yikatong.using.codes import base45
from yikatong.using.codes.credential import (
    CLAIMS_MOST,
    SHORTEST,
    Credential,
    check_head,
    parse_credential,
)
from yikatong.using.codes.reasons import Reason, Refused

PREFIX = "YKT1:"
_STAMP = struct.Struct(">IH")
_MAC, _SIGNATURE = 12, 64
_EXTRA = _STAMP.size + _MAC + _SIGNATURE
LONGEST = SHORTEST + CLAIMS_MOST + _EXTRA
_LONGEST_TEXT = len(PREFIX) + (LONGEST * 3 + 1) // 2


class Presentation(NamedTuple):
    """A parsed presentation. Parsing proves nothing; see `verify`. `made_at` unix seconds of the device."""

    raw: bytes
    credential: Credential
    made_at: int
    counter: int

    @property
    def mac(self) -> bytes:
        return self.raw[-_SIGNATURE - _MAC : -_SIGNATURE]

    @property
    def signature(self) -> bytes:
        return self.raw[-_SIGNATURE:]

    @property
    def under_mac(self) -> bytes:
        return self.raw[: -_SIGNATURE - _MAC]

    @property
    def under_signature(self) -> bytes:
        return self.raw[:-_SIGNATURE]

    @property
    def replay_key(self) -> bytes:
        """22 bytes, reference ‖ made_at ‖ counter: a second one is a replay, whatever its signature."""
        return self.credential.reference + _STAMP.pack(self.made_at, self.counter)


def present(credential: bytes, secret: bytes, device_private: bytes, made_at: int, counter: int) -> bytes:
    """What the device does each minute; `counter` grows with every presentation and wraps at 65536."""
    signed = present_unsigned(credential, secret, made_at, counter)
    return signed + sm2.sign(device_private, signed, parse_credential(credential).device_public)


def present_unsigned(credential: bytes, secret: bytes, made_at: int, counter: int) -> bytes:
    """All but the last 64 bytes, for a device whose key signs elsewhere (a secure element)."""
    macced = credential + _STAMP.pack(made_at, counter & 0xFFFF)
    return macced + hmac_sm3(secret, macced)[:_MAC]


def parse(raw: bytes) -> Presentation:
    """Read the bytes of a presentation. Refused(TOO_LARGE, UNSUPPORTED_*, MALFORMED)."""
    if len(raw) > LONGEST:
        raise Refused(Reason.TOO_LARGE)
    size = SHORTEST + check_head(raw)
    if len(raw) != size + _EXTRA:
        raise Refused(Reason.MALFORMED)
    made_at, counter = _STAMP.unpack_from(raw, size)
    return Presentation(bytes(raw), parse_credential(bytes(raw[:size])), made_at, counter)


def encode_text(raw: bytes) -> str:
    """The text inside the QR code."""
    return PREFIX + base45.encode(raw)


def decode_text(text: str) -> bytes:
    """The bytes of a scanned text. Refused(TOO_LARGE, UNSUPPORTED_VERSION, MALFORMED)."""
    if len(text) > _LONGEST_TEXT:
        raise Refused(Reason.TOO_LARGE)
    if not text.startswith(PREFIX):
        later = re.match(r"YKT[0-9]:", text)
        raise Refused(Reason.UNSUPPORTED_VERSION if later else Reason.MALFORMED)
    try:
        return base45.decode(text[len(PREFIX) :])
    except ValueError:
        raise Refused(Reason.MALFORMED) from None
