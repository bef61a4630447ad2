"""A new terminal gets its key, once, for the code an operator gave it."""
from typing import Any


async def enrol(message: Any, *, lane: Any, at: Any) -> Any:
    raise NotImplementedError
