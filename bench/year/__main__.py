"""A year of a city, by the acts themselves, and every invariant asked at the end. Minutes, lower is better.

Bar: ten minutes for 200,000 holders and 365 days. Beside it, in the same run, what the database commits of nothing
but one row (pgbench, as many clients as there are shards).
Run: python -m bench.year [--holders 200000] [--days 365] [--shards 2]. Uses a database of its own: on DATABASE_URL's
server, else on an embedded one that is thrown away.
"""

import argparse
import json
import logging
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from datetime import time as hour
from pathlib import Path
from typing import Any

import psycopg

from bench.database import database

BAR_MINUTES, BAR_HOLDERS, BAR_DAYS = 10.0, 200_000, 365
FIRST = date(2026, 1, 1)
NAME = "yikatong_bench_year"
RESULT = Path(__file__).parents[1] / "results" / "year.json"
COMMIT_S = 5
_ONE_ROW = "INSERT INTO bench_commit VALUES (1);\n"


def prepare() -> None:
    import django
    from django.core.management import call_command

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "yikatong.site.settings")
    django.setup()
    logging.disable(logging.WARNING)
    from django.conf import settings

    settings.CARD_PRINTER = "yikatong.adapters.card_maker.printer.SandboxPrinter"
    call_command("migrate", verbosity=0)


def commits_a_second(dsn: str, clients: int) -> float:
    """One row a commit, and nothing else."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS bench_commit (n int)")
    program = shutil.which("pgbench") or next(
        (str(one) for one in Path("/usr/lib/postgresql").glob("*/bin/pgbench")), None
    )
    if program is None:
        return _by_hand(dsn)
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as script:
        script.write(_ONE_ROW)
        script.flush()
        run = [
            program,
            "-n",
            "-c",
            str(clients),
            "-j",
            str(clients),
            "-T",
            str(COMMIT_S),
            "-f",
            script.name,
            dsn,
        ]
        said = subprocess.run(run, check=True, capture_output=True, text=True).stdout
    return next(float(line.split()[2]) for line in said.splitlines() if line.startswith("tps"))


def _by_hand(dsn: str) -> float:
    count, ends = 0, time.perf_counter() + COMMIT_S
    with psycopg.connect(dsn, autocommit=True) as connection:
        while time.perf_counter() < ends:
            connection.execute(_ONE_ROW)
            count += 1
    return count / COMMIT_S


class Watch:
    """Progress for the person who waits: a line every ten days."""

    def __init__(self, days: int) -> None:
        self.days, self.done, self.acts, self.began = days, 0, 0, time.perf_counter()

    def __call__(self, day: date, ledger: Any) -> None:
        self.done += 1
        self.acts += sum(ledger.acts.values())
        if self.done % 10 == 0 or self.done == self.days:
            took = time.perf_counter() - self.began
            left = took / self.done * (self.days - self.done)
            print(
                f"{day}  {self.done}/{self.days} days, {self.acts:,} acts, {self.acts / took:,.0f} acts/s, "
                f"{took / 60:.1f} min gone, {left / 60:.1f} min to go",
                flush=True,
            )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--holders", type=int, default=BAR_HOLDERS)
    parser.add_argument("--days", type=int, default=BAR_DAYS)
    parser.add_argument("--shards", type=int, default=min(os.cpu_count() or 1, 4))
    parser.add_argument("--seed", type=int, default=2026)
    asked = parser.parse_args()
    load = os.getloadavg()
    with database(NAME) as dsn:
        prepare()
        found = measure(asked, dsn) | {"load_before": [round(one, 1) for one in load]}
    found["load_after"] = [round(one, 1) for one in os.getloadavg()]
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(found, ensure_ascii=False, indent=1) + "\n")
    show(found)
    in_time = (
        found["minutes"]["all"] <= BAR_MINUTES or found["holders"] * found["days"] != BAR_HOLDERS * BAR_DAYS
    )
    return int(bool(found["breaches"]) or not in_time)


def measure(asked: argparse.Namespace, dsn: str) -> dict[str, Any]:
    from bench.year.city import City, Plan

    before = commits_a_second(dsn, asked.shards)
    began = time.perf_counter()
    city = City(Plan(asked.holders, FIRST, shards=asked.shards, seed=asked.seed), apart=asked.shards > 1)
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")
    seeded = time.perf_counter()
    print(f"{asked.holders:,} holders moved in, {seeded - began:.0f} s", flush=True)
    days = [FIRST + timedelta(days=n) for n in range(asked.days)]
    done = city.live(days, Watch(len(days)))
    lived = time.perf_counter()
    end = datetime.combine(days[-1] + timedelta(days=1), hour(0, 30), UTC) - timedelta(hours=8)
    breaches, slowest = sound(end)
    checked = time.perf_counter()
    bare = (before + commits_a_second(dsn, asked.shards)) / 2
    acts = sum(done.acts.values())
    return {
        "bar_minutes": BAR_MINUTES,
        "holders": asked.holders,
        "days": asked.days,
        "shards": asked.shards,
        "minutes": {
            "moving_in": round((seeded - began) / 60, 2),
            "year": round((lived - seeded) / 60, 2),
            "invariants": round((checked - lived) / 60, 2),
            "all": round((checked - began) / 60, 2),
        },
        "own_cpu_minutes": round(_cpu() / 60, 2),
        "acts": acts,
        "acts_per_s": round(acts / (lived - seeded)),
        "bare_commits_per_s": round(bare),
        "acts_to_bare_commits": round(acts / (lived - seeded) / bare, 4),
        "by_act": {
            name: {"count": count, "mean_ms": round(done.seconds[name] / count * 1000, 2)}
            for name, count in done.acts.most_common()
        },
        "rows_of_sets": dict(done.rows.most_common()),
        "refusals": dict(done.refusals.most_common()),
        "breaches": breaches,
        "slowest_invariants_s": slowest,
        "database": settings_of(dsn),
        "rates": [asdict(rate) for rate in rates()],
    }


def sound(at: datetime) -> tuple[list[dict[str, Any]], dict[str, float]]:
    """All invariants at the end; and which took longest to ask."""
    from yikatong.insight.soundness import checking

    took: dict[str, float] = {}
    last = time.perf_counter()

    def note(invariant: Any, _: int) -> None:
        nonlocal last
        now = time.perf_counter()
        took[invariant.name], last = round(now - last, 1), now

    found = [asdict(one) for one in checking.breaches(at=at, progress=note)]
    return found, dict(sorted(took.items(), key=lambda one: -one[1])[:5])


def rates() -> Any:
    from bench.year.rates import RATES

    return RATES


def settings_of(dsn: str) -> dict[str, str]:
    """What decides how quick a commit is, and how large it has all become."""
    with psycopg.connect(dsn) as connection:
        names = ("server_version", "fsync", "synchronous_commit", "shared_buffers")
        found = {name: connection.execute(f"SHOW {name}").fetchone() for name in names}
        size = connection.execute("SELECT pg_size_pretty(pg_database_size(current_database()))").fetchone()
    return {name: row[0] for name, row in found.items() if row} | {"size": size[0] if size else ""}


def _cpu() -> float:
    """Seconds of this process and of those it has started and ended; the shards' while they still live are not."""
    own, ended = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + ended.ru_utime + ended.ru_stime


def show(found: dict[str, Any]) -> None:
    minutes = found["minutes"]
    print(
        f"{found['holders']:,} holders, {found['days']} days: {minutes['all']} min ÷ {BAR_MINUTES:.0f} "
        f"(moving in {minutes['moving_in']}, year {minutes['year']}, invariants {minutes['invariants']})\n"
        f"{found['acts']:,} acts, {found['acts_per_s']} acts/s ÷ {found['bare_commits_per_s']} bare commits/s "
        f"= {found['acts_to_bare_commits']}\nrefused: {sum(found['refusals'].values()):,}; "
        f"breaches: {[one['name'] for one in found['breaches']] or 'none'}"
    )


if __name__ == "__main__":
    sys.exit(main())
