"""A card on a terminal's reader, a real gate, the key device: the whole of iReadCardBas in HSM mode."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import cast
from tests.terminal import gate_process
from tests.terminal.gate_process import GateProcess, Rider
from yikatong.core.models import Look
from yikatong.registry.cards.models import Card

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.faults]

MAIN = "from yikatong.cli.main import app; app()"


@pytest.fixture
def rider(database_dsn: str) -> Rider:
    return gate_process.rider()


@pytest.fixture
def gate(rider: Rider, database_dsn: str) -> Iterator[GateProcess]:
    with gate_process.running(database_dsn) as found:
        yield found


def yikatong(gate: GateProcess, *words: str, expect: int = 0, refused: bool = True) -> Any:
    done = subprocess.run(
        [sys.executable, "-c", MAIN, *words, "--json"],
        capture_output=True, text=True, check=False, timeout=120,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "DATABASE_URL": gate.database_url},
    )  # fmt: skip
    assert done.returncode == expect, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return json.loads((done.stderr if expect and refused else done.stdout).splitlines()[-1])


@pytest.mark.clause("E3", "O8", "B2", "G17")
def test_an_enrolled_terminal_reads_a_card_until_it_is_lost(
    rider: Rider, gate: GateProcess, tmp_path: Path
) -> None:
    card = Card.objects.get(holder=rider.holder)
    row, code = gate_process.terminal()
    store = str(tmp_path / "hall.db")
    yikatong(
        gate,
        "terminal",
        "enrol",
        "--gate",
        gate.url,
        "--number",
        str(row.number),
        "--code",
        code,
        "--store",
        store,
    )
    asked = ("card", "read", "--virtual", card.number, "--store", store)
    told = yikatong(gate, *asked)
    assert (told["name"], told["social_security_number"]) == ("王芳", cast.WANG_FANG_NUMBER)
    assert told["terminal_number"] == f"{row.number:012d}"
    assert Look.objects.get(holder_id=rider.holder.pk, purpose="终端读卡").looker_id == row.id
    wanted = ("card", "items", "3F00EF06|08|09|0A|$", "--virtual", card.number, "--store", store)
    assert yikatong(gate, *wanted) == {"items": f"3F00EF06|{cast.WANG_FANG_NUMBER}|王芳|2|$"}
    assert Look.objects.filter(holder_id=rider.holder.pk, purpose="终端读卡").count() == 2
    checked = ("card", "check", "--virtual", card.number, "--store", store)
    assert yikatong(gate, *checked)["passed"] is True
    gate_process.lose(rider.holder)
    assert yikatong(gate, *asked, expect=1)["title"] == "该卡已正式挂失。请勿放行，引导持卡人补卡"
    report = yikatong(gate, *checked, expect=1, refused=False)
    assert [(point["key"], point["message"]) for point in report["points"] if not point["passed"]] == [
        ("genuine", "平台未予认证：该卡已正式挂失"),
        ("listed", "该卡已正式挂失"),
    ]
    assert Look.objects.filter(holder_id=rider.holder.pk, purpose="终端读卡").count() == 3
