"""Holders compared per second with one source over the real line, beside a bare SQL scan of the same rows.

Bar: 1,000 holders a second, sealed fields opened, looks written, positions stored: a slice of 100,000 each ten minutes,
with which ninety million are gone round in a week, takes a sixth of that time. What a source enters is followed apart.
Run: python -m bench.matching [holders]. On DATABASE_URL's server, else on an embedded one that is thrown away.
"""

import json
import os
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import psycopg

from bench.database import database

ROOT = Path(__file__).parents[1]

HOLDERS = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
CHANGED = 2_000
BAR = 1_000
NAME = "yikatong_bench_matching"
RESULT = Path(__file__).with_name("results") / "matching.json"
COLUMNS = "id, name, social_security_number, phone, division_code, ground, status, birth_date"


def load() -> None:
    """Invented people, each with a number of his own."""
    import logging
    from datetime import date

    import django
    from django.core.management import call_command

    django.setup()
    logging.disable(logging.WARNING)
    call_command("migrate", verbosity=0)
    from yikatong.core.clock import day_of, now
    from yikatong.registry.holders.actions import social_security_index
    from yikatong.registry.holders.models import Holder
    from yikatong.using.usage.tasks import prepare

    prepare(day_of(now()))
    for first in range(0, HOLDERS, 5_000):
        Holder.objects.bulk_create(
            Holder(
                name="王芳",
                social_security_number=number(serial),
                social_security_index=social_security_index(number(serial)),
                sex="2",
                birth_date=date(1990, 3, 7),
                division_code="510107",
                phone="13900000001",
                ground="residence",
                created_at=now(),
            )
            for serial in range(first, min(first + 5_000, HOLDERS))
        )


def number(serial: int) -> str:
    return f"{510107199003070000 + serial:018d}"


def rate(rows: int, seconds: float) -> int:
    return round(rows / seconds)


def measure(dsn: str, url: str) -> dict[str, Any]:
    from yikatong.core.clock import now
    from yikatong.registry.matching import comparing
    from yikatong.registry.matching.source import sources

    scanned = bare_scan(dsn)
    source = sources()["population"]
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began, own = time.perf_counter(), time.process_time()
    done = comparing.compare("population", source, limit=HOLDERS, at=now())
    seconds, own = time.perf_counter() - began, time.process_time() - own
    assert done.compared == HOLDERS, done
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory
    with psycopg.connect(dsn) as connection:
        connection.execute(
            "INSERT INTO peer_sources.entry (register, number, name, known, facts)"
            " SELECT 'population', (510107199003070000 + n)::text, '王小芳', true, '{}' FROM generate_series(0, %s) n",
            (min(CHANGED, HOLDERS) - 1,),
        )
    began = time.perf_counter()
    followed = comparing.follow("population", source, limit=HOLDERS, at=now())
    follow_s = time.perf_counter() - began
    assert followed.compared == min(CHANGED, HOLDERS), followed
    return {
        "holders": HOLDERS,
        "compared_per_s": rate(HOLDERS, seconds),
        "own_cpu_s": round(own, 2),
        "differing": done.opened,
        "followed_per_s": rate(followed.compared, follow_s),
        "scan_per_s": rate(HOLDERS, scanned),
        "ratio_to_scan": round(scanned / seconds, 4),
        "memory_grown_mb": grown // 1024,
        "bar_per_s": BAR,
        "ratio_to_bar": round(HOLDERS / seconds / BAR, 2),
        "line": url,
    }


def bare_scan(dsn: str) -> float:
    """Seconds to read the same rows in the same pages, and do nothing with them."""
    from yikatong.registry.matching.comparing import CHUNK

    began = time.perf_counter()
    with psycopg.connect(dsn) as connection:
        last, seen = "00000000-0000-0000-0000-000000000000", 0
        page = (
            f"SELECT {COLUMNS} FROM holders_holder WHERE status = 'active' AND id > %s ORDER BY id LIMIT %s"
        )
        while rows := connection.execute(page, (last, CHUNK)).fetchall():
            last, seen = rows[-1][0], seen + len(rows)
        assert seen == HOLDERS
    return time.perf_counter() - began


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="ykt-home-") as home, database(NAME):
        os.environ |= {"YIKATONG_HOME": home}
        dsn = os.environ["DATABASE_URL"]
        load()
        from tests.bank_sandbox import Sandbox
        from yikatong.core import env

        with Sandbox(Path(home), dsn) as peer:
            os.environ["YIKATONG_SOURCES_FILE"] = str(peer.sources_file)
            env.load.cache_clear()
            found = measure(dsn, "signed HTTP to a process of its own, no delay")
    RESULT.write_text(json.dumps(found, ensure_ascii=False, indent=1) + "\n")
    print(json.dumps(found, ensure_ascii=False, indent=1))
    return int(found["compared_per_s"] < BAR)


if __name__ == "__main__":
    raise SystemExit(main())
