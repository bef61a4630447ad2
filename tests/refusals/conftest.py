"""The places and banks of the registry's cast, and a stage upon them."""

from pathlib import Path
from typing import Any

import pytest

from tests.refusals.stage import Stage
from tests.registry.conftest import partners, places  # noqa: F401


@pytest.fixture
def stage(places: None, partners: None, settings: Any, tmp_path: Path) -> Stage:  # noqa: F811
    return Stage(tmp_path, settings)
