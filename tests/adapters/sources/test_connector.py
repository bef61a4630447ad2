"""The connector to the departments' registers, against the real sandbox process: what it takes and what it refuses."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.bank_sandbox import Sandbox
from tests.registry.conftest import id_number
from yikatong.adapters import signed_channels
from yikatong.adapters.signed_http import ANSWER_MAX
from yikatong.adapters.sources import connector
from yikatong.core import env
from yikatong.registry.matching.models import Issue
from yikatong.registry.matching.source import Answer, Question, SourceUnavailable, sources

Field = Issue.Field
#: People of whom the sandbox registers make nothing up.
PLAIN = [id_number(one) for one in (1, 2, 3)]


def asked(count: int = 3) -> list[Question]:
    return [Question(f"r{one}", number, "王芳") for one, number in enumerate(PLAIN[:count])]


def population() -> connector.Register:
    found = sources()["population"]
    assert isinstance(found, connector.Register)
    return found


def refused(act: Callable[[], Any]) -> tuple[str, str]:
    with pytest.raises(SourceUnavailable) as caught:
        act()
    return caught.value.kind, str(caught.value)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """No pauses between tries; how many there are is asked of the peer."""
    monkeypatch.setattr("yikatong.adapters.signed_http._PAUSES_S", (0.0, 0.0))


@pytest.mark.clause("A6", "N13", "O13")
def test_what_a_register_says_of_persons(sources: Sandbox) -> None:
    sources.enters("population", PLAIN[0], "王芳华", division="510703", honours="劳动模范")
    sources.enters("population", PLAIN[1], "李明", known=False)
    assert population().label == "公安人口库（沙箱）"
    assert population().look_up(asked()) == [
        Answer("r0", is_known=True, facts={Field.NAME: "王芳华", Field.DIVISION: "510703"}),
        Answer("r1", is_known=False),
        Answer("r2", is_known=True, facts={Field.NAME: "王芳"}),
    ]


@pytest.mark.clause("A6")
def test_many_are_asked_page_by_page(sources: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connector, "PAGE", 7)
    many = [
        Question(f"r{one}", id_number(one % 400, born=f"19{60 + one // 400}0307"), "王芳")
        for one in range(30)
    ]
    assert [one.reference for one in population().look_up(many)] == [one.reference for one in many]


@pytest.mark.clause("A6")
def test_changes_come_in_pages_after_a_position(sources: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connector, "PAGE", 2)
    for number in PLAIN:
        sources.enters("population", number, "王芳")
    sources.enters("civil", PLAIN[0], "王芳", death="2026-11-15")
    first = population().changes("")
    assert (first.numbers, first.more) == (PLAIN[:2], True)
    second = population().changes(first.after)
    assert (second.numbers, second.more) == (PLAIN[2:], False)
    third = population().changes(second.after)
    assert (third.numbers, third.after, third.more) == ([], second.after, False)


@pytest.mark.clause("A6")
@pytest.mark.parametrize(
    ("kind", "failure"),
    [
        ("away", ("away", "对方系统暂停服务")),
        ("broken", ("silent", "对方应答异常（HTTP 500）")),
        ("malformed", ("unfit", "应答不能识别（$.answers[0].reference）")),
        ("incomplete", ("unfit", "应答与所问的人不一一对应")),
        ("cut", ("unfit", "应答不能识别（不是完整的 JSON）")),
    ],
)
def test_an_answer_that_is_none_is_refused_whole(
    sources: Sandbox, kind: str, failure: tuple[str, str]
) -> None:
    sources.post("sources", "faults", {"kind": kind, "who": "population", "times": 3})
    assert refused(lambda: population().look_up(asked())) == failure
    sources.post("sources", "faults", None)
    assert len(population().look_up(asked())) == 3


@pytest.mark.clause("A6")
def test_what_fails_once_or_twice_is_asked_again(sources: Sandbox) -> None:
    for kind in ("broken", "away"):
        sources.post("sources", "faults", {"kind": kind, "who": "population"})
    assert len(population().look_up(asked())) == 3


@pytest.mark.clause("A6")
def test_who_waits_at_a_counter_waits_once_and_briefly(sources: Sandbox) -> None:
    sources.post("sources", "faults", {"kind": "slow", "who": "population", "hold_s": 1.0, "times": 1})
    failure = refused(lambda: population().look_up(asked(1), within_s=0.2))
    assert failure == ("silent", "对方没有在规定时间内应答")
    assert len(population().look_up(asked(1), within_s=5.0)) == 1, "the one slow answer has been used up"


@pytest.mark.clause("A6")
def test_nobody_there_and_the_wrong_key(
    sources: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = tmp_path / "wrong.key"
    env.secret_file(wrong, 32)
    path = tmp_path / "sources.toml"
    entry = '[sources.{}]\nurl = "{}"\nkey_file = "{}"\n'
    path.write_text(
        entry.format("population", sources.url, wrong) + entry.format("civil", "http://127.0.0.1:1", wrong)
    )
    monkeypatch.setenv("YIKATONG_SOURCES_FILE", str(path))
    env.load.cache_clear()
    found = connector.wired()
    assert [found[key].label for key in found] == ["公安人口库", "民政殡葬信息"]
    assert refused(lambda: found["population"].look_up(asked())) == (
        "silent", "对方应答没有正确的签名（HTTP 401）",
    )  # fmt: skip
    assert refused(lambda: found["civil"].look_up(asked())) == ("away", "无法连接对方接口")


@contextmanager
def _stranger(answer: bytes) -> Iterator[str]:
    """Someone who listens, reads a request and sends this for as long as it is read."""

    def serve(listening: socket.socket) -> None:
        with closing(listening.accept()[0]) as line:
            line.recv(65_536)
            line.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n")
            try:
                for _ in range(ANSWER_MAX // len(answer) + 100):
                    line.sendall(answer)
            except OSError:
                pass  # they have hung up, as they should

    with closing(socket.create_server(("127.0.0.1", 0))) as listening:
        server = threading.Thread(target=serve, args=(listening,), daemon=True)
        server.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        server.join(10)
        assert not server.is_alive()


@pytest.mark.clause("A6")
def test_a_flood_is_cut_off(tmp_path: Path) -> None:
    with _stranger(b"x" * 65_536) as url:
        wire = connector._wire(
            signed_channels.Channel(url=url, key_file=tmp_path / "keys" / "a.key", answer_s=5)
        )
        flooded = connector.Register("population", "公安人口库", wire)
        assert refused(lambda: flooded.look_up(asked(), within_s=5.0)) == ("unfit", "对方应答过大")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[banks.x]\nurl='http://a'\nkey_file='/x'", "应当只有 [sources.…]"),
        ("sources = 3", "不能用"),
        ("[", "不能用"),
    ],
)
def test_a_file_that_cannot_be_used_is_named(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "sources.toml"
    path.write_text(text)
    with pytest.raises(env.BadSettings, match="YIKATONG_SOURCES_FILE") as caught:
        signed_channels.read(path, "sources", "SOURCES_FILE")
    assert words in str(caught.value)
