"""The terminal's memory on disk: one SQLite file, every commit on the platter before anybody sees its effect.

A sequence and what was done under it are written in one transaction (`transaction`), so a terminal that loses
its power between decision and answer has recorded a use nobody saw, and never gives a sequence twice.
"""

import os
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from yikatong.terminal.errors import (
    NoStore,
    StoreBusy,
    StoreDamaged,
    StoreFull,
    StoreOpenToOthers,
    TerminalError,
)

_VERSION = 1
_APPLICATION = 0x594B5454  # "YKTT": this file is ours
_PATIENCE_S = 10.0
_SCHEMA = f"""
CREATE TABLE fact (name TEXT PRIMARY KEY, value ANY NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE use (
  sequence INTEGER PRIMARY KEY,
  state TEXT NOT NULL CHECK (state IN ('asking', 'waiting', 'settled')),
  used_at INTEGER NOT NULL, amount_fen INTEGER NOT NULL CHECK (amount_fen >= 0),
  presentation BLOB, outcome INTEGER NOT NULL, hot_version INTEGER NOT NULL, fate TEXT
) STRICT;
CREATE INDEX use_state ON use (state, outcome);
CREATE TABLE passed (replay_key BLOB PRIMARY KEY, made_at INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE spent (identity BLOB PRIMARY KEY, uses INTEGER NOT NULL, fen INTEGER NOT NULL,
  expires_at INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE list (kind TEXT, scene INTEGER, version INTEGER NOT NULL, made_at INTEGER NOT NULL,
  entries INTEGER NOT NULL, payload BLOB NOT NULL, PRIMARY KEY (kind, scene)) STRICT;
PRAGMA application_id = {_APPLICATION};
PRAGMA user_version = {_VERSION};
"""


class Store:
    """An open store. Facts are small named values; tables are read by the modules that own them."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    @classmethod
    def create(cls, path: Path) -> Self:
        """A new store (mode 0600), or the one that is there. Raises TerminalError."""
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600))
        return cls.open(path)

    @classmethod
    def open(cls, path: Path) -> Self:
        """The store at `path`. Raises NoStore, StoreOpenToOthers, StoreDamaged, StoreBusy."""
        if not path.is_file():
            raise NoStore(f"{NoStore.message}：{path}")
        if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise StoreOpenToOthers(next_step=f"请执行 chmod 600 {path}")
        with named_errors():
            connection = sqlite3.connect(path, timeout=_PATIENCE_S, isolation_level=None)
            connection.row_factory = sqlite3.Row
            _prepare(connection)
        return cls(connection)

    def close(self) -> None:
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing, and on disk at its end; other processes on this store wait."""
        with named_errors():
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    def rows(self, sql: str, *values: Any) -> list[sqlite3.Row]:
        with named_errors():
            return self._connection.execute(sql, values).fetchall()

    def run(self, sql: str, *values: Any) -> int:
        """Execute one statement; returns the number of rows it changed."""
        with named_errors():
            return self._connection.execute(sql, values).rowcount

    def run_many(self, sql: str, rows: list[tuple[Any, ...]]) -> None:
        with named_errors():
            self._connection.executemany(sql, rows)

    def get(self, name: str) -> Any:
        """A fact (int, text, bytes), None when it was never told."""
        found = self.rows("SELECT value FROM fact WHERE name = ?", name)
        return found[0][0] if found else None

    def put(self, **facts: Any) -> None:
        """Tell facts; None forgets one."""
        for name, value in facts.items():
            if value is None:
                self.run("DELETE FROM fact WHERE name = ?", name)
            else:
                self.run("INSERT OR REPLACE INTO fact VALUES (?, ?)", name, value)


@contextmanager
def named_errors() -> Iterator[None]:
    """SQLite's errors as ours."""
    try:
        yield
    except sqlite3.Error as error:
        raise _named(error) from error


def _named(error: sqlite3.Error) -> TerminalError:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR):
        return StoreFull() if code == sqlite3.SQLITE_FULL else StoreFull("存储设备读写失败，本次没有放行")
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return StoreBusy()
    if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN):
        return StoreFull("存储设备不可写，本次没有放行", "请检查磁盘与文件权限后重试")
    return StoreDamaged()


def _prepare(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if not version:
        _fill(connection)
    elif version != _VERSION or connection.execute("PRAGMA application_id").fetchone()[0] != _APPLICATION:
        raise StoreDamaged("终端数据文件不是本版本软件的", "请更新终端软件")


def _fill(connection: sqlite3.Connection) -> None:
    """Two starters at once: the second finds the tables made."""
    connection.execute("BEGIN IMMEDIATE")
    if not connection.execute("PRAGMA user_version").fetchone()[0]:
        if connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]:
            connection.execute("ROLLBACK")
            raise StoreDamaged
        for statement in _SCHEMA.strip().split(";\n"):
            connection.execute(statement)
    connection.execute("COMMIT")
