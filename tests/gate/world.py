"""The cast at the gate: holders with devices, terminals with keys, and the codes they show.

Rows are made through the models; the gate reads them by its own SQL, on connections of its own.
"""

import asyncio
import base64
import itertools
import json
import time
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec

from yikatong.core.clock import day_of
from yikatong.core.ids import uuid7
from yikatong.core.sm import sm2
from yikatong.gate import sequence
from yikatong.gate.gate import Gate, Response
from yikatong.registry.access import platform_keys, terminal_keys
from yikatong.registry.access.models import Terminal
from yikatong.registry.cards.models import Card, ECard
from yikatong.registry.catalogue.models import Domain, Place
from yikatong.registry.holders.models import Category, Holder
from yikatong.registry.regions.models import Organisation
from yikatong.using.codes import keysets, pass_
from yikatong.using.codes.models import Device, IssuerKey
from yikatong.using.usage.models import Shown, Use

SCENE = 3  # 乘车
_numbers = itertools.count(1)


@dataclass
class Rider:
    """A holder with a card, an e-card and a device whose credential is for one scene."""

    holder: Holder
    card: Card
    ecard: ECard
    device: Device
    pair: sm2.KeyPair
    issued: pass_.Issued
    counter: int = 0

    def present(self, *, at: int, counter: int | None = None) -> bytes:
        self.counter += 1
        shown = self.counter if counter is None else counter
        return pass_.present(self.issued.credential, self.issued.secret, self.pair.private, at, shown)

    def code(self, *, at: int) -> str:
        return pass_.encode_text(self.present(at=at))


@dataclass
class Asked:
    """An answer, its JSON already read."""

    status: int
    body: dict[str, Any]
    headers: dict[str, str] = field(default_factory=dict)
    terminal: int = 0


class World:
    """One gate on the test database; its clock stands where the test puts it."""

    def __init__(self, dsn: str) -> None:
        self.now = int(time.time())
        self.runner = asyncio.Runner()
        self.gate = Gate(dsn, clock=lambda: self.now)
        self.keyset = pass_.Keyset.generate(issuer=510000, key_id=1)
        IssuerKey.objects.create(
            key_id=1, issuer=510000, public_key=self.keyset.sm2_public,
            secrets_sealed=keysets.seal(self.keyset), created_at=self.at(-1000),
        )  # fmt: skip
        self.place = _place()
        self.run(self.gate.open())

    def close(self) -> None:
        self.run(self.gate.close())
        self.runner.close()

    def run(self, awaitable: Any) -> Any:
        return self.runner.run(awaitable)

    def at(self, seconds: int = 0) -> datetime:
        return datetime.fromtimestamp(self.now + seconds, UTC)

    @property
    def today(self) -> date:
        return day_of(self.at())

    # --- who and what there is ---

    def terminal(self, *, scenes: tuple[int, ...] = (SCENE,), status: str = "enrolled") -> "Desk":
        number = 510_100_000_000 + next(_numbers)
        row = Terminal.objects.create(
            number=number, name="测试闸机", kind="gate", place=self.place, owner=self.place.keeper,
            city_code="510100", domain_code="transit", scenes=list(scenes), status=status, key_generation=1,
        )  # fmt: skip
        return Desk(self, row)

    def rider(
        self, *, scene: int = SCENE, card_status: str = "1", kinds: tuple[str, ...] = (), **more: Any
    ) -> Rider:
        number = next(_numbers)
        holder = Holder.objects.create(
            name="王芳", social_security_number=f"test{number}", social_security_index=uuid7().bytes, sex="2",
            birth_date=date(1950, 1, 1), division_code="510104", created_at=self.at(),
        )  # fmt: skip
        lost = {"lost_at": self.at(-60)} if card_status in "2B" else {}
        ends = {"loss_ends_at": self.at(86_400)} if card_status == "B" else {}
        card = Card.objects.create(
            holder=holder, number=f"T{number:08d}", identification=f"{number:032d}", reset_info="0" * 26,
            division_code="510100", status=card_status, issued_on=self.today - timedelta(days=365),
            expires_on=self.today + timedelta(days=3650), **lost, **ends,
        )  # fmt: skip
        ecard = ECard.objects.create(holder=holder, card=card, number=f"E{number}", issued_at=self.at())
        for kind in kinds:
            Category.objects.create(holder=holder, kind=kind, valid_from=date(2020, 1, 1), source="测试")
        pair = sm2.generate()
        device = Device.objects.create(
            id=uuid7(),
            ecard=ecard,
            holder=holder,
            public_key=pair.public,
            name="手机",
            registered_at=self.at(),
        )
        issued = self.issue(device, pair, scene=scene, **more)
        return Rider(holder, card, ecard, device, pair, issued)

    def issue(self, known: Device, pair: sm2.KeyPair, *, scene: int = SCENE, **more: Any) -> pass_.Issued:
        fields: dict[str, Any] = {
            "device": known.number, "scene": scene, "generation": known.generation,
            "device_public": pair.public, "not_before": self.now - 100_000, "expires_at": self.now + 86_400,
            "limits": pass_.Limits(5000, 50_000, 20), "claims": pass_.Claims(fare_class=1),
        }  # fmt: skip
        return pass_.issue_credential(self.keyset, **(fields | more))

    def together(self, asks: list[tuple["Desk", str, int]], *, same_sequence: bool = False) -> list[Asked]:
        """Codes shown at the same moment at several terminals: (terminal, code, fen)."""
        number = sequence.base(self.today) + 1

        async def _all() -> list[Response]:
            calls = []
            for desk, code, fen in asks:
                used = number if same_sequence else desk.sequence()
                body = msgspec.json.encode({"sequence": used, "code": code, "amount_fen": fen})
                headers = desk.headers("POST", "/gate/v1/verify", body)
                calls.append(self.gate.handle("POST", "/gate/v1/verify", headers, body, "test"))
            return await asyncio.gather(*calls)

        return [_asked(response) for response in self.run(_all())]

    # --- what there is in the end ---

    def counts(self) -> tuple[int, int]:
        """Uses and shown codes in the tables."""
        return Use.objects.count(), Shown.objects.count()


class Desk:
    """A terminal that knows its key and asks."""

    def __init__(self, world: World, row: Terminal) -> None:
        self.world, self.row = world, row
        self._next = 0

    def sequence(self, day: date | None = None) -> int:
        self._next += 1
        return sequence.base(day or self.world.today) + self._next

    def ask(
        self,
        endpoint: str,
        message: Any = None,
        *,
        method: str = "POST",
        time: int | None = None,
        key: bytes | None = None,
        signs_in: bool = False,
        headers: dict[str, str] | None = None,
        as_msgpack: bool = False,
        peer: str = "127.0.0.1",
    ) -> Asked:
        encoder = msgspec.msgpack if as_msgpack else msgspec.json
        body = (
            message if isinstance(message, bytes) else encoder.encode(message) if message is not None else b""
        )
        path = f"/gate/v1/{endpoint}"
        signed = self.headers(method, path, body, time=time, key=key, signs_in=signs_in)
        if as_msgpack:
            signed["content-type"] = "application/msgpack"
        response = self.world.run(self.world.gate.handle(method, path, signed | (headers or {}), body, peer))
        asked = _asked(response)
        asked.terminal = self.row.number
        return asked

    def work_key(self, day: date) -> bytes:
        return platform_keys.work_key(self.row.number, self.row.key_generation, day)

    def headers(
        self, method: str, path: str, body: bytes, *, time: int | None = None, key: bytes | None = None,
        signs_in: bool = False,
    ) -> dict[str, str]:  # fmt: skip
        at = self.world.now if time is None else time
        number, generation = self.row.number, self.row.key_generation
        used = key or (
            terminal_keys.sign_in_key(platform_keys.main_key(number, generation)) if signs_in
            else platform_keys.work_key(number, generation, day_of(datetime.fromtimestamp(at, UTC)))
        )  # fmt: skip
        mac = terminal_keys.request_mac(used, time=at, method=method, path=path, body=body)
        return {
            "yikatong-terminal": str(self.row.number),
            "yikatong-time": str(at),
            "yikatong-mac": mac.hex(),
        }

    @staticmethod
    def text(data: bytes) -> str:
        return base64.urlsafe_b64encode(data).rstrip(b"=").decode()

    def verify(self, code: str, *, amount_fen: int = 200, sequence: int | None = None, **more: Any) -> Asked:
        message = {"sequence": sequence or self.sequence(), "code": code, "amount_fen": amount_fen} | more
        return self.ask("verify", message)

    def offline(
        self, raw: bytes, *, at: int, amount_fen: int = 200, sequence: int | None = None, **more: Any
    ) -> dict[str, Any]:
        """One offline use, as it is handed in."""
        use = {"sequence": sequence or self.sequence(), "used_at": at, "presentation": raw, "hot_version": 0}
        return use | {"amount_fen": amount_fen} | more

    def hand_in(self, *found: dict[str, Any], **more: Any) -> list[dict[str, Any]]:
        asked = self.ask("uses", {"uses": list(found)}, **more)
        assert asked.status == 200, asked
        uses: list[dict[str, Any]] = asked.body["uses"]
        return uses


def _asked(response: Response) -> Asked:
    if response.content_type == "application/msgpack":
        body = msgspec.msgpack.decode(response.body)
    else:
        body = json.loads(response.body) if response.body and "json" in response.content_type else {}
    return Asked(response.status, body, dict(response.headers))


def _place() -> Place:
    keeper = Organisation.objects.create(
        code="TEST-OPERATOR", name="测试公交", kind="operator", division_code="510100"
    )
    domain = Domain.objects.create(code="transit", name="交通出行")
    return Place.objects.create(
        number="P-TEST", name="测试车站", kind="station", domain=domain, keeper=keeper, division_code="510104"
    )
