"""One line for a refusal, an exit code that says which kind, and nothing imported before it is needed."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from yikatong.cli import main
from yikatong.core.errors import NotFound


def program(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("YIKATONG_")}
    return subprocess.run(
        [sys.executable, "-m", "yikatong.cli.main", *arguments], check=False, capture_output=True, text=True,
        env={**kept, "PYTHONPATH": os.pathsep.join(sys.path), **variables},
    )  # fmt: skip


def test_every_command_is_listed_with_its_line() -> None:
    listed = program("--help").stdout

    assert [name for name in main.COMMANDS if name not in listed] == []


def test_a_bad_setting_ends_with_two_and_one_line() -> None:
    done = program("db", "url", YIKATONG_GATE_PORT="none")

    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr == "设置 YIKATONG_GATE_PORT='none' 不能用；允许的值：1–65535 的整数\n"


def test_the_address_is_shown() -> None:
    assert program("db", "url", DATABASE_URL="postgresql://a@b/c").stdout == "postgresql://a@b/c\n"


def test_a_command_of_the_embedded_server_refuses_when_another_is_set() -> None:
    done = program("db", "start", DATABASE_URL="postgresql://a@b/c")

    assert (done.returncode, done.stderr) == (2, "已设置 DATABASE_URL，没有使用内置数据库\n")


def test_a_database_that_cannot_be_reached_is_one_line() -> None:
    done = program("demo", "load", DATABASE_URL="postgresql://a@127.0.0.1:1/c")

    assert done.returncode == 2
    assert "\n不能连接数据库：" in f"\n{done.stderr}"
    assert "Traceback" not in done.stderr


def test_the_help_imports_neither_django_nor_the_rooms() -> None:
    script = (
        "import sys\nfrom yikatong.cli import main\n"
        "try:\n    main.call(['--help'])\nexcept SystemExit:\n    pass\n"
        "print([name for name in ('django', 'yikatong.registry', 'polars') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], check=True, capture_output=True, text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip

    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize(
    ("as_json", "expected"),
    [
        (False, "没有找到。请核对后重试。（川17）"),
        (True, {"status": 404, "code": "not_found", "article": "川17"}),
    ],
)
def test_a_refusal_is_one_line_and_one_document_for_programs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *, as_json: bool, expected: object
) -> None:
    def refuse(_: list[str]) -> None:
        raise NotFound(article="川17")

    monkeypatch.setattr(main, "call", refuse)
    monkeypatch.setattr(sys, "argv", ["yikatong", "x", *(["--json"] if as_json else [])])

    with pytest.raises(SystemExit) as ended:
        main.app()

    line = capsys.readouterr().err.rstrip("\n")
    assert ended.value.code == 1
    if isinstance(expected, dict):
        assert json.loads(line).items() >= expected.items()
    else:
        assert line == expected


def test_run_refuses_a_taken_port_before_it_starts_anything(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = program("run", YIKATONG_SITE_PORT=port, YIKATONG_HOME=str(tmp_path))

    assert done.returncode == 2
    assert done.stderr == (
        f"不能使用 127.0.0.1:{port}（Address already in use）；请停止占用它的程序，或设置 YIKATONG_SITE_PORT\n"
    )
    assert not (tmp_path / "pg").exists()
