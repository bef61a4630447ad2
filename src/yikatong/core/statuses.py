"""Status tables: a status moves only along its table."""

from collections.abc import Mapping
from typing import TypeVar

from yikatong.core.errors import DomainError

S = TypeVar("S", bound=str)
Table = Mapping[S, frozenset[S]]


class IllegalMove(DomainError):
    """The record's state does not allow this step."""

    code = "illegal_move"
    message = "当前状态不能办理这项业务。"


def check_move(table: Table[S], old: S, new: S, refusal: type[DomainError] = IllegalMove) -> None:
    """Raise unless `table` allows `old` → `new`. Staying is not moving, and is refused too."""
    if new not in table[old]:
        raise refusal(**{"from": str(old), "to": str(new)})
