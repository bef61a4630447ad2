"""Day partitions: made ahead of time, and again at every start; a default partition catches what nobody foresaw."""

from datetime import date, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations import CreateModel

DAYS_AHEAD = 14


class CreatePartitionedModel(CreateModel):
    """CreateModel whose table is partitioned by its column `day`, with a default partition."""

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: Any, to_state: Any
    ) -> None:
        plain = schema_editor.sql_create_table
        schema_editor.sql_create_table = plain + ' PARTITION BY RANGE ("day")'
        try:
            super().database_forwards(app_label, schema_editor, from_state, to_state)
        finally:
            schema_editor.sql_create_table = plain
        table = to_state.apps.get_model(app_label, self.name)._meta.db_table
        schema_editor.execute(f'CREATE TABLE "{table}_default" PARTITION OF "{table}" DEFAULT')


def ensure(table: str, first: date, last: date) -> int:
    """Create the missing day partitions of `table` from `first` to `last`, both included; returns how many."""
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    missing = [day for day in days if _name(table, day) not in _present(table)]
    for day in missing:
        _create(table, day)
    return len(missing)


def _present(table: str) -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid "
            "WHERE i.inhparent = %s::regclass",
            [table],
        )
        return {row[0] for row in cursor.fetchall()}


def _create(table: str, day: date) -> None:
    """Rows of that day that fell into the default partition move over, in the same transaction."""
    name, end = _name(table, day), day + timedelta(days=1)
    # Names come from our own models and dates: no outside text reaches these statements.
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f'CREATE TABLE "{name}" (LIKE "{table}" INCLUDING ALL)')
        cursor.execute(
            f'WITH moved AS (DELETE FROM "{table}_default" WHERE day >= %s AND day < %s RETURNING *) '  # noqa: S608
            f'INSERT INTO "{name}" SELECT * FROM moved',
            [day, end],
        )
        cursor.execute(
            f"ALTER TABLE \"{table}\" ATTACH PARTITION \"{name}\" FOR VALUES FROM ('{day}') TO ('{end}')"
        )


def _name(table: str, day: date) -> str:
    return f"{table}_{day:%Y%m%d}"


def drop_before(table: str, day: date) -> int:
    """Drop the partitions that end on or before `day`; returns how many. For tables whose retention has run out."""
    old = sorted(name for name in _present(table) if name != f"{table}_default" and name < _name(table, day))
    with connection.cursor() as cursor:
        for name in old:
            cursor.execute(f'DROP TABLE "{name}"')
    return len(old)
