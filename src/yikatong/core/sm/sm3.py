"""SM3 hash (GB/T 32905) and HMAC-SM3 from the standard library's OpenSSL."""

import hashlib
import hmac


def sm3(data: bytes) -> bytes:
    """32-byte SM3 digest of `data`."""
    return hashlib.new("sm3", data).digest()


def hmac_sm3(key: bytes, data: bytes) -> bytes:
    """32-byte HMAC (RFC 2104) with SM3."""
    return hmac.digest(key, data, "sm3")
