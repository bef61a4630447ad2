"""A superuser's browser."""

import pytest
from django.db import connection
from django.test import Client

from tests import cast
from yikatong.core import audit
from yikatong.core.actor import SYSTEM, Role
from yikatong.core.clock import now
from yikatong.core.models import AuditCheckpoint
from yikatong.registry.access import actions as access_acts
from yikatong.registry.cards.models import Batch, Roster
from yikatong.registry.catalogue.models import Domain, Item, Place
from yikatong.registry.regions.models import CalendarYear, Organisation
from yikatong.using.codes.models import IssuerKey, ListVersion


@pytest.fixture
def administration(db: None) -> Client:
    """王管理's browser; one row of each kind, without Latin letters in its own text."""
    cast.set_stage()
    person = cast.staff("王管理", "900001", role=Role.ADMIN, scope="", is_staff=True, is_superuser=True)
    at, keeper = now(), Organisation.objects.get()
    Organisation.objects.update(code="510100001")
    domain = Domain.objects.create(code="01", name="文化体验")
    item = Item.objects.create(
        code="0101", name="借阅", domain=domain, department=keeper, valid_from=at.date()
    )
    place = Place.objects.create(
        number="51010700001",
        name="图书馆",
        kind="图书馆",
        domain=domain,
        keeper=keeper,
        division_code="510107",
    )
    place.items.add(item)
    access_acts.register_terminal(
        name="闸机", kind="gate", place_id=place.pk, owner_id=keeper.pk, scenes=[1], by=SYSTEM, at=at
    )
    Batch.objects.create(number="510107126010001", bank_id=cast.JOINT, created_at=at)
    Roster.objects.create(digest=b"1" * 32, filename="名册", created_at=at, created_by="周芸")
    CalendarYear.objects.create(year=2026, notice="国办发明电〔2025〕7号").days.create(
        day=at.date(), name="元旦"
    )
    IssuerKey.objects.create(key_id=1, issuer=1, public_key=b"2", secrets_sealed=b"3", created_at=at)
    ListVersion.objects.create(kind="hot", scene=4, version=1, made_at=at, full=b"")
    AuditCheckpoint.objects.create(size=1, root=b"4" * 32, at=at, key_id=1, signature=b"5" * 64)
    audit.record("cards:card:activated", subject="9", by=person.actor(), at=at)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT procrastinate_defer_jobs_v1(ARRAY[ROW('upkeep', 'usage.keep_partitions', 0, NULL, NULL,"
            " '{}', NULL)::procrastinate_job_to_defer_v1])"
        )
    return cast.log_in(Client(), person)
