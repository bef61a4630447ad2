"""The short code for weak cameras and counters: made and read by the platform only, one use, one minute.

`YKS1:` and Base45 of: key id u16 · one SM4 block (device u48 · scene u8 · expires_at u32 · nonce 5) · MAC 8.
Nothing is stored to make it; that it is used once is the platform's replay table, by `replay_key`.
"""

import hmac
import os
import re
import struct
from collections.abc import Container, Mapping
from functools import lru_cache
from typing import NamedTuple

from yikatong.core.sm import sm4
from yikatong.core.sm.kdf import derive
from yikatong.core.sm.sm3 import hmac_sm3
from yikatong.using.codes import base45
from yikatong.using.codes.keyset import Keyset
from yikatong.using.codes.reasons import Reason, Refused
from yikatong.using.codes.reference import DEVICE_MOST

PREFIX = "YKS1:"
LIFETIME_S = 60
_BLOCK = struct.Struct(">HIBI5s")
_MAC = 8
_SIZE = 2 + 16 + _MAC
_TEXT = len(PREFIX) + _SIZE * 3 // 2


class ShortCode(NamedTuple):
    """An opened short code. `replay_key` (the 16-byte block with its key id, 18 bytes) may be spent once."""

    device: int
    scene: int
    expires_at: int
    replay_key: bytes


def make_short_code(
    keyset: Keyset, *, device: int, scene: int, expires_at: int, nonce: bytes | None = None
) -> str:
    """The text of a fresh short code; `device` may stand for a holder without a device key."""
    nonce = os.urandom(5) if nonce is None else nonce
    if not (0 <= device <= DEVICE_MOST and 1 <= scene <= 0xFF and 0 <= expires_at <= 0xFFFFFFFF):
        raise ValueError("device number, scene or time out of range")
    if len(nonce) != 5:
        raise ValueError("the nonce of a short code has five bytes")
    block = _BLOCK.pack(device >> 32, device & 0xFFFFFFFF, scene, expires_at, nonce)
    head = keyset.key_id.to_bytes(2, "big") + sm4.encrypt_blocks(_cipher_key(keyset), block)
    return PREFIX + base45.encode(head + _mac(keyset, head))


def is_short(text: str) -> bool:
    """Whether a scanned text claims to be a short code."""
    return text.startswith("YKS")


def open_short_code(
    text: str, keysets: Mapping[int, Keyset], *, now: int, scenes: Container[int] | None = None
) -> ShortCode:
    """Read a short code with the platform's own keysets (by key id).

    Refused(MALFORMED, UNSUPPORTED_VERSION, SHORT_CODE_UNKNOWN, KEY_WITHDRAWN, WRONG_SCENE,
    SHORT_CODE_EXPIRED).
    """
    raw = _bytes(text)
    keyset = keysets.get(int.from_bytes(raw[:2], "big"))
    if keyset is None or not hmac.compare_digest(_mac(keyset, raw[:18]), raw[18:]):
        raise Refused(Reason.SHORT_CODE_UNKNOWN)
    if keyset.withdrawn:
        raise Refused(Reason.KEY_WITHDRAWN)
    block = sm4.decrypt_blocks(_cipher_key(keyset), raw[2:18])
    high, low, scene, expires_at, _ = _BLOCK.unpack(block)
    if scenes is not None and scene not in scenes:
        raise Refused(Reason.WRONG_SCENE)
    if now >= expires_at:
        raise Refused(Reason.SHORT_CODE_EXPIRED)
    return ShortCode(high << 32 | low, scene, expires_at, raw[:18])


def _bytes(text: str) -> bytes:
    if not text.startswith(PREFIX):
        later = re.match(r"YKS[0-9]:", text)
        raise Refused(Reason.UNSUPPORTED_VERSION if later else Reason.MALFORMED)
    try:
        raw = base45.decode(text[len(PREFIX) :]) if len(text) == _TEXT else b""
    except ValueError:
        raw = b""
    if len(raw) != _SIZE:
        raise Refused(Reason.MALFORMED)
    return raw


def _cipher_key(keyset: Keyset) -> bytes:
    return _derived(keyset.short_key)[0]


def _mac(keyset: Keyset, head: bytes) -> bytes:
    return hmac_sm3(_derived(keyset.short_key)[1], head)[:_MAC]


@lru_cache(maxsize=64)
def _derived(short_key: bytes) -> tuple[bytes, bytes]:
    """One key, one purpose: a cipher key of 16 bytes and a MAC key of 32."""
    cipher = derive(short_key, "yikatong short v1 cipher", length=16)
    return cipher, derive(short_key, "yikatong short v1 mac")
