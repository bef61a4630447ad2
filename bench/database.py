"""An empty database with all tables and Django upon it: on the server of DATABASE_URL, else on an embedded one."""

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo


@contextlib.contextmanager
def server() -> Iterator[str]:
    """Address of a server where a database may be made."""
    if url := os.environ.get("DATABASE_URL"):
        yield url
        return
    from yikatong.runtime.postgres import Cluster

    with tempfile.TemporaryDirectory(prefix="ykt-") as name:
        home = Path(name)
        home.chmod(0o755)
        with Cluster(home).opened() as address:
            yield address


@contextlib.contextmanager
def database(name: str) -> Iterator[str]:
    """The address (libpq) of a new database of that name; DATABASE_URL names it, and it is dropped at the end."""
    with server() as address, psycopg.connect(address, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        connection.execute(f"CREATE DATABASE {name}")
        parts = conninfo_to_dict(address) | {"dbname": name}
        query = "&".join(f"{key}={value}" for key, value in parts.items())
        os.environ["DATABASE_URL"] = f"postgresql:///{name}?{query}"
        os.environ["DJANGO_SETTINGS_MODULE"] = "yikatong.site.settings"
        try:
            yield make_conninfo(**parts)
        finally:
            from django.db import connections

            connections.close_all()
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
