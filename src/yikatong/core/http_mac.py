"""HMAC-SM3 over an HTTP request and over its answer, for two systems that share a key. Knows no Django.

The answer's MAC covers the request's, so that no answer can be shown for another request.
"""

from typing import Final

from yikatong.core.sm.sm3 import hmac_sm3, sm3

TIME, MAC = "yikatong-time", "yikatong-mac"
#: How far the two clocks may stand apart, seconds.
TOLERANCE_S: Final = 120


def of_request(key: bytes, *, time: int, method: str, path: str, body: bytes) -> bytes:
    """32 bytes over `time` (unix seconds), method, path with its query, and body, exactly as sent."""
    return hmac_sm3(key, f"request\n{time}\n{method}\n{path}\n".encode() + sm3(body))


def of_answer(key: bytes, *, request: bytes, status: int, body: bytes) -> bytes:
    """32 bytes over the MAC of the request answered, the status and the body."""
    return hmac_sm3(key, f"answer\n{status}\n".encode() + request + sm3(body))
