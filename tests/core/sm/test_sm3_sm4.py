import pytest
from gmssl import sm3 as gm_sm3
from hypothesis import given
from hypothesis import strategies as st

from yikatong.core.sm import sm4
from yikatong.core.sm.kdf import Derivation, derive
from yikatong.core.sm.sm3 import KeyedSm3, hmac_sm3, sm3

KEY = bytes.fromhex("0123456789ABCDEFFEDCBA9876543210")


@pytest.mark.parametrize(
    ("message", "expected"),
    [  # GB/T 32905 annex A
        (b"abc", "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"),
        (b"abcd" * 16, "debe9ff92275b8a138604889c18e5a4d6fdb70e5387e5765293dcba39c0c5732"),
    ],
)
def test_sm3_vectors(message: bytes, expected: str) -> None:
    assert sm3(message).hex() == expected


@pytest.mark.parametrize("size", [0, 1, 32, 63, 64, 65, 200])
def test_hmac_agrees_with_a_second_implementation(size: int) -> None:
    key, data = bytes(range(size)), b"data" * size
    padded = (key if size <= 64 else bytes.fromhex(gm_sm3.sm3_hash(list(key)))).ljust(64, b"\0")
    inner = gm_sm3.sm3_hash(list(bytes(b ^ 0x36 for b in padded) + data))
    outer = gm_sm3.sm3_hash(list(bytes(b ^ 0x5C for b in padded) + bytes.fromhex(inner)))
    assert hmac_sm3(key, data).hex() == outer


@pytest.mark.parametrize(
    ("key", "data", "expected"),
    [  # GM/T 0042-2015 annex D.3
        (
            bytes(range(1, 33)),
            b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq" * 2,
            "ca05e144ed05d1857840d1f318a4a8669e559fc8391f414485bfdf7bb408963a",
        ),
        (
            bytes(range(1, 38)),
            b"\xcd" * 50,
            "220bf579ded555393f0159f66c99877822a3ecf610d1552154b41d44b94db3ae",
        ),
        (b"\x0b" * 32, b"Hi There", "c0ba18c68b90c88bc07de794bfc7d2c8d19ec31ed8773bc2b390c9604e0be11e"),
    ],
)
def test_hmac_vectors(key: bytes, data: bytes, expected: str) -> None:
    assert hmac_sm3(key, data).hex() == expected


def test_sm4_vector() -> None:
    """GB/T 32907 annex A.1."""
    cipher = sm4.encrypt_blocks(KEY, KEY)
    assert cipher.hex() == "681edf34d206965e86b3e94f536e4246"
    assert sm4.decrypt_blocks(KEY, cipher) == KEY


def test_sm4_gcm_vector() -> None:
    """RFC 8998 appendix A.1."""
    nonce = bytes.fromhex("00001234567800000000ABCD")
    aad = bytes.fromhex("FEEDFACEDEADBEEFFEEDFACEDEADBEEFABADDAD2")
    plain = b"".join(bytes([b]) * 8 for b in (0xAA, 0xBB, 0xCC, 0xDD, 0xEE, 0xFF, 0xEE, 0xAA))
    cipher = bytes.fromhex(
        "17F399F08C67D5EE19D0DC9969C4BB7D5FD46FD3756489069157B282BB200735"
        "D82710CA5C22F0CCFA7CBF93D496AC15A56834CBCF98C397B4024A2691233B8D"
    )
    tag = bytes.fromhex("83DE3541E4C2B58177E065A9BF7B62EC")
    assert sm4.open_sealed(KEY, nonce + cipher + tag, aad) == plain


@given(st.binary(max_size=200), st.binary(max_size=40))
def test_sealed_opens(plain: bytes, aad: bytes) -> None:
    sealed = sm4.seal(KEY, plain, aad)
    assert len(sealed) == len(plain) + 28
    assert sm4.open_sealed(KEY, sealed, aad) == plain


@given(st.data())
def test_altered_seal_breaks(data: st.DataObject) -> None:
    sealed = bytearray(sm4.seal(KEY, b"plain text", b"aad"))
    at = data.draw(st.integers(0, len(sealed) * 8 - 1))
    sealed[at // 8] ^= 1 << at % 8
    with pytest.raises(sm4.SealBroken):
        sm4.open_sealed(KEY, bytes(sealed), b"aad")


def test_wrong_key_aad_or_length_breaks_the_seal() -> None:
    sealed = sm4.seal(KEY, b"plain", b"aad")
    for key, text, aad in (
        (KEY[::-1], sealed, b"aad"),
        (KEY, sealed, b""),
        (KEY, sealed[:27], b"aad"),
        (KEY, b"", b""),
    ):
        with pytest.raises(sm4.SealBroken):
            sm4.open_sealed(key, text, aad)


def test_two_seals_of_one_text_differ() -> None:
    assert sm4.seal(KEY, b"x") != sm4.seal(KEY, b"x")


@given(st.binary(max_size=64))
def test_blocks_are_whole_and_turn_back(data: bytes) -> None:
    if len(data) % 16:
        with pytest.raises(ValueError, match="16 bytes"):
            sm4.encrypt_blocks(KEY, data)
        with pytest.raises(ValueError, match="16 bytes"):
            sm4.decrypt_blocks(KEY, data)
    else:
        assert sm4.decrypt_blocks(KEY, sm4.encrypt_blocks(KEY, data)) == data


def test_derived_keys_differ_by_label_context_and_key() -> None:
    made = [
        derive(KEY, "a"),
        derive(KEY, "ab"),
        derive(KEY, "a", b"b"),
        derive(KEY[::-1], "a"),
        derive(KEY, "b"),
    ]
    assert len(set(made)) == 5
    assert all(len(key) == 32 for key in made)


@pytest.mark.parametrize("length", [1, 16, 32, 33, 64, 100, 8160])
def test_longer_output_begins_with_the_shorter(length: int) -> None:
    assert derive(KEY, "label", b"context", 8160)[:length] == derive(KEY, "label", b"context", length)


@pytest.mark.parametrize(
    ("key", "label", "length"), [(b"", "a", 32), (KEY, "a\0b", 32), (KEY, "a", 0), (KEY, "a", 8161)]
)
def test_derive_refuses_nonsense(key: bytes, label: str, length: int) -> None:
    with pytest.raises(ValueError, match="derive needs"):
        derive(key, label, b"", length)


@given(
    key=st.binary(min_size=1, max_size=130), beginning=st.binary(max_size=80), rest=st.binary(max_size=300)
)
def test_what_is_hashed_once_gives_the_same(key: bytes, beginning: bytes, rest: bytes) -> None:
    keyed = KeyedSm3(key, beginning)
    assert [keyed(rest), keyed(b""), keyed(rest)] == [
        hmac_sm3(key, beginning + rest), hmac_sm3(key, beginning), hmac_sm3(key, beginning + rest),
    ]  # fmt: skip
    assert Derivation(key, "label")(rest) == derive(key, "label", rest)


@pytest.mark.parametrize(("key", "label"), [(b"", "label"), (b"key", "la\0bel")])
def test_a_derivation_needs_a_key_and_a_label(key: bytes, label: str) -> None:
    with pytest.raises(ValueError, match="needs a key"):
        Derivation(key, label)
