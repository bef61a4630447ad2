"""Counts of the gate for Prometheus. Plain numbers on the hot path; the exposition is made when asked for."""

from collections import Counter
from collections.abc import Callable, Iterator

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

_BOUNDS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0)


class Metrics(Collector):
    """`requests` by (endpoint, status), `uses` by (mode, reason name), `refusals` by reason name, time to answer."""

    def __init__(self, waiting: Callable[[], int]) -> None:
        self.requests: Counter[tuple[str, int]] = Counter()
        self.uses: Counter[tuple[str, str]] = Counter()
        self.refusals: Counter[str] = Counter()
        self._buckets: Counter[int] = Counter()
        self._seconds = 0.0
        self._waiting = waiting
        self._registry = CollectorRegistry()
        self._registry.register(self)

    def answered(self, endpoint: str, status: int, seconds: float) -> None:
        self.requests[endpoint, status] += 1
        self._seconds += seconds
        self._buckets[next((n for n, bound in enumerate(_BOUNDS_S) if seconds <= bound), len(_BOUNDS_S))] += 1

    def collect(self) -> Iterator[Metric]:
        requests = CounterMetricFamily(
            "yikatong_gate_requests", "Requests answered", labels=["endpoint", "status"]
        )
        for (endpoint, status), count in self.requests.items():
            requests.add_metric([endpoint, str(status)], count)
        uses = CounterMetricFamily("yikatong_gate_uses", "Uses recorded", labels=["mode", "outcome"])
        for labels, count in self.uses.items():
            uses.add_metric(list(labels), count)
        refusals = CounterMetricFamily("yikatong_gate_refusals", "Requests refused", labels=["reason"])
        for name, count in self.refusals.items():
            refusals.add_metric([name], count)
        yield from (requests, uses, refusals, self._times())
        yield GaugeMetricFamily(
            "yikatong_gate_waiting_rows", "Uses waiting to be recorded", value=self._waiting()
        )

    def _times(self) -> Metric:
        total, buckets = 0, []
        for number, bound in enumerate([*_BOUNDS_S, "+Inf"]):
            total += self._buckets[number]
            buckets.append((str(bound), float(total)))
        times = HistogramMetricFamily("yikatong_gate_request_seconds", "Time to answer")
        times.add_metric([], buckets, self._seconds)
        return times

    def exposition(self) -> bytes:
        return generate_latest(self._registry)
