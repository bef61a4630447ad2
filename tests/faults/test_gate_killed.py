"""kill -9 of the gate and of PostgreSQL under load, ten times: nothing acknowledged is lost, nothing is twice.

The gate runs as in production, the database is durable, and each terminal does what the document tells it to:
it sends again, under the same sequence, what has had no answer.
"""

import http.client
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
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import psutil
import psycopg
import pytest

from bench.gate import server
from bench.gate.requests_made import Maker
from yikatong.core import env
from yikatong.runtime.postgres import Cluster
from yikatong.using.codes import pass_

CARDS, TERMINALS = 2000, 12
KILLS = 10
PATH = "/gate/v1/verify"
_ONE_AT_A_TIME = threading.Lock()  # no code is shown by two terminals


class Gate:
    """A gate process that can be killed and started again on the same port."""

    def __init__(self, dsn: str) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self._environment = {
            **os.environ, "DATABASE_URL": dsn, "YIKATONG_MASTER_KEY_FILE": str(env.load().master_key_path),
            "YIKATONG_LOG_LEVEL": "ERROR", "PYTHONPATH": os.pathsep.join(sys.path),
        }  # fmt: skip
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [
            sys.executable, "-m", "granian", "--interface", "rsgi", "yikatong.gate.app:app", "--host",
            "127.0.0.1", "--port", str(self.port), "--no-ws", "--log-level", "error", "--loop", "uvloop",
        ]  # fmt: skip
        self._process = subprocess.Popen(command, env=self._environment)
        wait_until(self._answers, "the gate answers")

    def kill(self) -> None:
        """Without a word, with all its children."""
        assert self._process is not None
        family = [
            psutil.Process(self._process.pid),
            *psutil.Process(self._process.pid).children(recursive=True),
        ]
        for process in family:
            process.send_signal(signal.SIGKILL)
        self._process.wait()
        psutil.wait_procs(family, timeout=5)

    def stop(self) -> int:
        assert self._process is not None
        self._process.terminate()
        return self._process.wait(20)

    def _answers(self) -> bool:
        try:
            return ask(self.port, "GET", "/readyz", b"", {})[0] == 200
        except OSError:
            return False


class Terminal(threading.Thread):
    """Shows code after code at one terminal, and asks again until it has an answer."""

    def __init__(self, number: int, port: int, maker: Maker, stop: threading.Event) -> None:
        super().__init__(daemon=True)
        self._number, self._port, self._maker, self._stopping = number, port, maker, stop
        self.answers: dict[int, dict[str, object]] = {}
        self.resent = 0
        self.fault: object = None

    def run(self) -> None:
        while not self._stopping.is_set():
            number = self._maker.sequence(self._number)
            with _ONE_AT_A_TIME:
                code = pass_.encode_text(self._maker.presentation(int(time.time())))
            body = msgspec.json.encode({"sequence": number, "code": code, "amount_fen": 200})
            if not self._asked(number, body):
                return

    def _asked(self, number: int, body: bytes) -> bool:
        while True:
            try:
                status, content = ask(
                    self._port, "POST", PATH, body, self._maker.headers(PATH, self._number, body)
                )
            except (OSError, http.client.HTTPException):
                status, content = 503, b""
            if status == 200:
                self.answers[number] = json.loads(content)
                return True
            if status != 503:
                self.fault = (status, content)
                return False
            self.resent += 1
            self._stopping.wait(0.02)


def ask(port: int, method: str, path: str, body: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=15)
    try:
        connection.request(method, path, body or None, headers)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def wait_until(is_so: Callable[[], bool], what: str, *, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, f"in vain: {what}"
        threading.Event().wait(0.02)


@pytest.fixture(scope="module")
def prepared() -> Iterator[Cluster]:
    """A durable server with a small province."""
    home = Path(tempfile.mkdtemp(prefix="ykt-"))
    home.chmod(0o755)
    made = Cluster(home)
    made.start()
    before = os.environ.get("DATABASE_URL")
    try:
        os.environ["DATABASE_URL"] = made.dsn
        server.prepare(made.dsn, cards=CARDS, terminals=TERMINALS)
        yield made
    finally:
        os.environ.pop("DATABASE_URL")
        if before is not None:
            os.environ["DATABASE_URL"] = before
        made.stop()
        shutil.rmtree(home)


@pytest.fixture
def cluster(prepared: Cluster) -> Cluster:
    """The same, without uses."""
    with psycopg.connect(prepared.dsn, autocommit=True) as connection:
        connection.execute("TRUNCATE usage_use, usage_shown")
    return prepared


@pytest.mark.faults
@pytest.mark.clause("E3", "Q2")
def test_nothing_acknowledged_is_lost_and_nothing_is_twice(cluster: Cluster) -> None:
    maker = Maker(server.keyset(cluster.dsn), cards=CARDS, credentials=CARDS)
    gate, stop = Gate(cluster.dsn), threading.Event()
    gate.start()
    terminals = [Terminal(n, gate.port, maker, stop) for n in range(TERMINALS)]
    for terminal in terminals:
        terminal.start()
    try:
        for number in range(KILLS):
            before = answered(terminals)
            wait_until(lambda before=before: answered(terminals) > before + 60, "terminals get answers")  # type: ignore[misc]
            if number % 2:
                kill_server(cluster)
                cluster.start()
            else:
                gate.kill()
                gate.start()
        before = answered(terminals)
        wait_until(lambda: answered(terminals) > before + 60, "terminals get answers again")
    finally:
        stop.set()
        for terminal in terminals:
            terminal.join(30)
        assert gate.stop() == 0

    assert [terminal.fault for terminal in terminals] == [None] * TERMINALS
    assert sum(terminal.resent for terminal in terminals) >= KILLS, "the kills were felt"
    told = {
        (server.FIRST_TERMINAL + 1 + place, number): answer["accepted"]
        for place, terminal in enumerate(terminals)
        for number, answer in terminal.answers.items()
    }
    assert set(told.values()) == {True}, "a code whose answer was lost is no replay of itself"
    with psycopg.connect(cluster.dsn) as connection:
        stored = connection.execute("SELECT terminal, sequence, outcome FROM usage_use").fetchall()
        shown = connection.execute("SELECT count(*) FROM usage_shown").fetchone()
    assert {(terminal, number) for terminal, number, _ in stored} == set(told)
    assert {outcome for _, _, outcome in stored} == {0}
    assert (len(stored), shown) == (len(told), (len(told),))


@pytest.mark.faults
def test_a_stopping_gate_finishes_what_it_has_begun(cluster: Cluster) -> None:
    """SIGTERM under load: every request that was taken is answered, and every answer is stored."""
    maker = Maker(server.keyset(cluster.dsn), cards=CARDS, credentials=CARDS)
    gate, stop = Gate(cluster.dsn), threading.Event()
    gate.start()
    terminals = [Terminal(n, gate.port, maker, stop) for n in range(TERMINALS)]
    for terminal in terminals:
        terminal.start()
    wait_until(lambda: answered(terminals) > 100, "terminals get answers")
    assert gate.stop() == 0
    gate.start()
    wait_until(lambda: answered(terminals) > 300, "terminals get answers again")
    stop.set()
    for terminal in terminals:
        terminal.join(30)
    gate.stop()
    with psycopg.connect(cluster.dsn) as connection:
        stored = connection.execute("SELECT count(*) FROM usage_use WHERE outcome = 0").fetchone()
    assert stored == (answered(terminals),)


def answered(terminals: list[Terminal]) -> int:
    return sum(len(terminal.answers) for terminal in terminals)


def kill_server(cluster: Cluster) -> None:
    postmaster = cluster.pid
    assert postmaster is not None
    os.kill(postmaster, signal.SIGKILL)
    os.waitid(os.P_PID, postmaster, os.WEXITED | os.WNOWAIT)
    assert cluster.poll() == -signal.SIGKILL
