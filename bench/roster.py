"""A roster of 50,000 rows, from the file to cases and faults, beside a bare COPY of the same rows.

Bar: 2,000 rows/s. Run: python -m bench.roster [rows]. Uses a database of its own: on DATABASE_URL's server, else
on an embedded one that is thrown away.
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg

from bench.database import database

ROWS = int(sys.argv[1]) if len(sys.argv) > 1 else 50_000
BAR = 2_000
NAME = "yikatong_bench_roster"
ROOT = Path(__file__).parents[1]
RESULT = Path(__file__).with_name("results") / "roster.json"
FILES = {"csv_gb18030": ["--encoding", "gb18030", "--seed", "1"], "xlsx": ["--xlsx", "--seed", "2"]}


def prepare() -> None:
    import logging

    import django
    from django.core.management import call_command

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "yikatong.site.settings")
    django.setup()
    logging.disable(logging.WARNING)
    call_command("migrate", verbosity=0)
    from yikatong.cli.demo.parties import load_banks
    from yikatong.cli.demo.plan import Loading
    from yikatong.core.clock import now
    from yikatong.registry.regions.law import province
    from yikatong.registry.regions.models import Division

    found = province()
    codes = {city.code: city.name for city in found.cities} | {found.code: found.name}
    Division.objects.bulk_create(
        Division(code=code, name=name, level=2, province_code=found.code) for code, name in codes.items()
    )
    load_banks(Loading(profile=found, at=now(), demo_file=Path()))


def timed(act: Callable[[], Any]) -> tuple[float, float, Any]:
    """Seconds on the clock, seconds of this process, and the answer."""
    clock, own = time.perf_counter(), time.process_time()
    answer = act()
    return time.perf_counter() - clock, time.process_time() - own, answer


def measure(path: Path, dsn: str) -> dict[str, float]:
    from yikatong.core import clock
    from yikatong.core.actor import SYSTEM
    from yikatong.registry.cards import rosters
    from yikatong.registry.cards.rosters import reading

    data = path.read_bytes()
    cells = [row.cells for row in reading.read(data).rows]
    copied, _, _ = timed(lambda: bare_copy(dsn, cells))
    roster = rosters.receive(data, path.name, run_now=False, by=SYSTEM, at=clock.now())
    seconds, own, done = timed(lambda: rosters.run(roster.pk, at=clock.now()))
    assert done.rows == ROWS
    assert done.cases + done.faults == ROWS
    return {
        "rows": done.rows,
        "cases": done.cases,
        "faults": done.faults,
        "rows_per_s": round(ROWS / seconds),
        "own_cpu_s": round(own, 2),
        "copy_rows_per_s": round(ROWS / copied),
        "ratio_to_copy": round(copied / seconds, 4),
        "ratio_to_bar": round(ROWS / seconds / BAR, 3),
    }


def bare_copy(dsn: str, cells: list[tuple[str, ...]]) -> None:
    columns = ", ".join(f"c{at} text" for at in range(len(cells[0])))
    with psycopg.connect(dsn) as connection, connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS plain")
        cursor.execute(f"CREATE TABLE plain ({columns})")
        with cursor.copy("COPY plain FROM STDIN") as copy:
            for row in cells:
                copy.write_row(row)


def main() -> int:
    results: dict[str, Any] = {
        "bar_rows_per_s": BAR,
        "load_before": [round(one, 2) for one in os.getloadavg()],
    }
    with tempfile.TemporaryDirectory() as folder, database(NAME) as dsn:
        prepare()
        for name, options in FILES.items():
            path = Path(folder) / name
            make = [sys.executable, str(ROOT / "scripts" / "make_roster.py"), str(path), "--rows", str(ROWS)]
            subprocess.run([*make, *options], check=True, stdout=subprocess.DEVNULL)
            found = results[name] = measure(path, dsn)
            print(
                f"{name:<12} {found['rows_per_s']:>6} rows/s ÷ {BAR} = {found['ratio_to_bar']:.2f}   "
                f"bare COPY {found['copy_rows_per_s']} rows/s, ratio {found['ratio_to_copy']:.3f}"
            )
    results["peak_rss_mb"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    results["load_after"] = [round(one, 2) for one in os.getloadavg()]
    print(
        f"peak memory {results['peak_rss_mb']} MB, load {results['load_before'][0]} → {results['load_after'][0]}"
    )
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(results, indent=2) + "\n")
    return int(min(results[name]["ratio_to_bar"] for name in FILES) < 1)


if __name__ == "__main__":
    sys.exit(main())
