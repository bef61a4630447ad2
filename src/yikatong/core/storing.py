"""Write the few rows of one act in one statement: one way to the server, and SQL that is made once.

An act moves a row and notes it twice, as an event and in the audit log. By the ORM these are three statements, each
compiled anew every time.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import groupby
from typing import Any

from django.db import connection, models
from django.db.models.expressions import DatabaseDefault

from yikatong.core.prepared import cursor, plain

_Part = tuple[type[models.Model], tuple[str, ...], int]  # fields changed, or () and how many new rows


def store(*new: models.Model, changed: Mapping[Any, Sequence[str]] | None = None) -> None:
    """Insert `new` rows and write the named fields of `changed` ones, in the caller's transaction.

    As with `bulk_create`, no signals and no check of the values; a row that is changed is locked already. Rows may
    refer to each other: foreign keys are asked at the commit. Raises IntegrityError.
    """
    parts, values = list[_Part](), list[Any]()
    for row, names in (changed or {}).items():
        parts.append((type(row), tuple(names), 1))
        values += [_value(row, row._meta.get_field(name), add=False) for name in names]
        values.append(row.pk)
    for model, rows in groupby(new, key=type):
        filled = [[_value(row, field, add=True) for field in _columns(model)] for row in rows]
        parts.append((model, (), len(filled)))
        values += [value for row_values in filled for value in row_values]
    with cursor() as written:
        written.execute(_statement(tuple(parts)), values)
    for row in new:
        row._state.adding, row._state.db = False, connection.alias  # noqa: SLF001 - as the ORM leaves it


def _value(row: models.Model, field: Any, *, add: bool) -> Any:
    value = field.pre_save(row, add)
    if isinstance(value, DatabaseDefault):  # a plain value in every model here
        value = field.db_default
        setattr(row, field.attname, value)
    return plain(field.get_db_prep_save(value, connection))


@lru_cache(maxsize=256)
def _columns(model: type[models.Model]) -> tuple[Any, ...]:
    return tuple(model._meta.local_concrete_fields)


@lru_cache(maxsize=1024)
def _statement(parts: tuple[_Part, ...]) -> str:
    """All but the last as common table expressions; none reads what another has written."""
    *before, last = (
        _update(model, names) if names else _insert(model, count) for model, names, count in parts
    )
    named = ", ".join(f"w{number} AS ({one})" for number, one in enumerate(before))
    return f"WITH {named} {last}" if named else last


def _insert(model: type[models.Model], count: int) -> str:
    columns = ", ".join(f'"{field.column}"' for field in _columns(model))
    marks = f"({', '.join(['%s'] * len(_columns(model)))})"
    return f'INSERT INTO "{model._meta.db_table}" ({columns}) VALUES {", ".join([marks] * count)}'  # noqa: S608 - our names


def _update(model: type[models.Model], names: Sequence[str]) -> str:
    fields: list[Any] = [model._meta.get_field(name) for name in names]
    sets = ", ".join(f'"{field.column}" = %s' for field in fields)
    return f'UPDATE "{model._meta.db_table}" SET {sets} WHERE "{model._meta.pk.column}" = %s'  # noqa: S608 - our names
