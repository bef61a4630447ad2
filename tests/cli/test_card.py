"""`yikatong card`: reading by the platform itself, and as a terminal over a gate that runs."""

import json
import socket
import sys

import pytest
from typer.testing import CliRunner

from tests import cast
from yikatong.adapters.card_reader import pcsc
from yikatong.adapters.hsm.soft import SoftHsm
from yikatong.cli import card as command
from yikatong.cli import main
from yikatong.core.clock import now
from yikatong.core.errors import DomainError
from yikatong.core.models import Look
from yikatong.registry.cards import actions as card_acts
from yikatong.registry.cards.chip import hsm
from yikatong.registry.cards.chip.faults import CardFault
from yikatong.registry.cards.models import Card


def run(*words: str) -> str:
    done = CliRunner().invoke(command.app, words, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout


@pytest.fixture
def card(db: None) -> Card:
    cast.set_stage()
    return cast.card_in_use(cast.wang_fang())


@pytest.mark.clause("E3", "G17")
def test_a_person_at_the_server_reads_a_card(card: Card) -> None:
    said = run("read", "--virtual", card.number)
    assert said.splitlines()[:5] == [
        "发卡地区　510100",
        f"社会保障号码　{cast.WANG_FANG_NUMBER}",
        f"卡号　{card.number}",
        f"卡识别码　{card.identification}",
        "姓名　王芳",
    ]
    look = Look.objects.get(holder_id=card.holder_id, purpose="窗口读卡")
    assert look.looker_name.startswith("命令行 ")


def test_programs_read_json(card: Card) -> None:
    told = json.loads(run("read", "--virtual", card.number, "--json"))
    assert told["name"] == "王芳"
    assert told["text"].split("|")[2] == card.number


def test_a_holder_s_pin_is_asked_for_and_not_shown(card: Card) -> None:
    words = ["pin", "--virtual", card.number]
    done = CliRunner().invoke(command.app, words, input="123456\n", catch_exceptions=False)
    assert (done.exit_code, done.stdout.strip()) == (0, "密码正确。")
    assert "123456" not in done.output
    with pytest.raises(CardFault, match="剩余 2 次"):
        CliRunner().invoke(command.app, words, input="000000\n", catch_exceptions=False)


@pytest.mark.clause("E2", "O8")
def test_who_builds_a_terminal_calls_the_functions_line_by_line(card: Card) -> None:
    lines = [
        '{"function": "iVerifyPIN", "iType": 1, "typed": ["123456"]}',
        '{"function": "iChangePIN", "iType": 1, "typed": ["123456", "135790", "135790"]}',
        '{"function": "iVerifyPIN", "iType": 1}',
        '{"function": "iReadCardBas_HSM_Step1", "iType": 1}',
        '{"function": "iReadCardBas_HSM_Step2", "pKey": "x"}',
        '{"function": "iReadCardBas", "iType": 1}',
        "no JSON", "[]", '{"function": 1, "typed": 1}',
    ]  # fmt: skip
    words = ["functions", "--virtual", card.number, "--number", "510100000001"]
    done = CliRunner().invoke(command.app, words, input="\n".join(lines), catch_exceptions=False)
    told = [json.loads(line) for line in done.stdout.splitlines() if line.startswith('{"return"')]
    assert [one["return"] for one in told] == [0, 0, -31, 0, -23, -2201, -13, -13, -13]
    assert told[3]["pOutInfo"].endswith("|510100000001|")
    assert "135790" not in done.output


@pytest.mark.clause("E3", "O8", "B2")
def test_the_acceptance_check_tells_all_points(card: Card) -> None:
    done = CliRunner().invoke(command.app, ["check", "--virtual", card.number], catch_exceptions=False)
    assert done.exit_code == 0
    lines = done.stdout.splitlines()
    assert lines[1:3] == [
        f"卡号 {card.number}　识别码 {card.identification}",
        "✔ 卡片真伪（内部认证）　与加密机一致",
    ]
    assert [line[:2] for line in lines[2:8]] == ["✔ "] * 6
    assert lines[8:] == ["全部通过。"]
    card_acts.report_loss(card.pk, by=cast.clerk(), at=now())
    done = CliRunner().invoke(
        command.app, ["check", "--virtual", card.number, "--json"], catch_exceptions=False
    )
    report = json.loads(done.stdout.splitlines()[-1])
    assert (done.exit_code, report["passed"]) == (1, False)
    failed = [(point["key"], point["message"]) for point in report["points"] if not point["passed"]]
    assert failed == [("listed", "该卡状态为“正式挂失”")]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--virtual", "A0000002X"], "没有卡号为 A0000002X 的卡"),
        (["--virtual", "A00000013"], "社会保障卡卡号不正确"),
        (["--store", "/nowhere.db", "--virtual", "CARD"], "找不到终端数据文件"),
    ],
)
def test_what_cannot_be_read_is_said_in_one_line(
    card: Card,
    words: list[str],
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    words = [card.number if word == "CARD" else word for word in words]
    monkeypatch.setattr("sys.argv", ["yikatong", "card", "read", *words])
    with pytest.raises(SystemExit) as end:
        main.app()
    assert end.value.code == 1
    assert said in capsys.readouterr().err


def test_a_card_is_put_into_the_virtual_reader_only_where_there_is_one(card: Card) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, and nobody listens
        words = ["emulate", card.number, "--port", str(taken.getsockname()[1])]
        with pytest.raises(DomainError, match="没有虚拟读卡器在端口"):
            CliRunner().invoke(command.app, words, catch_exceptions=False)


@pytest.mark.clause("S15")
def test_with_another_key_device_no_card_can_be_emulated(card: Card, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hsm, "card_hsm", object)
    with pytest.raises(DomainError, match="不是软加密机"):
        CliRunner().invoke(command.app, ["read", "--virtual", card.number], catch_exceptions=False)


@pytest.mark.clause("S15")
def test_check_values_tell_one_set_of_keys_from_another_and_no_key() -> None:
    told = json.loads(run("keys", "--json"))
    device = SoftHsm()
    assert told == {f"{key:04X}": value for key, value in device.check_values().items()}
    said = run("keys")
    assert said.splitlines()[2] == f"0170　IRK    　{told['0170']}"
    assert not [root for root in device._roots.values() if root.hex().upper() in said.upper()]


@pytest.fixture
def no_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "smartcard.System", None)


@pytest.mark.usefixtures("no_library")
def test_without_the_library_a_reader_is_said_to_be_missing() -> None:
    with pytest.raises(CardFault) as refusal:
        pcsc.names()
    assert (refusal.value.number, refusal.value.message) == (-5, "读卡组件没有安装或不能加载，请联系运维")
