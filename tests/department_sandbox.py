"""The sandbox departments, and what a test may choose to go wrong there."""

from pathlib import Path
from typing import Any

import psycopg

from tests.peer_process import PeerProcess
from yikatong.adapters.department_api.channels import wire
from yikatong.adapters.signed_http import Wire
from yikatong.registry.joint.plans import DEPARTMENTS


class Departments(PeerProcess):
    """`channels` names every department there is."""

    def __init__(self, home: Path, dsn: str) -> None:
        super().__init__("department", home, dsn)
        self.channels = self._write("departments.toml", self.url, self.key_file)
        self.wrong_key = self._write("wrong.toml", self.url, self._wrong_key_file)
        self.nowhere = self._write("nowhere.toml", "http://127.0.0.1:1", self.key_file)

    def _write(self, name: str, url: str, key_file: Path) -> Path:
        path = self._home / name
        entry = '[departments.{}]\nurl = "{}"\nkey_file = "{}"\nanswer_s = 0.8\n'
        path.write_text("".join(entry.format(one, url, key_file) for one in DEPARTMENTS))
        return path

    @property
    def wire(self) -> Wire:
        return wire(self.url, self.key, answer_s=5)

    def goes_wrong(self, kind: str, key: str = "*", **more: Any) -> None:
        """timeout, lost, refuse, correct, slow or away, the next `times` times; held back longer than a channel waits."""
        self.wire.post("/department/v1/faults", {"kind": kind, "what": key, "hold_s": 1.2} | more)

    def begins_anew(self) -> None:
        """No matter, no request, nothing that goes wrong."""
        with psycopg.connect(self._dsn) as connection:
            connection.execute(
                "TRUNCATE peer_department.item, peer_department.request, peer_department.chosen_fault"
            )

    def forget(self, item: str) -> None:
        """They have lost a matter with every word about it."""
        with psycopg.connect(self._dsn) as connection:
            connection.execute("DELETE FROM peer_department.request WHERE item = %s", (item,))
            connection.execute("DELETE FROM peer_department.item WHERE name = %s", (item,))

    def decide_now(self) -> None:
        """Whatever they still think about is decided when they are asked next."""
        with psycopg.connect(self._dsn) as connection:
            connection.execute("UPDATE peer_department.item SET decides_at = now()")

    def times_received(self, number: str) -> int:
        """How often they have seen this request, in their own book."""
        with psycopg.connect(self._dsn) as connection:
            row = connection.execute(
                "SELECT times FROM peer_department.request WHERE number = %s", (number,)
            ).fetchone()
        return int(row[0]) if row else 0
