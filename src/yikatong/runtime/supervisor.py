"""Keeps the parts of one installation running: starts, shows, mends and stops them in order."""

import contextlib
import http.client
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Protocol, Self, TextIO
from urllib.parse import urlsplit

from yikatong.runtime import leftovers
from yikatong.runtime.claim import Claim
from yikatong.runtime.errors import CannotStart
from yikatong.runtime.program import Program, Running

READY_S_MAX = 60.0
_TICK_S = 0.1
_LASTED_S = 30.0  # a part that stayed up this long starts its back-off anew
_BACK_OFF_S = (0.1, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
_EARLY_DEATHS_MAX = 3
_CLAIM_WAIT_S = 20.0
_COLOURS = (36, 33, 35, 32, 34)


class Database(Protocol):
    """The database under the supervisor: started before, and stopped after, every program."""

    name: str

    def start(self) -> None: ...
    def poll(self) -> int | None: ...
    def stop(self) -> None: ...


@dataclass
class _Part:
    program: Program
    running: Running | None = None
    started: float = 0.0
    deaths: int = 0
    due: float = 0.0
    is_ready: bool = False


class Supervisor:
    """Supervises programs, and a database below them; use as a context manager, then `run`.

    Entering takes the home (`OwnedByAnother` when a supervisor runs there), ends leftovers of a killed one
    and takes over SIGINT, SIGTERM and SIGHUP; leaving stops everything, the database last.
    """

    def __init__(self, *, run_dir: Path, log_dir: Path, out: TextIO | None = None) -> None:
        self._run_dir, self._log_dir = run_dir, log_dir
        self._out = out or sys.stdout
        self._claim = Claim(run_dir / "supervisor.lock", "这个数据目录")
        self._parts: list[_Part] = []
        self._database: Database | None = None
        self._database_due, self._database_deaths = 0.0, 0
        self._selector = selectors.DefaultSelector()
        self._guardian: subprocess.Popen[bytes] | None = None
        self._handlers: dict[signal.Signals, object] = {}
        self._is_looping = False
        self._stop_requests = 0

    def __enter__(self) -> Self:
        self._claim.take(wait_s=_CLAIM_WAIT_S)
        for name in leftovers.end_all(self._run_dir):
            self.say(f"已结束上次遗留的进程：{name}")
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            self._handlers[number] = signal.signal(number, self._on_signal)
        self._guard()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_looping = True  # from here on a signal only hurries
        self._stop_programs()
        if self._database is not None:
            self._database.stop()
        self._dismiss_guardian()
        for number, handler in self._handlers.items():
            signal.signal(number, handler)  # type: ignore[arg-type] # what signal.signal gave us
        self._selector.close()
        self._claim.release()

    def take_database(self, database: Database) -> None:
        """Start the database and keep it running."""
        self._database = database
        database.start()

    def leave_database(self) -> None:
        """Forget the database: it belongs to another process."""
        self._database = None

    def add(self, program: Program) -> None:
        """A program to start with `run`, in the order of adding."""
        self._parts.append(_Part(program))

    def run(self, on_ready: Callable[[], None], *, ready_s_max: float = READY_S_MAX) -> None:
        """Start all, call `on_ready` once when every health address answers, and mend until a signal comes.

        Raises `CannotStart`, with the end of the log, when a program is not ready in `ready_s_max` seconds
        or keeps dying before it is.
        """
        self._is_looping = True
        deadline = time.monotonic() + ready_s_max
        is_announced = False
        while not self._stop_requests:
            self._mend()
            self._show_output(_TICK_S)
            if not is_announced and self._all_ready(deadline):
                is_announced = True
                on_ready()

    def say(self, line: str) -> None:
        """One line of the supervisor itself."""
        self._print("一卡通", line, 37)

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self._stop_requests += 1
        if not self._is_looping:
            raise KeyboardInterrupt

    # Mending

    def _mend(self) -> None:
        self._guard()
        now = time.monotonic()
        if self._database is not None and self._database.poll() is not None:
            self._mend_database(self._database, now)
        for part in self._parts:
            if part.running is not None and part.running.process.poll() is not None:
                self._bury(part, now)
            if part.running is None and now >= part.due:
                self._start(part, now)

    def _mend_database(self, database: Database, now: float) -> None:
        if now < self._database_due:
            return
        self.say(f"{database.name} 意外结束（{_reason(database.poll())}），正在重启")
        try:
            database.start()
        except CannotStart as error:
            self._database_due = now + _back_off(self._database_deaths)
            self._database_deaths += 1
            self.say(str(error))
        else:
            self._database_deaths = 0
            self.say(f"{database.name} 已恢复")

    def _start(self, part: _Part, now: float) -> None:
        part.running = Running(part.program, log_dir=self._log_dir, run_dir=self._run_dir)
        part.started = now
        self._selector.register(part.running.output, selectors.EVENT_READ, part)

    def _bury(self, part: _Part, now: float) -> None:
        assert part.running is not None  # noqa: S101 - the caller saw it die
        code = part.running.process.returncode
        self._let_go(part)
        if now - part.started > _LASTED_S:
            part.deaths = 0
        part.due = now + _back_off(part.deaths)
        part.deaths += 1
        self.say(f"{part.program.name} 意外结束（{_reason(code)}），{part.due - now:.1f} 秒后重启")

    def _let_go(self, part: _Part) -> None:
        if part.running is not None:
            self._show(part)
            self._selector.unregister(part.running.output)
            part.running.close()
            part.running = None

    # Health

    def _all_ready(self, deadline: float) -> bool:
        for part in self._parts:
            if not part.is_ready:
                part.is_ready = part.running is not None and _answers(part.program)
            if not part.is_ready and (part.deaths >= _EARLY_DEATHS_MAX or time.monotonic() > deadline):
                raise CannotStart(self._not_ready(part))
        return all(part.is_ready for part in self._parts)

    def _not_ready(self, part: _Part) -> str:
        log = self._log_dir / f"{part.program.name}.log"
        tail = log.read_bytes()[-4000:].decode(errors="replace").splitlines()[-15:] if log.exists() else []
        what = "反复退出" if part.deaths >= _EARLY_DEATHS_MAX else "在规定时间内没有就绪"
        return "\n".join([f"{part.program.name} {what}；日志（{log}）末尾：", *tail])

    # Output

    def _show_output(self, wait_s: float) -> None:
        for key, _ in self._selector.select(wait_s):
            part: _Part = key.data
            if not self._show(part) and part.running is not None and part.running.process.poll() is None:
                time.sleep(_TICK_S / 10)  # closed its output but lives: do not spin

    def _show(self, part: _Part) -> bool:
        assert part.running is not None  # noqa: S101 - registered parts run
        lines = part.running.read_lines()
        colour = _COLOURS[self._parts.index(part) % len(_COLOURS)]
        for line in lines:
            self._print(part.program.name, line, colour)
        return bool(lines)

    def _print(self, name: str, line: str, colour: int) -> None:
        prefix = f"{name:<8}│"
        if self._out.isatty() and "NO_COLOR" not in os.environ:
            prefix = f"\x1b[{colour}m{prefix}\x1b[0m"
        with contextlib.suppress(BrokenPipeError):
            print(prefix, line, file=self._out, flush=True)

    # Stopping

    def _stop_programs(self) -> None:
        asked, requests = time.monotonic(), self._stop_requests
        for part in self._parts:
            if part.running is not None:
                part.running.ask_to_stop()
        while any(part.running for part in self._parts):
            self._show_output(_TICK_S / 2)
            is_hurried = self._stop_requests > requests
            for part in self._parts:
                grace_s = 0.0 if is_hurried else part.program.grace_s
                self._stop_if_due(part, asked + grace_s)

    def _stop_if_due(self, part: _Part, deadline: float) -> None:
        if part.running is None:
            return
        is_late = time.monotonic() >= deadline
        if part.running.process.poll() is None and is_late:
            self.say(f"{part.program.name} 没有按时停止，强制结束")
        if part.running.process.poll() is not None or is_late:
            self._let_go(part)  # kills what is left of its group

    # The guardian, who ends everything when we are killed

    def _guard(self) -> None:
        if self._guardian is not None and self._guardian.poll() is None:
            return
        if self._guardian is not None and self._guardian.stdin is not None:
            self._guardian.stdin.close()
        assert self._claim.descriptor is not None  # noqa: S101 - taken on entering
        command = [sys.executable, "-m", leftovers.__name__, str(self._run_dir)]
        self._guardian = subprocess.Popen(
            command, stdin=subprocess.PIPE, start_new_session=True, pass_fds=[self._claim.descriptor]
        )

    def _dismiss_guardian(self) -> None:
        if self._guardian is not None:
            with contextlib.suppress(BrokenPipeError):
                self._guardian.communicate(leftovers.FAREWELL)


def _back_off(deaths: int) -> float:
    return _BACK_OFF_S[min(deaths, len(_BACK_OFF_S) - 1)]


def _reason(code: int | None) -> str:
    if code is not None and code < 0:
        return signal.Signals(-code).name
    return f"退出码 {code}"


def _answers(program: Program) -> bool:
    """Whether the health address answers 200; a program without one is ready when it runs."""
    if not program.health_url:
        return True
    parts = urlsplit(program.health_url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=2)
    try:
        connection.request("GET", parts.path, headers={"Host": program.health_host or parts.netloc})
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
