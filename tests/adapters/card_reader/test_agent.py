"""The reader agent: who is heard, what is told, and that a card is never held longer than its reading."""

import http.client
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.adapters.cards import WANG_FANG, card, hsm
from yikatong.adapters.card_reader import pairing, serving
from yikatong.adapters.card_reader.agent import Agent, ReadingGone
from yikatong.adapters.card_reader.pairing import Pairing
from yikatong.adapters.card_reader.serving import Server
from yikatong.adapters.card_reader.virtual import VirtualReader
from yikatong.adapters.hsm.soft import SoftHsm
from yikatong.adapters.national_card import terminal_pin
from yikatong.core.env import BadSettings
from yikatong.registry.cards.chip import authentication
from yikatong.registry.cards.chip.messages import AuthRequest
from yikatong.registry.cards.chip.requests import KeyRequest, SecureRequest

PAGE, CODE = "https://card.example.cn", "ABCDEFGH12345678"


class Told(NamedTuple):
    status: int
    body: dict[str, Any]
    headers: dict[str, str]


class Desk:
    """An agent that is served, with a virtual card on its reader."""

    def __init__(self, folder: Path) -> None:
        self.device: SoftHsm = hsm(folder)
        self.reader = VirtualReader(card(self.device))
        self.agent = Agent(self.reader)
        self.server = Server(self.agent, Pairing(CODE), origins=frozenset({PAGE}), port=0)
        threading.Thread(
            target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        ).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.agent.close()

    def send(self, method: str, path: str, body: bytes = b"", **headers: str | None) -> Told:
        """As the page does it; a header of None is left out."""
        sent = {"Origin": PAGE, "Authorization": f"Bearer {CODE}", "Content-Type": "application/json"}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}  # type: ignore[misc]
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=5)
        connection.request(
            method, path, body, {name: value for name, value in sent.items() if value is not None}
        )
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        return Told(
            answer.status,
            json.loads(content) if content else {},
            {k.lower(): v for k, v in answer.getheaders()},
        )

    def ask(self, path: str, told: dict[str, Any] | None = None) -> Told:
        return self.send("POST", f"/v1/{path}", json.dumps(told or {}).encode())

    def answer(self, request: str) -> str:
        return authentication.answer(AuthRequest.read(request), self.device).text()


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    yield made
    made.close()


@pytest.mark.clause("B4", "S14")
def test_a_page_reads_a_card_in_two_steps(desk: Desk) -> None:
    assert desk.ask("state").body == {"card": True}
    begun = desk.ask("begin").body
    told = desk.ask("finish", {"reading": begun["reading"], "answer": desk.answer(begun["request"])})
    assert (told.status, told.body) == (
        200,
        {
            "social_security_number": WANG_FANG.social_security_number,
            "name": "王芳",
            "card_number": WANG_FANG.card_number,
        },
    )
    assert told.headers["cache-control"] == "no-store"
    assert told.headers["access-control-allow-origin"] == PAGE


def test_an_empty_reader_is_said_so(desk: Desk) -> None:
    desk.reader.placed = None
    assert desk.ask("state").body == {"card": False}
    told = desk.ask("begin")
    assert (told.status, told.body["number"]) == (422, -2)
    assert told.body["title"] == "读卡器上没有卡，请放好卡片后重试"


# --- who is heard ---


@pytest.mark.clause("S15", "G17")
@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": f"{PAGE}.evil.example"},
        {"Origin": None},
        {"Host": "evil.example"},  # a name that was made to point here
        {"Host": "127.0.0.1"},
    ],
)
@pytest.mark.parametrize("method", ["POST", "OPTIONS"])
def test_strangers_are_refused_and_learn_nothing(
    desk: Desk, method: str, headers: dict[str, str | None]
) -> None:
    told = desk.send(method, "/v1/begin", **headers)
    assert (told.status, told.body["title"]) == (403, "本机读卡程序不接受此网站的请求。")
    assert not [name for name in told.headers if name.startswith("access-control")]


@pytest.mark.clause("S15")
def test_the_browser_asks_first(desk: Desk) -> None:
    told = desk.send(
        "OPTIONS", "/v1/begin", Authorization=None, Access_Control_Request_Private_Network="true"
    )
    assert (told.status, told.body) == (204, {})
    allowed = {name: value for name, value in told.headers.items() if name.startswith("access-control")}
    assert allowed == {
        "access-control-allow-origin": PAGE,
        "access-control-allow-methods": "POST",
        "access-control-allow-headers": "authorization, content-type",
        "access-control-max-age": "600",
        "access-control-allow-private-network": "true",
    }
    assert told.headers["vary"] == "Origin"
    plain = desk.send("OPTIONS", "/v1/begin", Authorization=None)
    assert "access-control-allow-private-network" not in plain.headers


@pytest.mark.clause("S15")
def test_a_page_that_does_not_know_the_code_is_not_heard(desk: Desk) -> None:
    for said in (None, "Basic x", "Bearer "):
        assert desk.send("POST", "/v1/begin", Authorization=said).status == 401
    told = desk.send("POST", "/v1/begin", Authorization="Bearer ABCDEFGH12345679")
    assert (told.status, told.body["code"]) == (401, "reader_not_paired")
    assert desk.send("POST", "/v1/state", Authorization="Bearer abcd-efgh-1234-5678").status == 200


@pytest.mark.clause("S15")
def test_codes_cannot_be_tried_out(desk: Desk) -> None:
    for number in range(5):
        assert desk.send("POST", "/v1/state", Authorization=f"Bearer {number}").status == 401
    told = desk.ask("state")
    assert (told.status, told.body["code"]) == (429, "reader_too_many_tries")
    assert 0 < told.body["retry_after_s"] <= 31


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/v1/state", b"", 501),
        ("POST", "/v1/other", b"{}", 404),
        ("POST", "/v1/state?x=1", b"{}", 404),
        ("POST", "/v1/begin", b"x" * (serving.BODY_MOST + 1), 422),
        ("POST", "/v1/finish", b"{", 422),
        ("POST", "/v1/finish", b"[]", 422),
        ("POST", "/v1/finish", b'{"reading": 1}', 422),
        ("POST", "/v1/finish", b"\xff", 422),
        ("POST", "/v1/finish", b'{"reading": "x", "answer": "x"}', 409),
    ],
)
def test_other_requests_are_refused(desk: Desk, method: str, path: str, body: bytes, status: int) -> None:
    assert desk.send(method, path, body).status == status


def test_it_listens_on_the_loopback_only(desk: Desk) -> None:
    assert desk.server.server_address[0] == "127.0.0.1"


# --- one reading at a time ---


def test_a_reading_that_is_not_finished_is_given_up(tmp_path: Path) -> None:
    device = hsm(tmp_path)
    agent = Agent(VirtualReader(card(device)), patience_s=0.01)
    key, request = agent.begin()
    assert agent._open is not None
    agent._open.alarm.join(5)
    with pytest.raises(ReadingGone, match="请重新读卡"):
        agent.finish(key, authentication.answer(AuthRequest.read(request), device).text())


def test_the_newer_reading_counts(desk: Desk) -> None:
    first, second = desk.ask("begin").body, desk.ask("begin").body
    told = desk.ask("finish", {"reading": first["reading"], "answer": desk.answer(first["request"])})
    assert (told.status, told.body["code"]) == (409, "reading_gone")
    told = desk.ask("finish", {"reading": second["reading"], "answer": desk.answer(second["request"])})
    assert told.status == 200


def test_a_wrong_answer_ends_the_reading_and_tells_why(desk: Desk) -> None:
    begun = desk.ask("begin").body
    wrong = "0" * 32 + "|" + "0" * 32 + "|"
    told = desk.ask("finish", {"reading": begun["reading"], "answer": wrong})
    assert (told.status, told.body["number"]) == (422, -22)
    assert desk.ask("finish", {"reading": begun["reading"], "answer": wrong}).status == 409
    assert desk.ask("begin").status == 200


# --- writing and PINs ---

WANTED = "3F00EF06|09|4E|$"
THIS = f"{WANG_FANG.chip.identification}|{WANG_FANG.card_number}|"


def proven(desk: Desk, request: str) -> str:
    return authentication.prove(KeyRequest.read(request), WANG_FANG.chip, desk.device)


@pytest.mark.clause("E3", "B2")
def test_a_page_has_a_card_written(desk: Desk) -> None:
    begun = desk.ask("write-begin", {"wanted": WANTED}).body
    assert begun["card"] == THIS
    told = {
        "reading": begun["reading"],
        "answer": proven(desk, begun["request"]),
        "data": "3F00EF06|王芳芳||$",
    }
    assert (desk.ask("write-finish", told).status, desk.ask("write-finish", told).status) == (200, 409)
    begun = desk.ask("begin").body
    answer = desk.answer(begun["request"])
    assert desk.ask("finish", {"reading": begun["reading"], "answer": answer}).body["name"] == "王芳芳"


@pytest.mark.clause("E3", "B2")
def test_a_page_has_a_pin_set_and_unblocked(desk: Desk) -> None:
    assert desk.reader.placed is not None
    for typed, holds in (({"pin": "135790", "again": "135790"}, "135790"), ({}, "135790")):
        begun = desk.ask("pin-begin").body
        told = {"reading": begun["reading"], "answer": proven(desk, begun["request"])} | typed
        asked = SecureRequest.read(desk.ask("pin-next", told).body["request"])
        sealed = authentication.secure(asked, WANG_FANG.chip, desk.device)
        assert desk.ask("pin-finish", {"reading": begun["reading"], "answer": sealed}).status == 200
        desk.reader.placed.reset()
        terminal_pin.verify_pin(desk.reader.placed, holds)


@pytest.mark.parametrize(
    ("typed", "number"),
    [
        ({"pin": "13579", "again": "13579"}, -33), ({"pin": "135790", "again": "135791"}, -34),
        ({"pin": "", "again": ""}, -33),
    ],
)  # fmt: skip
def test_a_pin_that_is_none_ends_the_matter(desk: Desk, typed: dict[str, str], number: int) -> None:
    begun = desk.ask("pin-begin").body
    told = {"reading": begun["reading"], "answer": proven(desk, begun["request"])} | typed
    assert (desk.ask("pin-next", told).body["number"], desk.ask("pin-next", told).status) == (number, 409)


@pytest.mark.parametrize("begin", ["begin", "write-begin", "pin-begin"])
@pytest.mark.parametrize("step", ["finish", "write-finish", "pin-next", "pin-finish"])
def test_steps_of_different_matters_do_not_fit(desk: Desk, begin: str, step: str) -> None:
    if (begin, step) in {("begin", "finish"), ("write-begin", "write-finish"), ("pin-begin", "pin-next")}:
        return
    assert desk.reader.placed is not None
    before = desk.reader.placed._state.memory
    begun = desk.ask(begin, {"wanted": WANTED}).body
    told = {"reading": begun["reading"], "answer": "00" * 16, "data": "3F00EF06|x||$"}
    assert desk.ask(step, told).body["code"] == "reading_gone"
    assert desk.reader.placed._state.memory == before


@pytest.mark.clause("S15")
def test_nothing_is_written_and_no_pin_set_through_the_air(desk: Desk) -> None:
    assert desk.reader.placed is not None
    desk.reader.placed.present(contactless=True)
    for step in ("write-begin", "pin-begin"):
        told = desk.ask(step, {"wanted": WANTED})
        assert (told.status, told.body["title"]) == (
            409, "写卡和卡密码须插卡办理：请把卡片从感应区拿起，插入读卡器后重试。",
        )  # fmt: skip
    assert desk.ask("begin").status == 200, "it is read"


def test_what_cannot_be_written_is_said_so(desk: Desk) -> None:
    assert desk.ask("write-begin", {"wanted": "3F00EF05|02|$"}).body["number"] == -24
    assert desk.ask("write-begin").body["number"] == -14
    assert desk.ask("write-begin", {"wanted": 1}).status == 422  # type: ignore[dict-item]


# --- the code ---


def test_the_code_is_made_once_and_kept_to_oneself(tmp_path: Path) -> None:
    path = tmp_path / "new" / "reader.code"
    code = pairing.code(path)
    assert (pairing.code(path), path.stat().st_mode & 0o777) == (code, 0o600)
    assert pairing.spelt(pairing.shown(code).lower()) == code
    assert pairing.code(path, anew=True) != code
    path.chmod(0o644)
    with pytest.raises(BadSettings):
        pairing.code(path)
    path.chmod(0o600)
    path.write_text("short")
    with pytest.raises(BadSettings, match="pair --new"):
        pairing.code(path)


def test_after_the_pause_the_code_is_heard_again(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [100.0]
    monkeypatch.setattr(pairing.time, "monotonic", lambda: clock[0])
    paired = Pairing(CODE)
    assert [paired.is_known("X") for _ in range(5)] == [False] * 5
    assert (paired.is_known(CODE), paired.wait_s()) == (False, 30)
    clock[0] += 31
    assert (paired.is_known(CODE), paired.wait_s()) == (True, 0)
