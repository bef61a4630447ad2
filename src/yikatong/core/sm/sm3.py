"""SM3 hash (GB/T 32905) and HMAC-SM3 from the standard library's OpenSSL."""

import hashlib

_EMPTY = hashlib.new("sm3")  # a copy of it costs half of what finding the algorithm by name does
_BLOCK = 64
_INNER = bytes(byte ^ 0x36 for byte in range(256))
_OUTER = bytes(byte ^ 0x5C for byte in range(256))


def sm3(data: bytes) -> bytes:
    """32-byte SM3 digest of `data`."""
    state = _EMPTY.copy()
    state.update(data)
    return state.digest()


def hmac_sm3(key: bytes, data: bytes) -> bytes:
    """32-byte HMAC (RFC 2104) with SM3."""
    padded = (key if len(key) <= _BLOCK else sm3(key)).ljust(_BLOCK, b"\0")
    outer, inner = _EMPTY.copy(), _EMPTY.copy()
    inner.update(padded.translate(_INNER))
    inner.update(data)
    outer.update(padded.translate(_OUTER))
    outer.update(inner.digest())
    return outer.digest()


class KeyedSm3:
    """HMAC-SM3 of many messages that begin alike, under one key: key and beginning are hashed once."""

    __slots__ = ("_inner", "_outer")

    def __init__(self, key: bytes, beginning: bytes = b"") -> None:
        padded = (key if len(key) <= _BLOCK else sm3(key)).ljust(_BLOCK, b"\0")
        self._inner, self._outer = _EMPTY.copy(), _EMPTY.copy()
        self._inner.update(padded.translate(_INNER) + beginning)
        self._outer.update(padded.translate(_OUTER))

    def __call__(self, rest: bytes) -> bytes:
        """32-byte HMAC of the beginning and `rest`."""
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(rest)
        outer.update(inner.digest())
        return outer.digest()
