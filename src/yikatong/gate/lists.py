"""Trust list and hotlists for terminals: the signed full list as published, or a signed delta made here.

A delta is what differs between two versions, whatever happened in between; it carries the date of the version
it leads to and is signed with the list key of the keyset that signs now (docs/spec/pass-v1.md §8).
"""

from collections import OrderedDict
from collections.abc import Collection

from yikatong.gate.arrays import pack
from yikatong.gate.enrol import text
from yikatong.gate.keys import Keys
from yikatong.gate.lane import Lane, positional
from yikatong.using.codes import hot_delta, keysets

_KEPT = 64
_FULL = """
SELECT "full", extract(epoch FROM made_at)::bigint FROM codes_listversion
WHERE kind = %s AND scene = %s AND version = %s
"""
_SUPERSEDED = """
SELECT r.scene, r.version, (
  SELECT extract(epoch FROM v.made_at)::bigint FROM codes_listversion v
  WHERE v.kind = 'hot' AND v.scene = r.scene AND v.version > r.version ORDER BY v.version LIMIT 1)
FROM unnest(%b::int4[], %b::int8[]) AS r(scene, version)
"""
_IS_KNOWN = "SELECT 1 FROM codes_listversion WHERE kind = 'hot' AND scene = %s AND version = %s"
_DELTA, _DELTA_NAMES = positional(hot_delta.DELTA_SQL)


class Lists:
    """Serves lists from the database, and remembers the last few answers."""

    def __init__(self, lane: Lane, keys: Keys) -> None:
        self._lane, self._keys = lane, keys
        self._fulls: dict[tuple[str, int], tuple[int, bytes, int]] = {}
        self._deltas: OrderedDict[tuple[int, int, int], bytes] = OrderedDict()

    def newest(self, kind: str, scene: int) -> int:
        """The version to be served, 0 when none was published."""
        versions = self._keys.versions
        return versions.trust if kind == "trust" else versions.hot.get(scene, 0)

    async def serve(self, kind: str, scene: int, since: int) -> bytes:
        """JSON of the newest list, or of the delta from `since` where that version is known and it is shorter."""
        to = self.newest(kind, scene)
        full, made_at = await self._full(kind, scene, to)
        if kind != "hot" or not 0 < since < to:
            return full
        delta = await self._delta(scene, since, to, made_at)
        return delta if delta is not None and len(delta) < len(full) else full

    async def _full(self, kind: str, scene: int, version: int) -> tuple[bytes, int]:
        """The published list and its date; of each kind and scene the last one asked for is remembered."""
        held = self._fulls.get((kind, scene))
        if held is None or held[0] != version:
            content, made_at = (await self._lane.fetch(_FULL, [kind, scene, version]))[0]
            held = self._fulls[kind, scene] = (version, bytes(content), made_at)
        return held[1], held[2]

    async def _delta(self, scene: int, since: int, to: int, made_at: int) -> bytes | None:
        """The signed delta; None when the way from `since` is no longer known. The last few are remembered."""
        key = (scene, since, to)
        if key not in self._deltas:
            delta = await self._signed_delta(scene, since, to, made_at)
            if delta is None:
                return None
            self._deltas[key] = delta
            if len(self._deltas) > _KEPT:
                self._deltas.popitem(last=False)
        return self._deltas[key]

    async def _signed_delta(self, scene: int, since: int, to: int, made_at: int) -> bytes | None:
        signing = self._keys.signing
        if signing is None or not await self._lane.fetch(_IS_KNOWN, [scene, since]):
            return None
        values = {"scene": scene, "since": since, "to": to}
        rows = await self._lane.fetch(_DELTA, [values[name] for name in _DELTA_NAMES])
        envelope = hot_delta.envelope(rows, keyset=signing, scene=scene, since=since, to=to, made_at=made_at)
        return envelope.to_json().encode()

    def forget(self) -> None:
        """Let go of what is remembered."""
        self._fulls.clear()
        self._deltas.clear()

    async def superseded(self, held: Collection[tuple[int, int]]) -> dict[tuple[int, int], int]:
        """Of hotlists (scene, version): since when a newer one could be had (unix seconds); absent while newest."""
        columns = [pack("int4", [scene for scene, _ in held]), pack("int8", [version for _, version in held])]
        rows = await self._lane.fetch(_SUPERSEDED, columns)
        return {(scene, version): at for scene, version, at in rows if at is not None}

    def signers(self) -> list[dict[str, object]]:
        """Public list keys, with which a terminal verifies its lists."""
        return [
            {
                "issuer": keyset.issuer,
                "key_id": keyset.key_id,
                "public": text(keysets.list_key(keyset).public),
            }
            for keyset in self._keys.keysets.values()
            if not keyset.withdrawn
        ]
