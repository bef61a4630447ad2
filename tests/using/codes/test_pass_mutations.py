"""Ten thousand damaged passes: none is accepted, none crashes a verifier."""

import random
from collections.abc import Callable

import pytest

from tests.using.codes.test_pass_vectors import KEYSETS, TRUST
from tests.using.codes.vectors import load
from yikatong.using.codes import pass_
from yikatong.using.codes.pass_ import Refused

CASES = [
    case for case in load("offline") if "fields" in case and case["name"] != "a retired key is still believed"
]
ORIGINALS = [(pass_.decode_text(case["text"]), case["now"]) for case in CASES]


def flip(raw: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(raw) * 8)
    return raw[: at // 8] + bytes([raw[at // 8] ^ 1 << at % 8]) + raw[at // 8 + 1 :]


def cut(raw: bytes, chance: random.Random) -> bytes:
    start = chance.randrange(len(raw))
    return raw[:start] + raw[start + chance.randint(1, 8) :]


def insert(raw: bytes, chance: random.Random) -> bytes:
    at = chance.randint(0, len(raw))
    return raw[:at] + chance.randbytes(chance.randint(1, 8)) + raw[at:]


def swap(raw: bytes, chance: random.Random) -> bytes:
    size = chance.randint(1, min(16, len(raw) // 4))
    first, second = sorted(chance.sample(range(0, len(raw) - size, size), 2))
    middle = raw[first + size : second]
    return (
        raw[:first] + raw[second : second + size] + middle + raw[first : first + size] + raw[second + size :]
    )


def overwrite(raw: bytes, chance: random.Random) -> bytes:
    at, size = chance.randrange(len(raw)), chance.randint(1, 40)
    with_ = chance.choice([b"\0" * size, b"\xff" * size, chance.randbytes(size)])
    return (raw[:at] + with_)[: len(raw)] + raw[at + size :]


def splice(raw: bytes, chance: random.Random) -> bytes:
    """The front of one true pass with the back of another."""
    other, at = chance.choice(ORIGINALS)[0], chance.randrange(len(raw))
    return raw[:at] + other[at:]


KINDS: list[Callable[[bytes, random.Random], bytes]] = [flip, flip, cut, insert, swap, overwrite, splice]
TRUE = {raw for raw, _ in ORIGINALS}


def damaged(count: int) -> list[tuple[bytes, bytes, int]]:
    chance, made = random.Random(45), []
    while len(made) < count:
        raw, now = chance.choice(ORIGINALS)
        bad = chance.choice(KINDS)(raw, chance)
        if bad not in TRUE:
            made.append((raw, bad, now))
    return made


@pytest.mark.clause("C2")
def test_no_damaged_pass_is_accepted() -> None:
    reasons: dict[str, int] = {}
    for raw, bad, now in damaged(10_000):
        offline = outcome(bad, now, online=False)
        online = outcome(bad, now, online=True)
        reasons[offline] = reasons.get(offline, 0) + 1
        assert offline != "accepted"
        # the platform does not look at the device's signature, the last 64 bytes
        assert online != "accepted" or (len(bad) == len(raw) and bad[:-64] in {true[:-64] for true in TRUE})
    assert {"MALFORMED", "BAD_CREDENTIAL_SIGNATURE", "BAD_DEVICE_SIGNATURE"} <= reasons.keys()


def outcome(raw: bytes, now: int, *, online: bool) -> str:
    try:
        shown = pass_.parse(pass_.decode_text(pass_.encode_text(raw)))
        if online:
            pass_.verify_online(shown, KEYSETS, now=now)
        else:
            pass_.verify_offline(shown, TRUST, frozenset(), now=now, seen=pass_.Journal())
    except Refused as refusal:
        return refusal.reason.name
    return "accepted"


def test_damaged_texts_are_refused() -> None:
    chance, alphabet = random.Random(9285), "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:aé\0"
    text, now = CASES[0]["text"], CASES[0]["now"]
    for _ in range(1_000):
        at = chance.randrange(len(text))
        bad = text[:at] + chance.choice(["", chance.choice(alphabet)]) + text[at + chance.choice([0, 1]) :]
        if bad == text:
            continue
        with pytest.raises(Refused):
            pass_.verify_offline(
                pass_.parse(pass_.decode_text(bad)), TRUST, frozenset(), now=now, seen=pass_.Journal()
            )


def test_damaged_short_codes_are_refused() -> None:
    chance = random.Random(26)
    keyset = KEYSETS[510000, 1]
    good = pass_.make_short_code(keyset, device=7, scene=1, expires_at=60)
    raw = pass_.decode_text("YKT1:" + good[5:])
    for _ in range(2_000):
        bad = chance.choice(KINDS[:-1])(raw, chance)
        if bad == raw:
            continue
        with pytest.raises(Refused):
            pass_.open_short_code("YKS1:" + pass_.encode_text(bad)[5:], {1: keyset}, now=0)


def test_damaged_lists_are_refused() -> None:
    chance, signer = random.Random(8), bytes.fromhex(load("keys")["list_key"]["public"])
    text = next(case for case in load("lists") if case["name"] == "trust list")["steps"][0]["envelope"]
    payload = pass_.read_envelope(text, signer).payload
    for _ in range(1_000):
        bad = chance.choice(KINDS[:-1])(text.encode(), chance)
        try:
            made = pass_.read_envelope(bad, signer)
        except Refused:
            continue
        assert made.payload == payload  # the damage was to white space or an unknown member
