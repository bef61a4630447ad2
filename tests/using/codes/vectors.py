"""The published vectors, as the tests read them."""

import json
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[3]
SPEC = ROOT / "docs/spec"


def load(name: str) -> Any:
    return json.loads((SPEC / "vectors" / f"{name}.json").read_text(encoding="utf-8"))


def named(name: str) -> list[Any]:
    """Parameters with readable ids."""
    import pytest  # noqa: PLC0415 - the outsider reads vectors without it

    return [pytest.param(case, id=f"{name}: {case['name']}") for case in load(name)]
