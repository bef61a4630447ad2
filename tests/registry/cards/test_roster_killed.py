"""`yikatong roster load`, killed with SIGKILL while it works, and begun again."""

import json
import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlencode

import pytest
from django.db import connection

from tests.registry.cards.sheets import as_csv, line
from yikatong.core.models import AuditEntry
from yikatong.registry.cards.models import Case, CaseStep, Roster, RosterFault
from yikatong.registry.holders.certificates import check_character
from yikatong.registry.holders.models import Certificate, Holder

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.faults]
ROWS, KILLS = 6_000, 3


@pytest.fixture
def db(transactional_db: None) -> None:
    """The cast's fixtures ask for `db`: the other process must see them."""


def address() -> str:
    found = connection.settings_dict
    parts = {
        "host": found["HOST"],
        "port": found["PORT"],
        "user": found["USER"],
        "password": found["PASSWORD"],
    }
    return f"postgresql:///{found['NAME']}?{urlencode({key: value for key, value in parts.items() if value})}"


def start(file: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "yikatong.cli.main", "roster", "load", str(file), "--json"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen(command, env=os.environ | {"DATABASE_URL": address()}, text=True, **pipes)  # type: ignore[call-overload,no-any-return]


def kill_while_working(file: Path) -> None:
    """Wait for a sign of progress, then SIGKILL."""
    with start(file) as process:
        assert process.stderr is not None
        for told in process.stderr:
            if told.startswith("名册"):
                process.kill()
                break


@pytest.mark.usefixtures("places", "partners")
def test_nothing_is_lost_and_nothing_doubled(tmp_path: Path) -> None:
    file = tmp_path / "名册.csv"
    born = [f"{year}0307" for year in range(1950, 2000)]
    rows = [
        line(0, 证件号码=number(serial, born), 姓名="" if serial % 50 == 0 else "王芳", 出生日期="", 性别="")
        for serial in range(ROWS)
    ]
    file.write_bytes(as_csv(*rows))
    reached = []
    for _ in range(KILLS):
        kill_while_working(file)
        reached.append(Roster.objects.get().rows_done)
        assert Case.objects.count() + RosterFault.objects.count() == reached[-1]
    with start(file) as process:
        out, _ = process.communicate(timeout=120)
    answer = json.loads(out)
    faulty = ROWS // 50
    assert (answer["rows"], answer["cases"], answer["faults"]) == (ROWS, ROWS - faulty, faulty)
    assert answer["by_code"] == {"name_missing": faulty}
    assert Holder.objects.count() == Certificate.objects.count() == Case.objects.count() == ROWS - faulty
    assert CaseStep.objects.count() == 2 * (ROWS - faulty)
    assert AuditEntry.objects.filter(event="cards:case:checked").count() == ROWS - faulty
    assert Case.objects.values("roster_row").distinct().count() == ROWS - faulty
    assert reached == sorted(reached)
    assert reached[0] < ROWS


def number(serial: int, born: list[str]) -> str:

    body = f"510107{born[serial // 400]}{serial % 400 * 2 + 2:03d}"
    return body + check_character(body)
