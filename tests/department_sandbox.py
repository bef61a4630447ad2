"""The sandbox departments, started as anyone starts the peers, and what a test may choose to go wrong there."""

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any, Self

import httpx
import psycopg

from yikatong.adapters.department_api.channels import wire
from yikatong.adapters.signed_http import Wire
from yikatong.core import env
from yikatong.registry.joint.plans import DEPARTMENTS

_SOURCE = Path(__file__).parents[1] / "src"
_START_S_MAX = 30.0


class Departments:
    """A process of its own on a free port; a context manager."""

    def __init__(self, home: Path, dsn: str) -> None:
        self._home, self._dsn = home, dsn
        with closing(socket.socket()) as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.key_file = home / "keys" / "department-sandbox.key"
        self.key = env.secret_file(self.key_file, 32)
        wrong = home / "keys" / "wrong.key"
        env.secret_file(wrong, 32)
        self.channels = self._write("departments.toml", self.url, self.key_file)
        self.wrong_key = self._write("wrong.toml", self.url, wrong)
        self.nowhere = self._write("nowhere.toml", "http://127.0.0.1:1", self.key_file)

    def _write(self, name: str, url: str, key_file: Path) -> Path:
        path = self._home / name
        entry = '[departments.{}]\nurl = "{}"\nkey_file = "{}"\nanswer_s = 0.8\n'
        path.write_text("".join(entry.format(one, url, key_file) for one in DEPARTMENTS))
        return path

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(timeout=20)

    def start(self) -> None:
        ours = {
            "YIKATONG_HOME": str(self._home),
            "YIKATONG_BANK_SANDBOX_PORT": str(self.port),
            "YIKATONG_DEPARTMENT_SANDBOX_DELAY_MS": "0",
            "DATABASE_URL": self._dsn,
            "PYTHONPATH": str(_SOURCE),
        }
        command = [sys.executable, "-m", "yikatong.cli.main", "bank", "serve"]
        self._process = subprocess.Popen(
            command, env=os.environ | ours, stderr=subprocess.DEVNULL, start_new_session=True
        )
        deadline = time.monotonic() + _START_S_MAX
        while not self._answers():
            assert self._process.poll() is None, "the sandbox departments ended"
            assert time.monotonic() < deadline, "the sandbox departments do not start"

    def kill(self) -> None:
        """As a machine that loses its power: the whole group, its workers too."""
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(timeout=20)
        assert not self._answers()

    def _answers(self) -> bool:
        try:
            return httpx.get(f"{self.url}/healthz", timeout=1, trust_env=False).status_code == 200
        except httpx.TransportError:
            return False

    @property
    def wire(self) -> Wire:
        return wire(self.url, self.key, answer_s=5)

    def goes_wrong(self, kind: str, key: str = "*", **more: Any) -> None:
        """timeout, lost, refuse, correct, slow or away, the next `times` times; held back longer than a channel waits."""
        self.wire.post("/department/v1/faults", {"kind": kind, "what": key, "hold_s": 1.2} | more)

    def begins_anew(self) -> None:
        """No matter, no request, nothing that goes wrong."""
        with psycopg.connect(self._dsn) as connection:
            connection.execute(
                "TRUNCATE peer_department.item, peer_department.request, peer_department.chosen_fault"
            )

    def forget(self, item: str) -> None:
        """They have lost a matter with every word about it."""
        with psycopg.connect(self._dsn) as connection:
            connection.execute("DELETE FROM peer_department.request WHERE item = %s", (item,))
            connection.execute("DELETE FROM peer_department.item WHERE name = %s", (item,))

    def decide_now(self) -> None:
        """Whatever they still think about is decided when they are asked next."""
        with psycopg.connect(self._dsn) as connection:
            connection.execute("UPDATE peer_department.item SET decides_at = now()")

    def times_received(self, number: str) -> int:
        """How often they have seen this request, in their own book."""
        with psycopg.connect(self._dsn) as connection:
            row = connection.execute(
                "SELECT times FROM peer_department.request WHERE number = %s", (number,)
            ).fetchone()
        return int(row[0]) if row else 0
