"""Store many new rows at once by COPY: a fifth of the time of INSERT statements that spell out each value."""

from collections.abc import Iterable
from typing import Any, Final

from django.db import connection, models

#: Below this one INSERT is quicker: COPY asks the server twice.
_WORTH_IT: Final = 50


def copy_in(rows: Iterable[models.Model]) -> int:
    """Insert rows of one model in the caller's transaction; returns how many. Triggers and constraints apply.

    As with `bulk_create`, no signals; values the database would fill in (`db_default`) must be set, numbers it
    gives itself are given but not read back.
    """
    made = list(rows)
    if not made:
        return 0
    model = type(made[0])
    if len(made) < _WORTH_IT:
        return len(model._default_manager.bulk_create(made))  # noqa: SLF001 - of any model
    fields = [one for one in model._meta.local_concrete_fields if not isinstance(one, models.AutoField)]
    columns = ", ".join(f'"{field.column}"' for field in fields)
    with (
        connection.cursor() as cursor,
        cursor.copy(f'COPY "{model._meta.db_table}" ({columns}) FROM STDIN') as copy,
    ):
        for row in made:
            copy.write_row([_stored(field, row) for field in fields])
    return len(made)


def _stored(field: "models.Field[Any, Any]", row: models.Model) -> Any:
    value = field.get_db_prep_save(getattr(row, field.attname), connection)
    return str(value) if isinstance(value, str) else value  # a member of a closed list is its text
