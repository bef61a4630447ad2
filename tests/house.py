"""A whole installation of its own, started as anyone starts one: `yikatong run` in an empty home.

Tests reach it by browser, by HTTP, by the command line and by signals, and read its database
as an auditor would.
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import psycopg

from yikatong.core.env import embedded_dsn
from yikatong.runtime.postgres import Cluster

_SOURCE = Path(__file__).parents[1] / "src"
_PROGRAM = [sys.executable, "-m", "yikatong.cli.main"]
_STOP_S_MAX = 40.0


class House:
    """One installation on free ports, with a small demonstration province; a context manager."""

    def __init__(self, *, holders: int = 200, start_s_max: float = 180.0) -> None:
        self._start_s_max = start_s_max
        # pytest's own tmp_path is closed to the account the database runs as when we are root.
        self.home = Path(tempfile.mkdtemp(prefix="ykt-house-"))
        self.home.chmod(0o755)
        self.site_port, self.gate_port, self.bank_port = _free_ports()
        self.site, self.gate = (f"http://127.0.0.1:{port}" for port in (self.site_port, self.gate_port))
        self._environment = _without_ours(os.environ) | {
            "YIKATONG_HOME": str(self.home),
            "YIKATONG_SITE_PORT": str(self.site_port),
            "YIKATONG_GATE_PORT": str(self.gate_port),
            "YIKATONG_BANK_SANDBOX_PORT": str(self.bank_port),
            "YIKATONG_DEPARTMENT_SANDBOX_DELAY_MS": "300",
            "YIKATONG_DEMO": "true",
            "YIKATONG_DEMO_HOLDERS": str(holders),
            "YIKATONG_DEMO_LIFE": "false",
            "PYTHONPATH": str(_SOURCE),
        }
        self.lines: list[str] = []
        self._news = threading.Condition()
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        shutil.rmtree(self.home, ignore_errors=True)

    def start(self) -> float:
        """Start everything and wait for «ready»; returns the seconds it took."""
        began, seen = time.monotonic(), len(self.lines)
        self._process = subprocess.Popen(
            [*_PROGRAM, "run"],
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._listener = threading.Thread(target=self._listen, args=(self._process,), daemon=True)
        self._listener.start()
        self.wait_for_line("│ ready", seen, seconds=self._start_s_max)
        return time.monotonic() - began

    def stop(self) -> int | None:
        """Ctrl-C; returns the exit code."""
        if self._process is None:
            return None
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
        try:
            code = self._process.wait(_STOP_S_MAX)
        except subprocess.TimeoutExpired:
            self._process.kill()
            raise
        finally:
            self._process = None
        self._listener.join(_STOP_S_MAX)
        return code

    def _listen(self, process: "subprocess.Popen[str]") -> None:
        assert process.stdout is not None
        with process.stdout:
            for line in process.stdout:
                with self._news:
                    self.lines.append(line.rstrip())
                    self._news.notify_all()
        with self._news:
            self._news.notify_all()

    def wait_for_line(self, words: str, since: int = 0, *, seconds: float = 30.0) -> str:
        """The first line from number `since` on that has these words; AssertionError with all lines otherwise."""

        def found() -> str | None:
            if self._process is not None and self._process.poll() not in {None, 0}:
                return "ended"
            return next((line for line in self.lines[since:] if words in line), None)

        with self._news:
            line = self._news.wait_for(found, seconds)
        assert line is not None, f"no line with «{words}»\n" + "\n".join(self.lines[-40:])
        assert line != "ended", "the installation ended\n" + "\n".join(self.lines[-40:])
        return line

    def command(self, *arguments: str, stdin: str | None = None) -> "subprocess.CompletedProcess[str]":
        """`yikatong …` beside the running installation."""
        return subprocess.run(
            [*_PROGRAM, *arguments],
            env=self._environment,
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    def person(self, role: str) -> dict[str, str]:
        """Login, name and password of one of the demonstration's people."""
        everyone: list[dict[str, str]] = json.loads((self.home / "demo.json").read_text(encoding="utf-8"))
        found = next(one for one in everyone if one["role"] == role)
        return found | {"password": found["hint"].rsplit(" ", 1)[1]}

    def ask(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """Rows of the installation's database."""
        with psycopg.connect(embedded_dsn(self.home)) as connection:
            return connection.execute(sql, values).fetchall()  # type: ignore[arg-type] # the tests' own text

    def pid_of(self, part: str) -> int:
        """Process id of «postgres», «site», «gate», «worker», «lines» or «bank»."""
        if part == "postgres":
            pid = Cluster(self.home).pid
            assert pid is not None
            return pid
        return int(json.loads((self.home / "run" / f"{part}.json").read_text())["pid"])


def wait_until(is_so: Callable[[], object], what: str, *, seconds: float = 30.0, every: float = 0.1) -> None:
    """Ask until it is so; AssertionError naming `what` when it is not in time."""
    deadline, pause = time.monotonic() + seconds, threading.Event()
    while not is_so():
        assert time.monotonic() < deadline, f"not within {seconds:.0f} s: {what}"
        pause.wait(every)


def _free_ports() -> tuple[int, int, int]:
    with socket.socket() as one, socket.socket() as two, socket.socket() as three:
        for probe in (one, two, three):
            probe.bind(("127.0.0.1", 0))
        return one.getsockname()[1], two.getsockname()[1], three.getsockname()[1]


def _without_ours(environment: "os._Environ[str]") -> dict[str, str]:
    """As a stranger's shell: neither the tests' database nor any setting of ours."""
    return {
        name: value
        for name, value in environment.items()
        if name != "DATABASE_URL" and not name.startswith(("YIKATONG_", "DJANGO_"))
    }
