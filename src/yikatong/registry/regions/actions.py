"""Load the divisions: one act, and a second run changes nothing."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from django.db import connection, transaction

from yikatong.core import audit
from yikatong.core.actor import Actor
from yikatong.registry.regions import divisions

_COLUMNS: Final = "code, name, level, parent_code, province_code, is_current"
_STAGE: Final = "CREATE TEMP TABLE staged (LIKE regions_division) ON COMMIT DROP"
_ADD: Final = f"""
INSERT INTO regions_division ({_COLUMNS}) SELECT {_COLUMNS} FROM staged ON CONFLICT (code) DO NOTHING
"""  # noqa: S608 - constants
_CHANGE: Final = """
UPDATE regions_division d
SET name = s.name, level = s.level, parent_code = s.parent_code, province_code = s.province_code,
    is_current = s.is_current
FROM staged s
WHERE s.code = d.code
  AND (s.name, s.level, s.parent_code, s.province_code, s.is_current)
      IS DISTINCT FROM (d.name, d.level, d.parent_code, d.province_code, d.is_current)
"""
# A township of a province not loaded this time has not gone; a division that has is kept for its people.
_RETIRE: Final = """
UPDATE regions_division d SET is_current = false
WHERE d.is_current AND (d.level < 4 OR left(d.code, 2) = ANY(%s))
  AND NOT EXISTS (SELECT FROM staged s WHERE s.code = d.code)
"""


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a load did, in rows. `total` counts the rows of the source."""

    total: int
    added: int
    changed: int
    retired: int


@transaction.atomic
def load_divisions(source: Path, *, served: Iterable[str], by: Actor, at: datetime) -> Loaded:
    """Bring the divisions up to `source`; what is gone is marked, never deleted. Raises DivisionsMissing."""
    provinces = sorted(served)
    rows = divisions.rows(source, served=provinces)
    with connection.cursor() as cursor:
        _stage(cursor, rows)
        changed = _count(cursor, _CHANGE)
        added = _count(cursor, _ADD)
        retired = _count(cursor, _RETIRE, [provinces])
        cursor.execute("DROP TABLE staged")
    loaded = Loaded(len(rows), added, changed, retired)
    if added or changed or retired:
        audit.record(
            "regions:divisions:loaded",
            subject="regions_division",
            by=by,
            at=at,
            added=added,
            changed=changed,
            retired=retired,
        )
    return loaded


def _stage(cursor: Any, rows: list[divisions.Row]) -> None:
    cursor.execute(_STAGE)
    with cursor.copy(f"COPY staged ({_COLUMNS}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)


def _count(cursor: Any, statement: str, parameters: list[Any] | None = None) -> int:
    cursor.execute(statement, parameters)
    return int(cursor.rowcount)
