"""The issuer's keysets and the newest list versions, read every second."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from yikatong.gate import logs
from yikatong.gate.lane import Lane
from yikatong.using.codes import keysets
from yikatong.using.codes.keyset import Keyset

REFRESH_S = 1.0
# Offline uses may be handed in for this long, under a keyset whose time has passed since.
LATE = timedelta(days=7)
_COLUMNS = (
    "key_id",
    "issuer",
    "public_key",
    "secrets_sealed",
    "created_at",
    "sign_until",
    "verify_until",
    "withdrawn_at",
)
_KEYS = keysets.KEYS_SQL.replace("%(now)s", "%s")
_VERSIONS = """
SELECT DISTINCT ON (kind, scene) kind, scene, version FROM codes_listversion ORDER BY kind, scene, version DESC
"""


class Versions(NamedTuple):
    """Newest version of the trust list, and of each scene's hotlist; 0 where none was published."""

    trust: int
    hot: dict[int, int]


class Keys:
    """What the gate knows of keys and lists; empty until the first `refresh`."""

    def __init__(self, lane: Lane) -> None:
        self._lane = lane
        self._sealed: list[tuple[object, ...]] = []
        self.keysets: dict[tuple[int, int], Keyset] = {}
        self.signing: Keyset | None = None
        self.versions = Versions(0, {})

    async def refresh(self) -> None:
        rows = await self._lane.fetch(_KEYS, [datetime.now(UTC) - LATE])
        if rows != self._sealed:
            self._take(rows)
        found = await self._lane.fetch(_VERSIONS)
        newest = {(kind, scene): version for kind, scene, version in found}
        hot = {scene: version for (kind, scene), version in newest.items() if kind == "hot"}
        self.versions = Versions(newest.get(("trust", 0), 0), hot)

    def _take(self, rows: list[tuple[object, ...]]) -> None:
        named = [dict(zip(_COLUMNS, row, strict=True)) for row in rows]
        opened = [keysets.unwrap(row) for row in named]
        self.keysets = {(keyset.issuer, keyset.key_id): keyset for keyset in opened}
        signs = (keyset for row, keyset in zip(named, opened, strict=True) if row["sign_until"] is None)
        self.signing = next(signs, None)
        self._sealed = rows
        logs.event("keysets_read", keysets=[keyset.key_id for keyset in opened])

    async def keep_fresh(self) -> None:
        """Refresh every second until cancelled; a database that is away is waited for."""
        while True:
            await asyncio.sleep(REFRESH_S)
            try:
                await self.refresh()
            except Exception as error:  # noqa: BLE001 - what cannot be read now may be readable in a second
                logs.failure("keys_not_refreshed", error)
