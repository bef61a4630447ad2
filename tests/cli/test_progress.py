import pytest

from yikatong.cli.progress import progress


def test_without_a_terminal_progress_is_plain_lines_on_standard_error(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with progress("装入", 3) as tick:
        for name in ("银行", "目录", "终端"):
            tick(name)

    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.splitlines() == ["装入 1/3 银行", "装入 2/3 目录", "装入 3/3 终端"]


def test_a_long_work_prints_about_twenty_lines_and_the_last(capsys: pytest.CaptureFixture[str]) -> None:
    with progress("校验", 10_001) as tick:
        for _ in range(10_001):
            tick()

    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 20
    assert lines[-1] == "校验 10001/10001"
