"""The sandbox bank, started as anyone starts it, and what a test may choose to go wrong there."""

import os
import secrets
import socket
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any, Self

import httpx
import psycopg

from yikatong.adapters.bank_api.wire import Wire
from yikatong.core import env

_SOURCE = Path(__file__).parents[1] / "src"
_START_S_MAX = 30.0


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

    def _write(self, name: str, banks: tuple[str, ...], url: str, key_file: Path) -> Path:
        path = self._home / name
        entry = '[banks.{}]\nurl = "{}"\nkey_file = "{}"\nanswer_s = 0.5\n'
        path.write_text("".join(entry.format(bank, url, key_file) for bank in banks))
        return path

    def __enter__(self) -> Self:
        ours = {
            "YIKATONG_HOME": str(self._home),
            "YIKATONG_BANK_SANDBOX_PORT": str(self.port),
            "YIKATONG_BANK_SANDBOX_DELAY_MS": "0",
            "DATABASE_URL": self._dsn,
            "PYTHONPATH": str(_SOURCE),
        }
        command = [sys.executable, "-m", "yikatong.cli.main", "bank", "serve"]
        self._process = subprocess.Popen(command, env=os.environ | ours, stderr=subprocess.PIPE)
        deadline = time.monotonic() + _START_S_MAX
        while not self._answers():
            assert self._process.poll() is None, "the sandbox bank ended"
            assert time.monotonic() < deadline, "the sandbox bank does not start"
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
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
        self.wire.post("/v1/faults", {"kind": kind, "act": act, "hold_s": 0.8} | more)

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
            connection.execute("TRUNCATE peer_bank.account, peer_bank.request, peer_bank.fault")


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
