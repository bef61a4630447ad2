"""Holders compared per second with one source over the real line, beside a bare SQL scan of the same rows.

Bar: 1,000 holders a second, sealed fields opened, looks written, positions stored: a slice of 100,000 each ten minutes,
with which ninety million are gone round in a week, takes a sixth of that time. What a source enters is followed apart.
Run: python bench/matching.py [holders]. On DATABASE_URL's server, else on an embedded one that is thrown away.
"""

import contextlib
import json
import os
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "src")]

HOLDERS = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
CHANGED = 2_000
BAR = 1_000
NAME = "yikatong_bench_matching"
RESULT = Path(__file__).with_name("results") / "matching.json"
COLUMNS = "id, name, social_security_number, phone, division_code, ground, status, birth_date"


@contextlib.contextmanager
def server() -> Iterator[str]:
    """Address of a server where a database may be made."""
    if url := os.environ.get("DATABASE_URL"):
        yield url
        return
    from yikatong.runtime.postgres import Cluster

    with tempfile.TemporaryDirectory(prefix="ykt-") as name:
        home = Path(name)
        home.chmod(0o755)
        with Cluster(home).opened() as address:
            yield address


@contextlib.contextmanager
def database() -> Iterator[str]:
    """An empty database with all tables; dropped at the end."""
    with server() as address, psycopg.connect(address, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {NAME} WITH (FORCE)")
        connection.execute(f"CREATE DATABASE {NAME}")
        parts = conninfo_to_dict(address) | {"dbname": NAME}
        query = "&".join(f"{key}={value}" for key, value in parts.items())
        os.environ["DATABASE_URL"] = f"postgresql:///{NAME}?{query}"
        os.environ["DJANGO_SETTINGS_MODULE"] = "yikatong.site.settings"
        try:
            yield os.environ["DATABASE_URL"]
        finally:
            from django.db import connections

            connections.close_all()
            connection.execute(f"DROP DATABASE {NAME} WITH (FORCE)")


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
    with tempfile.TemporaryDirectory(prefix="ykt-home-") as home, database() as dsn:
        os.environ |= {"YIKATONG_HOME": home}
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
