"""Pages of lists ask the database as often for many rows as for few."""

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests import cast
from yikatong.core import audit, looks
from yikatong.core.actor import SYSTEM, Role
from yikatong.core.clock import day_of, now
from yikatong.portals.citizen import session
from yikatong.portals.counter import lists
from yikatong.registry.access import actions as access_acts
from yikatong.registry.cards import actions as card_acts
from yikatong.registry.cards.models import Case, CaseStatus, Roster
from yikatong.registry.catalogue.models import Domain, Place
from yikatong.registry.holders.models import Holder
from yikatong.registry.regions.models import Organisation
from yikatong.using.usage.models import Use

FEW, MANY = 2, 9

pytestmark = pytest.mark.django_db


def staff(role: Role, scope: str = "51") -> Client:
    return cast.log_in(Client(), cast.staff("周芸", f"counts-{role}", role=role, scope=scope))


def desk() -> Client:
    return cast.log_in(Client(), cast.li_qiang())


def citizen() -> Client:
    client, store = Client(), Client().session
    holder = cast.wang_fang()
    store[session.HOLDER] = str(holder.pk)
    store[session.PHONE] = bytes(holder.phone_index or b"").hex()
    store.create()
    client.cookies["sessionid"] = str(store.session_key)
    return client


def namesakes(number: int) -> None:
    """Holders of one name, each with a matter that waits."""
    cast.apply(cast.register(cast.id_number(20 + number), name="李小花", phone=f"139000002{number:02d}"))


def moved(number: int) -> None:
    namesakes(number)
    Case.objects.update(status=CaseStatus.READY)


def risen(number: int) -> None:
    """A case over its limit; each second one without an outlet, so that its place is the owner."""
    namesakes(number)
    late = {"step_due_on": day_of(now()) - timedelta(days=9)} | ({"outlet": None} if number % 2 else {})
    Case.objects.filter(pk=Case.objects.latest("created_at", "pk").pk).update(**late)
    card_acts.escalate_overdue(at=now())


def use(number: int) -> None:
    at, place = now() - timedelta(hours=number), places(number)
    Use.objects.create(
        day=day_of(at), terminal=51010000001, sequence=number, used_at=at, received_at=at, method=1, scene=1,
        holder_id=Holder.objects.get().pk, place_id=place.pk, request_digest=b"0" * 16,
    )  # fmt: skip


def look(number: int) -> None:
    at = now() - timedelta(hours=number)
    looks.record(Holder.objects.get().pk, by=cast.clerk(), at=at, purpose="办理挂失", fields=["姓名"])


def looked(number: int) -> None:
    at = now() - timedelta(seconds=number)
    looks.record(UUID(int=number), by=cast.clerk(), at=at, purpose="办理挂失", fields=["姓名"])


def places(number: int) -> Place:
    domain, _ = Domain.objects.get_or_create(code=f"d{number}", name="文化体验")
    keeper, _ = Organisation.objects.get_or_create(
        code=f"K{number}", name="示例场馆", kind="operator", division_code="510107"
    )
    return Place.objects.create(
        number=f"5101070{number:04d}", name="图书馆", kind="图书馆", domain=domain, keeper=keeper,
        division_code="510107", address="示例路 2 号",
    )  # fmt: skip


def terminal(number: int) -> None:
    place = places(number)
    access_acts.register_terminal(
        name="闸机", kind="gate", place_id=place.pk, owner_id=place.keeper_id, scenes=[1], by=SYSTEM, at=now()
    )


def roster(number: int) -> None:
    Roster.objects.create(
        digest=bytes([number]) * 32, filename="名册.csv", created_at=now(), created_by="周芸"
    )


def entry(number: int) -> None:
    audit.record(f"test:entry:{number}", subject="x", by=cast.clerk(), at=now())


@pytest.mark.parametrize(
    ("browser", "address", "add"),
    [
        (desk, "/counter/", namesakes),
        (desk, "/counter/", moved),
        (desk, "/counter/check", namesakes),
        (lambda: staff(Role.SUPERVISOR), "/counter/overdue", risen),
        (citizen, "/m/", use),
        (citizen, "/m/uses", use),
        (citizen, "/m/looks", look),
        (citizen, "/m/places", places),
        (lambda: staff(Role.OPERATOR), "/console/terminals", terminal),
        (lambda: staff(Role.SUPERVISOR), "/console/rosters", roster),
        (lambda: staff(Role.AUDITOR), "/console/audit", entry),
        (lambda: staff(Role.AUDITOR), "/console/looks", looked),
    ],
)
def test_many_rows_cost_no_more_queries_than_few(
    browser: Callable[[], Client], address: str, add: Callable[[int], object]
) -> None:
    cast.set_stage()
    client = browser()

    asked = []
    for first, last in ((0, FEW), (FEW, MANY)):
        for number in range(first, last):
            add(number)
        client.get(address)
        with CaptureQueriesContext(connection) as captured:
            answer = client.get(address)
        assert answer.status_code == 200
        asked.append(len(captured))

    assert asked[0] == asked[1]


def test_many_namesakes_are_found_with_as_many_queries_as_few() -> None:
    cast.set_stage()
    client, asked = desk(), []
    for first, last in ((0, FEW), (FEW, MANY)):
        for number in range(first, last):
            namesakes(number)
        with CaptureQueriesContext(connection) as captured:
            answer = client.post("/counter/find", {"q": "李小花"})
        assert f"找到 {last} 人" in answer.content.decode()
        asked.append(len(captured))

    assert asked[0] == asked[1]


def test_a_long_list_is_counted_so_far_and_no_further(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lists, "COUNTED", 3)
    cast.set_stage()
    client = desk()
    for number in range(4):
        namesakes(number)
    assert '<span class="num">3+</span>' in client.get("/counter/").content.decode()
