"""Sizes and the shared state of one loading."""

import random
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from yikatong.registry.banks.models import Bank
from yikatong.registry.cards.models import Card
from yikatong.registry.catalogue.models import Place
from yikatong.registry.holders.models import Category, Holder
from yikatong.registry.regions.models import Division, Organisation, Outlet
from yikatong.registry.regions.nearest import Point
from yikatong.registry.regions.profile import Profile


@dataclass(frozen=True)
class Sizes:
    holders: int = 20_000
    outlets: int = 60
    places: int = 500
    terminals: int = 300
    days: int = 7


@dataclass
class Person:
    """A holder with what the later steps need in the clear."""

    holder: Holder
    number: str
    kind: str
    age: int
    categories: list[Category] = field(default_factory=list)


@dataclass
class Loading:
    """What the steps hand on. `seed` fixes every choice, so that two installations look alike."""

    profile: Profile
    at: datetime
    demo_file: Path
    sizes: Sizes = field(default_factory=Sizes)
    seed: int = 20260101
    counties: list[Division] = field(default_factory=list)
    departments: dict[str, Organisation] = field(default_factory=dict)
    centres: dict[str, Point] = field(default_factory=dict)
    outlets: list[Outlet] = field(default_factory=list)
    banks: list[Bank] = field(default_factory=list)
    places: list[Place] = field(default_factory=list)
    people: list[Person] = field(default_factory=list)
    cards: list[Card] = field(default_factory=list)
    known: list[Person] = field(default_factory=list)  # the demonstration's own people, who can be tried
    applicants: list[Person] = field(default_factory=list)  # without a card when the last weeks begin
    staff: list[dict[str, str]] = field(default_factory=list)

    def dice(self, step: str) -> random.Random:
        """A generator of its own for each step, so that a change in one leaves the others as they were."""
        return random.Random(f"{self.seed}:{step}")  # noqa: S311 - a demonstration's data, nothing secret
