"""The soft key device: the right values, one set of keys, and nothing of a key to be seen."""

import json
import logging
import pickle
from pathlib import Path

import pytest
from gmssl.sm4 import SM4_ENCRYPT, CryptSM4

from tests.adapters.cards import CHIP, MASTER, hsm
from yikatong.adapters.hsm.soft import SoftHsm
from yikatong.core.env import BadSettings
from yikatong.core.keyring import Keyring
from yikatong.registry.cards.chip.hsm import HsmUnavailable
from yikatong.registry.cards.chip.keys import CardKey, Chip

FACTOR, DATA = bytes(range(8)), bytes(range(8, 16))


def sm4(key: bytes, block: bytes) -> bytes:
    """One block, by another hand."""
    oracle = CryptSM4()
    oracle.set_key(key, SM4_ENCRYPT)
    return bytes(oracle.one_round(oracle.sk, list(block)))


def disperse(key: bytes, factor: bytes) -> bytes:
    return sm4(key, factor + bytes(255 - byte for byte in factor))


def root(device: SoftHsm, key: CardKey) -> bytes:
    return device._roots[key]


@pytest.mark.clause("E3")
@pytest.mark.parametrize("key", list(CardKey))
def test_card_keys_come_from_the_root_in_three_steps(tmp_path: Path, key: CardKey) -> None:
    device = hsm(tmp_path)
    expected = root(device, key)
    for factor in (b"510000sh", b"510100sx", (7).to_bytes(8, "big")):
        expected = disperse(expected, factor)
    assert device.personalise(CHIP)[key] == expected


def test_a_city_of_zhejiang_has_four_digits(tmp_path: Path) -> None:
    device = hsm(tmp_path)
    chip = Chip.of(f"330102{CHIP.identification[6:]}", CHIP.reset_info)
    expected = root(device, CardKey.IRK)
    for factor in (b"330000sh", b"330100sx", (7).to_bytes(8, "big")):
        expected = disperse(expected, factor)
    assert device.personalise(chip)[CardKey.IRK] == expected


@pytest.mark.clause("E3")
def test_an_authentication_value_folds_one_block(tmp_path: Path) -> None:
    device = hsm(tmp_path)
    session = sm4(device.personalise(CHIP)[CardKey.IRK], FACTOR + bytes(8))
    block = sm4(session, DATA + bytes(8))
    folded = bytes(a ^ b for a, b in zip(block[:8], block[8:], strict=True))
    assert device.authenticator(CardKey.IRK, CHIP, factor=FACTOR, data=DATA) == folded


@pytest.mark.parametrize("size", [0, 1, 15, 16, 17, 40])
def test_a_mac_chains_and_folds(tmp_path: Path, size: int) -> None:
    device, message = hsm(tmp_path), bytes(range(size))
    key = sm4(device.personalise(CHIP)[CardKey.DPK], FACTOR + bytes(8))
    padded = message + b"\x80" + bytes(15 - size % 16)
    state = bytes(16)
    for at in range(0, len(padded), 16):
        state = sm4(key, bytes(a ^ b for a, b in zip(state, padded[at : at + 16], strict=True)))
    words = [int.from_bytes(state[at : at + 4], "big") for at in range(0, 16, 4)]
    expected = (words[0] ^ words[1] ^ words[2] ^ words[3]).to_bytes(4, "big")
    assert device.mac(CardKey.DPK, CHIP, factor=FACTOR, message=message) == expected
    assert device.is_mac(CardKey.DPK, CHIP, factor=FACTOR, message=message, claim=expected)
    assert not device.is_mac(CardKey.DPK, CHIP, factor=FACTOR, message=message, claim=expected[:3])
    assert not device.is_mac(CardKey.DPK, CHIP, factor=FACTOR, message=message + b"\0", claim=expected)


def test_without_a_factor_the_card_s_own_key_is_used(tmp_path: Path) -> None:
    device = hsm(tmp_path)
    state = sm4(device.personalise(CHIP)[CardKey.DTK], b"\x80" + bytes(15))
    words = [int.from_bytes(state[at : at + 4], "big") for at in range(0, 16, 4)]
    expected = (words[0] ^ words[1] ^ words[2] ^ words[3]).to_bytes(4, "big")
    assert device.mac(CardKey.DTK, CHIP, factor=b"", message=b"") == expected


def test_the_same_file_is_the_same_device(tmp_path: Path) -> None:
    assert hsm(tmp_path).check_values() == hsm(tmp_path).check_values()
    assert len(set(hsm(tmp_path).check_values().values())) == len(CardKey)


def test_two_cards_and_two_keys_have_nothing_in_common(tmp_path: Path) -> None:
    device = hsm(tmp_path)
    other = Chip.of(CHIP.identification, f"{CHIP.reset_info[:-1]}8")
    found = [*device.personalise(CHIP).values(), *device.personalise(other).values()]
    assert len(set(found)) == len(found)


@pytest.mark.clause("S15", "G17")
def test_no_key_lies_in_clear_anywhere(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    device = hsm(tmp_path)
    device.authenticator(CardKey.IRK, CHIP, factor=FACTOR, data=DATA)
    kept = (tmp_path / "cards.json").read_bytes()
    said = repr(device) + str(device) + caplog.text
    for key in [*device._roots.values(), *device.personalise(CHIP).values(), MASTER]:
        assert key not in kept
        assert key.hex().encode() not in kept.lower()
        assert key.hex() not in said.lower()
    with pytest.raises(TypeError):
        pickle.dumps(device)
    assert (tmp_path / "cards.json").stat().st_mode & 0o777 == 0o600


def test_another_master_key_opens_nothing(tmp_path: Path) -> None:
    hsm(tmp_path)
    with pytest.raises(HsmUnavailable):
        hsm(tmp_path, master=bytes(32))


def test_a_key_moved_to_another_address_opens_nothing(tmp_path: Path) -> None:
    hsm(tmp_path)
    path = tmp_path / "cards.json"
    words = path.read_text().replace('"0170"', '"x"').replace('"004C"', '"0170"').replace('"x"', '"004C"')
    path.write_text(words)
    with pytest.raises(HsmUnavailable):
        hsm(tmp_path)


def test_a_file_of_an_earlier_release_gets_the_keys_that_came_since(tmp_path: Path) -> None:
    before = hsm(tmp_path).check_values()
    path = tmp_path / "cards.json"
    content = json.loads(path.read_text())
    del content["keys"]["0174"]
    path.write_text(json.dumps(content))
    first = hsm(tmp_path).check_values()
    assert {key: value for key, value in first.items() if key is not CardKey.UKSSSE} == {
        key: value for key, value in before.items() if key is not CardKey.UKSSSE
    }
    assert first[CardKey.UKSSSE] != before[CardKey.UKSSSE]
    assert hsm(tmp_path).check_values() == first, "made once"
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b'{"format": "other", "keys": {}}', b"\xff"])
def test_a_broken_file_is_said_to_be_broken(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "cards.json"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(HsmUnavailable):
        SoftHsm(path, Keyring(MASTER))


def test_a_file_others_may_read_is_refused(tmp_path: Path) -> None:
    hsm(tmp_path)
    (tmp_path / "cards.json").chmod(0o644)
    with pytest.raises(BadSettings, match="chmod 600"):
        hsm(tmp_path)
