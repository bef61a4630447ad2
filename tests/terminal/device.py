"""An issuer, a phone and signed-in terminals, without a gate."""

import base64
import json
import time
from collections.abc import Iterable
from pathlib import Path

from yikatong.core.sm import sm2
from yikatong.terminal import holding, ticking
from yikatong.terminal.store import Store
from yikatong.using.codes import pass_
from yikatong.using.codes.pass_ import Envelope, Keyset, Limits

LIMITS = Limits(per_use_fen=500, total_fen=1200, uses=5)
HALL, BUS = 1, 3


class Province:
    """Issues credentials and signs lists."""

    def __init__(self) -> None:
        self.keyset = Keyset.generate(issuer=510000, key_id=1)
        self.list_key = sm2.generate()

    def envelope(
        self, payload: bytes, *, kind: str = "hot", scene: int = BUS, versions: tuple[int, int] = (0, 1)
    ) -> bytes:
        made = Envelope(kind, scene, *versions, int(time.time()), 510000, 1, payload)  # type: ignore[arg-type]
        return made.signed(self.list_key.private).to_json().encode()

    def trust(self, version: int = 1) -> bytes:
        key = pass_.IssuerKey(
            510000, 1, self.keyset.sm2_public, pass_.KeyState.ACTIVE, 0, 2**32 - 2, 2**32 - 1
        )
        return self.envelope(pass_.trust_payload([key]), kind="trust", scene=0, versions=(0, version))

    def hot(self, references: Iterable[bytes] = (), version: int = 1, scene: int = BUS) -> bytes:
        return self.envelope(pass_.hot_payload(references), scene=scene, versions=(0, version))


class Phone:
    """A holder's device with one credential."""

    def __init__(
        self, province: Province, *, number: int = 7, scene: int = BUS, limits: Limits = LIMITS
    ) -> None:
        self.key, self.counter, now = sm2.generate(), 0, int(time.time())
        self.issued = pass_.issue_credential(
            province.keyset,
            device=number,
            scene=scene,
            generation=1,
            device_public=self.key.public,
            not_before=now - 3600,
            expires_at=now + 86_400,
            limits=limits,
        )

    def show(self, *, at: int | None = None) -> str:
        self.counter += 1
        made = int(time.time()) if at is None else at
        return pass_.encode_text(
            pass_.present(self.issued.credential, self.issued.secret, self.key.private, made, self.counter)
        )

    @property
    def reference(self) -> bytes:
        return pass_.parse_credential(self.issued.credential).reference


def terms(province: Province, *, offline_uses_max: int = 100, now: int | None = None) -> bytes:
    """What a gate would have answered to the sign-in."""
    public = base64.urlsafe_b64encode(province.list_key.public).rstrip(b"=").decode()
    return json.dumps(
        {
            "terminal": 510104000001,
            "day": "2026-11-21",
            "server_time": now or int(time.time()),
            "key_until": int(time.time()) + 3600,
            "sealed_key": "",
            "scenes": [HALL, BUS],
            "sequence_next": 1,
            "lists": {"trust": 1, "hot": {"1": 1, "3": 1}},
            "list_keys": [{"issuer": 510000, "key_id": 1, "public": public}],
            "validity_s": 60,
            "tolerance_s": 30,
            "hot_age_s": 86_400,
            "offline_uses_max": offline_uses_max,
            "upload_within_s": 604_800,
            "batch_most": 1000,
            "heartbeat_s": 60,
        }
    ).encode()


def signed_in(path: Path, province: Province, *, offline_uses_max: int = 100) -> Store:
    """A terminal's store as a sign-in and an update of lists leave it."""
    store = Store.create(path)
    store.put(terminal=510104000001, gate="http://127.0.0.1:9", main_key=bytes(32))
    store.put(work_key=bytes(32), work_until=2**40, terms=terms(province, offline_uses_max=offline_uses_max))
    ticking.set_by_gate(store, int(time.time()), ticking.hands())
    holding.take(store, province.trust(), kind="trust", scene=0)
    for scene in (HALL, BUS):
        holding.take(store, province.hot(scene=scene), kind="hot", scene=scene)
    return store
