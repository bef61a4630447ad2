"""The demo province lives on: its terminals beat and its people show codes, through the gate like anyone."""

import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import partial
from itertools import cycle, islice
from random import Random
from typing import Any

import msgspec

from yikatong.cli.demo.town import Town
from yikatong.cli.demo.uses import FARES, HOURS
from yikatong.core.clock import BEIJING, now
from yikatong.registry.access import platform_keys, terminal_keys
from yikatong.registry.access.models import Terminal
from yikatong.terminal import answers
from yikatong.terminal.errors import GateRefused, TerminalError
from yikatong.terminal.gate_client import GateClient, checked
from yikatong.using.codes import issuing
from yikatong.using.codes.models import Device
from yikatong.using.codes.pass_ import make_short_code

PEOPLE = 2_000
CODE_LIFE_S = 60
HEARTBEATS_A_TURN = 4
USES_A_SECOND_MAX = 2.0  # at the busiest hour


@dataclass(eq=False)
class DemoTerminal:
    """A terminal of the demo, whose main key this installation can derive itself.

    It fetches its hot lists as any terminal does, and keeps of them the version alone: it judges nothing offline.
    """

    terminal: Terminal
    client: GateClient
    key: bytes = b""
    day: str = ""
    sequence: int = 0
    hot: dict[str, int] = field(default_factory=dict)

    @property
    def is_signed_in(self) -> bool:
        return self.day == f"{now().astimezone(BEIJING):%Y-%m-%d}"

    def beat(self) -> None:
        """Tell how it is; fetch the lists that are newer, and tell of them at once."""
        if self._fetched(self._tell()):
            self._tell()

    def _tell(self) -> answers.Pulse:
        body = {
            "clock": _seconds(),
            "offline_uses": 0,
            "trust_version": 0,
            "hot_versions": self.hot,
            "software": "demo",
        }
        return answers.read(answers.Pulse, self.ask("/gate/v1/heartbeat", body))

    def _fetched(self, pulse: answers.Pulse) -> bool:
        newer = {
            scene: version for scene, version in pulse.lists.hot.items() if version > self.hot.get(scene, 0)
        }
        for scene in newer:
            path = f"/gate/v1/lists/hot?scene={scene}&since={self.hot.get(scene, 0)}"
            try:
                got = self._send(path, None, self.key)
            except GateRefused:
                self.hot.pop(scene, None)  # the way from there is no longer known: the whole list, next time
                continue
            if got:
                self.hot[scene] = msgspec.json.decode(got)["to"]
        return bool(newer)

    def show(self, code: str, amount_fen: int) -> None:
        self.sequence += 1
        self.ask("/gate/v1/verify", {"sequence": self.sequence, "code": code, "amount_fen": amount_fen})

    def sign_in(self) -> None:
        number, generation = self.terminal.number, self.terminal.key_generation
        main = platform_keys.main_key(number, generation)
        terms = answers.read(
            answers.Terms,
            self._send("/gate/v1/signin", {"software": "demo"}, terminal_keys.sign_in_key(main)),
        )
        self.day, self.sequence = terms.day, terms.sequence_next - 1
        self.key = platform_keys.work_key(number, generation, date.fromisoformat(terms.day))

    def ask(self, path: str, body: dict[str, Any]) -> bytes:
        if not self.is_signed_in:
            self.sign_in()
        return self._send(path, body, self.key)

    def _send(self, path: str, body: dict[str, Any] | None, key: bytes) -> bytes:
        """POST a body, or GET where there is none."""
        content, at = b"" if body is None else msgspec.json.encode(body), _seconds()
        method = "GET" if body is None else "POST"
        mac = terminal_keys.request_mac(key, time=at, method=method, path=path, body=content)
        who = {
            "Yikatong-Terminal": str(self.terminal.number),
            "Yikatong-Time": str(at),
            "Yikatong-Mac": mac.hex(),
        }
        return checked(self.client.send(method, path, content, who)).body


def live(gate_url: str) -> None:
    """Until a signal ends it: heartbeats in turn, uses as dense as the hour has them, and what happens in the town."""
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    client, dice = GateClient(gate_url), Random()  # noqa: S311 - a demonstration's dice
    terminals = [DemoTerminal(each, client) for each in Terminal.objects.filter(status="enrolled")]
    people = list(
        Device.objects.filter(is_server=True, status="active").values_list("number", flat=True)[:PEOPLE]
    )
    if not (terminals and people):  # nothing to show, and no reason to be started again and again
        stopped.wait()
    turns, town = cycle(terminals), Town(dice, now())
    while not stopped.wait(1):
        town.step(now())
        at_work = [each for each in terminals if each.is_signed_in]
        newcomers = [each for each in terminals if not each.is_signed_in]
        # The gate lets one address sign in about once a second: one newcomer a turn.
        for terminal in [
            *newcomers[:1],
            *(each for each in islice(turns, HEARTBEATS_A_TURN) if each in at_work),
        ]:
            _try(terminal.beat)
        for _ in range(_uses_now(dice, now()) if at_work else 0):
            _try(partial(_use, dice, dice.choice(at_work), dice.choice(people)))


def _uses_now(dice: Random, at: datetime) -> int:
    wanted = USES_A_SECOND_MAX * HOURS[at.astimezone(BEIJING).hour] / max(HOURS)
    return int(wanted) + (dice.random() < wanted % 1)


def _use(dice: Random, where: DemoTerminal, device: int) -> None:
    low, high = FARES.get(where.terminal.domain_code, (0, 0))
    code = make_short_code(
        issuing.signing_keyset(now()),
        device=device,
        scene=max(where.terminal.scenes),
        expires_at=_seconds() + CODE_LIFE_S,
    )
    where.show(code, dice.randint(low // 50, high // 50) * 50)


def _try(act: Callable[[], None]) -> None:
    """A gate that restarts, or a terminal somebody stopped in the console, does not end the show."""
    try:
        act()
    except TerminalError:
        return


def _seconds() -> int:
    return int(now().timestamp())
