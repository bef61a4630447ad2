"""The peers' sandbox, started as anyone starts it, on a free port, with its schemas in the database of the tests."""

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Self

import httpx

from yikatong.core import env

_SOURCE = Path(__file__).parents[1] / "src"
_START_S_MAX = 30.0


class PeerProcess:
    """A process of its own; a context manager. `key` is the one that the peer called `peer` shares with us."""

    def __init__(self, peer: str, home: Path, dsn: str) -> None:
        self._home, self._dsn = home, dsn
        with closing(socket.socket()) as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.key_file = home / "keys" / f"{peer}-sandbox.key"
        self.key = env.secret_file(self.key_file, 32)
        self._wrong_key_file = home / "keys" / "wrong.key"
        env.secret_file(self._wrong_key_file, 32)

    def __enter__(self) -> Self:
        self.start()
        return self

    def start(self) -> None:
        """Also again, after it was killed; on the same port, with the same book."""
        ours = {
            "YIKATONG_HOME": str(self._home),
            "YIKATONG_BANK_SANDBOX_PORT": str(self.port),
            "YIKATONG_BANK_SANDBOX_DELAY_MS": "0",
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
            assert self._process.poll() is None, "the sandbox ended"
            assert time.monotonic() < deadline, "the sandbox does not start"

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(timeout=20)

    def dies(self) -> None:
        """As a machine that loses its power: the process and its workers, at once."""
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(timeout=20)
        assert not self._answers()

    def _answers(self) -> bool:
        try:
            return httpx.get(f"{self.url}/healthz", timeout=1, trust_env=False).status_code == 200
        except httpx.TransportError:
            return False
