from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.terminal.device import Phone, Province, signed_in
from yikatong.terminal.store import Store


@pytest.fixture(scope="session")
def province() -> Province:
    return Province()


@pytest.fixture
def phone(province: Province) -> Phone:
    return Phone(province)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "terminal.db"


@pytest.fixture
def store(path: Path, province: Province) -> Iterator[Store]:
    with signed_in(path, province) as opened:
        yield opened
