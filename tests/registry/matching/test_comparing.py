"""Authoritative sources: what differs is told with both values and settled by a person, never overwritten."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.registry.conftest import AT, LI_QIANG, SUPERVISOR, days, id_number
from yikatong.core.errors import DomainError
from yikatong.core.models import AuditEntry, Look
from yikatong.registry.cards import actions as cards
from yikatong.registry.cards.models import Card
from yikatong.registry.holders import actions as holders
from yikatong.registry.holders.models import Holder, LifeEvent
from yikatong.registry.matching import actions, comparing, queries, rules
from yikatong.registry.matching.comparing import Slice, compare
from yikatong.registry.matching.models import ISSUE_MOVES, Issue, SourceRun
from yikatong.registry.matching.rules import IssueSettled
from yikatong.registry.matching.source import Answer, Changes, Question, SourceUnavailable

Register = Callable[..., Holder]
Field, Status = Issue.Field, Issue.Status
CHIEF: dict[str, Any] = {"by": SUPERVISOR, "at": AT}


class Listed:
    """A register that says what a test has put into it, by social security number; of all others what is asked."""

    label = "示例数据源"

    def __init__(self, **facts: dict[Issue.Field, str] | None) -> None:
        self.facts = facts
        self.asked: list[int] = []
        self.is_down = False

    def look_up(
        self,
        questions: Sequence[Question],
        *,
        within_s: float | None = None,  # noqa: ARG002
    ) -> Sequence[Answer]:
        if self.is_down:
            raise SourceUnavailable("对方系统无应答")
        self.asked.append(len(questions))
        return [self._answer(one) for one in reversed(questions)]

    def changes(self, after: str) -> Changes:
        return Changes((), after, more=False)

    def _answer(self, one: Question) -> Answer:
        said = self.facts.get(f"n{one.number}", {})
        if said is None:
            return Answer(one.reference, is_known=False)
        return Answer(one.reference, is_known=True, facts={Field.NAME: one.name} | said)


def n(serial: int) -> str:
    return f"n{id_number(serial)}"


def open_issues() -> list[tuple[str, str, str, str]]:
    rows = Issue.objects.filter(status="open").order_by("holder__pk", "field")
    return [(one.source, one.field, one.ours, one.theirs) for one in rows]


def refused(code: str, act: Callable[[], object]) -> DomainError:
    before = (AuditEntry.objects.count(), Issue.objects.filter(status="open").count())
    with pytest.raises(DomainError) as caught:
        act()
    assert caught.value.code == code
    assert (AuditEntry.objects.count(), Issue.objects.filter(status="open").count()) == before
    return caught.value


@pytest.mark.clause("N13", "S5", "O13", "A6")
def test_differences_open_issues_with_both_values_and_overwrite_nothing(register: Register) -> None:
    for serial in (1, 2, 3, 4):
        register(serial, ground="insurance" if serial == 4 else "residence")
    before = list(Holder.objects.order_by("pk").values())
    source = Listed(
        **{
            n(1): {Field.NAME: "王芳华", Field.PHONE: "13800000000"},
            n(2): None,
            n(3): {Field.DIVISION: "510703001", Field.PHONE: "13900000003"},
            n(4): {Field.INSURED: rules.NOT_INSURED},
        }
    )
    assert compare("insurance", source, at=AT) == Slice(compared=4, opened=5, agreed=0, deaths=0)
    assert open_issues() == [
        ("insurance", "name", "王芳", "王芳华"),
        ("insurance", "phone", "13900000001", "13800000000"),
        ("insurance", "person", "已登记", "查无此人"),
        ("insurance", "division", "510107", "510703"),
        ("insurance", "insured", "参加社会保险", "未参保"),
    ]
    assert list(Holder.objects.order_by("pk").values()) == before
    assert Look.objects.filter(purpose="与示例数据源核对", looker_name="平台").count() == 4
    assert AuditEntry.objects.filter(event="matching:issue:opened").count() == 5


@pytest.mark.clause("A6")
def test_a_second_round_finds_nothing_new_and_closes_what_agrees(register: Register) -> None:
    register(1)
    register(2)
    source = Listed(**{n(1): {Field.PHONE: "13800000000"}, n(2): {Field.NAME: "王小芳"}})
    compare("population", source, at=AT)
    run = SourceRun.objects.get()
    assert (run.rounds, run.position) == (1, None)
    source.facts = {n(1): {Field.PHONE: "13800000001"}}
    assert compare("population", source, at=AT + days(1)) == Slice(compared=2, opened=0, agreed=1, deaths=0)
    assert open_issues() == [("population", "phone", "13900000001", "13800000001")]
    agreed = Issue.objects.get(status="agreed")
    assert (agreed.field, agreed.settled_at, agreed.settled_by) == ("name", AT + days(1), "平台")


@pytest.mark.clause("A6")
def test_a_slice_goes_on_where_the_last_one_stopped(
    register: Register, monkeypatch: pytest.MonkeyPatch
) -> None:
    for serial in range(1, 8):
        register(serial)
    monkeypatch.setattr(comparing, "CHUNK", 2)
    source = Listed(**{n(7): {Field.NAME: "王小芳"}})
    assert compare("population", source, limit=3, at=AT).compared == 3
    source.is_down = True
    stopped = compare("population", source, limit=10, at=AT)
    assert (stopped.compared, stopped.failure) == (0, "对方系统无应答")
    run = SourceRun.objects.get()
    assert (run.compared, run.failure, run.failed_at) == (3, "对方系统无应答", AT)
    source.is_down = False
    assert compare("population", source, limit=10, at=AT) == Slice(compared=4, opened=1, agreed=0, deaths=0)
    assert source.asked == [2, 1, 2, 2]
    run.refresh_from_db()
    assert (run.rounds, run.compared, run.differing, run.failure) == (1, 7, 1, "")


@pytest.mark.clause("A6")
def test_a_slice_takes_the_same_statements_however_many_differ(register: Register) -> None:
    for serial in range(1, 31):
        register(serial)
    counts = []
    for facts in ({n(1): {Field.NAME: "王小芳"}}, {n(one): {Field.NAME: "王大芳"} for one in range(2, 31)}):
        with CaptureQueriesContext(connection) as captured:
            compare("population", Listed(**facts), limit=30, at=AT)
        counts.append(len(captured))
        SourceRun.objects.update(position=None)
        Issue.objects.all().delete()
    assert counts[1] <= counts[0]


# --- deaths ---


@pytest.mark.clause("A6", "O12", "B2")
def test_a_death_told_by_civil_affairs_ends_the_card_at_once(
    wang_fang: Holder, register: Register, carry: Callable[..., Card]
) -> None:
    register(2)
    card = carry(wang_fang)
    source = Listed(
        **{n(1): {Field.DEATH: "2026-11-15"}, n(2): {Field.DEATH: "2026-11-15", Field.NAME: "赵六"}}
    )
    assert compare("civil", source, at=AT) == Slice(compared=2, opened=3, agreed=0, deaths=1)
    wang_fang.refresh_from_db()
    card.refresh_from_db()
    assert (wang_fang.status, wang_fang.deceased_on, card.status) == ("deceased", date(2026, 11, 15), "4")
    assert LifeEvent.objects.get().evidence == "示例数据源死亡信息（姓名、号码一致）"
    taken = Issue.objects.get(holder=wang_fang)
    assert (taken.field, taken.status, taken.note) == ("death", "taken", "已自动登记死亡")
    # Another name under the same number is for a person to look at.
    assert [(one[1], one[3]) for one in open_issues()] == [("death", "2026-11-15"), ("name", "赵六")]
    assert Holder.objects.filter(status="active").count() == 1
    cards.restore(wang_fang.pk, reason="本人健在", **CHIEF)
    card.refresh_from_db()
    assert card.status == "1"


@pytest.mark.clause("A6", "B2")
def test_a_death_that_was_undone_is_not_recorded_again_by_the_next_round(
    wang_fang: Holder, carry: Callable[..., Card]
) -> None:
    card, source = carry(wang_fang), Listed(**{n(1): {Field.DEATH: "2026-11-15"}})
    assert compare("civil", source, at=AT).deaths == 1
    cards.restore(wang_fang.pk, reason="本人健在", **CHIEF)
    assert compare("civil", source, at=AT + days(1)) == Slice(compared=1, opened=1, agreed=0, deaths=0)
    assert open_issues() == [("civil", "death", "", "2026-11-15")]
    card.refresh_from_db()
    assert (Holder.objects.get().status, card.status) == ("active", "1")
    actions.keep(Issue.objects.get(status="open").pk, note="本人到场，健在", **CHIEF)
    assert compare("civil", source, at=AT + days(2)) == Slice(compared=1, opened=0, agreed=0, deaths=0)
    assert Holder.objects.get().status == "active"


@pytest.mark.clause("A6")
def test_a_death_a_supervisor_has_found_untrue_is_not_recorded(wang_fang: Holder) -> None:
    source = Listed(**{n(1): {Field.DEATH: "2026-11-15", Field.NAME: "王小芳"}})
    compare("civil", source, at=AT)
    actions.keep(Issue.objects.get(field="death").pk, note="同号他人，已核实", **CHIEF)
    source.facts = {n(1): {Field.DEATH: "2026-11-15"}}
    assert compare("civil", source, at=AT + days(1)).deaths == 0
    assert Holder.objects.get().status == "active"


@pytest.mark.clause("A6")
@pytest.mark.parametrize("told", ["2026-12-01", "soon", "1990-03-06"])
def test_a_death_that_cannot_be_stays_an_issue(wang_fang: Holder, told: str) -> None:
    source = Listed(**{n(1): {Field.DEATH: told}})
    assert compare("civil", source, at=AT).deaths == 0
    assert open_issues() == [("civil", "death", "", told)]
    assert Holder.objects.get().status == "active"


@pytest.mark.clause("A6")
def test_other_sources_end_nobody(wang_fang: Holder) -> None:
    compare("health", Listed(**{n(1): {Field.DEATH: "2026-11-15"}}), at=AT)
    assert open_issues() == [("health", "death", "", "2026-11-15")]
    assert Holder.objects.get().status == "active"


# --- settling ---


def issue_of(facts: dict[Issue.Field, str] | None, source: str = "population") -> Issue:
    compare(source, Listed(**{n(1): facts}), at=AT)
    return Issue.objects.get()


@pytest.mark.clause("A6", "N13")
def test_what_is_kept_is_not_asked_again_unless_theirs_changes(wang_fang: Holder) -> None:
    found = issue_of({Field.NAME: "王芳华"})
    refused("forbidden", lambda: actions.keep(found.pk, note="已核对", by=LI_QIANG, at=AT))
    refused("reason_too_short", lambda: actions.keep(found.pk, note=" ", **CHIEF))
    elsewhere = replace(SUPERVISOR, scope="5107")
    refused("not_found", lambda: actions.keep(found.pk, note="已核对", by=elsewhere, at=AT))
    kept = actions.keep(found.pk, note="已核对户口簿", **CHIEF)
    assert (kept.status, kept.settled_by, kept.note) == ("kept", "周主任", "已核对户口簿")
    refused("issue_settled", lambda: actions.take(found.pk, note="再次", **CHIEF))
    assert Holder.objects.get().name == "王芳"
    for name, opened in (("王芳华", 0), ("王芳芳", 1)):
        SourceRun.objects.update(position=None)
        said = Listed(**{n(1): {Field.NAME: name}})
        assert compare("population", said, at=AT).opened == opened


@pytest.mark.clause("A6", "N13")
def test_taking_theirs_is_the_act_itself_with_its_history(wang_fang: Holder) -> None:
    found = issue_of({Field.NAME: "王.芳华"})
    actions.take(found.pk, note="公安机关确认改名", **CHIEF)
    assert Holder.objects.get().name == "王·芳华"
    event = LifeEvent.objects.get()
    assert (event.kind, event.before, event.evidence) == ("name", "王芳", "公安人口库数据，核实人周主任")
    assert Issue.objects.get().status == "taken"


@pytest.mark.parametrize(
    ("facts", "holder_field", "value"),
    [
        ({Field.PHONE: "13800000000"}, "phone", "13800000000"),
        ({Field.DIVISION: "510703"}, "division_code", "510703"),
        ({Field.DEATH: "2026-11-15"}, "status", "deceased"),
    ],
)
@pytest.mark.clause("A6")
def test_each_field_that_can_be_taken(
    wang_fang: Holder, facts: dict[Issue.Field, str], holder_field: str, value: str
) -> None:
    actions.take(issue_of(facts).pk, note="来源单位确认", **CHIEF)
    holder = Holder.objects.get()
    assert getattr(holder, holder_field) == value
    assert holder.address == "成都市武侯区示例路 1 号"


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        (None, "issue_not_takeable"),
        ({Field.NAME: "王5"}, "theirs_unusable"),
        ({Field.PHONE: "12345"}, "theirs_unusable"),
        ({Field.DIVISION: "110101"}, "theirs_unusable"),
        ({Field.DEATH: "soon"}, "theirs_unusable"),
    ],
)
@pytest.mark.clause("A6")
def test_what_cannot_be_taken_changes_nothing(
    wang_fang: Holder, facts: dict[Issue.Field, str] | None, code: str
) -> None:
    found = issue_of(facts)
    before = list(Holder.objects.values())
    refused(code, lambda: actions.take(found.pk, note="来源单位确认", **CHIEF))
    assert list(Holder.objects.values()) == before


@pytest.mark.clause("A6", "G17")
def test_a_holder_who_is_asked_sees_it_until_it_agrees(wang_fang: Holder) -> None:
    found = issue_of({Field.PHONE: "13800000000"})
    actions.ask(found.pk, note="两处号码都打不通", **CHIEF)
    assert [one.pk for one in queries.asked_of(wang_fang.pk)] == [found.pk]
    refused("issue_settled", lambda: actions.ask(found.pk, note="再次", **CHIEF))
    SourceRun.objects.update(position=None)
    compare("population", Listed(), at=AT)
    assert list(queries.asked_of(wang_fang.pk)) == []
    assert Issue.objects.get().status == "agreed"


@pytest.mark.clause("A6", "G17")
def test_reading_an_issue_leaves_a_look(wang_fang: Holder) -> None:
    found = issue_of({Field.PHONE: "13800000000"})
    Look.objects.all().delete()
    assert queries.get(found.pk, **CHIEF).theirs == "13800000000"
    look = Look.objects.get()
    assert (look.looker_name, look.purpose, look.fields) == (
        "周主任", "数据质量核实：公安人口库", ["姓名", "手机号码"],
    )  # fmt: skip
    with pytest.raises(DomainError):
        queries.get(found.pk, by=LI_QIANG, at=AT)


def test_both_values_are_sealed(wang_fang: Holder) -> None:
    issue_of({Field.PHONE: "13800000000"})
    with connection.cursor() as cursor:
        cursor.execute("SELECT row_to_json(i)::text FROM matching_issue i")
        text = cursor.fetchone()[0]
    for value in ("13900000001", "13800000000"):
        assert value not in text
        assert value.encode().hex() not in text


acts = st.sampled_from(["keep", "take", "ask", "same", "other", "agree"])


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(walk=st.lists(acts, max_size=8))
def test_whatever_is_tried_an_issue_moves_along_its_table(wang_fang: Holder, walk: list[str]) -> None:
    Issue.objects.all().delete()
    SourceRun.objects.all().delete()
    holders.change_phone(wang_fang.pk, phone="13900000001", **CHIEF)
    was: dict[Any, Status] = {}
    compare("population", Listed(**{n(1): {Field.PHONE: "13800000000"}}), at=AT)
    for step in walk:
        newest = Issue.objects.order_by("-opened_at", "-pk").first()
        assert newest is not None
        if step in {"keep", "take", "ask"}:
            with suppress(IssueSettled):
                getattr(actions, step)(newest.pk, note="核实", **CHIEF)
        else:
            SourceRun.objects.update(position=None)
            phone = {"same": "13800000000", "other": "13700000000"}.get(step)
            facts = {n(1): {Field.PHONE: phone}} if phone else {}
            compare("population", Listed(**facts), at=AT)
        for one in Issue.objects.all():
            now = Status(one.status)
            before = was.get(one.pk, Status.OPEN)
            assert now == before or now in ISSUE_MOVES[before]
            was[one.pk] = now
        assert Issue.objects.filter(status__in=["open", "asked"]).count() <= 1
