"""Killed at any moment: a sequence shown is recorded, none is given twice, no code passes twice."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.terminal.device import Phone, Province, signed_in
from yikatong.terminal.store import Store
from yikatong.using.codes.pass_ import Limits

pytestmark = pytest.mark.faults

MAIN = "from yikatong.cli.main import app; app()"
MANY = Limits(per_use_fen=500, total_fen=100_000, uses=255)


def watching(path: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", MAIN, "terminal", "watch", "--offline", "--json", "--store", str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )


@pytest.mark.clause("C2")
def test_kill_between_decision_and_answer(path: Path, province: Province) -> None:
    signed_in(path, province, offline_uses_max=1000).close()
    phone = Phone(province, limits=MANY)
    shown: set[str] = set()
    told: list[dict[str, object]] = []
    for round_ in range(8):
        codes = [phone.show() for _ in range(12)]
        shown.update(codes)
        process = watching(path)
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write("\n".join(codes) + "\n")
        process.stdin.flush()
        # After so many answers, in the middle of the next decision.
        told += [json.loads(process.stdout.readline()) for _ in range(round_ + 1)]
        process.send_signal(signal.SIGKILL)
        told += [json.loads(line) for line in process.stdout if line.endswith("\n")]
        process.wait()
        process.stdin.close()
        process.stdout.close()
    assert all(each["accepted"] for each in told)
    sequences = [each["sequence"] for each in told]
    assert len(set(sequences)) == len(sequences) >= sum(range(1, 9))
    with Store.open(path) as store:
        rows = store.rows("SELECT sequence FROM use")
        kept = {row["sequence"] for row in rows}
        assert set(sequences) <= kept
        assert len(store.rows("SELECT 1 FROM passed")) == len(rows) <= len(shown)
        assert store.get("sequence_next") == max(kept) + 1
        assert store.rows("PRAGMA integrity_check")[0][0] == "ok"
