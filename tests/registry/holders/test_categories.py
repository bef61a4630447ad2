"""优待类别: proven, and switched on and off by their dates."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.registry.conftest import AT, LI_QIANG, ZHAO_MIN, days, id_number
from yikatong.core.clock import BEIJING, day_of
from yikatong.core.errors import DomainError
from yikatong.core.models import AuditEntry
from yikatong.registry.holders import actions, queries, rules
from yikatong.registry.holders.models import CATEGORY_MOVES, Category, Holder

TODAY = date(2026, 11, 20)
STUDENT: dict[str, Any] = {"kind": "student", "source": "教育部门名单", "evidence": "XJ-001"}


def refused(code: str, act: Callable[[], object]) -> DomainError:
    with pytest.raises(DomainError) as caught:
        act()
    assert caught.value.code == code
    return caught.value


def midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=BEIJING)


@pytest.mark.clause("G7", "N9", "A5")
def test_a_category_is_switched_on_and_off_on_its_days(wang_fang: Holder) -> None:
    period = {"valid_from": TODAY + timedelta(days=3), "valid_until": TODAY + timedelta(days=5)}
    category = actions.add_category(wang_fang.pk, **STUDENT, **period, by=LI_QIANG, at=AT)
    seen = [category.state]
    for day in range(1, 7):
        at = midnight(TODAY + timedelta(days=day))
        assert actions.switch_categories(at=at - timedelta(seconds=1)) == 0
        actions.switch_categories(at=at)
        category.refresh_from_db()
        seen.append(category.state)
    assert seen == ["coming", "coming", "coming", "on", "on", "off", "off"]
    switched = AuditEntry.objects.filter(event__startswith="holders:holder:category_o").order_by("pk")
    assert list(switched.values_list("event", "holder_id", "facts")) == [
        ("holders:holder:category_on", wang_fang.pk, {"category": str(category.pk)}),
        ("holders:holder:category_off", wang_fang.pk, {"category": str(category.pk)}),
    ]


@pytest.mark.clause("G17", "S15", "A5")
def test_the_audit_log_tells_of_no_illness_and_no_poverty(wang_fang: Holder) -> None:
    """It is kept for ever and taken out as a table: it names the entry, which keeps its kind to itself."""
    proven = {"kind": "disabled", "source": "残联名单", "evidence": "51010719900307012941"}
    added = actions.add_category(wang_fang.pk, **proven, valid_from=TODAY, by=LI_QIANG, at=AT)
    actions.end_category(added.pk, reason="证件注销", by=LI_QIANG, at=AT)
    facts = AuditEntry.objects.filter(event__startswith="holders:holder:category").values_list(
        "facts", flat=True
    )
    assert [one["category"] for one in facts] == [str(added.pk)] * 2
    assert not any(word in str(list(facts)) for word in ("disabled", "残联"))


@pytest.mark.clause("G17", "S15", "A5")
def test_the_number_of_a_proof_is_sealed(wang_fang: Holder) -> None:
    """That of a certificate of disability is the citizen's own and two digits more."""
    number = "51010719900307012941"
    proven = {"kind": "disabled", "source": "残联名单", "evidence": number}
    added = actions.add_category(wang_fang.pk, **proven, valid_from=TODAY, by=LI_QIANG, at=AT)
    assert Category.objects.get(pk=added.pk).evidence == number
    with connection.cursor() as cursor:
        cursor.execute("SELECT row_to_json(c)::text FROM holders_category c")
        stored = cursor.fetchone()[0]
    assert number not in stored
    assert number.encode().hex() not in stored


@pytest.mark.clause("G7", "N9", "A5")
def test_an_ended_category_holds_until_its_last_day_and_says_why(wang_fang: Holder) -> None:
    given_ = actions.add_category(wang_fang.pk, **STUDENT, valid_from=TODAY, by=LI_QIANG, at=AT)
    end: dict[str, Any] = {"reason": "毕业离校", "by": LI_QIANG, "at": AT}
    refused("not_found", lambda: actions.end_category(given_.pk, **(end | {"by": ZHAO_MIN})))
    refused("reason_too_short", lambda: actions.end_category(given_.pk, **(end | {"reason": " "})))
    past = refused(
        "category_end_past", lambda: actions.end_category(given_.pk, on=TODAY - timedelta(days=1), **end)
    )
    assert past.message == "终止日期不能早于今天：已经享受的优待不因终止而改变。请填写今天或以后的日期。"
    ended = actions.end_category(given_.pk, on=TODAY + timedelta(days=2), **end)
    assert (ended.state, ended.end_reason, ended.valid_until) == ("on", "毕业离校", date(2026, 11, 22))
    assert [one.pk for one in queries.categories_on(wang_fang.pk, date(2026, 11, 21))] == [given_.pk]
    assert queries.categories_on(wang_fang.pk, date(2026, 11, 22)) == []
    refused("category_ended", lambda: actions.end_category(given_.pk, on=date(2026, 11, 22), **end))


@pytest.mark.clause("A5")
def test_a_category_ended_before_it_begins_never_held_and_may_be_entered_again(wang_fang: Holder) -> None:
    period = {"valid_from": TODAY + timedelta(days=10)}
    wrong = actions.add_category(wang_fang.pk, **STUDENT, **period, by=LI_QIANG, at=AT)
    ended = actions.end_category(wrong.pk, reason="登记有误", by=LI_QIANG, at=AT)
    assert (ended.valid_from, ended.valid_until, ended.state) == (*[date(2026, 11, 30)] * 2, "off")
    assert queries.categories_on(wang_fang.pk, date(2026, 11, 30)) == []
    again = actions.add_category(wang_fang.pk, **STUDENT, **period, by=LI_QIANG, at=AT)
    assert [one.pk for one in queries.categories_on(wang_fang.pk, date(2026, 11, 30))] == [again.pk]
    refused(
        "category_exists",
        lambda: actions.add_category(wang_fang.pk, **STUDENT, **period, by=LI_QIANG, at=AT),
    )


@pytest.mark.clause("A5")
def test_an_elder_is_sixty(register: Callable[..., Holder]) -> None:
    holder = register(number=id_number(1, born="19661121"))
    elder: dict[str, Any] = {"kind": "elder", "source": "本人出示的证件原件", "by": LI_QIANG, "at": AT}
    refusal = refused("elder_too_young", lambda: actions.add_category(holder.pk, valid_from=TODAY, **elder))
    assert refusal.article == "《中华人民共和国老年人权益保障法》第二条"
    assert actions.add_category(holder.pk, valid_from=date(2026, 11, 21), **elder).state == "coming"


offsets = st.integers(-40, 40)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    periods=st.lists(
        st.tuples(offsets, st.none() | st.integers(0, 40)), max_size=6, unique_by=lambda x: x[0]
    ),
    walk=st.lists(st.integers(0, 30), min_size=1, max_size=6),
)
def test_whatever_the_dates_states_follow_the_table_and_end_as_the_dates_say(
    wang_fang: Holder, periods: list[tuple[int, int | None]], walk: list[int]
) -> None:
    """The state a job has set equals what the gate reads from the dates, on each day, however often it ran."""
    Category.objects.all().delete()
    for begins, length in periods:
        first = TODAY + timedelta(days=begins)
        until = None if length is None else first + timedelta(days=length)
        Category.objects.create(
            holder=wang_fang, kind="student", source="x", valid_from=first, valid_until=until
        )
    at, was = AT, {one.pk: Category.State(one.state) for one in Category.objects.all()}
    for step in walk:
        at += days(step)
        actions.switch_categories(at=at)
        assert actions.switch_categories(at=at) == 0
        for one in Category.objects.all():
            new = Category.State(one.state)
            assert new == was[one.pk] or new in CATEGORY_MOVES[was[one.pk]]
            if one.valid_from <= day_of(at):
                assert new == rules.state_on(one.valid_from, one.valid_until, day_of(at))
            else:
                assert new == "coming"
            was[one.pk] = new
        on = {one.pk for one in Category.objects.filter(state="on")}
        assert on == {one.pk for one in queries.categories_on(wang_fang.pk, day_of(at))}
