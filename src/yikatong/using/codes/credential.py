"""The credential: what the issuer signs for one device and one scene (docs/spec/pass-v1.md §3), big-endian.

body  version u8 · algorithm u8 · issuer u24 · key id u16 · scene u8 · reference 16 · claims length u8 ·
      claims · not_before u32 · expires_at u32 · per-use limit u24 · offline total u24 · offline uses u8 ·
      device key 33
then the issuer's SM2 signature over the body, 64 bytes.
"""

import struct
from collections.abc import Callable
from enum import IntEnum, IntFlag
from functools import lru_cache
from typing import NamedTuple

from yikatong.core.sm import sm2
from yikatong.core.sm.kdf import Derivation, derive
from yikatong.core.sm.sm3 import sm3
from yikatong.using.codes.keyset import Keyset
from yikatong.using.codes.reasons import Reason, Refused
from yikatong.using.codes.reference import make_reference

VERSION = 1
ALGORITHM_SM = 1  # SM2 with SM3, HMAC-SM3, SM4
CLAIMS_MOST = 48  # keeps the longest code inside QR version 12, level M

_HEAD = struct.Struct(">BBBHHB16sB")
_TAIL = struct.Struct(">IIBHBHB33s")
_SIGNATURE = 64
SHORTEST = _HEAD.size + _TAIL.size + _SIGNATURE
_U24 = 0xFFFFFF


class Scene(IntEnum):
    """Scenes with a fixed number; others (5..255) may be agreed without a new version."""

    GENERAL = 1  # 通用
    MEDICAL = 2  # 就医
    TRANSIT = 3  # 乘车
    VENUE = 4  # 入园


class Concession(IntFlag):
    """Bits of claim 2: concessions the scene may know. Unknown bits are ignored."""

    SENIOR = 1  # 老年
    STUDENT = 2  # 学生
    CHILD = 4  # 儿童
    DISABLED = 8  # 残疾
    VETERAN = 16  # 优抚
    LOW_INCOME = 32  # 低保
    RESIDENT = 64  # 本地居民
    HONOUR = 128  # 劳模、献血等荣誉


class Predicate(IntFlag):
    """Bits of claim 3: facts told in place of a date of birth. Unknown bits are ignored."""

    AGE_60 = 1
    AGE_65 = 2
    AGE_70 = 4
    UNDER_6 = 8
    UNDER_14 = 16
    UNDER_18 = 32


class Claims(NamedTuple):
    """What the scene may learn, None for nothing: fare class u8, concession bits u16, predicate bits u8."""

    fare_class: int | None = None
    concessions: int | None = None
    predicates: int | None = None

    def to_bytes(self) -> bytes:
        """Tag u8 · length u8 · value, tags ascending. ValueError when a value does not fit."""
        out = b""
        for tag, (value, size) in enumerate(zip(self, _CLAIM_SIZES, strict=True), start=1):
            if value is not None:
                if not 0 <= value < 256**size:
                    raise ValueError("a claim does not fit its bytes")
                out += bytes([tag, size]) + value.to_bytes(size, "big")
        return out

    @classmethod
    @lru_cache(maxsize=1024)  # a province has few different ones, and each is read with every use
    def from_bytes(cls, data: bytes) -> "Claims":
        """Unknown tags are skipped; Refused(MALFORMED) when cut, out of order, or of a wrong length."""
        found: list[int | None] = [None] * len(_CLAIM_SIZES)
        at, last = 0, 0
        while at < len(data):
            tag, size = data[at], data[at + 1] if at + 1 < len(data) else 256
            value = data[at + 2 : at + 2 + size]
            known = tag <= len(_CLAIM_SIZES)
            if tag <= last or len(value) != size or (known and size != _CLAIM_SIZES[tag - 1]):
                raise Refused(Reason.MALFORMED)
            if known:
                found[tag - 1] = int.from_bytes(value, "big")
            at, last = at + 2 + size, tag
        return cls(*found)


_CLAIM_SIZES = (1, 2, 1)


class Limits(NamedTuple):
    """What may happen with nobody online: fen at one use, fen in all, number of uses (per credential)."""

    per_use_fen: int
    total_fen: int
    uses: int


class Credential(NamedTuple):
    """A parsed credential; `raw` are its bytes with the issuer's signature. Parsing proves nothing."""

    raw: bytes
    algorithm: int
    issuer: int
    key_id: int
    scene: int
    reference: bytes
    claims: Claims
    not_before: int
    expires_at: int
    limits: Limits
    device_public: bytes

    @property
    def body(self) -> bytes:
        return self.raw[:-_SIGNATURE]

    @property
    def signature(self) -> bytes:
        return self.raw[-_SIGNATURE:]

    @property
    def identity(self) -> bytes:
        """First 16 bytes of SM3(body): under this name a terminal counts the offline limits."""
        return sm3(self.body)[:16]


class Issued(NamedTuple):
    """What goes to the device: credential, MAC secret, tweak (empty without); lists will name the reference."""

    credential: bytes
    secret: bytes
    reference: bytes
    tweak: bytes = b""


def issue_credential(  # noqa: PLR0913 - one keyword per field of the format
    keyset: Keyset,
    *,
    device: int,
    scene: int,
    generation: int,
    device_public: bytes,
    not_before: int,
    expires_at: int,
    limits: Limits,
    claims: Claims = Claims(),  # noqa: B008 - an immutable tuple
    sign_e: Callable[[bytes], bytes] | None = None,
    scene_key: bool = False,
) -> Issued:
    """Sign a credential for a device key. Times are unix seconds, half-open. ValueError when a field is off.

    `sign_e` takes the 32-byte digest and answers r ‖ s, for a key inside an HSM; else the keyset's own signs.
    With `scene_key` the credential carries the device's key shifted by a tweak of its own, so that no two scenes
    see one key; the device then presents with `sm2.shift_private(its key, tweak)`.
    """
    reference = make_reference(keyset.reference_key, device, scene, generation)
    if not 0 <= not_before < expires_at <= 0xFFFFFFFF or not sm2.is_public(device_public):
        raise ValueError("a credential needs an ordered period and a device key on the curve")
    tweak = scene_tweak(keyset.mac_key, device_public, reference) if scene_key else b""
    if tweak:
        device_public = sm2.shift_public(device_public, tweak)
    body = _body(keyset, scene, reference, claims.to_bytes(), (not_before, expires_at), limits, device_public)
    e = sm2.digest(keyset.sm2_public, body)
    signature = sign_e(e) if sign_e else sm2.sign_e(keyset.sm2_private, e)
    return Issued(body + signature, credential_secret(keyset.mac_key, body), reference, tweak)


def credential_secret(mac_key: bytes, body: bytes) -> bytes:
    """The 32-byte MAC secret of a credential, bound to every byte of its body; nothing is stored."""
    return _secrets(mac_key)(body)


@lru_cache(maxsize=64)
def _secrets(mac_key: bytes) -> Derivation:
    return Derivation(mac_key, "yikatong pass v1 credential")


def scene_tweak(mac_key: bytes, device_public: bytes, reference: bytes) -> bytes:
    """The 32-byte tweak that turns a device's key into its key for one reference; nothing is stored."""
    wide = derive(mac_key, "yikatong pass v1 scene key", device_public + reference, 40)
    return (int.from_bytes(wide, "big") % sm2.ORDER).to_bytes(32, "big")


def parse_credential(raw: bytes) -> Credential:
    """Read the bytes of one credential. Refused(UNSUPPORTED_*, MALFORMED)."""
    claims_size = check_head(raw)
    if len(raw) != SHORTEST + claims_size:
        raise Refused(Reason.MALFORMED)
    _, algorithm, issuer_high, issuer_low, key_id, scene, reference, _ = _HEAD.unpack_from(raw)
    claims_end = _HEAD.size + claims_size
    (not_before, expires_at, use_high, use_low, total_high, total_low, uses, device_public) = (
        _TAIL.unpack_from(raw, claims_end)
    )
    if not scene or not_before >= expires_at or device_public[0] not in (2, 3):
        raise Refused(Reason.MALFORMED)
    return Credential(
        raw,
        algorithm,
        issuer_high << 16 | issuer_low,
        key_id,
        scene,
        reference,
        Claims.from_bytes(raw[_HEAD.size : claims_end]),
        not_before,
        expires_at,
        Limits(use_high << 16 | use_low, total_high << 16 | total_low, uses),
        device_public,
    )


def check_head(raw: bytes) -> int:
    """The length of the claims, after version, algorithm and the shortest possible length were checked."""
    if len(raw) < 2:
        raise Refused(Reason.MALFORMED)
    if raw[0] != VERSION:
        raise Refused(Reason.UNSUPPORTED_VERSION)
    if raw[1] != ALGORITHM_SM:
        raise Refused(Reason.UNSUPPORTED_ALGORITHM)
    if len(raw) < SHORTEST or raw[_HEAD.size - 1] > CLAIMS_MOST:
        raise Refused(Reason.MALFORMED)
    return raw[_HEAD.size - 1]


def _body(
    keyset: Keyset,
    scene: int,
    reference: bytes,
    claims: bytes,
    period: tuple[int, int],
    limits: Limits,
    device_public: bytes,
) -> bytes:
    amounts = (limits.per_use_fen, limits.total_fen)
    if not all(0 <= fen <= _U24 for fen in amounts) or not 0 <= limits.uses <= 0xFF:
        raise ValueError("offline limits: at most 16777215 fen and 255 uses")
    head = _HEAD.pack(
        VERSION, ALGORITHM_SM, *_split24(keyset.issuer), keyset.key_id, scene, reference, len(claims)
    )
    money = (*_split24(amounts[0]), *_split24(amounts[1]))
    return head + claims + _TAIL.pack(*period, *money, limits.uses, device_public)


def _split24(number: int) -> tuple[int, int]:
    return number >> 16, number & 0xFFFF
