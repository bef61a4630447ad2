"""数据质量 in the console: a supervisor settles what sources say otherwise."""

from collections.abc import Sequence
from typing import Any

import pytest
from django.test import Client

from tests import cast
from tests.bank_sandbox import Sandbox
from tests.portals.citizen.conftest import session_of
from yikatong.core.actor import Role
from yikatong.core.clock import now
from yikatong.core.models import Look
from yikatong.registry.holders.models import Holder
from yikatong.registry.matching.comparing import compare
from yikatong.registry.matching.models import Issue
from yikatong.registry.matching.source import Answer, Changes, Question
from yikatong.registry.matching.source import sources as wired


class NewName:
    label = "示例数据源"

    def look_up(
        self,
        questions: Sequence[Question],
        *,
        within_s: float | None = None,  # noqa: ARG002
    ) -> Sequence[Answer]:
        facts = {Issue.Field.NAME: "王芳华"}
        return [Answer(one.reference, is_known=True, facts=facts) for one in questions]

    def changes(self, after: str) -> Changes:
        return Changes((), after, more=False)


@pytest.fixture
def issue(db: None) -> Issue:
    cast.set_stage()
    cast.wang_fang()
    compare("population", NewName(), at=now())
    return Issue.objects.get()


def console(role: Role = Role.SUPERVISOR, scope: str = "51") -> Client:
    return cast.log_in(Client(), cast.staff("周主任", f"zhou{role}{scope}", role=role, scope=scope))


def text(answer: Any) -> str:
    return str(answer.content.decode())


@pytest.mark.clause("A6", "N13", "G17")
def test_the_list_names_nobody_and_the_issue_shows_both_values(issue: Issue) -> None:
    chief = console()
    Look.objects.all().delete()
    page = text(chief.get("/console/quality"))
    assert f'href="/console/quality/{issue.pk}"' in page
    assert "王芳" not in page
    assert Look.objects.count() == 0
    page = text(chief.get(f"/console/quality/{issue.pk}"))
    assert "<dt>本库</dt><dd><b>王芳</b></dd>" in page
    assert "<b>王芳华</b>" in page
    assert Look.objects.get().purpose == "数据质量核实：公安人口库"


@pytest.mark.clause("A6", "N13")
@pytest.mark.parametrize(("how", "status", "name"), [("keep", "kept", "王芳"), ("take", "taken", "王芳华")])
def test_an_issue_is_settled_with_a_note(issue: Issue, how: str, status: str, name: str) -> None:
    chief, page = console(), f"/console/quality/{issue.pk}"
    missing = chief.post(page, {"how": how, "note": "x"})
    assert (missing.status_code, "请填写原因，2 至 100 字" in text(missing)) == (422, True)
    done = chief.post(page, {"how": how, "note": "已核对户口簿"})
    assert (done.status_code, done.headers["Location"]) == (303, "/console/quality?done=1")
    issue.refresh_from_db()
    assert (issue.status, issue.note, Holder.objects.get().name) == (status, "已核对户口簿", name)
    again = chief.post(page, {"how": how, "note": "再次处理"})
    assert (again.status_code, "这项问题已经处理，不需要再次处理；请刷新列表。" in text(again)) == (409, True)
    assert "没有符合条件的差异。" in text(chief.get("/console/quality"))
    assert str(issue.pk) in text(chief.get("/console/quality?status=all"))


@pytest.mark.clause("A6", "G17")
def test_the_holder_is_asked_on_his_phone(issue: Issue) -> None:
    console().post(f"/console/quality/{issue.pk}", {"how": "ask", "note": "两处姓名都需核对"})
    phone = Client()
    phone.cookies["sessionid"] = session_of(Holder.objects.get(), code_open=False)
    page = text(phone.get("/m/record"))
    assert "请核对您的姓名" in page
    assert "王芳华" not in page


def test_another_region_or_role_settles_nothing(issue: Issue) -> None:
    page, form = f"/console/quality/{issue.pk}", {"how": "keep", "note": "已核对"}
    assert console(scope="5107").post(page, form).status_code == 404
    assert str(issue.pk) not in text(console(Role.SUPERVISOR, "50").get("/console/quality"))
    assert console(Role.CLERK).post(page, form).status_code == 403
    issue.refresh_from_db()
    assert issue.status == "open"


@pytest.mark.clause("A6")
def test_a_source_that_talks_nonsense_is_told_with_what_to_do(sources: Sandbox, db: None) -> None:
    cast.set_stage()
    cast.wang_fang()
    sources.post("sources", "faults", {"kind": "incomplete", "who": "civil"})
    for key in ("civil", "health"):
        compare(key, wired()[key], at=now())
    page = text(console().get("/console/quality"))
    assert '民政殡葬信息（沙箱）</th><td><span class="tag is-bad">应答不合约定' in page
    assert "<strong>应答与所问的人不一一对应</strong>" in page
    assert "未采用该次应答中的任何数据。" in page
    assert '卫健全员人口库（沙箱）</th><td><span class="tag is-good">正常</span>' in page
    assert '公共信用库（沙箱）</th><td><span class="tag">尚未比对</span>' in page


def test_sources_that_are_not_wired_are_said_not_to_be(issue: Issue) -> None:
    page = text(console().get("/console/quality"))
    assert '社会保险参保库</th><td><span class="tag">未接入</span>' in page
