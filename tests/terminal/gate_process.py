"""A real gate in its own process, and the people and terminals it knows."""

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from psycopg.conninfo import conninfo_to_dict

from tests import cast
from tests.using.people import of
from yikatong.core.actor import Actor, Channel, Role
from yikatong.core.clock import now
from yikatong.core.sm import sm2
from yikatong.registry.access import actions as access
from yikatong.registry.access.models import Terminal
from yikatong.registry.cards import actions as cards
from yikatong.registry.cards.models import Card
from yikatong.registry.catalogue.models import Domain, Place
from yikatong.registry.holders.models import Holder
from yikatong.registry.regions.models import Organisation
from yikatong.using.codes import actions as codes
from yikatong.using.codes import hotlist, pass_, publish

OPERATOR = Actor(id=None, name="运营员", role=Role.OPERATOR, channel=Channel.WEB, scope="51")
GENERAL, TRANSIT = 1, 3
_PATIENCE_S = 30.0


class GateProcess:
    """A gate on a port of its own; `stop` and `start` again are what happens in a night."""

    def __init__(self, dsn: str, *, site_url: str = "http://127.0.0.1:1") -> None:
        self.port = _free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self.url = f"http://127.0.0.1:{self.port}"
        self.database_url = _url(dsn)
        self._environment = os.environ | {
            "DATABASE_URL": self.database_url,
            "YIKATONG_PUBLIC_SITE_URL": site_url,
            "PYTHONPATH": os.pathsep.join(sys.path),
        }

    def start(self) -> None:
        command = [sys.executable, "-m", "granian", "--interface", "rsgi", "yikatong.gate.app:app"]
        address = ["--host", "127.0.0.1", "--port", str(self.port), "--no-log", "--no-ws"]
        self._process = subprocess.Popen([*command, *address], env=self._environment)
        deadline = time.monotonic() + _PATIENCE_S
        while not self._is_ready():
            assert self._process.poll() is None, "the gate ended at once"
            assert time.monotonic() < deadline, "the gate is not ready"
            time.sleep(0.05)

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(20)
            self._process = None

    def _is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/readyz", timeout=2) as answer:  # noqa: S310 - our own
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False


@contextmanager
def running(dsn: str, **more: str) -> Iterator[GateProcess]:
    gate = GateProcess(dsn, **more)
    gate.start()
    try:
        yield gate
    finally:
        gate.stop()


def _url(dsn: str) -> str:
    """The libpq words of the test database as the URL that settings take."""
    parts = conninfo_to_dict(dsn)
    who = f"{quote(str(parts.pop('user', '')))}@" if parts.get("user") else ""
    name = parts.pop("dbname")
    return f"postgresql://{who}/{name}?{urlencode({key: value for key, value in parts.items() if value})}"


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@dataclass
class Rider:
    """王芳 with a card, an e-card and a phone."""

    holder: Holder
    device_id: object
    key: sm2.KeyPair
    credentials: dict[int, codes.IssuedCredential]
    counter: int = 0

    def show(self, scene: int = TRANSIT, *, at: int | None = None) -> str:
        self.counter += 1
        issued = self.credentials[scene]
        made = int(time.time()) if at is None else at
        private = sm2.shift_private(self.key.private, issued.tweak)
        shown = pass_.present(issued.credential, issued.secret, private, made, self.counter)
        return pass_.encode_text(shown)


def rider() -> Rider:
    cast.set_stage()
    holder = cast.wang_fang()
    cast.card_in_use(holder)
    at, key = now(), sm2.generate()
    codes.issue_ecard(holder.pk, by=of(holder), at=at)
    device = codes.register_device(holder.pk, public_key=key.public, name="手机", by=of(holder), at=at)
    made = codes.issue_credentials(device.id, by=of(holder), at=at)
    publish.publish_lists(at=at)
    return Rider(holder, device.id, key, {each.scene: each for each in made})


def terminal(*, scenes: tuple[int, ...] = (GENERAL, TRANSIT)) -> tuple[Terminal, str]:
    """A registered terminal and its enrolment code."""
    domain, _ = Domain.objects.get_or_create(code="transit", defaults={"name": "交通出行"})
    keeper, _ = Organisation.objects.get_or_create(
        code="TESTBUS", defaults={"name": "测试公交", "kind": "operator", "division_code": "510100"}
    )
    place, _ = Place.objects.get_or_create(
        number="P1",
        defaults={
            "name": "测试线路",
            "kind": "bus",
            "domain": domain,
            "keeper": keeper,
            "division_code": "510107",
        },
    )
    row = access.register_terminal(
        name="车载机",
        kind="bus",
        place_id=place.id,
        owner_id=keeper.id,
        scenes=scenes,
        by=OPERATOR,
        at=now(),
    )
    return row, access.new_enrol_code(row.id, by=OPERATOR, at=now())


def lose(holder: Holder) -> None:
    """The card is lost, and the lists say so, as the job would have them."""

    card = Card.objects.get(holder=holder, status="1")
    cards.report_loss(card.pk, by=cast.clerk(), at=now())
    hotlist.card_changed(card.pk, at=now())
    publish.publish_lists(at=now())
