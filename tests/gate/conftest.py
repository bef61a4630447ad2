"""One gate for a module's tests: people and terminals are new in each test, so nothing is cleared in between."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from django.core.management import call_command
from django.db import connection

from tests.gate.world import World


@pytest.fixture(scope="module")
def world(django_db_setup: None, django_db_blocker: Any) -> Iterator[World]:
    """A gate on the test database, whose rows are really committed; emptied afterwards."""
    with django_db_blocker.unblock():
        made = World(_dsn())
        try:
            yield made
        finally:
            made.close()
            call_command("flush", verbosity=0, interactive=False)
            connection.close()


def _dsn() -> str:
    found: dict[str, Any] = connection.settings_dict
    names = {"dbname": "NAME", "user": "USER", "password": "PASSWORD", "host": "HOST", "port": "PORT"}
    return psycopg.conninfo.make_conninfo(**{key: found[name] for key, name in names.items() if found[name]})
