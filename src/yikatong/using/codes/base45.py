"""Base45 (RFC 9285): bytes in the alphabet of a QR code's alphanumeric mode, 3 characters for 2 bytes."""

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
    # Each group stands in four bytes of one long number, so that all are reckoned in three steps; none carries over.
    total = sum(weight * _spread(values[place:whole:3]) for place, weight in enumerate((1, 45, 2025)))
    groups = total.to_bytes(whole // 3 * 4, "big")
    last = [c + 45 * d for c, d in [values[whole:]]] if whole < len(values) else []
    if any(groups[1::4]) or any(byte > 0xFF for byte in last):
        raise ValueError("not Base45: a group is too large")
    found = bytearray(whole // 3 * 2)
    found[::2], found[1::2] = groups[2::4], groups[3::4]
    return bytes(found) + bytes(last)


def _spread(digits: bytes) -> int:
    """The digits, each the last of four bytes."""
    lanes = bytearray(4 * len(digits))
    lanes[3::4] = digits
    return int.from_bytes(lanes, "big")
