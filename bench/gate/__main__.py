"""`python -m bench.gate`: measured ÷ bar, rounds interleaved, medians; writes bench/results/gate.{json,md}."""

import argparse
import contextlib
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import psycopg

from bench.gate import load, rivals, server
from bench.gate.requests_made import Maker, write

RESULTS = Path(__file__).parents[1] / "results"
MOST_A_SECOND = 14_000  # requests made ahead; more than any machine like this answers
BATCH, BATCHES = 1000, 40


@dataclass
class Samples:
    """Every round's figures by name."""

    found: dict[str, list[float]] = field(default_factory=dict)
    load: tuple[float, float, float] = field(default_factory=os.getloadavg)

    def add(self, name: str, value: float) -> None:
        self.found.setdefault(name, []).append(value)
        print(f"  {name:34} {value:12,.2f}", flush=True)

    def median(self, name: str) -> float:
        return statistics.median(self.found[name])

    def ratio(self, above: str, below: str) -> float:
        """Median of the ratios within each round: both sides had the same minute.

        What was measured several times a round counts with its mean there.
        """
        rounds = min(len(self.found[above]), len(self.found[below]))
        pairs = zip(self._by_round(above, rounds), self._by_round(below, rounds), strict=True)
        return statistics.median(a / b for a, b in pairs)

    def _by_round(self, name: str, rounds: int) -> list[float]:
        values = self.found[name]
        size = len(values) // rounds
        return [statistics.mean(values[at : at + size]) for at in range(0, len(values), size)]


def main() -> int:
    parser = argparse.ArgumentParser(prog="bench.gate")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=4)
    parser.add_argument("--home", type=Path, default=Path("var/bench-gate"))
    options = parser.parse_args()
    home = options.home.resolve()
    os.environ["YIKATONG_HOME"] = str(home)
    with server.running(home) as dsn:
        server.prepare(dsn)
        samples = _measure(dsn, home, options.rounds, options.seconds)
    return _report(samples, options)


def _measure(dsn: str, home: Path, rounds: int, seconds: int) -> Samples:
    maker, samples = Maker(server.keyset(dsn)), Samples()
    with tempfile.TemporaryDirectory() as scratch:
        run = Run(dsn, Path(scratch), maker, samples, seconds)
        with gate_running(home) as gate, django_running(home) as view:
            print("warming up, not counted", flush=True)
            warming = replace(run, samples=Samples(), seconds=1)
            warming.verify(gate, "gate", 64)
            warming.verify(view, "django", 64)
            warming.upload(gate, 4)
            for number in range(rounds):
                print(f"round {number + 1} of {rounds}", flush=True)
                for connections in (64, 32, 1):
                    run.pgbench(connections)
                    run.verify(gate, "gate", connections)
                run.verify(view, "django", 64)
                for connections in (1, 4):
                    run.copy(BATCH)
                    run.upload(gate, connections)
                run.copy(BATCH * BATCHES)
    return samples


@dataclass
class Run:
    """One benchmark's things."""

    dsn: str
    scratch: Path
    maker: Maker
    samples: Samples
    seconds: int
    offset: int = 10_000_000

    def pgbench(self, connections: int) -> None:
        script = self.scratch / "pgbench.sql"
        self.offset += 13_000_000 if self.offset < 80_000_000 else -70_000_000
        rivals.pgbench_script(script, self.offset)
        found = rivals.pgbench(self.dsn, script, connections=connections, seconds=self.seconds)
        self.samples.add(f"pgbench c{connections} /s", found.rate)
        self._empty()

    def verify(self, port: int, name: str, connections: int) -> None:
        file = self.scratch / "requests"
        made = self.seconds * (MOST_A_SECOND if connections > 1 else MOST_A_SECOND // 4)
        write(self.maker.verifies(made), file)
        found = load.drive(port, file, connections=connections, seconds=self.seconds)
        if found.failed or found.answers > made:
            raise SystemExit(f"{name}: {found.failed} failed, {found.answers} of {made}")
        stored = self._accepted()
        # wrk leaves at most one request a connection unanswered at the end
        if not found.answers <= stored <= found.answers + connections:
            raise SystemExit(f"{name}: {found.answers} acknowledged, {stored} stored")
        for figure, value in (("/s", found.rate), ("p50 ms", found.p50_ms), ("p99 ms", found.p99_ms)):
            self.samples.add(f"{name} c{connections} {figure}", value)
        self._empty()

    def copy(self, commit: int) -> None:
        uses = [(server.FIRST_TERMINAL + 1, use) for use in self.maker.offline_uses(0, BATCH * BATCHES)]
        found = rivals.copy(self.dsn, uses, commit=commit)
        self.samples.add(f"COPY {commit:,} a commit rows/s", found)
        self._empty()

    def upload(self, port: int, connections: int) -> None:
        """Batches of as many terminals at once as there are connections."""
        file = self.scratch / "batches"
        write(self.maker.batches(BATCHES, BATCH), file)
        found = load.drive_once(port, file, connections=connections)
        stored = self._accepted()
        if found.failed or found.answers != BATCHES or stored != BATCH * BATCHES:
            raise SystemExit(f"upload: {found} but {stored} rows stored")
        self.samples.add(f"upload c{connections} rows/s", BATCH * found.rate)
        self._empty()

    def _accepted(self) -> int:
        with psycopg.connect(self.dsn) as connection:
            row = connection.execute("SELECT count(*) FROM usage_use WHERE outcome = 0").fetchone()
        return int(row[0]) if row else 0

    def _empty(self) -> None:
        """Every measurement begins with the same, empty tables; the load's last requests may still be at work."""
        with psycopg.connect(self.dsn, autocommit=True) as connection:
            for _ in range(20):
                with contextlib.suppress(psycopg.errors.DeadlockDetected):
                    connection.execute("TRUNCATE usage_use, usage_shown")
                    return
        raise SystemExit("the tables could not be emptied")


@contextmanager
def gate_running(home: Path) -> Iterator[int]:
    yield from _granian(home, "rsgi", "yikatong.gate.app:app", "--workers", "1", "--loop", "uvloop")


@contextmanager
def django_running(home: Path) -> Iterator[int]:
    options = ("--workers", "2", "--blocking-threads", "8")
    yield from _granian(home, "wsgi", "bench.gate.django_view:app", *options)


def _granian(home: Path, interface: str, target: str, *options: str) -> Iterator[int]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [
        sys.executable, "-m", "granian", "--interface", interface, target, "--host", "127.0.0.1",
        "--port", str(port), "--no-ws", "--log-level", "warning", *options,
    ]  # fmt: skip
    environment = {**os.environ, "YIKATONG_HOME": str(home), "YIKATONG_LOG_LEVEL": "WARNING"}
    process = subprocess.Popen(command, env=environment)
    try:
        _wait(port)
        yield port
    finally:
        process.terminate()
        process.wait(20)


def _wait(port: int) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=1)
        except urllib.error.HTTPError:
            return  # it answers, if only that it knows no such address
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise SystemExit("the server did not answer")


def _report(samples: Samples, options: argparse.Namespace) -> int:
    each, once = (f"COPY {commit:,} a commit rows/s" for commit in (BATCH, BATCH * BATCHES))
    bars = [
        ("verify c64 ÷ pgbench one row c64", samples.ratio("gate c64 /s", "pgbench c64 /s"), 0.8, True),
        ("verify c32 ÷ pgbench one row c32", samples.ratio("gate c32 /s", "pgbench c32 /s"), None, True),
        ("verify c1 ÷ pgbench one row c1", samples.ratio("gate c1 /s", "pgbench c1 /s"), None, True),
        ("verify c64 ÷ Django view c64", samples.ratio("gate c64 /s", "django c64 /s"), 5.0, True),
        ("verify c64 p99, ms", samples.median("gate c64 p99 ms"), 25.0, False),
        ("verify c1 p50, ms", samples.median("gate c1 p50 ms"), None, False),
        ("upload c4 ÷ COPY 1,000 rows a commit", samples.ratio("upload c4 rows/s", each), 0.5, True),
        ("upload c1 ÷ COPY 1,000 rows a commit", samples.ratio("upload c1 rows/s", each), None, True),
        ("upload c4 ÷ COPY in one commit", samples.ratio("upload c4 rows/s", once), None, True),
    ]  # fmt: skip
    lines = ["| promise | measured | bar | measured ÷ bar | |", "|---|---|---|---|---|"]
    failed = 0
    for name, value, bar, more_is_better in bars:
        met = bar is None or (value >= bar if more_is_better else value <= bar)
        failed += not met
        sign = "" if bar is None else "≥" if more_is_better else "≤"
        share = "" if bar is None else f"{value / bar:.2f}"
        lines.append(
            f"| {name} | {value:.2f} | {sign} {bar or '—'} | {share} | {'ok' if met else 'MISSED'} |"
        )
    lines += ["", "| figure | median | rounds |", "|---|---|---|"]
    for name, values in samples.found.items():
        lines.append(
            f"| {name} | {statistics.median(values):,.2f} | {', '.join(f'{v:,.1f}' for v in values)} |"
        )
    text = "\n".join(lines)
    print(f"\n{text}")
    RESULTS.mkdir(parents=True, exist_ok=True)
    when = datetime.now(UTC).isoformat(timespec="minutes")
    head = (
        f"# The gate, measured {when}\n\n`python -m bench.gate --rounds {options.rounds} "
        f"--seconds {options.seconds}` on {os.cpu_count()} cores; load, gate and database share them, at "
        f"niceness {os.nice(0)}.\nThe machine's load average was {samples.load[0]:.1f} before and "
        f"{os.getloadavg()[0]:.1f} after; whatever else ran took its share.\n\n"
        "A second of each is not counted: plans, buffers and keys are there, as on a day at work.\n"
        f"COPY goes over one connection into both tables with all their indexes, evidence included, fsync on.\n"
        f"c1 and c4: terminals handing in batches of {BATCH:,} at the same time.\n\n"
    )
    (RESULTS / "gate.md").write_text(f"{head}{text}\n")
    names = ("name", "value", "bar", "more_is_better")
    facts = {
        "at": when,
        "load_average": {"before": samples.load[0], "after": os.getloadavg()[0], "niceness": os.nice(0)},
        "bars": [dict(zip(names, bar, strict=True)) for bar in bars],
        "samples": samples.found,
    }
    (RESULTS / "gate.json").write_text(json.dumps(facts, ensure_ascii=False, indent=1) + "\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
