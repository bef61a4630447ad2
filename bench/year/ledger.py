"""What was done, how often, how long it took, and what was refused."""

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from yikatong.core.errors import DomainError

T = TypeVar("T")


@dataclass
class Ledger:
    """Counts of one shard; added up by the report."""

    acts: Counter[str] = field(default_factory=Counter)
    seconds: Counter[str] = field(default_factory=Counter)
    rows: Counter[str] = field(default_factory=Counter)
    refusals: Counter[str] = field(default_factory=Counter)

    def do(self, name: str, act: Callable[..., T], /, *args: Any, **options: Any) -> T | None:
        """The act's answer, or None where it was refused; anything but a refusal is a bug and ends the run."""
        started = time.perf_counter()
        try:
            answer = act(*args, **options)
        except DomainError as refusal:
            self.refusals[f"{name}: {refusal.code}"] += 1
            return None
        finally:
            self.seconds[name] += time.perf_counter() - started
        self.acts[name] += 1
        return answer

    def add(self, other: "Ledger") -> None:
        for mine, theirs in ((self.acts, other.acts), (self.seconds, other.seconds)):
            mine.update(theirs)
        self.rows.update(other.rows)
        self.refusals.update(other.refusals)
