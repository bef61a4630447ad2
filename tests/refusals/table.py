"""How each refusal comes about: one way to provoke each class, through an act, a query or a front door."""

from collections.abc import Callable
from typing import Any, Final, TypeVar

from tests.refusals.stage import Stage
from yikatong.core.errors import DomainError

Provoke = Callable[[Stage], object]
F = TypeVar("F", bound=Provoke)

PROVOCATIONS: Final[dict[type[DomainError], Provoke]] = {}


def refuses(refusal: type[DomainError]) -> Callable[[F], F]:
    """`@refuses(rules.HasCard)` on a function that takes the stage and is refused so."""

    def note(provoke: F) -> F:
        assert refusal not in PROVOCATIONS, f"{refusal} twice"
        PROVOCATIONS[refusal] = provoke
        return provoke

    return note


def way(refusal: type[DomainError], provoke: Provoke) -> None:
    """The same for a way short enough for a lambda."""
    refuses(refusal)(provoke)


def heard(told: dict[str, Any], *kinds: type[DomainError]) -> None:
    """Raise what a front door has answered with problem details: the words of its answer, and of the class no word."""
    kind = next(one for one in kinds if one.code == told["code"])
    assert kind.status == told["status"]
    raise kind(told["title"], article=told.get("article", ""))


def key(refusal: type[Any]) -> str:
    """How `sentences.toml` names a class: two rooms may use one code."""
    return f"{refusal.__module__.removeprefix('yikatong.')}.{refusal.__name__}"
