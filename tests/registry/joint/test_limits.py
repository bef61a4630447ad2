"""Public holidays entered after a joint matter was opened: the departments' limits are counted anew."""

from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.registry.conftest import AT
from yikatong.core.actor import SYSTEM
from yikatong.core.models import AuditEntry
from yikatong.core.workdays import Calendar
from yikatong.registry.joint import actions, moves
from yikatong.registry.joint.actions.limits import due_after
from yikatong.registry.joint.models import JointItem, JointMatter
from yikatong.registry.regions.models import CalendarDay, CalendarYear

pytestmark = pytest.mark.django_db
MONDAY = datetime(2026, 11, 23, 2, tzinfo=AT.tzinfo)


def due(joint: JointMatter) -> dict[str, date | None]:
    return dict(joint.items.values_list("key", "due_on"))


def move(joint: JointMatter, key: str, *steps: tuple[str, datetime]) -> None:
    """Through `moves`, as the departments' answers would."""
    for status, at in steps:
        part = joint.items.select_related("joint").get(key=key)
        moves.move_item(part, JointItem.Status(status), by=SYSTEM, at=at)


def holiday(day: date) -> None:
    year, _ = CalendarYear.objects.get_or_create(
        year=2026, defaults={"notice": "通知", "is_published": False}
    )
    CalendarDay.objects.create(day=day, year=year, works=False, name="示例")


@pytest.mark.clause("B7", "S14")
def test_limits_that_run_follow_the_calendar(
    at_counter: JointMatter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("yikatong.registry.joint.actions.limits._CHUNK", 1)
    joint = at_counter  # on Friday 2026-11-20
    move(joint, "household", ("sending", AT))
    move(joint, "vaccination", ("sending", AT), ("accepted", AT), ("correcting", MONDAY))
    move(joint, "insurance", ("sending", AT), ("accepted", AT), ("correcting", MONDAY), ("sending", MONDAY))
    before = due(joint)
    assert actions.renew_limits(by=SYSTEM, at=MONDAY) == 0
    assert due(joint) == before

    holiday(date(2026, 11, 24))
    later = [actions.renew_limits(by=SYSTEM, at=MONDAY) for _ in range(2)]

    after = due(joint)
    asked = before["vaccination"]
    moved = {key for key in before if after[key] != before[key]}
    assert later == [len(moved), 0]
    assert (after["vaccination"], "vaccination" in moved) == (asked, False)  # the applicant was told that day
    assert moved == {key for key, day in before.items() if day and day >= date(2026, 11, 24)} - {
        "vaccination"
    }
    by = Calendar(days={date(2026, 11, 24): False})  # no weekend makes up for it: each is a working day later
    for key in moved:
        assert after[key] == by.add(before[key], 1)
    assert AuditEntry.objects.filter(event="joint:limits:renewed").count() == 3


@pytest.mark.clause("B7", "S14")
def test_what_is_late_stays_late(at_counter: JointMatter) -> None:
    """It has risen to the supervisors; nothing that is over, or done, gets another limit."""
    before = due(at_counter)
    holiday(date(2026, 11, 24))
    assert actions.renew_limits(by=SYSTEM, at=AT + timedelta(days=60)) == 0
    move(at_counter, "birth", ("done", AT))
    assert actions.renew_limits(by=SYSTEM, at=AT) == 0
    assert due(at_counter) == before | {"birth": None}


_STEPS = st.lists(
    st.tuples(st.sampled_from(["sending", "accepted", "correcting", "refused"]), st.integers(0, 9))
)


@given(_STEPS, st.integers(1, 20), st.sets(st.integers(0, 90), max_size=8))
def test_a_day_off_never_brings_a_limit_nearer(
    steps: list[tuple[str, int]], days: int, off: set[int]
) -> None:
    """Whatever has happened; without a new day off nothing moves."""
    day, passed = date(2026, 11, 20), []
    for status, pause in steps:
        day += timedelta(days=pause)
        passed.append((status, day))
    plain = due_after(passed, days, Calendar())
    free = Calendar(days={date(2026, 11, 20) + timedelta(days=one): False for one in off})
    late = due_after(passed, days, free)
    assert (plain is None) == (late is None)
    if plain is not None and late is not None and "correcting" not in [status for status, _ in steps]:
        assert late >= plain
