"""Terminal keys and request MACs (temporary home until registry.access.keys)."""

from datetime import date

from yikatong.core.keyring import keyring
from yikatong.core.sm.kdf import derive
from yikatong.core.sm.sm3 import hmac_sm3, sm3


def main_key(number: int, generation: int) -> bytes:
    return derive(keyring().key("terminal", 32), "main", f"{number}:{generation}".encode(), 32)


def work_key(main: bytes, day: date) -> bytes:
    return derive(main, "work", f"{day:%Y%m%d}".encode(), 32)


def request_mac(key: bytes, *, time: int, method: str, path: str, body: bytes) -> bytes:
    return hmac_sm3(key, f"{time}\n{method}\n{path}\n".encode() + sm3(body))
