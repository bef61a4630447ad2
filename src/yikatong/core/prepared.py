"""Statements whose text never changes, prepared in the server: planned once a connection, and not once an act."""

from typing import Any

import psycopg
from django.db import connection
from django.db.backends.utils import CursorWrapper


class _Binding(psycopg.Cursor[Any]):
    """Keeps the text it sent, for Django's query log; the values are not in it."""

    def _convert_query(self, query: Any, params: Any = None) -> Any:
        self._query = super()._convert_query(query, params)
        return self._query


def cursor() -> CursorWrapper:
    """A cursor on Django's connection that binds in the server; Django's own binds in the client and plans anew.

    Errors, query logs and broken transactions are Django's. Only for text without values in it.
    """
    connection.ensure_connection()
    held: Any = connection
    with connection.wrap_database_errors:
        own: CursorWrapper = held._prepare_cursor(_Binding(held.connection))  # noqa: SLF001 - no public way
    return own


def plain(value: Any) -> Any:
    """A member of a closed list is its text."""
    return str(value) if isinstance(value, str) else value
