"""A question compiled once answers as its queryset does."""

import threading
from datetime import UTC, date, datetime

import pytest
from django.db import connection, transaction
from django.db.models import QuerySet
from django.db.transaction import TransactionManagementError

from yikatong.core.asking import Question
from yikatong.core.models import AuditEntry, StaffUser

AT = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)


def _clerk(name: str, *, scope: str = "5101", secret: str | None = None) -> StaffUser:
    words = {"display_name": name, "role": "clerk", "scope": scope, "totp_secret": secret}
    return StaffUser.objects.create_user(name, password=None, **words)


def test_rows_are_those_of_the_queryset_each_time_with_other_values(db: None) -> None:
    first, second = _clerk("a", secret="JBSWY3DP"), _clerk("b", scope="5102")
    of_scope = Question(lambda scope: StaffUser.objects.filter(scope=scope, role="clerk"), str)

    assert [of_scope(scope) for scope in ("5101", "5102", "5103")] == [[first], [second], []]
    found = of_scope.first("5101")
    assert found is not None
    assert found.totp_secret == "JBSWY3DP", "an encrypted column is opened"
    found.display_name = "c"
    found.save(update_fields=["display_name"])
    assert StaffUser.objects.get(pk=first.pk).display_name == "c", "the row is one that can be saved"
    assert of_scope.first("5103") is None


def test_values_of_every_type_are_put_where_they_belong(db: None) -> None:
    one = AuditEntry.objects.create(at=AT, event="a", subject="card:1", actor_name="甲", facts={"n": 1})
    AuditEntry.objects.create(at=AT, event="b", subject="card:1", actor_name="甲")

    def build(event: object, at: object, subject: object) -> QuerySet[AuditEntry]:
        return AuditEntry.objects.filter(subject=subject, at__gte=at, event=event).order_by("-at")[:5]

    asked = Question(build, str, datetime, str)
    assert asked("a", AT, "card:1") == [one]
    assert asked("a", AT, "card:1")[0].facts == {"n": 1}
    assert asked("a", AT.replace(hour=2), "card:1") == []


def test_tuples_come_from_values_list(db: None) -> None:
    _clerk("a")
    names = Question(
        lambda scope: StaffUser.objects.filter(scope=scope).values_list("username", "is_active"), str
    )
    assert names("5101") == [("a", True)]


def test_a_lock_is_refused_outside_a_transaction(transactional_db: None) -> None:
    clerk = _clerk("a")
    locked = Question(lambda name: StaffUser.objects.select_for_update().filter(username=name), str)
    for _ in range(2):  # before it was compiled, and after
        with pytest.raises(TransactionManagementError):
            locked.first("a")
        with transaction.atomic():
            assert locked.first("a") == clerk


def test_threads_ask_on_their_own_connections(transactional_db: None) -> None:
    clerk = _clerk("a")
    asked = Question(lambda name: StaffUser.objects.filter(username=name), str)
    assert asked.first("a") == clerk
    found: list[StaffUser | None] = []

    def ask() -> None:
        found.append(asked.first("a"))
        connection.close()

    thread = threading.Thread(target=ask)
    thread.start()
    thread.join()
    assert found == [clerk]


def test_an_argument_that_shapes_the_query_is_a_mistake_of_ours(db: None) -> None:
    with pytest.raises(AssertionError):
        Question(lambda day: StaffUser.objects.all(), date)(date(2026, 3, 2))  # noqa: ARG005
