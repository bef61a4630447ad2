"""Base45 (RFC 9285): bytes in the alphabet of a QR code's alphanumeric mode, 3 characters for 2 bytes."""

import struct

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
_PAIRS = [first + second for second in ALPHABET for first in ALPHABET]  # index = c + 45·d
_STRANGE = 45
_VALUES = bytes(ALPHABET.find(chr(code)) if chr(code) in ALPHABET else _STRANGE for code in range(256))


def encode(data: bytes) -> str:
    """The Base45 text; empty for empty."""
    out = []
    for at in range(0, len(data) - 1, 2):
        high, low = divmod(data[at] << 8 | data[at + 1], 2025)
        out += [_PAIRS[low], ALPHABET[high]]
    if len(data) % 2:
        out.append(_PAIRS[data[-1]])
    return "".join(out)


def decode(text: str) -> bytes:
    """The bytes; ValueError for a strange or dangling character, or a group above FFFF (FF at the end)."""
    values = text.encode("latin-1", "replace").translate(_VALUES)  # "?" is strange too
    if _STRANGE in values or len(values) % 3 == 1:
        raise ValueError("not Base45: a strange or a dangling character")
    whole = len(values) // 3 * 3
    groups = zip(values[:whole:3], values[1:whole:3], values[2:whole:3], strict=True)
    numbers = [c + 45 * d + 2025 * e for c, d, e in groups]
    last = [c + 45 * d for c, d in [values[whole:]]] if whole < len(values) else []
    try:
        return struct.pack(f">{len(numbers)}H{len(last)}B", *numbers, *last)
    except struct.error:
        raise ValueError("not Base45: a group is too large") from None
