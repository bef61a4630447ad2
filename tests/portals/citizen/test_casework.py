"""A holder follows his case, corrects it, and begins here what is ended elsewhere."""

from datetime import date, timedelta

import pytest

from tests.portals.citizen.conftest import LogIn
from yikatong.core.actor import Actor, Channel, Role
from yikatong.core.clock import day_of, now
from yikatong.registry.cards import actions
from yikatong.registry.cards.actions import Wish
from yikatong.registry.cards.models import Case, CaseKind
from yikatong.registry.holders import actions as holder_acts
from yikatong.registry.holders.models import Holder
from yikatong.registry.regions.models import Outlet

CLERK = Actor(None, "李强", Role.CLERK, Channel.COUNTER, scope="51", organisation="成都市人社局")


def claim(**changes: str) -> dict[str, str]:
    return {"bank": "95903", "outlet": str(Outlet.objects.get().id), "delivery": "0"} | changes


def applied(holder: Holder) -> Case:
    outlet = Outlet.objects.get()
    return actions.apply(
        holder.pk,
        bank_code="95903",
        outlet_id=outlet.pk,
        division_code=outlet.division_code,
        by=CLERK,
        at=now(),
    )


@pytest.mark.clause("B1", "B3", "S14")
def test_a_holder_sees_who_acts_until_when_and_what_follows(logged_in: LogIn, chen: Holder) -> None:
    case = applied(chen)
    page = logged_in(chen).get(f"/m/cases/{case.number}").content.decode()

    for words in (
        "由谁办",
        "（审核岗）",
        "还有 2 个工作日",
        "（预开户岗）",
        "排批和制卡共 7 个工作日",
        "李强 · 窗口",
    ):
        assert words in page


def test_a_late_step_is_said(logged_in: LogIn, chen: Holder) -> None:
    case = applied(chen)
    Case.objects.filter(pk=case.pk).update(step_due_on=day_of(now()) - timedelta(days=14))
    actions.escalate_overdue(at=now())

    page = logged_in(chen).get(f"/m/cases/{case.number}").content.decode()

    assert "这一步已超过期限" in page
    assert "待审核超过期限，已报业务主管" in page


@pytest.mark.clause("B3")
def test_a_holder_corrects_what_he_can_and_learns_what_he_must_bring(logged_in: LogIn, chen: Holder) -> None:
    case, client = applied(chen), logged_in(chen)
    assert client.get(f"/m/cases/{case.number}/correct").headers["Location"] == f"/m/cases/{case.number}"
    wanted = {"bank": "该行已暂停新增", "photo": "照片过期"}
    actions.ask_correction(case.pk, items=wanted, by=CLERK, at=now())

    assert "去补正" in client.get(f"/m/cases/{case.number}").content.decode()
    assert "前补正" in client.get("/m/").content.decode()
    form = client.get(f"/m/cases/{case.number}/correct").content.decode()
    assert "带原件到窗口补正" in form
    assert 'id="id_photo"' not in form
    empty = client.post(f"/m/cases/{case.number}/correct", {"bank": ""})
    assert (empty.status_code, "请按要求填写补正内容。" in empty.content.decode()) == (422, True)
    reply = client.post(f"/m/cases/{case.number}/correct", {"bank": "95901"})

    stored = Case.objects.get(pk=case.pk)
    assert (stored.status, stored.bank_id) == ("correcting", "95901")
    assert "还有 1 项需要到窗口补正" in client.get(reply.headers["Location"]).content.decode()


def test_another_holders_correction_does_not_exist(logged_in: LogIn, chen: Holder, wang: Holder) -> None:
    case = applied(chen)
    actions.ask_correction(case.pk, items={"bank": "请另选"}, by=CLERK, at=now())

    assert logged_in(wang).post(f"/m/cases/{case.number}/correct", {"bank": "95901"}).status_code == 404
    assert Case.objects.get(pk=case.pk).status == "correcting"


@pytest.mark.clause("B1", "B3", "G5")
def test_begun_at_the_counter_a_holder_confirms_on_his_phone(logged_in: LogIn, chen: Holder) -> None:
    wish = Wish(division_code="510107", delivery="1", address="示例路 9 号")
    draft = actions.save_draft(chen.pk, kind=CaseKind.APPLY, wish=wish, by=CLERK, at=now())
    client = logged_in(chen)

    assert "接着填写并提交" in client.get(f"/m/cases/{draft.number}").content.decode()
    assert "还没有提交" in client.get("/m/").content.decode()
    form = client.get("/m/apply").content.decode()
    assert f'已填入草稿 <span class="num">{draft.number}</span>' in form
    assert 'value="示例路 9 号"' in form
    reply = client.post("/m/apply", claim(delivery="1", address="示例路 9 号"))

    stored = Case.objects.get()
    assert reply.headers["Location"] == f"/m/cases/{draft.number}?new"
    assert (stored.status, stored.channel, stored.bank_id, stored.address) == (
        "submitted",
        "counter",
        "95903",
        "示例路 9 号",
    )
    assert list(stored.steps.values_list("channel", flat=True)) == ["counter", "mobile"]


def test_what_is_filled_in_so_far_is_kept(logged_in: LogIn, chen: Holder) -> None:
    client = logged_in(chen)
    reply = client.post("/m/apply", claim(outlet="", save="1"))

    stored = Case.objects.get()
    assert (stored.status, stored.bank_id, stored.outlet_id) == ("draft", "95903", None)
    assert reply.headers["Location"] == f"/m/cases/{stored.number}?saved"
    assert "草稿已保存" in client.get(reply.headers["Location"]).content.decode()
    client.post(f"/m/cases/{stored.number}/withdraw")
    assert Case.objects.get().status == "withdrawn"


@pytest.mark.clause("B3", "S14")
def test_the_fee_stands_beside_each_reason(logged_in: LogIn, wang: Holder) -> None:
    page = logged_in(wang).get("/m/card/replace").content.decode()
    assert page.count('工本费 <span class="num">¥20.00</span>') == 5
    assert "工本费免收：制作质量问题" in page

    clerk = Actor(None, "李强", Role.CLERK, Channel.COUNTER, scope="51")
    holder_acts.add_category(
        wang.pk,
        kind="low_income",
        valid_from=date(2020, 1, 1),
        source="民政",
        evidence="低保证 1 号",
        by=clerk,
        at=now(),
    )
    page = logged_in(wang).get("/m/card/replace").content.decode()
    assert page.count("工本费免收：低保对象") == 5
