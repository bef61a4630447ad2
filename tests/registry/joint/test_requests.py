"""What departments are told: sent after the act, harmless when sent again, never lost; and what takes too long."""

from datetime import date, timedelta
from uuid import UUID

import pytest
from procrastinate.contrib.django.models import ProcrastinateJob

from tests.department_sandbox import Departments
from tests.registry.conftest import AT, LI_QIANG, SUPERVISOR
from tests.registry.joint.conftest import all_due, departments_work, fresh, item, states
from yikatong.core.clock import now
from yikatong.core.errors import Forbidden, NotFound
from yikatong.registry.joint import actions, following, queries, requests, rules, tasks
from yikatong.registry.joint.connector import Answer
from yikatong.registry.joint.models import JointEscalation, JointMatter, JointRequest


def told(joint: JointMatter, key: str = "birth") -> JointRequest:
    return JointRequest.objects.filter(item__joint=joint, item__key=key).latest("serial")


@pytest.mark.clause("B7")
def test_a_department_is_told_after_the_act_and_once(
    at_counter: JointMatter, departments: Departments
) -> None:
    request = told(at_counter)
    assert request.number[:12] == "HEAL20261120"
    job = ProcrastinateJob.objects.get(task_name="joint.send")
    assert (job.queue_name, job.lock, job.args) == (
        "departments", "department:health", {"department": "health"},
    )  # fmt: skip
    assert tasks.send("health") == 1
    assert (told(at_counter).status, item(at_counter, "birth").status) == ("done", "done")
    assert tasks.send("health") == 0
    assert departments.times_received(request.number) == 1


@pytest.mark.clause("B7")
def test_a_department_that_takes_its_time_is_asked(at_counter: JointMatter, departments: Departments) -> None:
    departments.goes_wrong("slow", "birth", hold_s=3600)
    tasks.send("health")
    waits = item(at_counter, "birth")
    assert (waits.status, len(waits.their_number)) == ("accepted", 12)
    all_due()
    assert tasks.send("health") == 1
    waits = item(at_counter, "birth")
    assert (waits.status, waits.asked_times) == ("accepted", 1)
    assert waits.next_ask_at is not None
    assert waits.next_ask_at > now()
    departments.decide_now()
    all_due()
    tasks.send("health")
    assert item(at_counter, "birth").status == "done"


@pytest.mark.clause("B7")
def test_an_answer_that_is_lost_is_asked_for_and_nothing_is_told_twice(
    at_counter: JointMatter, departments: Departments
) -> None:
    departments.goes_wrong("lost", "birth")
    assert tasks.send("health") == 0
    request = told(at_counter)
    assert (request.status, request.trouble) == ("unknown", "部门没有在规定时间内应答")
    assert request.next_try_at > now()
    all_due()
    assert tasks.send("health") == 1
    assert (told(at_counter).status, item(at_counter, "birth").status) == ("done", "done")
    assert departments.times_received(request.number) == 1, "asked, not told again"


@pytest.mark.clause("B7")
def test_a_request_that_timed_out_on_the_way_is_sent_again(
    at_counter: JointMatter, departments: Departments
) -> None:
    departments.goes_wrong("timeout", "birth")
    tasks.send("health")
    request = told(at_counter)
    assert (request.status, departments.times_received(request.number)) == ("unknown", 0)
    all_due()
    tasks.send("health")
    assert (told(at_counter).tries, item(at_counter, "birth").status) == (2, "done")


@pytest.mark.clause("B7")
def test_a_worker_that_died_after_the_call_leaves_a_request_that_is_sent_again(
    at_counter: JointMatter, departments: Departments
) -> None:
    claimed = requests.claim("health", at=now())
    assert claimed is not None
    said = requests.wanted(claimed)
    body = {"number": said.number, "department": said.department, "act": said.act, "item": said.item,
            "key": said.key, "content": dict(said.content)}  # fmt: skip
    departments.wire.post("/department/v1/requests", body)
    assert requests.claim("health", at=now()) is None, "it is his for a minute"
    all_due()
    assert tasks.send("health") == 1
    assert departments.times_received(said.number) == 2
    assert item(at_counter, "birth").status == "done"
    answer = Answer("refused", "1", "太晚", now())
    assert following.settle(claimed.pk, answer, at=now()).status == "done", "an answer is taken once"
    assert item(at_counter, "birth").status == "done"


@pytest.mark.clause("B7")
def test_a_department_that_is_away_delays_and_loses_nothing(
    at_counter: JointMatter, departments_away: Departments
) -> None:
    at = now()
    assert tasks.send("health") == 0
    request = told(at_counter)
    assert (request.status, request.tries, request.trouble) == ("waiting", 1, "无法连接部门接口")
    assert timedelta(seconds=4) < request.next_try_at - at < timedelta(seconds=8)
    part = queries.progress(fresh(at_counter), at=at)[0]
    assert (part.state, part.trouble) == ("sending", "无法连接部门接口")
    tasks.chase(0)
    assert ProcrastinateJob.objects.filter(task_name="joint.send").count() == 1, "its pause is not over"


@pytest.mark.clause("B7")
def test_an_answer_under_another_key_is_none(
    at_counter: JointMatter, departments_forged: Departments
) -> None:
    assert tasks.send("health") == 0
    assert (told(at_counter).status, item(at_counter, "birth").status) == ("unknown", "sending")


@pytest.mark.faults
@pytest.mark.clause("B7")
def test_departments_that_are_killed_and_come_back_go_on(
    at_counter: JointMatter, departments: Departments
) -> None:
    departments.goes_wrong("slow", "birth", hold_s=3600)
    tasks.send("health")
    assert item(at_counter, "birth").status == "accepted"
    departments.dies()
    try:
        all_due()
        assert tasks.send("health") == 0
        assert item(at_counter, "birth").status == "accepted"
    finally:
        departments.start()
    departments.decide_now()
    departments_work()
    assert set(states(at_counter).values()) == {"done"}


@pytest.mark.clause("B7")
def test_what_a_department_has_lost_is_told_anew(at_counter: JointMatter, departments: Departments) -> None:
    departments.goes_wrong("slow", "birth", hold_s=3600)
    tasks.send("health")
    departments.forget(f"{at_counter.number}-1")
    all_due()
    tasks.send("health")
    assert told(at_counter).trouble == "部门没有这项请求的记录，重新送办"
    departments_work()
    assert item(at_counter, "birth").status == "done"


@pytest.mark.clause("B7", "S14")
def test_a_late_department_rises_once_and_a_supervisor_says_so(
    at_counter: JointMatter, departments: Departments
) -> None:
    departments.goes_wrong("slow", "birth", hold_s=3600)
    tasks.send("health")
    assert item(at_counter, "birth").due_on == date(2026, 11, 23)
    assert actions.escalate_overdue(at=AT + timedelta(days=3)) == 0
    late = AT + timedelta(days=5)
    assert (actions.escalate_overdue(at=late), actions.escalate_overdue(at=late)) == (1, 0)
    part = queries.progress(fresh(at_counter), at=late)[0]
    assert (part.days_late, part.owner) == (2, "四川省成都市武侯区卫生健康部门（妇幼健康岗）")
    with pytest.raises(Forbidden):
        actions.give_order(at_counter.pk, "birth", order="今日办结", by=LI_QIANG, at=late)
    with pytest.raises(rules.OrderMissing):
        actions.give_order(at_counter.pk, "birth", order=" ", by=SUPERVISOR, at=late)
    with pytest.raises(NotFound):
        actions.give_order(UUID(int=9), "birth", order="今日办结", by=SUPERVISOR, at=late)
    actions.give_order(at_counter.pk, "birth", order="今日办结", by=SUPERVISOR, at=late)
    assert queries.progress(fresh(at_counter), at=late)[0].order == "今日办结"
    departments.decide_now()
    departments_work()
    assert not JointEscalation.objects.filter(closed_at=None).exists()


@pytest.mark.clause("B7")
def test_what_nobody_corrects_is_given_up_and_the_rest_goes_on(
    at_counter: JointMatter, departments: Departments
) -> None:
    departments.goes_wrong("correct", "vaccination", reason="请改填联系电话")
    departments_work()
    assert states(at_counter)["vaccination"] == "correcting"
    due = item(at_counter, "vaccination").due_on
    assert due is not None
    late = now() + timedelta(days=40)
    assert tasks.watch_limits.func is not None
    assert actions.close_uncorrected(at=now()) == 0
    assert actions.close_uncorrected(at=late) == 1
    assert states(at_counter) == {
        "birth": "done", "household": "done", "vaccination": "withdrawn", "insurance": "done",
    }  # fmt: skip


@pytest.mark.clause("B7")
def test_taken_back_while_the_department_had_done_it(
    at_counter: JointMatter, departments: Departments
) -> None:
    """What is done is done: it is written down, and the number given is the child's."""
    departments.goes_wrong("slow", "household", hold_s=3600)
    departments_work()
    assert states(at_counter)["household"] == "accepted"
    departments.decide_now()
    actions.withdraw(at_counter.pk, "household", by=LI_QIANG, at=now())
    departments_work()
    assert states(at_counter)["household"] == "withdrawn"
    notes = at_counter.steps.filter(item__key="household").values_list("note", flat=True)
    assert any(note.startswith("撤回到达前部门已办结") for note in notes)
    assert len(fresh(at_counter).holder.certificates.filter(kind="A")) == 1
