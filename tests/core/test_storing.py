"""The rows of an act in one statement: stored as by the ORM, all or none."""

from datetime import UTC, datetime

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from yikatong.core import audit
from yikatong.core.actor import SYSTEM
from yikatong.core.models import AuditEntry, AuditPending, Look, StaffUser
from yikatong.core.storing import store

AT = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)


def _clerk(name: str) -> StaffUser:
    return StaffUser(username=name, display_name=name, role="clerk", scope="5101", totp_secret="JBSWY3DP")


def _entry(event: str) -> AuditEntry:
    return audit.entry(event, subject="staff:1", by=SYSTEM, at=AT, ward="甲", count=2)


def test_rows_of_several_tables_go_in_one_statement(db: None) -> None:
    old = _clerk("a")
    old.save()
    old.scope, old.totp_secret, old.display_name = "5102", "KRSXG5DP", "not stored"
    new, entries = _clerk("b"), [_entry("x:staff:moved"), _entry("x:staff:entered")]
    with CaptureQueriesContext(connection) as asked:
        store(new, *entries, changed={old: ["scope", "totp_secret"]})

    assert len(asked) == 1
    assert 'INSERT INTO "core_auditentry"' in asked[0]["sql"], "the query log has its text"
    assert "JBSWY3DP" not in asked[0]["sql"], "and no values"
    stored = StaffUser.objects.in_bulk([old.pk, new.pk])
    assert (stored[old.pk].scope, stored[old.pk].totp_secret) == ("5102", "KRSXG5DP")
    assert stored[old.pk].display_name == "a"
    assert (stored[new.pk].username, stored[new.pk].totp_secret) == ("b", "JBSWY3DP")
    found = AuditEntry.objects.in_bulk([one.pk for one in entries])
    assert [found[one.pk].event for one in entries] == ["x:staff:moved", "x:staff:entered"]
    assert found[entries[0].pk].facts == {"ward": "甲", "count": 2}
    assert AuditPending.objects.count() == 2, "triggers see them"


def test_a_stored_row_may_be_saved_on(db: None) -> None:
    new = _clerk("a")
    store(new)
    new.scope = "5103"
    new.save()
    assert StaffUser.objects.get().scope == "5103"


def test_what_the_database_would_fill_in_is_filled_in(db: None) -> None:
    look = Look(
        day=AT.date(), at=AT, holder_id=None, looker_name="甲", looker_role="clerk", channel="counter",
        purpose="办理业务", fields=["姓名"],
    )  # fmt: skip
    look.holder_id = look.id
    store(look)
    assert look.looker_scope == ""
    assert Look.objects.get().looker_scope == ""


def test_one_that_cannot_be_stored_keeps_out_all(db: None) -> None:
    store(_clerk("a"))
    with pytest.raises(IntegrityError), transaction.atomic():
        store(_entry("x:staff:entered"), _clerk("a"))
    assert (AuditEntry.objects.count(), StaffUser.objects.count()) == (0, 1)
