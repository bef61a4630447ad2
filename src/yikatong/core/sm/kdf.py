"""Key derivation: HKDF-Expand (RFC 5869 §2.3) with HMAC-SM3, info = label ‖ 0x00 ‖ context.

The key must already be uniform (it comes from a random generator or from here), so Extract is not needed.
The zero byte ends the label, so that no label with its context can be read as another.
"""

from yikatong.core.sm.sm3 import KeyedSm3, hmac_sm3

_HASH = 32
_LONGEST = 255 * _HASH


def derive(key: bytes, label: str, context: bytes = b"", length: int = 32) -> bytes:
    """`length` bytes bound to `label` and `context`; ValueError for an empty key, a bad label or length."""
    if not key or "\0" in label or not 0 < length <= _LONGEST:
        raise ValueError("derive needs a key, a label without NUL and a length of 1..8160")
    info = label.encode() + b"\0" + context
    block = hmac_sm3(key, info + b"\x01")
    if length <= _HASH:
        return block[:length]
    blocks = [block]
    for number in range(2, -(-length // _HASH) + 1):
        blocks.append(hmac_sm3(key, blocks[-1] + info + bytes([number])))
    return b"".join(blocks)[:length]


class Derivation:
    """`derive` of 32 bytes for many contexts under one key and label, which are hashed once."""

    __slots__ = ("_mac",)

    def __init__(self, key: bytes, label: str) -> None:
        if not key or "\0" in label:
            raise ValueError("a derivation needs a key and a label without NUL")
        self._mac = KeyedSm3(key, label.encode() + b"\0")

    def __call__(self, context: bytes) -> bytes:
        return self._mac(context + b"\x01")
