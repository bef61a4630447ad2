"""The published vectors: what the code makes, and what SM4 by another hand makes of the same words."""

import json
from typing import Any

import pytest
from gmssl.sm4 import SM4_ENCRYPT, CryptSM4

from scripts import make_card_vectors

VECTORS: dict[str, Any] = json.loads(make_card_vectors.TARGET.read_text(encoding="utf-8"))
KEYS: dict[str, dict[str, str]] = VECTORS["keys"]


def e(key: bytes, block: bytes) -> bytes:
    oracle = CryptSM4()
    oracle.set_key(key, SM4_ENCRYPT)
    return bytes(oracle.one_round(oracle.sk, list(block)))


def test_the_published_vectors_are_those_of_the_code() -> None:
    assert make_card_vectors.TARGET.read_text(encoding="utf-8") == make_card_vectors.text()


@pytest.mark.clause("E3")
@pytest.mark.parametrize("address", KEYS)
def test_card_keys_by_another_hand(address: str) -> None:
    key = bytes.fromhex(KEYS[address]["root"])
    for factor in (bytes.fromhex(one) for one in VECTORS["factors"]):
        key = e(key, factor + bytes(byte ^ 0xFF for byte in factor))
    assert key.hex().upper() == KEYS[address]["card"]


@pytest.mark.clause("E3")
@pytest.mark.parametrize(("name", "address"), [("internal", "0170"), ("external", "004C")])
def test_authentication_values_by_another_hand(name: str, address: str) -> None:
    session = e(bytes.fromhex(KEYS[address]["card"]), bytes.fromhex(VECTORS["factor"]) + bytes(8))
    block = e(session, bytes.fromhex(VECTORS["data"]) + bytes(8))
    assert bytes(a ^ b for a, b in zip(block[:8], block[8:], strict=True)).hex().upper() == VECTORS[name]


@pytest.mark.parametrize("vector", VECTORS["macs"])
def test_macs_by_another_hand(vector: dict[str, str]) -> None:
    session = e(bytes.fromhex(KEYS["017F"]["card"]), bytes.fromhex(VECTORS["factor"]) + bytes(8))
    message = bytes.fromhex(vector["message"]) + b"\x80"
    message += bytes(-len(message) % 16)
    state = bytes(16)
    for at in range(0, len(message), 16):
        state = e(session, bytes(a ^ b for a, b in zip(state, message[at : at + 16], strict=True)))
    folded = bytes(state[i] ^ state[i + 4] ^ state[i + 8] ^ state[i + 12] for i in range(4))
    assert folded.hex().upper() == vector["mac"]
