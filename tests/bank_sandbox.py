"""The sandbox bank, and what a test may choose to go wrong there."""

import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psycopg

from tests.peer_process import PeerProcess
from yikatong.adapters import signed_http
from yikatong.adapters.bank_api.wire import Wire
from yikatong.core import env

_REGISTERS = ("population", "civil", "health", "credit", "insurance")
_NAMES = {
    "population": "公安人口库", "civil": "民政殡葬信息", "health": "卫健全员人口库", "credit": "公共信用库",
    "insurance": "社会保险参保库", "huan": "邻省平台", "yun": "城际公交",
}  # fmt: skip


class Sandbox(PeerProcess):
    """`channels` names the banks it stands for."""

    def __init__(self, home: Path, dsn: str, *banks: str) -> None:
        super().__init__("bank", home, dsn)
        self.channels = self._write("channels.toml", banks, self.url, self.key_file)
        self.wrong_key = self._write("wrong.toml", banks, self.url, self._wrong_key_file)
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
