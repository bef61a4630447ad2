"""Ends what a killed supervisor left: from its records, checked by start time, and by a guardian beside it.

Run as a program (`python -m yikatong.runtime.leftovers RUN_DIR`) it is that guardian: it waits until its
supervisor says goodbye or dies. It holds the supervisor's lock too, so that the next start waits for it.
"""

import contextlib
import json
import os
import signal
import sys
import time
from pathlib import Path

import psutil

from yikatong.runtime.claim import started_at

FAREWELL = b"stopped"
_GRACE_S = 3.0
_POLL_S = 0.05


def end_all(run_dir: Path) -> list[str]:
    """End every process group recorded in `run_dir` (SIGTERM, then SIGKILL); return the names found alive."""
    groups = {path: _members(path) for path in sorted(run_dir.glob("*.json"))}
    alive = [process for members in groups.values() for process in members]
    for number in (signal.SIGTERM, signal.SIGKILL):
        for process in alive:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.send_signal(number)
        alive = _wait(alive)
    for path in groups:
        path.unlink(missing_ok=True)
    return [path.stem for path, members in groups.items() if members]


def _members(record: Path) -> list[psutil.Process]:
    """Living processes of the recorded group; none when its number now belongs to somebody else."""
    try:
        found = json.loads(record.read_text())
        pid, created = int(found["pid"]), float(found["created"])
    except (ValueError, KeyError, FileNotFoundError):
        return []
    if psutil.pid_exists(pid) and not started_at(pid, created):
        return []
    return [process for process in psutil.process_iter() if _belongs(process, pid, created)]


def _belongs(process: psutil.Process, group: int, created: float) -> bool:
    try:
        return os.getpgid(process.pid) == group and process.create_time() >= created - 1
    except (ProcessLookupError, psutil.NoSuchProcess):
        return False


def _wait(processes: list[psutil.Process]) -> list[psutil.Process]:
    deadline = time.monotonic() + _GRACE_S
    while processes and time.monotonic() < deadline:
        processes = [p for p in processes if p.is_running() and _status(p) != psutil.STATUS_ZOMBIE]
        time.sleep(_POLL_S if processes else 0)
    return processes


def _status(process: psutil.Process) -> str:
    try:
        return str(process.status())
    except psutil.NoSuchProcess:
        return str(psutil.STATUS_ZOMBIE)


def main() -> None:
    """Guard the supervisor at the other end of standard input."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    if sys.stdin.buffer.read() != FAREWELL:
        end_all(Path(sys.argv[1]))


if __name__ == "__main__":
    main()
