"""The supervisor mends what dies, stops in order, and leaves nothing behind however it ends itself."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from yikatong.core.env import embedded_dsn
from yikatong.runtime.postgres import Cluster

pytestmark = pytest.mark.faults
Start = Callable[..., subprocess.Popen[str]]


def free_port() -> str:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return str(server.getsockname()[1])


@pytest.fixture
def start(home: Path) -> Iterator[Start]:
    """Starts a supervised installation in `home`; what it prints can be read from `stdout`."""
    started: list[subprocess.Popen[str]] = []

    def begin(kind: str = "plain") -> subprocess.Popen[str]:
        program = [
            sys.executable,
            str(Path(__file__).with_name("supervised.py")),
            str(home),
            free_port(),
            kind,
        ]
        started.append(
            subprocess.Popen(
                program, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            )
        )  # fmt: skip
        return started[-1]

    yield begin
    for process in started:
        process.terminate()
        process.communicate()


def wait_for(process: subprocess.Popen[str], text: str) -> list[str]:
    """Read lines up to the one that contains `text`."""
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line.rstrip())
        if text in line:
            return lines
    raise AssertionError([*lines, process.stderr and process.stderr.read()])


def family(process: subprocess.Popen[str]) -> list[psutil.Process]:
    return psutil.Process(process.pid).children(recursive=True)


def part(home: Path, name: str) -> psutil.Process:
    return psutil.Process(json.loads((home / "run" / f"{name}.json").read_text())["pid"])


def alive(processes: list[psutil.Process]) -> list[psutil.Process]:
    """Those still there after up to ten seconds."""
    return psutil.wait_procs(processes, timeout=10)[1]


def test_output_is_prefixed_and_kept(start: Start, home: Path) -> None:
    wait_for(start(), "web     │ asked for /healthz")

    assert "asked for /healthz" in (home / "logs" / "web.log").read_text()


def test_a_killed_part_and_its_workers_are_replaced(start: Start, home: Path) -> None:
    process = start()
    wait_for(process, "ready")
    first = part(home, "web")
    workers = first.children()
    assert len(workers) == 1
    first.kill()

    wait_for(process, "web 意外结束（SIGKILL），0.1 秒后重启")

    assert alive([first, *workers]) == []
    deadline = time.monotonic() + 10
    while not (home / "run" / "web.json").exists() or part(home, "web").pid == first.pid:
        assert time.monotonic() < deadline
    assert part(home, "web").is_running()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_stops_everything_even_the_deaf(start: Start, home: Path, number: signal.Signals) -> None:
    process = start()
    wait_for(process, "ready")
    members = family(process)
    assert len(members) == 4  # web, its worker, deaf, guardian
    process.send_signal(number)

    said, complaint = process.communicate(timeout=15)

    assert process.returncode == 0
    assert complaint == ""
    assert alive(members) == []
    assert "deaf 没有按时停止，强制结束" in said
    assert list((home / "run").glob("*.json")) == []


def test_nothing_outlives_a_killed_supervisor(start: Start, home: Path) -> None:
    process = start("database")
    wait_for(process, "ready")
    members = family(process)
    names = {member.name() for member in members}
    assert "postgres" in names
    process.kill()
    process.wait()

    assert alive(members) == []
    wait_for(start("database"), "ready")
    assert Cluster(home).pid is not None


def test_leftovers_are_ended_when_the_guardian_was_killed_too(start: Start, home: Path) -> None:
    process = start()
    wait_for(process, "ready")
    deaf, members = part(home, "deaf"), family(process)
    guardian = next(member for member in members if "yikatong.runtime.leftovers" in member.cmdline())
    process.send_signal(signal.SIGSTOP)  # so that it cannot replace its guardian
    guardian.kill()
    process.kill()
    process.wait()
    assert deaf.is_running()

    lines = wait_for(start(), "ready")

    assert "一卡通     │ 已结束上次遗留的进程：deaf" in lines
    assert alive(members) == []


def test_a_record_whose_number_belongs_to_somebody_else_ends_nobody(start: Start, home: Path) -> None:
    (home / "run").mkdir()
    bystander = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], process_group=0)
    (home / "run" / "web.json").write_text(json.dumps({"pid": bystander.pid, "created": 1.0}))

    wait_for(start(), "ready")

    assert bystander.poll() is None
    bystander.kill()
    bystander.wait()


def test_a_killed_database_comes_back_with_its_rows(start: Start, home: Path) -> None:
    process = start("database")
    wait_for(process, "ready")
    with psycopg.connect(embedded_dsn(home)) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS number")
    server = Cluster(home).pid
    assert server is not None
    os.kill(server, signal.SIGKILL)

    wait_for(process, "postgres 已恢复")

    with psycopg.connect(embedded_dsn(home)) as connection:
        assert connection.execute("SELECT number FROM kept").fetchone() == (42,)


def test_a_second_supervisor_is_refused_and_the_first_goes_on(start: Start, home: Path) -> None:
    first = start()
    wait_for(first, "ready")
    members = family(first)

    said, complaint = start().communicate(timeout=15)

    assert said == ""
    assert complaint.startswith(f"进程 {first.pid} 正在使用这个数据目录（{home}）")
    assert [member for member in members if not member.is_running()] == []


def test_a_part_that_never_gets_ready_ends_the_start_with_its_log(start: Start) -> None:
    process = start("broken")
    wait_for(process, "broken 意外结束")
    members = family(process)

    _, complaint = process.communicate(timeout=20)

    assert process.returncode == 1
    assert complaint.startswith("broken 反复退出；日志（")
    assert complaint.rstrip().endswith("no luck")
    assert alive(members) == []
