"""The places and banks of the registry's cast."""

from tests.registry.conftest import partners, places  # noqa: F401
