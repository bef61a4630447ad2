"""Payments of the dead and of those who left are held from the act that records it until the act that undoes it."""

from collections.abc import Callable
from datetime import date

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.bank_sandbox import Sandbox
from tests.registry.conftest import AT, LI_QIANG, SUPERVISOR, days, id_number
from yikatong.registry.cards import actions as cards
from yikatong.registry.holders.holding import Held, held, held_since
from yikatong.registry.holders.models import Holder
from yikatong.registry.matching.comparing import follow
from yikatong.registry.matching.source import sources as wired

Register = Callable[..., Holder]
DEATH = {"on": date(2026, 11, 15), "evidence": "死亡证明 1", "by": LI_QIANG}


@pytest.mark.clause("A6", "O12")
def test_a_death_told_by_civil_affairs_holds_payments_until_it_is_undone(
    sources: Sandbox, wang_fang: Holder
) -> None:
    assert held_since(wang_fang.pk) is None
    sources.enters("civil", id_number(1), "王芳", death="2026-11-15")
    follow("civil", wired()["civil"], at=AT)
    assert held([wang_fang.pk]) == {
        wang_fang.pk: Held(wang_fang.pk, Holder.Status.DECEASED, AT, date(2026, 11, 15))
    }
    assert held_since(wang_fang.pk) == AT
    cards.restore(wang_fang.pk, reason="本人健在", by=SUPERVISOR, at=AT + days(1))
    assert held_since(wang_fang.pk) is None


@pytest.mark.clause("A6")
def test_a_death_under_another_name_holds_nothing(sources: Sandbox, wang_fang: Holder) -> None:
    sources.enters("civil", id_number(1), "赵六", death="2026-11-15")
    follow("civil", wired()["civil"], at=AT)
    assert held_since(wang_fang.pk) is None


@pytest.mark.clause("O12")
def test_who_left_is_held_and_a_later_death_counts_from_itself(wang_fang: Holder) -> None:
    cards.record_leaving(wang_fang.pk, reason="moved", evidence="迁移证 1", by=LI_QIANG, at=AT)
    assert held([wang_fang.pk]) == {wang_fang.pk: Held(wang_fang.pk, Holder.Status.LEFT, AT, None)}
    cards.record_death(wang_fang.pk, **DEATH, at=AT + days(2))
    assert held_since(wang_fang.pk) == AT + days(2)


@pytest.mark.clause("A1", "O12")
def test_a_merged_record_is_paid_as_the_person_it_belongs_to(register: Register) -> None:
    first, second, third = (register(serial) for serial in (1, 2, 3))
    why = {"reason": "同一人两次登记", "evidence": "户口簿 1", "by": SUPERVISOR}
    cards.merge(second.pk, first.pk, **why, at=AT)
    cards.merge(third.pk, second.pk, **why, at=AT)
    assert held([first.pk, second.pk, third.pk]) == {}
    cards.record_death(third.pk, **DEATH, at=AT + days(1))
    gone = Held(third.pk, Holder.Status.DECEASED, AT + days(1), date(2026, 11, 15))
    assert held([first.pk, second.pk, third.pk]) == {first.pk: gone, second.pk: gone, third.pk: gone}


def test_many_are_asked_about_at_once(register: Register) -> None:
    people = [register(serial) for serial in range(1, 31)]
    for one in people[::2]:
        cards.record_death(one.pk, **DEATH, at=AT)
    with CaptureQueriesContext(connection) as asked:
        found = held([one.pk for one in people])
    assert set(found) == {one.pk for one in people[::2]}
    assert len(asked) == 3
