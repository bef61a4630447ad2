"""SM2 signatures (GB/T 32918.2) on digests, the shape of a national HSM's SDF interface (GM/T 0018).

Private keys are 32 bytes, public keys 33 (compressed), digests e 32, signatures 64 (r ‖ s). DER exists only
where libcrypto wants it. Verifying answers False for whatever bytes come, and never raises. Safe for threads:
parsed keys are shared and read only, every operation has its own context.
"""

import secrets
import sys
from dataclasses import dataclass, field
from functools import cache, lru_cache
from typing import Any

from yikatong.core.sm.libcrypto import ffi, libcrypto
from yikatong.core.sm.sm3 import sm3

USER_ID = b"1234567812345678"  # the standard's default signer id (GM/T 0009 §10)

_P = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFF
_A = _P - 3
_B = 0x28E9FA9E9D9F5E344D5A9E4BCF6509A7F39789F515AB8F92DDBCBD414D940E93
ORDER = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123  # n, of the group
_GX = 0x32C4AE2C1F1981195F9904466A39C9948FE30BBFF2660BE1715A4589334C74C7
_GY = 0xBC3736A2F4F6779C59BDCEE36B692153D0A9877CC62A474002DF32E52139F0A0

_NID_SM2 = 1172
_COMPRESSED, _UNCOMPRESSED = 2, 4
_PARAM_UNSIGNED, _PARAM_TEXT, _PARAM_OCTETS = 2, 4, 5
_SELECT_PUBLIC, _SELECT_PAIR = 0x86, 0x87
_CONSTTIME = 4
_DER_LONGEST = 72


@dataclass(frozen=True, slots=True)
class KeyPair:
    """An SM2 key pair: `private` 32 bytes big-endian in 1..n−2, `public` 33 bytes compressed."""

    private: bytes = field(repr=False)
    public: bytes


def generate() -> KeyPair:
    """A new key pair from the operating system's random generator."""
    private = (secrets.randbelow(ORDER - 2) + 1).to_bytes(32, "big")
    return KeyPair(private, public_of(private))


def public_of(private: bytes) -> bytes:
    """The compressed public key of a private key; ValueError unless 32 bytes in 1..n−2."""
    _check_private(private)
    lib, group = libcrypto(), _group()
    scalar = ffi.gc(lib.BN_bin2bn(private, 32, ffi.NULL), lib.BN_clear_free)
    lib.BN_set_flags(scalar, _CONSTTIME)
    point = ffi.gc(lib.EC_POINT_new(group), lib.EC_POINT_clear_free)
    lib.EC_POINT_mul(group, point, scalar, ffi.NULL, ffi.NULL, ffi.NULL)
    return _octets(point, _COMPRESSED, 33)


def is_public(public: bytes) -> bool:
    """Whether the bytes are a compressed point on the curve."""
    return _uncompressed(bytes(public)) is not None


def shift_private(private: bytes, tweak: bytes) -> bytes:
    """(d + tweak) mod n, the private key of `shift_public`; ValueError when it would be none."""
    _check_private(private)
    shifted = (int.from_bytes(private, "big") + int.from_bytes(tweak, "big")) % ORDER
    _check_private(shifted.to_bytes(32, "big"))
    return shifted.to_bytes(32, "big")


def shift_public(public: bytes, tweak: bytes) -> bytes:
    """P + tweak·G: whoever does not know the 32-byte tweak cannot tell that it came from P."""
    point = _uncompressed(bytes(public))
    if point is None:
        raise ValueError("not a compressed SM2 public key")
    lib, group = libcrypto(), _group()
    start, end = (ffi.gc(lib.EC_POINT_new(group), lib.EC_POINT_free) for _ in range(2))
    numbers = [
        ffi.gc(lib.BN_bin2bn(number, len(number), ffi.NULL), lib.BN_clear_free) for number in (tweak, b"\1")
    ]
    lib.EC_POINT_oct2point(group, start, point, 65, ffi.NULL)
    lib.EC_POINT_mul(group, end, numbers[0], start, numbers[1], ffi.NULL)
    return _octets(end, _COMPRESSED, 33)


@lru_cache(maxsize=4096)
def za(public: bytes) -> bytes:
    """Z of a signer (GB/T 32918.2 §5.5) with the default id; ValueError when not a point on the curve."""
    point = _uncompressed(public)
    if point is None:
        raise ValueError("not a compressed SM2 public key")
    curve = b"".join(number.to_bytes(32, "big") for number in (_A, _B, _GX, _GY))
    return sm3((len(USER_ID) * 8).to_bytes(2, "big") + USER_ID + curve + point[1:])


def digest(public: bytes, message: bytes) -> bytes:
    """What is signed: e = SM3(Z ‖ message). ValueError when the key is not a point on the curve."""
    return sm3(za(bytes(public)) + message)


def sign_e(private: bytes, e: bytes) -> bytes:
    """The 64-byte signature r ‖ s of a 32-byte digest; ValueError for a bad key or digest length."""
    if len(e) != 32:
        raise ValueError("an SM2 digest is 32 bytes")
    lib, key = libcrypto(), _private_key(bytes(private))
    ctx = lib.EVP_PKEY_CTX_new_from_pkey(ffi.NULL, key, ffi.NULL)
    try:
        out, size = ffi.new("unsigned char[]", _DER_LONGEST), ffi.new("size_t *", _DER_LONGEST)
        if lib.EVP_PKEY_sign_init(ctx) != 1 or lib.EVP_PKEY_sign(ctx, out, size, e, 32) != 1:
            lib.ERR_clear_error()
            raise RuntimeError("libcrypto refused to sign")
        return _raw(ffi.buffer(out, size[0])[:])
    finally:
        lib.EVP_PKEY_CTX_free(ctx)


def verify_e(public: bytes, e: bytes, signature: bytes) -> bool:
    """Whether `signature` (r ‖ s) over the digest `e` is `public`'s. Any other bytes: False."""
    if len(e) != 32 or len(signature) != 64:
        return False
    key = _public_key(bytes(public))
    if key is None:
        return False
    lib, der = libcrypto(), _der(bytes(signature))
    ctx = lib.EVP_PKEY_CTX_new_from_pkey(ffi.NULL, key, ffi.NULL)
    good = lib.EVP_PKEY_verify_init(ctx) == 1 and lib.EVP_PKEY_verify(ctx, der, len(der), bytes(e), 32) == 1
    lib.EVP_PKEY_CTX_free(ctx)
    if not good:
        lib.ERR_clear_error()
    return bool(good)


def sign(private: bytes, message: bytes, public: bytes | None = None) -> bytes:
    """Sign a message; pass `public` when it is at hand, it saves a multiplication."""
    return sign_e(private, digest(public or public_of(private), message))


def verify(public: bytes, message: bytes, signature: bytes) -> bool:
    """Whether the signature over the message is `public`'s. Any other bytes: False."""
    try:
        e = digest(public, message)
    except ValueError:
        return False
    return verify_e(public, e, signature)


# --- libcrypto's edge ---


def _check_private(private: bytes) -> None:
    if len(private) != 32 or not 0 < int.from_bytes(private, "big") < ORDER - 1:
        raise ValueError("an SM2 private key is 32 bytes in 1..n-2")


@cache
def _group() -> Any:
    return libcrypto().EC_GROUP_new_by_curve_name(_NID_SM2)


def _octets(point: Any, form: int, size: int) -> bytes:
    out = ffi.new("unsigned char[]", size)
    libcrypto().EC_POINT_point2oct(_group(), point, form, out, size, ffi.NULL)
    return bytes(ffi.buffer(out))


@lru_cache(maxsize=4096)
def _uncompressed(public: bytes) -> bytes | None:
    """04 ‖ x ‖ y, or None unless `public` is a compressed point on the curve."""
    if len(public) != 33 or public[0] not in (2, 3):
        return None
    lib, group = libcrypto(), _group()
    point = ffi.gc(lib.EC_POINT_new(group), lib.EC_POINT_free)
    if lib.EC_POINT_oct2point(group, point, public, 33, ffi.NULL) != 1:
        lib.ERR_clear_error()
        return None
    return _octets(point, _UNCOMPRESSED, 65)


@lru_cache(maxsize=4096)
def _public_key(public: bytes) -> Any:
    """The parsed key, freed when it falls out of the cache, or None when it is not a point on the curve."""
    point = _uncompressed(public)
    return None if point is None else _from_data(_SELECT_PUBLIC, (b"pub", _PARAM_OCTETS, point))


@lru_cache(maxsize=64)
def _private_key(private: bytes) -> Any:
    _check_private(private)
    native = private[::-1] if sys.byteorder == "little" else private  # OSSL_PARAM integers are native
    return _from_data(_SELECT_PAIR, (b"priv", _PARAM_UNSIGNED, native))


def _from_data(selection: int, *extra: tuple[bytes, int, bytes]) -> Any:
    lib = libcrypto()
    params, _kept = _params((b"group", _PARAM_TEXT, b"SM2"), *extra)
    ctx = ffi.gc(lib.EVP_PKEY_CTX_new_from_name(ffi.NULL, b"SM2", ffi.NULL), lib.EVP_PKEY_CTX_free)
    out = ffi.new("EVP_PKEY **")
    if lib.EVP_PKEY_fromdata_init(ctx) != 1 or lib.EVP_PKEY_fromdata(ctx, out, selection, params) != 1:
        lib.ERR_clear_error()
        return None
    return ffi.gc(out[0], lib.EVP_PKEY_free)


def _params(*entries: tuple[bytes, int, bytes]) -> tuple[Any, list[Any]]:
    """An OSSL_PARAM array and the buffers it points into (keep them alive while it is in use)."""
    params, kept = ffi.new("OSSL_PARAM[]", len(entries) + 1), []
    for slot, (name, kind, value) in enumerate(entries):
        key, data = ffi.new("char[]", name), ffi.new("unsigned char[]", value)
        kept += [key, data]
        params[slot] = {
            "key": key,
            "data_type": kind,
            "data": data,
            "data_size": len(value),
            "return_size": 0,
        }
    return params, kept


def _der(signature: bytes) -> bytes:
    r, s = _der_integer(signature[:32]), _der_integer(signature[32:])
    return b"\x30" + bytes([len(r) + len(s)]) + r + s


def _der_integer(number: bytes) -> bytes:
    short = number.lstrip(b"\0") or b"\0"
    body = b"\0" + short if short[0] & 0x80 else short
    return bytes([2, len(body)]) + body


def _raw(der: bytes) -> bytes:
    """The r ‖ s of libcrypto's own DER (both integers shorter than 128 bytes)."""
    end = 4 + der[3]
    r, s = der[4:end], der[end + 2 :]
    return r.lstrip(b"\0").rjust(32, b"\0") + s.lstrip(b"\0").rjust(32, b"\0")
