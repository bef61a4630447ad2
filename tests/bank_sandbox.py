"""The sandbox bank, started as anyone starts it, and what a test may choose to go wrong there."""

import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Self

import httpx
import psycopg

from yikatong.adapters import signed_http
from yikatong.adapters.bank_api.wire import Wire
from yikatong.core import env

_SOURCE = Path(__file__).parents[1] / "src"
_START_S_MAX = 30.0
_REGISTERS = ("population", "civil", "health", "credit", "insurance")
_NAMES = {
    "population": "公安人口库", "civil": "民政殡葬信息", "health": "卫健全员人口库", "credit": "公共信用库",
    "insurance": "社会保险参保库", "huan": "邻省平台", "yun": "城际公交",
}  # fmt: skip


class Sandbox:
    """A process of its own on a free port; a context manager. `channels` names the banks it stands for."""

    def __init__(self, home: Path, dsn: str, *banks: str) -> None:
        self._home, self._dsn = home, dsn
        with closing(socket.socket()) as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.key_file = home / "keys" / "bank-sandbox.key"
        self.key = env.secret_file(self.key_file, 32)
        wrong = home / "keys" / "wrong.key"
        env.secret_file(wrong, 32)
        self.channels = self._write("channels.toml", banks, self.url, self.key_file)
        self.wrong_key = self._write("wrong.toml", banks, self.url, wrong)
        self.nowhere = self._write("nowhere.toml", banks, "http://127.0.0.1:1", self.key_file)
        self.sources_file = self._peers("sources", _REGISTERS, self.url)
        self.partners_file = self._peers("partner", ("huan", "yun"), self.url, table="partners")

    def _write(self, name: str, banks: tuple[str, ...], url: str, key_file: Path) -> Path:
        path = self._home / name
        entry = '[banks.{}]\nurl = "{}"\nkey_file = "{}"\nanswer_s = 0.5\n'
        path.write_text("".join(entry.format(bank, url, key_file) for bank in banks))
        return path

    def _peers(self, peer: str, names: Sequence[str], url: str, *, table: str = "") -> Path:
        """Channels to the other peers that live behind the same address, each with its own key."""
        key = self._home / "keys" / f"{peer}-sandbox.key"
        env.secret_file(key, 32)
        path = self._home / f"{peer}.toml"
        entry = '[{}.{}]\nurl = "{}"\nkey_file = "{}"\nanswer_s = 0.5\nname = "{}"\n'
        path.write_text(
            "".join(
                entry.format(table or peer, one, url, key, f"{_NAMES.get(one, one)}（沙箱）") for one in names
            )
        )
        return path

    def post(self, peer: str, path: str, content: Any) -> Any:
        """Ask a peer as its own people would."""
        key = env.secret_file(self._home / "keys" / f"{peer}-sandbox.key", 32)
        wire = signed_http.Wire(self.url, key, whom=peer, away=AssertionError, silent=AssertionError)
        return wire.post(f"/{peer}/v1/{path}", content)

    def enters(self, register: str, number: str, name: str, *, known: bool = True, **facts: str) -> None:
        """A department enters something of a person into its register."""
        entry = {"register": register, "number": number, "name": name, "known": known, "facts": facts}
        self.post("sources", "entries", entry)

    def __enter__(self) -> Self:
        self.start()
        return self

    def start(self) -> None:
        """Also again, after it was killed; on the same port, with the same book."""
        ours = {
            "YIKATONG_HOME": str(self._home),
            "YIKATONG_BANK_SANDBOX_PORT": str(self.port),
            "YIKATONG_BANK_SANDBOX_DELAY_MS": "0",
            "DATABASE_URL": self._dsn,
            "PYTHONPATH": str(_SOURCE),
        }
        command = [sys.executable, "-m", "yikatong.cli.main", "bank", "serve"]
        self._process = subprocess.Popen(
            command, env=os.environ | ours, stderr=subprocess.PIPE, start_new_session=True
        )
        deadline = time.monotonic() + _START_S_MAX
        while not self._answers():
            assert self._process.poll() is None, "the sandbox bank ended"
            assert time.monotonic() < deadline, "the sandbox bank does not start"

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.communicate(timeout=20)

    def dies(self) -> None:
        """kill -9, of the process and its workers."""
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.communicate(timeout=20)

    def _answers(self) -> bool:
        try:
            return httpx.get(f"{self.url}/healthz", timeout=1, trust_env=False).status_code == 200
        except httpx.TransportError:
            return False

    @property
    def wire(self) -> Wire:
        return Wire(self.url, self.key, answer_s=5)

    def goes_wrong(self, kind: str, act: str = "*", **more: Any) -> None:
        """timeout, lost, refuse or away, the next `times` times; held back for longer than a channel waits."""
        self.wire.post("/v1/faults", {"kind": kind, "what": act, "hold_s": 0.8} | more)

    def was_yesterday(self, account: str) -> None:
        """What happened to this account happened a day earlier."""
        with psycopg.connect(self._dsn) as connection:
            connection.execute(
                "UPDATE peer_bank.account SET changed_at = changed_at - interval '1 day' WHERE number = %s",
                (account,),
            )

    def begins_anew(self) -> None:
        """No account, no request, nothing that goes wrong: invented numbers come again in every test."""
        with psycopg.connect(self._dsn) as connection:
            connection.execute(
                "TRUNCATE peer_bank.account, peer_bank.request, peer_bank.chosen_fault, peer_sources.entry,"
                " peer_sources.chosen_fault, peer_partner.list, peer_partner.reference, peer_partner.chosen_fault"
            )


def fresh_number() -> str:
    """A request number nobody has used."""
    return f"T{secrets.token_hex(10)}"


def account_number(prefix: str = "622951") -> str:
    """An account with a right check digit, opened by file at some time."""
    body = f"{prefix}9{secrets.randbelow(10**11):011d}"
    return next(body + digit for digit in "0123456789" if _luhn_ok(body + digit))


def _luhn_ok(number: str) -> bool:
    digits = [int(digit) for digit in reversed(number)]
    return (sum(digits[::2]) + sum(sum(divmod(2 * d, 10)) for d in digits[1::2])) % 10 == 0
