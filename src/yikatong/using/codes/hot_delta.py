"""What changed in a hotlist between two versions. Knows no Django: the gate answers from the same SQL."""

from collections.abc import Iterable
from typing import Any, Final

from yikatong.using.codes import keysets
from yikatong.using.codes.keyset import Keyset
from yikatong.using.codes.lists import Envelope, delta_payload

# A delta can be made from every version that is still on record; from an older one only the full list helps.
KNOWN_SQL: Final = """
SELECT version, made_at FROM codes_listversion
WHERE kind = 'hot' AND scene = %(scene)s AND version IN (%(since)s, %(to)s)
"""

# (reference, is_added): by the state at both versions, so that what came and went in between is not told.
DELTA_SQL: Final = """
SELECT reference, bool_or(is_in) AS is_added FROM (
    SELECT reference,
           added_version <= %(since)s AND (removed_version IS NULL OR removed_version > %(since)s) AS was_in,
           added_version <= %(to)s AND (removed_version IS NULL OR removed_version > %(to)s) AS is_in
    FROM codes_hotentry
    WHERE scene = %(scene)s
      AND (added_version > %(since)s AND added_version <= %(to)s
           OR removed_version > %(since)s AND removed_version <= %(to)s)
) AS changed
GROUP BY reference
HAVING bool_or(was_in) <> bool_or(is_in)
"""


def envelope(
    rows: Iterable[tuple[Any, bool]], *, keyset: Keyset, scene: int, since: int, to: int, made_at: int
) -> Envelope:
    """The signed delta of the rows of `DELTA_SQL`. `made_at`: unix seconds of version `to`."""
    changes = [(bytes(reference), is_added) for reference, is_added in rows]
    payload = delta_payload(
        (reference for reference, is_added in changes if is_added),
        (reference for reference, is_added in changes if not is_added),
    )
    plain = Envelope("hot", scene, since, to, made_at, keyset.issuer, keyset.key_id, payload)
    return plain.signed(keysets.list_key(keyset).private)
