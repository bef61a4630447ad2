"""How the gate does, read from its own metrics: unknown where it cannot be reached, never assumed well."""

import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from urllib.error import URLError
from urllib.request import urlopen

from prometheus_client.parser import text_string_to_metric_families

WINDOW_S = 300.0
READ_EVERY_S = 10.0
TIMEOUT_S = 0.5
_TIMES, _REQUESTS = "yikatong_gate_request_seconds", "yikatong_gate_requests"


@dataclass(frozen=True, slots=True)
class Sample:
    """Counters of one reading: `buckets` cumulative by upper bound in seconds, the last one infinite."""

    read_at: float
    buckets: tuple[tuple[float, float], ...]
    requests: float
    failures: float

    def since(self, older: "Sample | None") -> "Sample":
        """What happened after `older`; all of it when the gate has been started anew in between."""
        if older is None or older.requests > self.requests or len(older.buckets) != len(self.buckets):
            return self
        pairs = zip(self.buckets, older.buckets, strict=True)
        return Sample(
            self.read_at,
            tuple((bound, count - before) for (bound, count), (_, before) in pairs),
            self.requests - older.requests,
            self.failures - older.failures,
        )


@dataclass(frozen=True, slots=True)
class GateHealth:
    """Of the last five minutes. None: unknown (not reachable) or nothing was asked."""

    reachable: bool
    p95_ms: float | None = None
    answered_share: float | None = None  # without failures of the gate's own (5xx)


UNKNOWN = GateHealth(reachable=False)


class GateWatch:
    """Reads the metrics at `url` at most every ten seconds and keeps five minutes of readings."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._samples: deque[Sample] = deque()
        self._tried_at = float("-inf")
        self._health = UNKNOWN

    def health(self) -> GateHealth:
        now = time.monotonic()
        if now - self._tried_at >= READ_EVERY_S:
            self._tried_at = now  # before reading: other threads show the last answer meanwhile
            self._health = self._read(now)
        return self._health

    def _read(self, now: float) -> GateHealth:
        try:
            # The address is the installation's own setting.
            with urlopen(self._url, timeout=TIMEOUT_S) as answer:  # noqa: S310
                sample = parse(answer.read(1_000_000).decode(), now)
        except (URLError, OSError, ValueError):
            self._samples.clear()
            return UNKNOWN
        while self._samples and now - self._samples[0].read_at > WINDOW_S:
            self._samples.popleft()
        oldest = self._samples[0] if self._samples else None
        self._samples.append(sample)
        return judge(sample.since(oldest))


def parse(text: str, read_at: float) -> Sample:
    """Read Prometheus text; raises ValueError when it is none, or not the gate's."""
    buckets, requests, failures = [], 0.0, 0.0
    for family in text_string_to_metric_families(text):
        for item in family.samples:
            if item.name == f"{_TIMES}_bucket":
                buckets.append((float(item.labels["le"]), item.value))
            elif item.name == f"{_REQUESTS}_total":
                requests += item.value
                failures += item.value if item.labels.get("status", "").startswith("5") else 0
    if not buckets:
        raise ValueError("没有网关的指标")
    return Sample(read_at, tuple(sorted(buckets)), requests, failures)


def judge(sample: Sample) -> GateHealth:
    share = 1 - sample.failures / sample.requests if sample.requests else None
    p95 = quantile(0.95, sample.buckets)
    return GateHealth(reachable=True, p95_ms=None if p95 is None else p95 * 1000, answered_share=share)


def quantile(share: float, buckets: Sequence[tuple[float, float]]) -> float | None:
    """As Prometheus' histogram_quantile: linear within a bucket, the last finite bound beyond it. Seconds."""
    if not buckets or not buckets[-1][1]:
        return None
    rank = share * buckets[-1][1]
    for (low, before), (bound, count) in pairwise([(0.0, 0.0), *buckets]):
        if count >= rank:
            return low if bound == float("inf") else low + (bound - low) * (rank - before) / (count - before)
    return None
