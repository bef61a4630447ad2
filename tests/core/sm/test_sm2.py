import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
from gmssl import sm2 as gm_sm2

from yikatong.core.sm import libcrypto, sm2

# GB/T 32918.5 annex A.2, also in GM/T 0003.5: recommended curve, message "message digest"
PRIVATE = bytes.fromhex("3945208F7B2144B13F36E38AC6D39F95889393692860B51A42FB81EF4DF7C5B8")
X = "09F9DF311E5421A150DD7D161E4BC5C672179FAD1833FC076BB08FF356F35020"
Y = "CCEA490CE26775A52DC6EA718CC1AA600AED05FBF35E084A6632F6072DA9AD13"
PUBLIC = bytes.fromhex("03" + X)
Z = bytes.fromhex("B2E14C5C79C6DF5B85F4FE7ED8DB7A262B9DA7E07CCB0EA9F4747B8CCDA8A4F3")
E = bytes.fromhex("F0B43E94BA45ACCAACE692ED534382EB17E6AB5A19CE7B31F4486FDFC0D28640")
SIGNATURE = bytes.fromhex(
    "F5A03B0648D2C4630EEAC513E1BB81A15944DA3827D5B74143AC7EACEEE720B3"
    "B1B6AA29DF212FD8763182BC0D421CA1BB9038FD1F7F42D4840B69C485BBC1AA"
)
MESSAGE = b"message digest"
N = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123


def test_vector_of_the_standard() -> None:
    assert sm2.public_of(PRIVATE) == PUBLIC
    assert sm2.za(PUBLIC) == Z
    assert sm2.digest(PUBLIC, MESSAGE) == E
    assert sm2.verify_e(PUBLIC, E, SIGNATURE)
    assert sm2.verify(PUBLIC, MESSAGE, SIGNATURE)
    assert not sm2.verify(PUBLIC, b"message digest.", SIGNATURE)


def test_signing_and_verifying_agree_with_gmssl() -> None:
    for number in range(8):
        pair, message = sm2.generate(), bytes([number]) * number * 31
        theirs = gm_sm2.CryptSM2(pair.private.hex(), uncompressed(pair.public))
        e = bytes.fromhex(theirs._sm3_z(message))
        assert sm2.digest(pair.public, message) == e
        assert verified(theirs, pair.private, message, e)
        their_signature = bytes.fromhex(theirs.sign(e, f"{number + 2:064x}"))
        assert sm2.verify(pair.public, message, their_signature)


def verified(theirs: gm_sm2.CryptSM2, private: bytes, message: bytes, e: bytes) -> bool:
    """gmssl's sums lose the point three times in a thousand, and it falls: another signature, then."""
    for _ in range(4):
        with suppress(TypeError):
            return bool(theirs.verify(sm2.sign(private, message).hex(), e))
    return False


def uncompressed(public: bytes) -> str:
    point = sm2._uncompressed(public)
    assert point is not None
    return point[1:].hex()


@pytest.mark.parametrize("number", [0, N - 1, N, 2**256 - 1])
def test_private_keys_out_of_range_are_refused(number: int) -> None:
    with pytest.raises(ValueError, match="private key"):
        sm2.public_of(number.to_bytes(32, "big"))
    with pytest.raises(ValueError, match="private key"):
        sm2.sign_e(number.to_bytes(32, "big"), E)


def test_smallest_and_largest_private_keys_work() -> None:
    for number in (1, N - 2):
        private = number.to_bytes(32, "big")
        assert sm2.verify(sm2.public_of(private), MESSAGE, sm2.sign(private, MESSAGE))


R, S = int.from_bytes(SIGNATURE[:32], "big"), int.from_bytes(SIGNATURE[32:], "big")


@pytest.mark.parametrize(
    ("r", "s"),
    [
        (0, S),
        (R, 0),
        (0, 0),
        (N, S),
        (R, N),
        (R, N - R),  # t = 0
        (R, N - S),  # what a malleable scheme would accept
        (R + N if R + N < 2**256 else N + 1, S),
        (2**256 - 1, 2**256 - 1),
        (S, R),
        (1, 1),
    ],
)
def test_numbers_out_of_range_are_not_signatures(r: int, s: int) -> None:
    assert not sm2.verify_e(PUBLIC, E, r.to_bytes(32, "big") + s.to_bytes(32, "big"))


@pytest.mark.parametrize(
    "signature", [b"", SIGNATURE[:63], SIGNATURE + b"\0", b"\x30\x00", b"A" * 64, bytes(64)]
)
def test_strange_signatures_answer_false(signature: bytes) -> None:
    assert not sm2.verify(PUBLIC, MESSAGE, signature)


@pytest.mark.parametrize(
    "public",
    [
        b"",
        b"\0",
        PUBLIC[:32],
        PUBLIC + b"\0",
        b"\x04" + bytes.fromhex(X + Y),
        b"\x02" + PUBLIC[1:],  # the mirrored point
        b"\x05" + PUBLIC[1:],
        b"\x02" + bytes(31) + b"\x05",  # no such point
        b"\x02" + b"\xff" * 32,  # x ≥ p
        bytes(33),
    ],
)
def test_strange_keys_answer_false(public: bytes) -> None:
    assert not sm2.verify(public, MESSAGE, SIGNATURE)
    assert not sm2.verify_e(public, E, SIGNATURE)


def test_shifted_keys_belong_together() -> None:
    for tweak in (1, 2, N - 1, 12345 << 200):
        number = tweak.to_bytes(32, "big")
        shifted = sm2.shift_private(PRIVATE, number)
        assert sm2.public_of(shifted) == sm2.shift_public(PUBLIC, number) != PUBLIC
    back = (N - int.from_bytes(PRIVATE, "big")).to_bytes(32, "big")
    with pytest.raises(ValueError, match="private key"):
        sm2.shift_private(PRIVATE, back)
    with pytest.raises(ValueError, match="not a compressed"):
        sm2.shift_public(bytes(33), number)


def test_keys_off_the_curve_have_no_digest() -> None:
    off = b"\x02" + bytes(31) + b"\x05"
    assert not sm2.is_public(off)
    assert sm2.is_public(PUBLIC)
    with pytest.raises(ValueError, match="not a compressed"):
        sm2.digest(off, MESSAGE)


def test_any_kind_of_bytes_will_do() -> None:
    assert sm2.verify(bytearray(PUBLIC), bytearray(MESSAGE), memoryview(SIGNATURE))
    assert sm2.verify_e(memoryview(PUBLIC), bytearray(E), bytearray(SIGNATURE))
    assert not sm2.verify_e(PUBLIC, E[:31], SIGNATURE)


def test_threads_share_keys() -> None:
    pairs = [sm2.generate() for _ in range(4)]
    start = threading.Barrier(4)

    def work(each: sm2.KeyPair) -> bool:
        start.wait()
        return all(
            sm2.verify(each.public, MESSAGE, sm2.sign(each.private, MESSAGE))
            and not sm2.verify(PUBLIC, MESSAGE, sm2.sign(each.private, MESSAGE))
            for _ in range(25)
        )

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(work, pairs))


def test_failures_leave_nothing_in_the_error_queue() -> None:
    lib = libcrypto.libcrypto()
    probe = libcrypto.FFI()
    probe.cdef("unsigned long ERR_peek_error(void);")
    peek = probe.dlopen(libcrypto.ctypes.util.find_library("crypto")).ERR_peek_error
    lib.ERR_clear_error()
    sm2.verify(b"\x02" + bytes(31) + b"\x07", MESSAGE, SIGNATURE)
    sm2.verify(PUBLIC, MESSAGE, bytes(64))
    sm2.verify(PUBLIC, MESSAGE, SIGNATURE[::-1])
    assert peek() == 0


def test_private_keys_do_not_show() -> None:
    pair = sm2.generate()
    assert pair.private.hex() not in repr(pair)
    assert str(pair.private) not in repr(pair)


def test_signatures_with_short_numbers_survive_der() -> None:
    for r, s in ((1, 1), (0x7F, 0x80), (1 << 247, 1 << 255), (N - 1, N - 1)):
        raw = r.to_bytes(32, "big") + s.to_bytes(32, "big")
        assert sm2._raw(sm2._der(raw)) == raw


def test_library_is_found_through_the_interpreter_when_the_system_names_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(libcrypto.ctypes.util, "find_library", lambda _name: None)
    assert libcrypto.libcrypto.__wrapped__().OpenSSL_version_num() >= 0x30000000
    monkeypatch.setattr(libcrypto._ssl, "__file__", None)
    with pytest.raises(libcrypto.LibcryptoMissing):
        libcrypto.libcrypto.__wrapped__()
