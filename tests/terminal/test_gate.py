"""The commands against a real gate: enrol, verify, lose the network, hand in, find what others did."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.terminal import gate_process
from tests.terminal.gate_process import GateProcess, Rider
from yikatong.core.clock import now
from yikatong.registry.access import actions as access
from yikatong.using.codes import publish
from yikatong.using.codes.models import HotEntry, ListVersion
from yikatong.using.codes.reasons import Reason
from yikatong.using.usage.models import Use

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.faults]

MAIN = "from yikatong.cli.main import app; app()"


class Terminal:
    """`yikatong terminal` on a store of its own."""

    def __init__(self, path: Path, gate: GateProcess, **more: Any) -> None:
        self.path = path
        self.row, code = gate_process.terminal(**more)
        number = str(self.row.number)
        self.said = self.run("enrol", "--gate", gate.url, "--number", number, "--code", code.lower())

    def run(self, *words: str, expect: int = 0, stdin: str | None = None) -> Any:
        done = subprocess.run(
            [sys.executable, "-c", MAIN, "terminal", *words, "--store", str(self.path), "--json"],
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        )
        assert done.returncode == expect, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        lines = done.stdout.splitlines()
        return json.loads(lines[-1]) if lines else None


@pytest.fixture
def gate(database_dsn: str) -> Iterator[GateProcess]:
    with gate_process.running(database_dsn) as found:
        yield found


@pytest.fixture
def rider(database_dsn: str) -> Rider:
    return gate_process.rider()


MakeTerminal = Callable[..., Terminal]


@pytest.fixture
def make_terminal(rider: Rider, gate: GateProcess, tmp_path: Path) -> MakeTerminal:
    def make(name: str = "one", **more: Any) -> Terminal:
        return Terminal(tmp_path / f"{name}.db", gate, **more)

    return make


def hear_of_new_lists(terminal: Terminal) -> None:
    """The gate looks for new versions every second."""
    for _ in range(20):
        if terminal.run("heartbeat")["lists_behind"]:
            return
    pytest.fail("the gate never told of the new list")


def uses() -> list[tuple[int, int, bool]]:
    return [
        (use.outcome, use.amount_fen, use.is_offline) for use in Use.objects.order_by("terminal", "sequence")
    ]


@pytest.mark.clause("C2", "E3", "O5", "O8")
def test_a_day_of_a_terminal(rider: Rider, gate: GateProcess, make_terminal: MakeTerminal) -> None:
    one = make_terminal()
    assert [each["kind"] for each in one.said["lists"]] == ["trust", "hot", "hot"]
    assert one.path.stat().st_mode & 0o777 == 0o600

    online = one.run("verify", "--text", rider.show(), "--amount", "2.00")
    assert (online["accepted"], online["is_offline"], online["amount_fen"]) == (True, False, 200)
    shown = rider.show()
    gate.stop()
    alone = one.run("verify", "--text", shown, "--amount", "1.5")
    assert (alone["accepted"], alone["is_offline"], alone["amount_fen"]) == (True, True, 150)
    again = one.run("verify", "--text", shown, expect=1)
    assert (again["reason"], again["is_offline"]) == (Reason.REPLAYED, True)
    one.run("upload", expect=2)
    gate.start()
    assert one.run("upload") == {"handed_in": 2, "left": 0, "noticed": []}
    assert one.run("upload") == {"handed_in": 0, "left": 0, "noticed": []}
    assert uses() == [(0, 200, False), (0, 150, True), (Reason.REPLAYED, 0, True)]
    state = one.run("status")
    assert (state["waiting"], state["disputed"]) == (0, 0)
    assert abs(state["clock_ahead_s"]) <= 1


@pytest.mark.clause("B2", "C2")
def test_a_lost_card_online_at_once_offline_with_the_next_list(
    rider: Rider, gate: GateProcess, make_terminal: MakeTerminal
) -> None:
    one = make_terminal()
    gate_process.lose(rider.holder)
    assert one.run("verify", "--text", rider.show(), expect=1)["reason"] == Reason.CARD_LOST
    # Its list is of before the loss: it lets pass in good faith, and the platform says so.
    assert one.run("verify", "--text", rider.show(), "--offline")["accepted"]
    assert one.run("upload")["handed_in"] == 1
    assert Use.objects.get(is_offline=True).flag == Use.Flag.GOOD_FAITH
    hear_of_new_lists(one)
    assert max(each["entries"] for each in one.run("lists", "--update")) == 1
    assert one.run("verify", "--text", rider.show(), "--offline", expect=1)["reason"] == Reason.HOTLISTED
    assert one.run("heartbeat")["lists_behind"] is False


@pytest.mark.clause("C2")
def test_one_code_at_two_terminals_offline_is_found_at_upload(
    rider: Rider, make_terminal: MakeTerminal
) -> None:
    one, two = make_terminal("one"), make_terminal("two")
    shown = rider.show()
    assert one.run("verify", "--text", shown, "--offline")["accepted"]
    second = two.run("verify", "--text", shown, "--offline")
    assert second["accepted"]
    assert one.run("upload")["noticed"] == []
    noticed = two.run("upload")["noticed"]
    assert [(each["sequence"], each["name"]) for each in noticed] == [
        (second["sequence"], "double_offline_use")
    ]
    assert two.run("status")["disputed"] == 1
    assert sorted(Use.objects.values_list("outcome", flat=True)) == [0, Reason.DOUBLE_OFFLINE_USE]


def test_an_answer_that_was_lost_is_the_same_use_when_handed_in(
    rider: Rider, make_terminal: MakeTerminal
) -> None:
    """The gate had recorded the use; the terminal, left without an answer, let pass alone."""
    one = make_terminal()
    from yikatong.terminal import offline, online, session  # noqa: PLC0415
    from yikatong.terminal.gate_client import GateClient  # noqa: PLC0415
    from yikatong.terminal.store import Store  # noqa: PLC0415

    shown = rider.show()
    with Store.open(one.path) as store:
        number = online._announce(store, 100)
        body = json.dumps({"sequence": number, "code": shown, "amount_fen": 100}).encode()
        client = GateClient(store.get("gate"))
        session.ask(store, client, "POST", "/gate/v1/verify", body)  # and its answer goes astray
        client.close()
        assert offline.decide(store, shown, amount_fen=100, asked=number).accepted
    assert one.run("upload") == {"handed_in": 1, "left": 0, "noticed": []}
    assert uses() == [(0, 100, False)]


def test_a_gap_in_the_deltas_brings_the_full_list(rider: Rider, make_terminal: MakeTerminal) -> None:
    one = make_terminal()
    gate_process.lose(rider.holder)
    ListVersion.objects.filter(kind="hot", version=1).delete()  # forgotten: the way from there is not known
    hear_of_new_lists(one)
    found = {each["scene"]: each for each in one.run("lists", "--update") if each["kind"] == "hot"}
    assert (found[3]["version"], found[3]["entries"]) == (2, 1)
    HotEntry.objects.filter(scene=3).update(is_ended=True)
    publish.publish_lists(at=now())
    hear_of_new_lists(one)
    found = {each["scene"]: each for each in one.run("lists", "--update", "--full") if each["kind"] == "hot"}
    assert (found[3]["version"], found[3]["entries"]) == (3, 0)


@pytest.mark.clause("E3")
def test_a_stopped_terminal_lets_nobody_pass(rider: Rider, make_terminal: MakeTerminal) -> None:
    one = make_terminal()
    assert one.run("verify", "--text", rider.show(), "--offline")["accepted"]
    access.stop(one.row.id, reason="遗失", by=gate_process.OPERATOR, at=now())
    refused = one.run("verify", "--text", rider.show(), expect=1)
    assert (refused["reason"], refused["message"]) == (Reason.TERMINAL_STOPPED, "终端已停用")
    assert one.run("verify", "--text", rider.show(), "--offline", expect=1)["message"] == "终端已停用"
    assert one.run("signin", expect=2)["message"] == "终端已停用"
    one.run("upload", expect=2)
    access.resume(one.row.id, by=gate_process.OPERATOR, at=now())
    one.run("signin")
    assert one.run("upload")["handed_in"] == 1
    assert one.run("verify", "--text", rider.show(), "--offline")["accepted"]


def test_a_scene_without_a_list_yet(rider: Rider, make_terminal: MakeTerminal) -> None:
    """It enrols and works; the list comes when there is one."""
    one = make_terminal(scenes=(3, 9))
    assert [(each["kind"], each["scene"]) for each in one.said["lists"]] == [("trust", 0), ("hot", 3)]
    assert one.run("verify", "--text", rider.show(), "--offline")["accepted"]


def test_a_wrong_code_and_a_wrong_key(rider: Rider, gate: GateProcess, make_terminal: MakeTerminal) -> None:
    one = make_terminal()
    row, _ = gate_process.terminal()
    other = Terminal.__new__(Terminal)
    other.path = one.path.with_name("other.db")
    words = ("enrol", "--gate", gate.url, "--number", str(row.number), "--code", "0000-0000-0000-0000")
    assert other.run(*words, expect=2)["message"] == "开通码不正确"
    # Enrolled anew elsewhere: the key of this store is a generation too old.
    access.new_enrol_code(one.row.id, by=gate_process.OPERATOR, at=now())
    one.row.refresh_from_db()
    type(one.row).objects.filter(id=one.row.id).update(key_generation=7)
    told = one.run("verify", "--text", rider.show(), expect=2)
    assert told["message"] == "请求校验不通过"
    assert uses() == []


def test_a_clock_an_hour_off_is_set_by_the_gate(rider: Rider, make_terminal: MakeTerminal) -> None:
    one = make_terminal()
    from yikatong.terminal.store import Store  # noqa: PLC0415

    with Store.open(one.path) as store:
        store.put(clock_server=store.get("clock_server") - 3600, clock_latest=None)
    found = one.run("verify", "--text", rider.show())
    assert (found["accepted"], found["is_offline"]) == (True, False)
    assert one.run("verify", "--text", rider.show(), "--offline")["accepted"]


def test_watch_answers_line_by_line(rider: Rider, make_terminal: MakeTerminal) -> None:
    one = make_terminal()
    lines = [rider.show(), "no code", "x" * 100_000, rider.show()]
    done = subprocess.run(
        [sys.executable, "-c", MAIN, "terminal", "watch", "--store", str(one.path), "--json"],
        input="\r\n".join(lines),
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )
    told = [json.loads(line) for line in done.stdout.splitlines()]
    assert [each.get("accepted") for each in told] == [True, False, False, True], done
    assert [outcome for outcome, _, _ in uses()] == [0, Reason.MALFORMED, 0]
