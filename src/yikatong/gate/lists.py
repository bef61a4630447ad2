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
        self._answers: OrderedDict[tuple[str, int, int, int], bytes] = OrderedDict()

    def newest(self, kind: str, scene: int) -> int:
        """The version to be served, 0 when none was published."""
        versions = self._keys.versions
        return versions.trust if kind == "trust" else versions.hot.get(scene, 0)

    async def serve(self, kind: str, scene: int, since: int) -> bytes:
        """JSON of the newest list, or of the delta from `since` where that version is known and it is shorter."""
        key = (kind, scene, since, self.newest(kind, scene))
        if key not in self._answers:
            self._answers[key] = await self._made(*key)
            if len(self._answers) > _KEPT:
                self._answers.popitem(last=False)
        return self._answers[key]

    async def _made(self, kind: str, scene: int, since: int, to: int) -> bytes:
        full, made_at = (await self._lane.fetch(_FULL, [kind, scene, to]))[0]
        signing = self._keys.signing
        if kind != "hot" or not 0 < since < to or signing is None:
            return bytes(full)
        if not await self._lane.fetch(_IS_KNOWN, [scene, since]):
            return bytes(full)
        values = {"scene": scene, "since": since, "to": to}
        rows = await self._lane.fetch(_DELTA, [values[name] for name in _DELTA_NAMES])
        envelope = hot_delta.envelope(rows, keyset=signing, scene=scene, since=since, to=to, made_at=made_at)
        delta = envelope.to_json().encode()
        return delta if len(delta) < len(full) else bytes(full)

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
