"""`yikatong reader`: the agent as a process of its own, and its pairing code."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from yikatong.adapters.card_reader import pairing
from yikatong.cli import reader
from yikatong.core.env import BadSettings

PAGE = "https://card.example.cn"
MAIN = "from yikatong.cli.main import app; app()"


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def command(*words: str) -> list[str]:
    return [sys.executable, "-c", MAIN, "reader", *words]


def environment() -> dict[str, str]:
    return os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[tuple[int, list[str]]]:
    """Its port, and what it said when it was ready."""
    port = free_port()
    words = ["serve", "--origin", PAGE + "/", "--port", str(port), "--code-file", str(tmp_path / "code")]
    process = subprocess.Popen(command(*words), stdout=subprocess.PIPE, text=True, env=environment())
    assert process.stdout is not None
    try:
        yield port, [process.stdout.readline().strip() for _ in range(3)]
    finally:
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0
        process.stdout.close()


@pytest.mark.faults
@pytest.mark.clause("S15")
def test_it_says_where_it_is_for_whom_and_the_code(agent: tuple[int, list[str]], tmp_path: Path) -> None:
    port, said = agent
    code = pairing.code(tmp_path / "code")
    assert said == [
        f"读卡程序已启动：http://127.0.0.1:{port}",
        f"允许的网址：{PAGE}",
        f"配对码：{pairing.shown(code)}（在柜面网页按 F8 后输入一次）",
    ]
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("POST", "/v1/begin", headers={"Origin": PAGE, "Authorization": f"Bearer {code}"})
    told = json.loads(connection.getresponse().read())
    connection.close()
    assert told["number"] in {-2, -5, -12}, "no card, or no reader here, or no library"
    second = subprocess.run(
        command("serve", "--port", str(port), "--code-file", str(tmp_path / "code")),
        capture_output=True, text=True, check=False, env=environment(), timeout=60,
    )  # fmt: skip
    assert second.returncode == 2
    assert f"端口 {port} 已被占用" in second.stderr
    assert "Traceback" not in second.stderr


def test_the_code_is_shown_and_changed(tmp_path: Path) -> None:
    path = str(tmp_path / "code")
    run = CliRunner()
    first = run.invoke(reader.app, ["pair", "--code-file", path]).stdout.strip()
    assert run.invoke(reader.app, ["pair", "--code-file", path]).stdout.strip() == first
    assert len(first) == len("XXXX-XXXX-XXXX-XXXX")
    assert run.invoke(reader.app, ["pair", "--new", "--code-file", path]).stdout.strip() != first


@pytest.mark.parametrize("origin", ["card.example.cn", "ftp://x", "https://x/path", "https://u@x", "*"])
def test_only_whole_origins_are_taken(origin: str) -> None:
    with pytest.raises(BadSettings, match="不是网址"):
        reader._origin(origin)


def test_an_origin_is_written_as_browsers_send_it() -> None:
    assert reader._origin("https://Card.Example.cn:8443/") == "https://card.example.cn:8443"
