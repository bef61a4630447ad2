"""Limits in memory: how often a terminal or an address may ask, and how large a body may be."""

import time
from collections import OrderedDict
from collections.abc import Hashable

from yikatong.gate.refusal import Refusal
from yikatong.using.codes.reasons import Reason

BODY_MOST = 64 * 1024
USES_BODY_MOST = 2 * 1024 * 1024
KEYS_MOST = 100_000


class Buckets:
    """Token buckets: `rate` a second, up to `burst` at once, for each key; the longest unused are forgotten."""

    def __init__(self, *, rate: float, burst: float) -> None:
        self._rate, self._burst = rate, burst
        self._filled: OrderedDict[Hashable, tuple[float, float]] = OrderedDict()

    def take(self, key: Hashable, cost: float = 1.0) -> None:
        """Refusal(TOO_MANY_REQUESTS) with the seconds to wait."""
        tokens = self._tokens(key)
        if tokens < cost:
            raise Refusal(Reason.TOO_MANY_REQUESTS, retry_after_s=max(1, round((cost - tokens) / self._rate)))
        self._filled[key] = (time.monotonic(), tokens - cost)
        if len(self._filled) > KEYS_MOST:
            self._filled.popitem(last=False)

    def check(self, key: Hashable) -> None:
        """Refusal(TOO_MANY_REQUESTS) when the bucket is empty; takes nothing."""
        if key in self._filled and self._tokens(key) < 1:
            raise Refusal(Reason.TOO_MANY_REQUESTS, retry_after_s=max(1, round(1 / self._rate)))

    def spend(self, key: Hashable) -> None:
        """Take one, down to empty, refusing nobody: for what has already failed."""
        self._filled[key] = (time.monotonic(), max(0.0, self._tokens(key) - 1))
        if len(self._filled) > KEYS_MOST:
            self._filled.popitem(last=False)

    def _tokens(self, key: Hashable) -> float:
        at, tokens = self._filled.get(key, (0.0, self._burst))
        if key in self._filled:
            self._filled.move_to_end(key)
            return min(self._burst, tokens + (time.monotonic() - at) * self._rate)
        return self._burst
