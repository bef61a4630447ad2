"""What the commands say to bad input: one Chinese line, exit code 2, and nothing recorded."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.terminal.device import Phone, Province, signed_in
from tests.terminal.test_picture import png
from yikatong.cli.terminal import app
from yikatong.terminal.store import Store


def run(*words: str, store: Path) -> tuple[int, str, str]:
    done = CliRunner().invoke(app, [*words, "--store", str(store)])
    return done.exit_code, done.stdout, done.stderr


@pytest.fixture
def device(path: Path, province: Province) -> Path:
    signed_in(path, province).close()
    return path


def recorded(path: Path) -> int:
    with Store.open(path) as store:
        return len(store.rows("SELECT 1 FROM use"))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--picture", "/nowhere.png"], "没有这个图片文件"),
        (["--text", "YKT1:A", "--amount", "2.005"], "金额格式不正确"),
        (["--text", "YKT1:A", "--amount", "-1"], "金额格式不正确"),
        (["--text", "YKT1:A", "--scene", "moon"], "没有这种场景：moon"),
        ([], "请给出一个码"),
        (["--text", "a", "--stdin"], "请给出一个码"),
    ],
)
def test_bad_input_is_named(device: Path, words: list[str], said: str) -> None:
    code, out, err = run("verify", "--offline", *words, store=device)
    assert (code, out) == (2, "")
    assert said in err
    assert len(err.splitlines()) == 1
    assert recorded(device) == 0


def test_a_picture_opens_and_prints_why_not(device: Path, phone: Phone, tmp_path: Path) -> None:
    picture = str(png(tmp_path / "code.png", phone.show()))
    code, out, _ = run("verify", "--picture", picture, "--amount", "2.00", "--offline", store=device)
    assert (code, "请通行  乘车  ¥2.00  离线核验" in out) == (0, True)
    code, out, _ = run("verify", "--picture", picture, "--offline", store=device)
    assert code == 1
    assert "不能通行  该码已使用过（402）" in out
    assert "持卡人：请刷新后重新出示" in out
    assert "值守人：请持卡人刷新后重扫" in out


def test_a_gate_that_is_down(device: Path, phone: Phone) -> None:
    """Nobody listens: the code is verified offline; what needs the gate says so."""
    code, out, _ = run("verify", "--text", phone.show(), "--json", store=device)
    told = json.loads(out)
    assert (code, told["accepted"], told["is_offline"]) == (0, True, True)
    for command in ("upload", "signin", "heartbeat"):
        code, _, err = run(command, store=device)
        assert code == 2
        assert "无法连接闸机服务" in err
    assert recorded(device) == 1
    code, out, _ = run("status", "--json", store=device)
    assert (code, json.loads(out)["waiting"]) == (0, 1)


def test_no_store_and_no_address(path: Path) -> None:
    code, _, err = run("status", store=path)
    assert (code, "找不到终端数据文件" in err) == (2, True)
    words = ["--number", "510107000001", "--code", "X"]
    code, _, err = run("enrol", "--gate", "ftp://x", *words, store=path)
    assert (code, "闸机地址格式不正确" in err) == (2, True)
    assert not path.exists()
    code, _, err = run("enrol", "--gate", "http://127.0.0.1:9", *words, store=path)
    assert (code, "无法连接闸机服务" in err) == (2, True)


def test_lists_are_shown(device: Path) -> None:
    code, out, _ = run("lists", store=device)
    assert code == 0
    assert "信任列表  版本 1  1 条" in out
    assert "停用名单（乘车）  版本 1  0 条" in out
