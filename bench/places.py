"""What lies nearest, among 500,000 places and 20,000 outlets, by PostgreSQL's own index. Milliseconds, lower is better.

Bar: 99 of 100 searches within 50 ms; beside it, the bare kNN query of one page in the same run, and reading the table.
Run: python -m bench.places [places]   (default 500,000; half a minute to load)
"""

import json
import logging
import os
import random
import resource
import statistics
import sys
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg

from bench.database import database

NAME = "ykt_bench_places"
BAR_MS = 50.0
SEARCHES = 300
OUTLETS = 20_000
RESULT = Path(__file__).with_name("results") / "places.json"
_ID = "('01a00000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid"
#: Half of all in a tenth of the degrees, as in life; one place in a thousand is of the rare domain, none of the last.
_LIES = """(104.0 + random() * CASE WHEN n %% 2 = 0 THEN 0.5 ELSE 4 END),
    (30.0 + random() * CASE WHEN n %% 2 = 0 THEN 0.5 ELSE 4 END)"""
_LOAD = (
    """INSERT INTO catalogue_domain (code, name, "order", icon) VALUES
    ('common', '常见', 1, ''), ('rare', '少见', 2, ''), ('none', '没有', 3, '')""",
    f"""INSERT INTO regions_organisation (id, code, name, kind, division_code)
    SELECT {_ID}, 'K', '示例', 'hrss', '510000' FROM generate_series(1, 1) n""",
    f"""INSERT INTO regions_outlet (id, number, name, organisation_id, division_code, address, phone, hours, services,
      issues_at_once, is_accessible, longitude, latitude, is_open)
    SELECT {_ID}, 'O' || n, '网点 ' || n, '01a00000-0000-7000-8000-000000000001', '510107', '', '', '',
      CASE WHEN n %% 50 = 0 THEN '{{申领,注销}}' ELSE '{{申领}}' END::varchar[], n %% 3 = 0, true, {_LIES}, true
    FROM generate_series(1, %(outlets)s::int) n""",
    f"""INSERT INTO outlets_openhours (id, outlet_id, kind, opens, closes)
    SELECT gen_random_uuid(), {_ID}, kind, '09:00', CASE WHEN n %% 4 = 0 THEN '12:00' ELSE '17:00' END::time
    FROM generate_series(1, %(outlets)s::int) n, generate_series(1, 5) kind""",
    f"""INSERT INTO catalogue_place (id, number, name, kind, domain_id, keeper_id, division_code, address, hours,
      concessions, is_accessible, longitude, latitude, is_open)
    SELECT {_ID}, 'P' || n, '场所', '', CASE WHEN n %% 1000 = 0 THEN 'rare' ELSE 'common' END,
      '01a00000-0000-7000-8000-000000000001', '510107', '', '', '', true, {_LIES}, true
    FROM generate_series(1, %(places)s::int) n""",
)
_BARE = """SELECT id FROM catalogue_place WHERE is_open AND longitude IS NOT NULL AND latitude IS NOT NULL
    ORDER BY point(longitude, latitude) <-> point(%s, %s) LIMIT 20"""
_READ = """SELECT id FROM catalogue_place ORDER BY (longitude - %s) ^ 2 + (latitude - %s) ^ 2 LIMIT 20"""


def load(address: str, places: int) -> float:
    """Fill the tables; returns seconds."""
    started = time.perf_counter()
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute("SET synchronous_commit = off")
        connection.execute("SELECT setseed(0.5)")
        for statement in _LOAD:
            connection.execute(statement, {"places": places, "outlets": OUTLETS})
        connection.execute("VACUUM ANALYZE catalogue_place, regions_outlet, outlets_openhours")
    return time.perf_counter() - started


def milliseconds(act: Callable[[float, float], Any], origins: list[tuple[float, float]]) -> list[float]:
    took = []
    for x, y in origins:
        started = time.perf_counter()
        act(x, y)
        took.append((time.perf_counter() - started) * 1000)
    return took


def main() -> int:
    places = int(sys.argv[1]) if len(sys.argv) > 1 else 500_000
    dice = random.Random(1)
    origins = [
        (104 + dice.random() * reach, 30 + dice.random() * reach)
        for reach in (dice.choice((0.5, 4.0)) for _ in range(SEARCHES))
    ]
    with database(NAME) as address:
        import django
        from django.core.management import call_command

        django.setup()
        logging.disable(logging.WARNING)
        call_command("migrate", verbosity=0)
        seconds = load(address, places)
        results = {"places": places, "outlets": OUTLETS, "loaded_in_s": round(seconds), "bar_ms": BAR_MS}
        results |= measure(address, origins)
    results["load_average"] = round(os.getloadavg()[0], 1)  # of other work on the machine, too
    results["peak_rss_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    RESULT.write_text(json.dumps(results, ensure_ascii=False, indent=1) + "\n")
    return int(any(kind["p99_ms"] > BAR_MS for kind in results["searches"].values()))


def measure(address: str, origins: list[tuple[float, float]]) -> dict[str, Any]:
    from yikatong.core.clock import BEIJING
    from yikatong.registry.catalogue import queries as catalogue
    from yikatong.registry.outlets import queries as outlets
    from yikatong.registry.regions.nearest import Point, nearest

    friday = datetime(2026, 11, 20, 14, 0, tzinfo=BEIJING)
    kinds: dict[str, Callable[[float, float], Any]] = {
        "20 places": lambda x, y: nearest("catalogue_place", Point(x, y), most=20),
        "100 places": lambda x, y: catalogue.near(Point(x, y)),
        "100 places of a rare domain": lambda x, y: catalogue.near(Point(x, y), domain="rare"),
        "places of a domain that has none": lambda x, y: catalogue.near(Point(x, y), domain="none"),
        "20 outlets open now": lambda x, y: outlets.near(Point(x, y), open_now=True, at=friday, most=20),
        "20 outlets open now with a rare service": lambda x, y: outlets.near(
            Point(x, y), service="注销", open_now=True, at=friday, most=20
        ),
        "a page of 20 outlets with hours and queues": lambda x, y: outlets.shown(
            outlets.near(Point(x, y), at=friday, most=20), at=friday
        ),
    }
    searches: dict[str, Any] = {}
    with psycopg.connect(address, autocommit=True) as connection:
        read = milliseconds(lambda x, y: connection.execute(_READ, [x, y]).fetchall(), origins[:10])
        for kind, act in kinds.items():
            # Beside each search, so that the machine's other work weighs on both alike.
            bare = milliseconds(lambda x, y: connection.execute(_BARE, [x, y]).fetchall(), origins)
            searches[kind] = figures(milliseconds(act, origins), statistics.median(bare))
            p50, p99 = searches[kind]["p50_ms"], searches[kind]["p99_ms"]
            print(f"{kind:44} p50 {p50:7.2f} ms, p99 {p99:7.2f} ms ÷ {BAR_MS:.0f} ms = {p99 / BAR_MS:.2f}")
    return {
        "reading_the_table_p50_ms": round(statistics.median(read), 1),
        "searches": searches,
    }


def figures(took: list[float], bare: float) -> dict[str, float]:
    p50, p99 = statistics.median(took), statistics.quantiles(took, n=100)[98]
    return {
        "p50_ms": round(p50, 2),
        "p99_ms": round(p99, 2),
        "bare_knn_p50_ms": round(bare, 3),
        "p50_to_bare": round(p50 / bare, 1),
    }


if __name__ == "__main__":
    sys.exit(main())
