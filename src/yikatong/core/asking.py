"""Queries that are asked all day long: compiled once and planned once, which is most of what a small query costs."""

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from functools import cached_property
from typing import Any, Final, Generic, TypeVar
from uuid import UUID

from django.db import connection, models
from django.db.backends.postgresql.compiler import SQLCompiler
from django.db.models.query import ModelIterable
from django.db.transaction import TransactionManagementError
from psycopg import sql

from yikatong.core.prepared import cursor, plain

R = TypeVar("R")

#: What stands for an argument while the SQL is made: values that occur nowhere else, by type and place.
_STAND_INS: Final[dict[type, Callable[[int], Any]]] = {
    UUID: lambda place: UUID(int=0xA5C0FFEE << 64 | place),
    str: lambda place: f"\x02{place}",
    int: lambda place: 32_123 + place,
    date: lambda place: date(9990, 1, 1 + place),
    datetime: lambda place: datetime(9990, 1, 1 + place, tzinfo=UTC),
}


class Question(Generic[R]):
    """A queryset as a function of values: `build` makes it once, from stand-ins of `types`.

    The values may only be compared in it and never shape it, and none is None. Rows come as from the queryset: with
    what `select_related` names, or as tuples from `values_list`; not flat, and not as dictionaries.
    """

    def __init__(self, build: Callable[..., "models.QuerySet[Any, R]"], *types: type) -> None:
        self._build, self._types = build, types

    def __call__(self, *values: Any) -> list[R]:
        """The rows for these values; raises TransactionManagementError for a lock outside a transaction."""
        made = self._made
        if made.locks and connection.get_autocommit():
            raise TransactionManagementError("select_for_update cannot be used outside of a transaction.")
        compiler = _Compiler(made, values)
        return list(
            ModelIterable(_Rows(made.model, compiler))  # type: ignore[arg-type]
            if made.is_of_rows
            else compiler.results_iter(tuple_expected=True)
        )

    def first(self, *values: Any) -> R | None:
        """The first row; `build` says by a slice that no more are wanted."""
        return next(iter(self(*values)), None)

    @cached_property
    def _made(self) -> "_Made":
        stand_ins = [_STAND_INS[one](place) for place, one in enumerate(self._types)]
        return _Made(self._build(*stand_ins), stand_ins)


class _Made:
    """The SQL of a queryset, where its arguments stand in it, and how its rows are read."""

    def __init__(self, queryset: "models.QuerySet[Any, Any]", stand_ins: Sequence[Any]) -> None:
        self.model, self.query = queryset.model, queryset.query
        self.is_of_rows = issubclass(queryset._iterable_class, ModelIterable)  # noqa: SLF001
        self.locks = bool(self.query.select_for_update)
        self.compiler: Any = self.query.get_compiler(connection=connection)
        text, params = self.compiler.as_sql()
        self.converters = self.compiler.get_converters([column[0] for column in self.compiler.select])
        self.places = [stand_ins.index(one) for one in params if one in stand_ins]
        assert set(self.places) == set(range(len(stand_ins)))  # noqa: S101 - all are used
        marks = ["%s" if one in stand_ins else _literal(one) for one in params]
        self.sql = "".join(part + mark for part, mark in zip(text.split("%s"), [*marks, ""], strict=True))


def _literal(constant: Any) -> str:
    """In the text, so that the plan may use an index of only such rows."""
    return sql.Literal(plain(constant)).as_string(connection.connection).replace("%", "%%")


class _Compiler(SQLCompiler):
    """Has compiled already: takes over what the first one found, and only fills in the values."""

    def __init__(self, made: _Made, values: Sequence[Any]) -> None:
        super().__init__(made.query, connection, connection.alias)
        first = made.compiler
        self.select, self.klass_info, self.col_count = first.select, first.klass_info, first.col_count
        self.annotation_col_map, self.has_extra_select = first.annotation_col_map, first.has_extra_select
        self._made, self._values = made, values

    def execute_sql(self, *_: Any, **__: Any) -> Any:
        with cursor() as asked:
            asked.execute(self._made.sql, [plain(self._values[place]) for place in self._made.places])
            return [asked.fetchall()]

    def get_converters(self, expressions: Any) -> Any:  # noqa: ARG002
        return self._made.converters


class _Rows:
    """What `ModelIterable` asks of a queryset."""

    db = "default"

    def __init__(self, model: type[models.Model], compiler: _Compiler) -> None:
        self.model, self.query, self._compiler = model, self, compiler
        self._known_related_objects: dict[Any, Any] = {}

    def get_compiler(self, using: str) -> _Compiler:  # noqa: ARG002
        return self._compiler
