"""The audit log and the log of who looked cannot be edited, not even by our own code."""

from datetime import UTC, datetime
from uuid import UUID

import pytest
from django.db import DatabaseError, transaction

from yikatong.core import audit, looks
from yikatong.core.actor import SYSTEM, Actor, Channel, Role
from yikatong.core.models import AuditEntry, Look

AT = datetime(2026, 11, 21, 2, 0, tzinfo=UTC)
HOLDER = UUID("0195f3c0-0000-7000-8000-000000000001")
CLERK = Actor(
    id=UUID(int=7), name="李强", role=Role.CLERK, channel=Channel.COUNTER, organisation="武侯区大厅"
)

pytestmark = [pytest.mark.django_db, pytest.mark.clause("cap:O5")]


@pytest.mark.parametrize("change", [lambda q: q.update(actor_name="别人"), lambda q: q.delete()])
def test_an_audit_entry_is_neither_changed_nor_dropped(change) -> None:  # noqa: ANN001
    audit.record("cards:card:lost", subject="card:1", by=SYSTEM, at=AT, holder_id=HOLDER)

    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        change(AuditEntry.objects.all())

    assert AuditEntry.objects.get().actor_name == "平台"


@pytest.mark.clause("G17", "cap:O2")
def test_a_look_says_who_and_why_and_stays() -> None:
    looks.record(HOLDER, by=CLERK, at=AT, purpose="窗口查询", fields=["name", "cards"], ground="S14")

    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        Look.objects.update(looker_name="无名")

    row = looks.of_holder(HOLDER).get()
    assert (row.looker_name, row.organisation, row.purpose, row.fields) == (
        "李强",
        "武侯区大厅",
        "窗口查询",
        ["name", "cards"],
    )


def test_looking_at_oneself_is_not_a_look_by_another() -> None:
    holder = Actor(id=HOLDER, name="王芳", role=Role.HOLDER, channel=Channel.MOBILE)

    looks.record(HOLDER, by=holder, at=AT, purpose="本人查询", fields=["cards"])

    assert not Look.objects.exists()
