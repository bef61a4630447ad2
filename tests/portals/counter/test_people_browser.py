"""A person's life at the desk and on his phone, full of rows: accessible, narrow, and done by keyboard alone."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from playwright.sync_api import Page, expect

from tests import cast
from tests.portals.citizen.conftest import session_of
from tests.portals.conftest import OpenPage
from yikatong.core.actor import Role
from yikatong.core.clock import day_of, now
from yikatong.registry.cards import actions as cards
from yikatong.registry.cards.models import Card, Case
from yikatong.registry.holders import actions as holders
from yikatong.registry.holders.models import Holder
from yikatong.registry.matching import actions as matching
from yikatong.registry.matching.comparing import compare
from yikatong.registry.matching.models import Issue
from yikatong.registry.matching.source import Answer, Question

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.clause("Q2")]

OF_ADULTS = (
    "", "agent", "agent-end", "proof", "validity", "category", "category-end", "name", "number", "move", "death", "leaving",
    "merge", "unmerge",
)  # fmt: skip
LOOKS = [{}, {"elder": True}, {"size": 4}]


class Otherwise:
    """A register that spells each name another way."""

    label = "公安人口库（示例）"

    def look_up(self, questions: Sequence[Question]) -> Sequence[Answer]:
        facts = {Issue.Field.NAME: "阿卜杜热合曼·买买提艾力"}
        return [Answer(one.reference, is_known=True, facts=facts) for one in questions]


@pytest.fixture
def session() -> dict[str, str]:
    """A supervisor is logged in; the cookie of his browser."""
    cast.set_stage()
    user = cast.staff("周主任", "zhou", role=Role.SUPERVISOR, scope="51", organisation="省社保卡中心")
    return {"sessionid": cast.log_in(Client(), user).cookies["sessionid"].value}


@pytest.fixture
def wang(session: dict[str, str]) -> Holder:
    """With categories, an agent, a proof, a history, and a record merged into hers."""
    wang, twice = cast.wang_fang(), cast.register(cast.id_number(7), phone="13900000007")
    cast.card_in_use(wang)
    by: dict[str, Any] = {"by": cast.supervisor(), "at": now()}
    until = day_of(now()) + timedelta(days=90)
    person = {"name": "赵大力", "kind": "A", "number": cast.id_number(41)}
    cards.authorise(wang.pk, **person, matters=["loss"], evidence="letter", valid_until=until, **by)
    proof: dict[str, Any] = {
        "source": "教育部门名单",
        "evidence": "XJ-2026-000001",
        "valid_from": day_of(now()),
    }
    holders.add_category(wang.pk, kind="student", valid_until=until, **proof, **by)
    holders.prove(wang.pk, kind="employment", number="HT-2026-1", issuer="成都示例公司", **by)
    place = {"division_code": "510703", "address": "涪城区示例路 2 号", "evidence": "户口簿 510703001"}
    cards.move(wang.pk, **place, **by)
    cards.merge(wang.pk, twice.pk, reason="同一人两次登记", evidence="户口簿 510107001", **by)
    return wang


@pytest.mark.parametrize("look", LOOKS, ids=["standard", "elder", "largest"])
def test_every_page_of_a_life_is_accessible(
    open_page: OpenPage,
    axe: Callable[[Page], None],
    no_overflow: Callable[[Page], None],
    session: dict[str, str],
    wang: Holder,
    look: dict[str, Any],
) -> None:
    child = cast.register(cast.id_number(9, born="20180601"), name="王小宝", phone="13900000009")
    gone = cast.register(cast.id_number(11), phone="13900000011")
    cards.record_death(gone.pk, on=day_of(now()), evidence="死亡证明 1", by=cast.clerk(), at=now())
    compare("population", Otherwise(), at=now())
    issue = Issue.objects.filter(holder=wang).get()
    number = cast.id_number(9, born="20190601")
    changed = cards.change_number(child.pk, number=number, evidence="户口簿 1", by=cast.clerk(), at=now())
    addresses = [f"/counter/holders/{wang.pk}/{key}" for key in OF_ADULTS]
    addresses += [f"/counter/holders/{child.pk}/{key}" for key in ("", "apply", "guardian", "guardian-end")]
    addresses += [f"/counter/holders/{gone.pk}/{key}" for key in ("", "restore")]
    addresses += [f"/counter/cases/{changed.number}/"]
    addresses += ["/console/quality", "/console/quality?status=all", f"/console/quality/{issue.pk}"]
    page = open_page(cookies=session, **look)
    for address in addresses:
        answer = page.goto(address)
        assert answer is not None
        assert answer.status == 200, address
        axe(page)
        no_overflow(page)
    matching.ask(issue.pk, note="姓名需要本人核对", by=cast.supervisor(), at=now())
    phone = open_page(390, 844, cookies={"sessionid": session_of(wang)}, **look)
    phone.goto("/m/record")
    expect(phone.get_by_text("请核对您的姓名")).to_be_visible()
    axe(phone)
    for width in (320, 390, 1366):
        phone.set_viewport_size({"width": width, "height": 844})
        no_overflow(phone)


@pytest.mark.clause("A6", "B2")
def test_a_death_is_registered_by_keyboard_alone(
    open_page: OpenPage, axe: Callable[[Page], None], session: dict[str, str], wang: Holder
) -> None:
    """Filled in, refused at its field, checked, confirmed, and on the page of the case."""
    page = open_page(cookies=session)
    page.goto(f"/counter/holders/{wang.pk}/death")
    keys = page.keyboard
    page.focus("#id_on")
    page.fill("#id_on", "2099-01-01")  # the browser's own control of dates
    page.focus("#id_evidence")
    keys.type("居民死亡医学证明 510000000001")
    page.focus("#id_verified_0")
    keys.press("Space")
    keys.press("F9")
    expect(page.get_by_role("heading", name="请与持卡人核对")).to_be_visible()
    keys.press("F9")
    expect(page.locator("#id_on_error")).to_have_text("死亡日期不能晚于今天或早于出生日期，请核对。")
    axe(page)
    assert Holder.objects.get(pk=wang.pk).status == "active"
    page.fill("#id_on", day_of(now()).isoformat())
    keys.press("F9")
    expect(page.get_by_role("heading", name="请与持卡人核对")).to_be_visible()
    axe(page)
    keys.press("F9")
    expect(page.get_by_role("heading", name="注销", exact=True)).to_be_visible()
    case = Case.objects.filter(holder=wang).latest("created_at", "pk")
    expect(page.locator("h1 + .chip")).to_have_text(f"受理号 {case.number}")
    assert Holder.objects.get(pk=wang.pk).status == "deceased"
    assert Card.objects.get().status == "4"
