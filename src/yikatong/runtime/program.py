"""One supervised program: its process group, its output line by line, its rotated log, its record on disk."""

import json
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from yikatong.runtime.leash import leash

LOG_SIZE_MAX = 10_000_000
LOGS_KEPT = 3
_READ_MAX = 65_536


@dataclass(frozen=True)
class Program:
    """What to run. `health_url` answers 200 when it is ready; `grace_s` is its time to stop after SIGTERM."""

    name: str
    command: Sequence[str]
    health_url: str = ""
    health_host: str = ""  # Host header, where the program answers only to its public name
    environment: Mapping[str, str] = field(default_factory=dict)
    grace_s: float = 10.0


class RotatedLog:
    """Append-only file; past `LOG_SIZE_MAX` bytes it becomes `.1`, older ones `.2` and so on."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o750)
        self._file = path.open("ab")

    def write(self, content: bytes) -> None:
        self._file.write(content)
        self._file.flush()
        if self._file.tell() > LOG_SIZE_MAX:
            self._rotate()

    def close(self) -> None:
        self._file.close()

    def _rotate(self) -> None:
        self._file.close()
        for number in range(LOGS_KEPT - 1, 0, -1):
            older = self.path.with_name(f"{self.path.name}.{number}")
            if older.exists():
                older.replace(self.path.with_name(f"{self.path.name}.{number + 1}"))
        self.path.replace(self.path.with_name(f"{self.path.name}.1"))
        self._file = self.path.open("ab")


class Running:
    """A started program. Call `start` from the main thread: the child is leashed to the calling thread."""

    def __init__(self, program: Program, *, log_dir: Path, run_dir: Path) -> None:
        self._record = run_dir / f"{program.name}.json"
        self._log = RotatedLog(log_dir / f"{program.name}.log")
        self._rest = b""
        environment = {**os.environ, "PYTHONUNBUFFERED": "1", **program.environment}
        self.process = subprocess.Popen(
            list(program.command), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            env=environment, process_group=0,
            preexec_fn=leash(signal.SIGTERM),  # noqa: PLW1509 - two system calls
        )  # fmt: skip
        assert self.process.stdout is not None  # noqa: S101 - a pipe was asked for
        self.output = self.process.stdout
        os.set_blocking(self.output.fileno(), False)
        record = {"pid": self.process.pid, "created": psutil.Process(self.process.pid).create_time()}
        self._record.write_text(json.dumps(record))

    def read_lines(self) -> list[str]:
        """Whole lines that arrived since the last call, also written to the log; never blocks."""
        content = self.output.read(_READ_MAX) or b""
        self._log.write(content)
        *lines, self._rest = (self._rest + content).split(b"\n")
        return [line.decode(errors="replace") for line in lines]

    def ask_to_stop(self) -> None:
        """SIGTERM to the program alone; it stops its own workers."""
        if self.process.poll() is None:
            self.process.terminate()

    def kill_group(self) -> None:
        """SIGKILL to whatever is left of the process group."""
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            return

    def close(self) -> None:
        """End the rest of the group, forget the record, close the files."""
        self.kill_group()
        self.process.wait()
        self._record.unlink(missing_ok=True)
        self.output.close()
        self._log.close()
