"""Valid requests, made before the clock starts: real passes under real MACs, one request for each."""

import random
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from bench.gate.server import CARDS, FIRST_TERMINAL, SCENE, TERMINALS
from yikatong.core.clock import day_of
from yikatong.core.sm import sm2
from yikatong.gate import sequence
from yikatong.registry.access import platform_keys, terminal_keys
from yikatong.using.codes import pass_

_CREDENTIALS = 20_000


class Maker:
    """Makes requests of ever new codes; nothing it makes is a replay of anything before."""

    def __init__(self, keyset: pass_.Keyset, *, cards: int = CARDS, credentials: int = _CREDENTIALS) -> None:
        self._random = random.Random(1)
        now = int(time.time())
        device = sm2.generate()
        numbers = self._random.sample(range(1, cards + 1), credentials)
        # The signature is not looked at where the MAC is, and signing 20,000 would take half the bench's time.
        self._issued = [
            pass_.issue_credential(
                keyset, device=number, scene=SCENE, generation=1, device_public=device.public,
                not_before=now - 3600, expires_at=now + 86_400, limits=pass_.Limits(5000, 50_000, 20),
                claims=pass_.Claims(fare_class=1), sign_e=lambda _: bytes(64),
            )
            for number in numbers
        ]  # fmt: skip
        self._shown = 0
        self._last = [0] * TERMINALS
        day = day_of(datetime.now(UTC))
        # Later runs go on above earlier ones.
        self._base = sequence.base(day) + int(time.time()) % 86_400 * 1000
        self._keys = [platform_keys.work_key(FIRST_TERMINAL + n + 1, 1, day) for n in range(TERMINALS)]

    def presentation(self, at: int) -> bytes:
        """A fresh code of some device at `at`; its signature is empty."""
        self._shown += 1
        counter, place = divmod(self._shown, len(self._issued))
        issued = self._issued[place]
        return pass_.present_unsigned(issued.credential, issued.secret, at, counter % 65_536) + bytes(64)

    def sequence(self, terminal: int) -> int:
        self._last[terminal] += 1
        return self._base + self._last[terminal]

    def headers(self, path: str, terminal: int, body: bytes) -> dict[str, str]:
        """The signature of a POST."""
        at = int(time.time())
        mac = terminal_keys.request_mac(self._keys[terminal], time=at, method="POST", path=path, body=body)
        number = FIRST_TERMINAL + terminal + 1
        return {"yikatong-terminal": str(number), "yikatong-time": str(at), "yikatong-mac": mac.hex()}

    def http(self, path: str, terminal: int, body: bytes, content_type: str) -> bytes:
        """The bytes of one signed HTTP request."""
        fields = {
            "Host": "127.0.0.1",
            "Content-Type": content_type,
            "Content-Length": len(body),
            **self.headers(path, terminal, body),
        }
        lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        return f"POST {path} HTTP/1.1\r\n{lines}\r\n".encode() + body

    def verifies(self, count: int) -> Iterator[bytes]:
        at = int(time.time()) - 1
        for _ in range(count):
            terminal = self._random.randrange(TERMINALS)
            code = pass_.encode_text(self.presentation(at))
            message = {"sequence": self.sequence(terminal), "code": code, "amount_fen": 200}
            yield self.http("/gate/v1/verify", terminal, msgspec.json.encode(message), "application/json")

    def offline_uses(self, terminal: int, count: int) -> list[dict[str, object]]:
        at = int(time.time()) - 30
        return [
            {
                "sequence": self.sequence(terminal), "used_at": at, "presentation": self.presentation(at),
                "hot_version": 0, "amount_fen": 200,
            }
            for _ in range(count)
        ]  # fmt: skip

    def batches(self, count: int, size: int) -> Iterator[bytes]:
        for _ in range(count):
            terminal = self._random.randrange(TERMINALS)
            body = msgspec.msgpack.encode({"uses": self.offline_uses(terminal, size)})
            yield self.http("/gate/v1/uses", terminal, body, "application/msgpack")


def write(requests: Iterator[bytes], path: Path) -> None:
    """Each request after its length in eight digits, for wrk's script."""
    with path.open("wb") as file:
        for request in requests:
            file.write(b"%08d" % len(request) + request)
