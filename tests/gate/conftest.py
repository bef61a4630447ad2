"""One gate for a module's tests: people and terminals are new in each test, so nothing is cleared in between."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import setup_databases, teardown_databases

from tests.gate.world import World


@pytest.fixture(scope="session")
def committed(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """The test database for rows that are really committed.

    pytest-django makes it only when some test of the session asks for it in its own way; never shall these
    tests run on, and empty, the database of the settings.
    """
    made = None
    with django_db_blocker.unblock():
        if not connection.settings_dict["NAME"].startswith("test_"):
            made = setup_databases(verbosity=0, interactive=False, aliases={"default"})
        assert connection.settings_dict["NAME"].startswith("test_")
    yield
    if made is not None:
        with django_db_blocker.unblock():
            teardown_databases(made, verbosity=0)


@pytest.fixture(scope="module")
def world(committed: None, django_db_blocker: Any) -> Iterator[World]:
    """A gate on the test database; emptied afterwards."""
    with django_db_blocker.unblock():
        made = World(dsn_of_tests())
        try:
            yield made
        finally:
            made.close()
            call_command("flush", verbosity=0, interactive=False)
            connection.close()


def dsn_of_tests() -> str:
    """Address of the test database, as a URL, which is what settings take."""
    found: dict[str, Any] = connection.settings_dict
    who = quote(found["USER"]) + (f":{quote(found['PASSWORD'])}" if found["PASSWORD"] else "")
    where = urlencode({key.lower(): found[key] for key in ("HOST", "PORT") if found[key]})
    return f"postgresql://{who}@/{found['NAME']}?{where}"
