"""The embedded PostgreSQL: from nothing to the first query, from a stop, and from kill -9. Lower is better.

Bars: cold 3 s, after kill -9 5 s. Run: python -m bench.embedded_postgres
"""

import json
import os
import signal
import statistics
import sys
import tempfile
import time
from pathlib import Path

import psycopg

from yikatong.runtime.postgres import Cluster

RUNS = 3
BARS_S = {"cold": 3.0, "warm": 3.0, "killed": 5.0}
RESULT = Path(__file__).with_name("results") / "embedded_postgres.json"


def first_query(cluster: Cluster) -> float:
    """Seconds until a statement is answered."""
    started = time.perf_counter()
    cluster.start()
    with psycopg.connect(cluster.dsn) as connection:
        connection.execute("SELECT 1")
    return time.perf_counter() - started


def commit_until_killed(cluster: Cluster) -> int:
    """Commit 1,000 rows one by one, then kill the server; returns the rows that were acknowledged."""
    acknowledged = 0
    with psycopg.connect(cluster.dsn, autocommit=True) as connection:
        connection.execute("CREATE TABLE kept (number int)")
        for number in range(1000):
            connection.execute("INSERT INTO kept VALUES (%s)", [number])
            acknowledged += 1
        assert cluster.pid is not None
        os.kill(cluster.pid, signal.SIGKILL)
    return acknowledged


def one_run() -> dict[str, float]:
    with tempfile.TemporaryDirectory(prefix="ykt-") as name:
        home = Path(name)
        home.chmod(0o755)
        cluster = Cluster(home)
        try:
            cold = first_query(cluster)
            cluster.stop()
            warm = first_query(cluster)
            acknowledged = commit_until_killed(cluster)
            killed = first_query(cluster)
            with psycopg.connect(cluster.dsn) as connection:
                row = connection.execute("SELECT count(*) FROM kept").fetchone()
            assert row == (acknowledged,), f"acknowledged {acknowledged}, found {row}"
        finally:
            cluster.stop()
    return {"cold": cold, "warm": warm, "killed": killed}


def main() -> int:
    runs = [one_run() for _ in range(RUNS)]
    results = {}
    for name, bar in BARS_S.items():
        measured = statistics.median(run[name] for run in runs)
        results[name] = {
            "measured_s": round(measured, 3),
            "bar_s": bar,
            "ratio": round(measured / bar, 3),
            "runs_s": [round(run[name], 3) for run in runs],
        }
        print(f"{name:<8} {measured:6.2f} s ÷ {bar:.1f} s = {measured / bar:.2f}  ({len(runs)} runs)")
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(results, indent=2) + "\n")
    return int(any(result["ratio"] > 1 for result in results.values()))


if __name__ == "__main__":
    sys.exit(main())
