"""What the gate reads of a device follows every change of what it repeats, whoever makes it and however."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import psycopg
import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.using.codes.test_devices import device_of
from tests.using.people import AT
from yikatong.core.ids import uuid7
from yikatong.registry.cards.models import Card, ECard
from yikatong.registry.holders.models import Holder
from yikatong.using.codes.models import Device, Standing

_APART = """
(SELECT d.number, d.status, d.generation, d.revoked_at, e.status, e.removed_at, c.id, c.status, c.expires_on,
   COALESCE(c.lost_at, c.cancelled_at), h.id, h.status, h.deceased_on
 FROM codes_device d JOIN cards_ecard e ON e.id = d.ecard_id JOIN cards_card c ON c.id = e.card_id
 JOIN holders_holder h ON h.id = d.holder_id)
EXCEPT
(SELECT device_number, device_status, generation, revoked_at, ecard_status, removed_at, card_id, card_status,
   expires_on, ended_at, holder_id, holder_status, deceased_on FROM codes_standing)
"""

_BIND = """INSERT INTO codes_device (id, ecard_id, holder_id, public_key, name, is_server, generation, status,
  registered_at) SELECT gen_random_uuid(), ecard_id, holder_id, '', '平板', false, 1, 'active', now()
  FROM codes_device LIMIT 1"""
_LOSE = "UPDATE cards_card SET status = '2', lost_at = now() WHERE status = '1'"

# Each change is one statement a room makes, or a person at the database.
CHANGES: dict[str, Callable[[Device, Card], object]] = {
    "card lost": lambda _, card: Card.objects.filter(id=card.id).update(status="2", lost_at=AT),
    "card found": lambda _, card: Card.objects.filter(id=card.id).update(status="1", lost_at=None),
    "card cancelled": lambda _, card: Card.objects.filter(id=card.id).update(status="4", cancelled_at=AT),
    "card renewed": lambda _, card: Card.objects.filter(id=card.id).update(
        expires_on=card.expires_on + timedelta(days=365)
    ),
    "e-card removed": lambda *_: ECard.objects.update(status="removed", removed_at=AT),
    "e-card issued": lambda *_: ECard.objects.update(status="issued", removed_at=None),
    "e-card on the first card": lambda _, card: ECard.objects.update(card=card),
    "e-card on the other card": lambda _, card: ECard.objects.update(
        card=Card.objects.exclude(id=card.id).get()
    ),
    "all cards": lambda *_: Card.objects.update(expires_on=AT.date()),
    "device revoked": lambda *_: Device.objects.update(status="revoked", revoked_at=AT),
    "device bound": lambda *_: Device.objects.update(status="active", revoked_at=None, generation=2),
    "holder died": lambda *_: Holder.objects.update(status="deceased", deceased_on=AT.date()),
    "holder lives": lambda *_: Holder.objects.update(status="active", deceased_on=None),
    "another device": lambda device, _: _another(device),
}


def _another(device: Device) -> Device:
    return Device.objects.create(
        id=uuid7(), ecard_id=device.ecard_id, holder_id=device.holder_id, public_key=b"", name="网页出码",
        is_server=True, registered_at=AT,
    )  # fmt: skip


def apart() -> list[tuple[object, ...]]:
    """Devices whose standing is not what the four tables say."""
    with connection.cursor() as cursor:
        cursor.execute(_APART)
        return cursor.fetchall()


@pytest.fixture
def device(wang: Holder) -> Device:
    """王芳's phone; she also has a cancelled card."""
    Card.objects.create(
        holder=wang, number="T00000001", identification="f" * 32, reset_info="0" * 26, division_code="510105",
        status="4", issued_on=AT.date(), expires_on=AT.date() + timedelta(days=3650), cancelled_at=AT,
    )  # fmt: skip
    return device_of(wang)


@pytest.mark.clause("S2", "B2")
@pytest.mark.django_db
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=st.lists(st.sampled_from(sorted(CHANGES)), min_size=1, max_size=8))
def test_it_follows_any_changes(device: Device, changes: list[str]) -> None:
    card = Card.objects.exclude(number="T00000001").get()
    for change in changes:
        CHANGES[change](device, card)
        assert apart() == [], change
    assert Standing.objects.count() == Device.objects.count()


def test_a_change_undone_leaves_it_as_it_was(database_dsn: str, device: Device) -> None:
    with psycopg.connect(database_dsn) as undone:
        undone.execute(_LOSE)
        undone.rollback()
    assert Standing.objects.get(device=device).card_status == "1"


def _wait_for_lock(dsn: str, asked: Callable[[], bool]) -> None:
    waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = 'transactionid'"
    with psycopg.connect(dsn, autocommit=True) as watch:
        while watch.execute(waiting).fetchone() == (0,) and not asked():
            pass


@pytest.mark.parametrize(("first", "second"), [(_BIND, _LOSE), (_LOSE, _BIND)])
def test_a_device_bound_while_its_card_is_lost_is_refused(
    database_dsn: str, device: Device, first: str, second: str
) -> None:
    """Neither sees the other's row before it is there; the locks make one wait for the other."""

    def then() -> None:
        with psycopg.connect(database_dsn) as later:
            later.execute(second)

    with psycopg.connect(database_dsn) as earlier, ThreadPoolExecutor(1) as pool:
        earlier.execute(first)
        asked = pool.submit(then)
        _wait_for_lock(database_dsn, asked.done)
        earlier.commit()
        asked.result()
    assert list(Standing.objects.values_list("card_status", flat=True)) == ["2", "2"]


def test_two_sources_at_once_keep_both_changes(database_dsn: str, device: Device) -> None:
    def loses() -> None:
        with psycopg.connect(database_dsn) as later:
            later.execute(_LOSE)

    with psycopg.connect(database_dsn) as earlier, ThreadPoolExecutor(1) as pool:
        earlier.execute("UPDATE holders_holder SET status = 'deceased', deceased_on = current_date")
        asked = pool.submit(loses)
        _wait_for_lock(database_dsn, asked.done)
        earlier.commit()
        asked.result()
    standing = Standing.objects.get()
    assert (standing.holder_status, standing.card_status) == ("deceased", "2")
