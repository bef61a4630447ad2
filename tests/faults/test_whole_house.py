"""kill -9 of each part of a whole installation in turn, ten times, while a terminal verifies and hands in.

The supervisor mends. The terminal is the product's own: what it cannot ask it decides offline and hands in
later. At the end every use it was told, or told of, is in the database exactly once.
"""

import base64
import os
import re
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import msgspec
import pytest

from tests.house import House, wait_until
from yikatong.core.sm import sm2
from yikatong.terminal import fetching, online, sequence, session, ticking, upload
from yikatong.terminal.errors import GateDown
from yikatong.terminal.gate_client import GateClient
from yikatong.terminal.store import Store
from yikatong.using.codes import pass_

KILLED = ["gate", "worker", "site", "postgres", "gate", "postgres", "site", "worker", "gate", "postgres"]
GENERAL = 1
PAUSE_S, PAUSE_OFFLINE_S = 0.05, 1.0


class Phone:
    """王芳's phone: it talks to the site as her browser does, and shows codes."""

    def __init__(self, house: House) -> None:
        person = house.person("持卡人")
        self._site = httpx.Client(base_url=house.site, follow_redirects=True, timeout=30)
        self._key, self._counter = sm2.generate(), 0
        self._post("/m/login", phone=person["login"])
        message = re.search(r"收到的短信：.*?(\d{6})", self._site.get("/m/login/code").text)
        assert message is not None
        self._post("/m/login/code", code=message[1])
        self._post("/m/code/password", password=person["password"])
        key = base64.b64encode(self._key.public).decode()
        self._device = self._json("/m/code/device", {"public_key": key})["device"]
        self.renew()

    def renew(self) -> None:
        """Fresh credentials, whose offline limits begin anew."""
        told = self._json("/m/code/credentials", {"device": self._device})
        mine = next(one for one in told["credentials"] if one["scene"] == GENERAL)
        self._credential, self._secret, tweak = (
            base64.b64decode(mine[name]) for name in ("credential", "secret", "tweak")
        )
        self._private = sm2.shift_private(self._key.private, tweak) if tweak else self._key.private

    def close(self) -> None:
        self._site.close()

    def shows(self) -> str:
        self._counter += 1
        made = pass_.present(self._credential, self._secret, self._private, int(time.time()), self._counter)
        return pass_.encode_text(made)

    def _post(self, path: str, **form: str) -> None:
        page = self._site.get(path).text
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page)
        assert token is not None, path
        answer = self._site.post(path, data={"csrfmiddlewaretoken": token[1], **form})
        assert answer.status_code == 200, answer.text

    def _json(self, path: str, body: dict[str, str]) -> dict[str, list[dict[str, str]]]:
        headers = {"X-CSRFToken": self._site.cookies["csrftoken"], "Accept": "application/json"}
        answer = self._site.post(path, json=body, headers=headers)
        assert answer.status_code in {200, 201}, answer.text
        return answer.json()  # type: ignore[no-any-return]


class Terminal(threading.Thread):
    """Verifies code after code and hands in what it decided offline, until it is told to stop."""

    def __init__(self, house: House, path: Path, phone: Phone) -> None:
        super().__init__(daemon=True)
        self._gate, self._path, self._phone = house.gate, path, phone
        self.stopping = threading.Event()
        self.passed: dict[int, bool] = {}  # sequence → was decided offline
        self.fault: BaseException | None = None

    def run(self) -> None:
        try:
            with Store.open(self._path) as store:
                client = GateClient(self._gate)
                try:
                    while not self.stopping.is_set():
                        self._serve(store, client)
                finally:
                    client.close()
        except BaseException as fault:  # noqa: BLE001 - told in the test's own thread
            self.fault = fault

    def _serve(self, store: Store, client: GateClient) -> None:
        found = online.verify(store, client, self._phone.shows())
        assert found.accepted, found
        assert found.sequence is not None
        assert found.sequence not in self.passed
        self.passed[found.sequence] = found.is_offline
        if not found.is_offline and upload.waiting(store):
            try:
                upload.upload(store, client)
            except GateDown:
                return
        self.stopping.wait(PAUSE_OFFLINE_S if found.is_offline else PAUSE_S)


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    with House() as running:
        yield running


@pytest.fixture
def store(house: House, tmp_path: Path) -> Path:
    """A terminal enrolled by the command an operator has on the server: the console's own act, in the journey."""
    path = tmp_path / "terminal.db"
    number, code = _new_code(house)
    with Store.create(path) as opened:
        client = GateClient(house.gate)
        session.enrol(opened, client, number=number, code=code)
        fetching.update(opened, client)
        client.close()
    return path


def _new_code(house: House) -> tuple[int, str]:
    """As 周芸 at the console does it."""
    person = house.person("终端运营")
    with httpx.Client(base_url=house.site, follow_redirects=True, timeout=30) as desk:

        def post(path: str, **form: str) -> str:
            token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', desk.get(path).text)
            assert token is not None, path
            return desk.post(path, data={"csrfmiddlewaretoken": token[1], **form}).text

        shown = post("/staff/login", username=person["login"], password=person["password"])
        code = re.search(r"data-demo-code>(\d{6})<", shown)
        assert code is not None
        post("/staff/code", code=code[1])
        number = house.ask(
            "SELECT number FROM access_terminal WHERE status = 'registered' AND 1 = ANY(scenes) LIMIT 1"
        )[0][0]
        made = re.search(r'big-number num">([^<]+)<', post(f"/console/terminals/{number}", act="code"))
        assert made is not None
        return int(number), made[1].strip()


@pytest.mark.faults
@pytest.mark.clause("E3", "C2")
def test_ten_kills_lose_nothing_and_double_nothing(
    house: House, store: Path, request: pytest.FixtureRequest
) -> None:
    phone = Phone(house)
    request.addfinalizer(phone.close)
    terminal = Terminal(house, store, phone)
    terminal.start()
    for part in KILLED:
        before = len(terminal.passed)
        wait_until(lambda before=before: _goes_on(terminal, before), "the terminal lets people pass")  # type: ignore[misc]
        _kill(house, part)
        wait_until(lambda: _is_ready(house), f"ready after the end of {part}", seconds=40)
        phone.renew()
    before = len(terminal.passed)
    wait_until(lambda: _goes_on(terminal, before), "the terminal lets people pass again")
    terminal.stopping.set()
    terminal.join(30)
    assert terminal.fault is None

    number = _hand_in_and_ask_twice(house, store, phone, terminal)
    stored = house.ask(
        "SELECT sequence, outcome, count(*) FROM usage_use WHERE terminal = %s GROUP BY 1, 2", number
    )
    assert {one[0] for one in stored} == set(terminal.passed)
    assert {one[1:] for one in stored} == {(0, 1)}
    assert any(terminal.passed.values()), "the kills were felt"
    assert list(terminal.passed.values()).count(False) > len(KILLED) * 5
    wait_until(lambda: _is_counted(house, number), "the worker has counted them all", seconds=40, every=0.5)


def _goes_on(terminal: Terminal, before: int) -> bool:
    assert terminal.fault is None, terminal.fault
    new = list(terminal.passed.values())[before:]
    return new.count(False) >= 8


def _kill(house: House, part: str) -> None:
    pid, seen = house.pid_of(part), len(house.lines)
    os.kill(pid, signal.SIGKILL)
    words = "已恢复" if part == "postgres" else f"{part} 意外结束（SIGKILL）"
    house.wait_for_line(words, seen)
    wait_until(lambda: _pid(house, part) not in {None, pid}, f"{part} runs again")


def _pid(house: House, part: str) -> int | None:
    try:
        return house.pid_of(part)
    except (OSError, ValueError):  # its record is just being written
        return None


def _is_ready(house: House) -> bool:
    try:
        return all(
            httpx.get(f"{url}/readyz", timeout=5).status_code == 200 for url in (house.site, house.gate)
        )
    except httpx.HTTPError:
        return False


def _hand_in_and_ask_twice(house: House, path: Path, phone: Phone, terminal: Terminal) -> int:
    """Nothing is left to hand in; and a request whose answer was lost is answered as it was the first time."""
    with Store.open(path) as store:
        client = GateClient(house.gate)
        upload.upload(store, client)
        assert upload.waiting(store) == 0
        with store.transaction():
            mine = sequence.take(store, at=ticking.now(store, ticking.hands()))
        body = msgspec.json.encode({"sequence": mine, "code": phone.shows(), "amount_fen": 0})
        first = session.ask(store, client, "POST", "/gate/v1/verify", body).body
        _kill(house, "gate")
        wait_until(lambda: _is_ready(house), "ready to be asked again", seconds=40)
        again = session.ask(store, client, "POST", "/gate/v1/verify", body).body
        assert msgspec.json.decode(again)["accepted"] is True
        assert {**msgspec.json.decode(again), "repeated": None} == {
            **msgspec.json.decode(first),
            "repeated": None,
        }
        terminal.passed[mine] = False
        client.close()
        return int(store.get("terminal") or 0)


def _is_counted(house: House, number: int) -> bool:
    city = house.ask("SELECT city_code FROM access_terminal WHERE number = %s", number)[0][0]
    by_hand = house.ask(
        "SELECT count(*) FROM usage_use WHERE city_code = %s AND received_at > now() - interval '1 hour'",
        city,
    )
    counted = house.ask(
        "SELECT coalesce(sum(count), 0) FROM dashboards_useminute"
        " WHERE city_code = %s AND minute >= date_trunc('minute', now() - interval '1 hour')",
        city,
    )
    return by_hand[0][0] > 0 and int(counted[0][0]) >= int(by_hand[0][0])
