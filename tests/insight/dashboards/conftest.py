"""A province with two cities in use, and uses as the gate would have written them."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID

import pytest

from yikatong.core.actor import SYSTEM
from yikatong.core.clock import day_of
from yikatong.insight.dashboards import scope
from yikatong.insight.dashboards.scope import Scope
from yikatong.registry.access.models import Terminal, TerminalState
from yikatong.registry.catalogue.models import Domain, Place
from yikatong.registry.regions import profile
from yikatong.registry.regions.models import Organisation
from yikatong.using.usage.models import Use

AT = datetime(2026, 11, 20, 2, 30, 20, tzinfo=UTC)  # a Friday, 10:30:20 in Beijing
CHENGDU, MIANYANG = "510100", "510700"
BUS_STOP, HOSPITAL = UUID(int=501), UUID(int=502)

MakeUse = Callable[..., Use]


@pytest.fixture
def province() -> profile.Profile:
    return profile.load("sichuan")


@pytest.fixture
def whole(province: profile.Profile) -> Scope:
    return scope.of_actor(SYSTEM, province)


@pytest.fixture
def venues(db: None, province: profile.Profile) -> None:
    Domain.objects.bulk_create(
        Domain(code=entry.code, name=entry.name, order=order) for order, entry in enumerate(province.domains)
    )
    keeper = Organisation.objects.create(code="k", name="示例公交", kind="operator", division_code="510100")
    for key, name, domain, division in (
        (BUS_STOP, "武侯公交枢纽站", "transit", "510107"),
        (HOSPITAL, "涪城人民医院", "medical", "510703"),
    ):
        Place.objects.create(
            id=key,
            number=str(key.int),
            name=name,
            kind="x",
            domain_id=domain,
            keeper=keeper,
            division_code=division,
        )


@pytest.fixture
def make_terminal(venues: None) -> Callable[..., Terminal]:
    numbers = count(510107000001)

    def made(
        city: str = CHENGDU,
        domain: str = "transit",
        *,
        status: str = "enrolled",
        state: bool = True,
        **told: Any,
    ) -> Terminal:
        place = Place.objects.get(id=BUS_STOP)
        terminal = Terminal.objects.create(
            number=next(numbers), name="机", kind="bus", place=place, owner=place.keeper, city_code=city,
            domain_code=domain, scenes=[1, 3], status=status,
        )  # fmt: skip
        if state:
            TerminalState.objects.create(terminal=terminal, **({"seen_at": AT} | told))
        return terminal

    return made


@pytest.fixture
def use(db: None) -> MakeUse:
    """One use received `minutes` before AT (or at `received_at`); accepted by code in 成都's transit by default."""
    numbers = count(1)

    def made(minutes: float = 0, **changes: Any) -> Use:
        received_at = changes.pop("received_at", AT - timedelta(minutes=minutes))
        day = day_of(changes.get("used_at", received_at))
        row: dict[str, Any] = {
            "day": day,
            "terminal": 510107000001,
            "sequence": int(f"{day:%Y%m%d}") * 10**8 + next(numbers),
            "used_at": received_at,
            "received_at": received_at,
            "method": Use.Method.CODE,
            "scene": 3,
            "place_id": BUS_STOP,
            "city_code": CHENGDU,
            "domain_code": "transit",
            "request_digest": bytes(16),
        }
        return Use.objects.create(**(row | changes))

    return made
