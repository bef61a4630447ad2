"""SM4 (GB/T 32907): authenticated sealing (GCM, RFC 8998) and bare blocks for opaque references."""

import os
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, modes
from cryptography.hazmat.primitives.ciphers.algorithms import SM4

NONCE = 12
TAG = 16
BLOCK = 16


class SealBroken(Exception):
    """The sealed bytes were altered, cut, or sealed under another key or other associated data."""


def seal(key: bytes, plaintext: bytes, aad: bytes = b"") -> bytes:
    """nonce(12) ‖ ciphertext ‖ tag(16) under a 16-byte key, with a fresh random nonce."""
    nonce = os.urandom(NONCE)
    encryptor = Cipher(SM4(key), modes.GCM(nonce)).encryptor()
    encryptor.authenticate_additional_data(aad)
    return nonce + encryptor.update(plaintext) + encryptor.finalize() + encryptor.tag


def open_sealed(key: bytes, sealed: bytes, aad: bytes = b"") -> bytes:
    """The plaintext of `seal`; SealBroken when key, bytes or associated data differ."""
    if len(sealed) < NONCE + TAG:
        raise SealBroken
    nonce, ciphertext, tag = sealed[:NONCE], sealed[NONCE:-TAG], sealed[-TAG:]
    decryptor = Cipher(SM4(key), modes.GCM(nonce, tag)).decryptor()
    decryptor.authenticate_additional_data(aad)
    try:
        return decryptor.update(ciphertext) + decryptor.finalize()
    except InvalidTag:
        raise SealBroken from None


# ECB is right here and nowhere else: each block is one value of its own (a number, a nonce), the wish is a
# permutation that shows nothing of it, and many of them are turned in one call.
@lru_cache(maxsize=64)
def _blocks(key: bytes) -> Cipher[modes.ECB]:
    return Cipher(SM4(key), modes.ECB())  # noqa: S305


def encrypt_blocks(key: bytes, data: bytes) -> bytes:
    """Each 16-byte block of `data` on its own (ECB); ValueError unless whole blocks."""
    _whole(data)
    return _blocks(key).encryptor().update(data)


def decrypt_blocks(key: bytes, data: bytes) -> bytes:
    """The inverse of `encrypt_blocks`."""
    _whole(data)
    return _blocks(key).decryptor().update(data)


def _whole(data: bytes) -> None:
    if len(data) % BLOCK:
        raise ValueError("SM4 blocks are 16 bytes")
