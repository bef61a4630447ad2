"""Keys of a terminal and the MAC of its requests: the half that terminal and platform share.

Imports nothing but `core.sm` and the standard library (docs/spec/gate-v1.md, Keys and request authentication).
A terminal has one main key, got at enrolment, and uses it once a day, to sign in and to open the day's work
key; all else is under the work key. Keys have 32 bytes.
"""

import re
from datetime import date
from typing import Final

from yikatong.core.sm import sm4
from yikatong.core.sm.kdf import derive
from yikatong.core.sm.sm3 import hmac_sm3, sm3

KEY: Final = 32
_SEALING: Final = 16


def request_mac(key: bytes, *, time: int, method: str, path: str, body: bytes) -> bytes:
    """32 bytes over `time` (unix seconds), method, path with its query, and body, exactly as sent."""
    return hmac_sm3(key, f"{time}\n{method}\n{path}\n".encode() + sm3(body))


def sign_in_key(main: bytes) -> bytes:
    """The key of the sign-in request's MAC."""
    return derive(main, "yikatong terminal v1 sign-in", length=KEY)


def seal_work_key(main: bytes, work: bytes, *, number: int, day: date) -> bytes:
    """The work key as the platform's answer to a sign-in carries it: SM4-GCM, 60 bytes."""
    return sm4.seal(_work_sealing(main), work, _work_place(number, day))


def open_work_key(main: bytes, sealed: bytes, *, number: int, day: date) -> bytes:
    """The work key of `day`; SealBroken when it is another terminal's, another day's, or altered."""
    return sm4.open_sealed(_work_sealing(main), sealed, _work_place(number, day))


def seal_main_key(code: str, main: bytes, *, number: int, generation: int) -> bytes:
    """The main key as the answer to an enrolment carries it, under the enrolment code: SM4-GCM, 60 bytes."""
    return sm4.seal(_code_sealing(code), main, _main_place(number, generation))


def open_main_key(code: str, sealed: bytes, *, number: int, generation: int) -> bytes:
    """The main key; SealBroken when code, number or generation differ."""
    return sm4.open_sealed(_code_sealing(code), sealed, _main_place(number, generation))


def spelt(code: str) -> str:
    """An enrolment code without the spaces, hyphens and small letters people type."""
    return re.sub(r"[\s-]", "", code).upper()


def _code_sealing(code: str) -> bytes:
    return derive(sm3(spelt(code).encode()), "yikatong terminal v1 enrol", length=_SEALING)


def _work_sealing(main: bytes) -> bytes:
    return derive(main, "yikatong terminal v1 work", length=_SEALING)


def _main_place(number: int, generation: int) -> bytes:
    return f"{number:012d}|{generation}".encode()


def _work_place(number: int, day: date) -> bytes:
    return f"{number:012d}|{day:%Y%m%d}".encode()
