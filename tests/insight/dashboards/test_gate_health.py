import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import ClassVar

import pytest

from yikatong.insight.dashboards import gate_health
from yikatong.insight.dashboards.gate_health import (
    UNKNOWN,
    GateHealth,
    GateWatch,
    Sample,
    judge,
    parse,
    quantile,
)


def exposition(quick: int, slow: int, failures: int = 0) -> str:
    total = quick + slow
    return (
        "# TYPE yikatong_gate_requests counter\n"
        f'yikatong_gate_requests_total{{endpoint="verify",status="200"}} {total - failures}\n'
        f'yikatong_gate_requests_total{{endpoint="verify",status="503"}} {failures}\n'
        "# TYPE yikatong_gate_request_seconds histogram\n"
        f'yikatong_gate_request_seconds_bucket{{le="0.01"}} {quick}\n'
        f'yikatong_gate_request_seconds_bucket{{le="0.05"}} {total}\n'
        f'yikatong_gate_request_seconds_bucket{{le="+Inf"}} {total}\n'
        f"yikatong_gate_request_seconds_count {total}\nyikatong_gate_request_seconds_sum 1\n"
    )


def test_quantile_is_linear_within_a_bucket() -> None:
    buckets = ((0.01, 90.0), (0.05, 100.0), (float("inf"), 100.0))
    assert quantile(0.95, buckets) == pytest.approx(0.03)
    assert quantile(0.45, buckets) == pytest.approx(0.005)


def test_beyond_the_last_bound_the_last_bound_is_said() -> None:
    assert quantile(0.95, ((0.01, 1.0), (5.0, 2.0), (float("inf"), 100.0))) == 5.0


def test_of_nothing_nothing_is_known() -> None:
    assert quantile(0.95, ()) is None
    assert quantile(0.95, ((0.01, 0.0), (float("inf"), 0.0))) is None
    assert judge(parse(exposition(0, 0), 0)) == GateHealth(reachable=True)


def test_only_the_time_between_readings_counts() -> None:
    older, newer = parse(exposition(1000, 0), 0), parse(exposition(1000, 100, failures=5), 60)
    health = judge(newer.since(older))

    assert health.p95_ms == pytest.approx(48.0)
    assert health.answered_share == pytest.approx(0.95)


def test_a_gate_started_anew_is_judged_from_its_start() -> None:
    older, newer = parse(exposition(1000, 0), 0), parse(exposition(10, 0), 60)
    assert newer.since(older) == newer


def test_another_program_on_the_address_is_no_gate() -> None:
    with pytest.raises(ValueError, match="没有网关的指标"):
        parse("# nothing here\nup 1\n", 0)


@pytest.fixture
def gate() -> Iterator[tuple[str, type]]:
    class Answers(BaseHTTPRequestHandler):
        body: ClassVar[str] = exposition(95, 5)
        asked: ClassVar[int] = 0

        def do_GET(self) -> None:
            type(self).asked += 1
            self.send_response(200)
            self.end_headers()
            self.wfile.write(self.body.encode())

        def log_message(self, *_: object) -> None: ...

    server = HTTPServer(("127.0.0.1", 0), Answers)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/metrics", Answers
    server.shutdown()
    thread.join()
    server.server_close()


def test_the_gate_is_read_at_most_every_ten_seconds(gate: tuple[str, type]) -> None:
    url, answers = gate
    watch = GateWatch(url)

    assert watch.health() == watch.health() == GateHealth(True, pytest.approx(10.0), 1.0)
    assert answers.asked == 1  # type: ignore[attr-defined]


def test_what_cannot_be_reached_is_unknown() -> None:
    assert GateWatch("http://127.0.0.1:9/metrics").health() == UNKNOWN == GateHealth(reachable=False)


def test_readings_are_kept_for_five_minutes(gate: tuple[str, type], monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]
    monkeypatch.setattr(gate_health.time, "monotonic", lambda: clock[0])
    watch = GateWatch(gate[0])
    watch.health()
    for clock[0] in (100.0, 301.0, 312.0):
        watch.health()

    assert [sample.read_at for sample in watch._samples] == [100.0, 301.0, 312.0]
    assert isinstance(watch._samples[0], Sample)
