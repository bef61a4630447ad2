"""A lane: one connection of our own, made again when it breaks; and the pool of a few for everything else."""

import asyncio
import re
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import psycopg
from psycopg import AsyncConnection

from yikatong.gate import arrays, logs

CONNECT_TIMEOUT_S = 5
_OPTIONS = "-c jit=off -c timezone=UTC -c lock_timeout=5s -c statement_timeout=15s -c plan_cache_mode=force_generic_plan"


class Lane:
    """One connection, used by one caller at a time. Errors pass through; a broken connection is replaced."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._connection: AsyncConnection[tuple[Any, ...]] | None = None
        self._turn = asyncio.Lock()

    async def fetch(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run one statement in its own transaction and return its rows; returns after the commit."""
        async with self._turn:
            connection = await self._opened()
            cursor = await connection.execute(sql.encode(), parameters, prepare=True, binary=True)
            return await cursor.fetchall() if cursor.description else []

    async def _opened(self) -> AsyncConnection[tuple[Any, ...]]:
        if self._connection is None or self._connection.closed:
            self._connection = await AsyncConnection.connect(
                self._dsn, autocommit=True, connect_timeout=CONNECT_TIMEOUT_S, options=_OPTIONS,
                application_name="yikatong gate",
            )  # fmt: skip
            arrays.register(self._connection)
        return self._connection

    async def transaction(
        self, statements: Sequence[tuple[str, Sequence[Any]]]
    ) -> list[list[tuple[Any, ...]]]:
        """Several statements in one transaction; the rows of each."""
        async with self._turn:
            connection = await self._opened()
            results = []
            async with connection.transaction():
                for sql, parameters in statements:
                    cursor = await connection.execute(sql.encode(), parameters)
                    results.append(await cursor.fetchall() if cursor.description else [])
            return results

    async def close(self) -> None:
        if self._connection is not None:
            with suppress(psycopg.Error):
                await self._connection.close()


def positional(sql: str) -> tuple[str, list[str]]:
    """A statement with named parameters as one with positional ones, and the names in their order."""
    names = re.findall(r"%\((\w+)\)s", sql)
    return re.sub(r"%\(\w+\)s", "%s", sql), names


def is_broken(error: Exception) -> bool:
    """Whether the statement may be sent again unchanged: connection lost, server restarting, deadlock, timeout."""
    if not isinstance(error, psycopg.OperationalError):
        return False
    logs.event("database_trouble", kind=type(error).__name__, sqlstate=error.sqlstate or "")
    return True
