"""Keys of terminals and request MACs, against the document with nothing of ours but SM3 and SM4."""

import hashlib
import hmac
import subprocess
import sys
from datetime import date

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, modes
from cryptography.hazmat.primitives.ciphers.algorithms import SM4

from yikatong.core.sm.sm4 import SealBroken
from yikatong.registry.access import platform_keys, terminal_keys

MAIN = bytes(range(32))
WORK = bytes(range(32, 64))
NUMBER = 510105000001
DAY = date(2026, 3, 2)


def sm3(data: bytes) -> bytes:
    return hashlib.new("sm3", data).digest()


def expand(key: bytes, label: bytes, size: int) -> bytes:
    return hmac.digest(key, label + b"\0" + b"\x01", "sm3")[:size]


def opened(key: bytes, sealed: bytes, aad: bytes) -> bytes:
    decryptor = Cipher(SM4(key), modes.GCM(sealed[:12], sealed[-16:])).decryptor()
    decryptor.authenticate_additional_data(aad)
    return decryptor.update(sealed[12:-16]) + decryptor.finalize()


@pytest.mark.clause("E3")
def test_the_request_mac_is_as_written_down() -> None:
    body = b'{"sequence":2026030200000001}'
    mac = terminal_keys.request_mac(
        WORK, time=1772413200, method="POST", path="/gate/v1/verify?x=1", body=body
    )
    said = b"1772413200\nPOST\n/gate/v1/verify?x=1\n" + sm3(body)
    assert mac == hmac.digest(WORK, said, "sm3")


def test_every_part_counts_in_the_mac() -> None:
    mac = terminal_keys.request_mac
    macs = {
        mac(WORK, time=1, method="POST", path="/a", body=b"{}"),
        mac(MAIN, time=1, method="POST", path="/a", body=b"{}"),
        mac(WORK, time=2, method="POST", path="/a", body=b"{}"),
        mac(WORK, time=1, method="GET", path="/a", body=b"{}"),
        mac(WORK, time=1, method="POST", path="/b", body=b"{}"),
        mac(WORK, time=1, method="POST", path="/a", body=b""),
    }
    assert len(macs) == 6


def test_sealed_keys_open_as_written_down() -> None:
    work = terminal_keys.seal_work_key(MAIN, WORK, number=NUMBER, day=DAY)
    assert len(work) == 60
    key = expand(MAIN, b"yikatong terminal v1 work", 16)
    assert opened(key, work, b"510105000001|20260302") == WORK
    main = terminal_keys.seal_main_key("abcd-EFGH 2345-6789", MAIN, number=NUMBER, generation=7)
    key = expand(sm3(b"ABCDEFGH23456789"), b"yikatong terminal v1 enrol", 16)
    assert opened(key, main, b"510105000001|7") == MAIN
    assert terminal_keys.sign_in_key(MAIN) == expand(MAIN, b"yikatong terminal v1 sign-in", 32)


def test_a_sealed_key_opens_for_its_terminal_and_day_only() -> None:
    sealed = terminal_keys.seal_work_key(MAIN, WORK, number=NUMBER, day=DAY)
    assert terminal_keys.open_work_key(MAIN, sealed, number=NUMBER, day=DAY) == WORK
    for main, number, day in (
        (WORK, NUMBER, DAY),
        (MAIN, NUMBER + 1, DAY),
        (MAIN, NUMBER, date(2026, 3, 3)),
    ):
        with pytest.raises(SealBroken):
            terminal_keys.open_work_key(main, sealed, number=number, day=day)
    sealed = terminal_keys.seal_main_key("ABCD", MAIN, number=NUMBER, generation=1)
    assert terminal_keys.open_main_key("ab cd", sealed, number=NUMBER, generation=1) == MAIN
    for code, generation in (("ABCE", 1), ("ABCD", 2)):
        with pytest.raises(SealBroken):
            terminal_keys.open_main_key(code, sealed, number=NUMBER, generation=generation)


def test_keys_differ_by_terminal_generation_and_day() -> None:
    keys = {
        platform_keys.main_key(NUMBER, 1),
        platform_keys.main_key(NUMBER, 2),
        platform_keys.main_key(NUMBER + 1, 1),
        platform_keys.work_key(NUMBER, 1, DAY),
        platform_keys.work_key(NUMBER, 2, DAY),
        platform_keys.work_key(NUMBER, 1, date(2026, 3, 3)),
        platform_keys.work_key(NUMBER + 1, 1, DAY),
    }
    assert len(keys) == 7
    assert {len(key) for key in keys} == {32}
    assert platform_keys.work_key(NUMBER, 1, DAY) == platform_keys.work_key(NUMBER, 1, DAY)


def test_the_keys_load_without_django() -> None:
    program = (
        "import sys, yikatong.registry.access.platform_keys, yikatong.using.codes.hot_delta\n"
        "sys.exit(any(name.split('.')[0] == 'django' for name in sys.modules))"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
