"""Cases at the counter: progress with owners and limits, correction, drafts, fees, and what a supervisor sees."""

from datetime import timedelta

import pytest
from django.test import Client

from tests import cast
from yikatong.core.actor import Actor, Channel, Role
from yikatong.core.clock import day_of, now
from yikatong.registry.cards import actions
from yikatong.registry.cards.actions import Wish
from yikatong.registry.cards.models import Case, CaseKind
from yikatong.registry.holders.models import Holder

pytestmark = pytest.mark.django_db


def herself(holder: Holder) -> Actor:
    return Actor(holder.pk, "持卡人本人", Role.HOLDER, Channel.MOBILE)


@pytest.fixture
def case(stage: None) -> Case:
    return cast.apply(cast.wang_fang())


@pytest.fixture
def checker(stage: None) -> Client:
    """Another clerk than the one who took the case."""
    return cast.log_in(Client(), cast.staff("何丽", "heli", organisation="成都市人社局"))


@pytest.fixture
def head(stage: None) -> Client:
    return cast.log_in(Client(), cast.staff("周主任", "zhou", role=Role.SUPERVISOR, scope="51"))


def text(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.mark.clause("B1", "B3", "S14")
def test_a_case_shows_owner_limit_and_way(desk: Client, case: Case) -> None:
    page = text(desk, f"/counter/cases/{case.number}/")

    assert "· 窗口" in page
    for words in (
        "武侯区社保经办大厅（审核岗）",
        '还有 <span class="num">2</span> 个工作日',
        "蜀安银行（预开户岗）",
        "保管 180 天",
        "· 窗口",
    ):
        assert words in page
    assert "由武侯区社保经办大厅（审核岗）办理" in text(desk, f"/counter/cases/{case.number}/receipt")


def test_a_supervisor_finds_the_console_from_the_counter(desk: Client, head: Client) -> None:
    assert '<a href="/console/">控制台</a>' in text(head, "/counter/")
    assert "控制台" not in text(desk, "/counter/")


@pytest.mark.clause("B3")
def test_a_supervisor_sees_what_is_late_and_gives_an_order(desk: Client, head: Client, case: Case) -> None:
    late = day_of(now()) - timedelta(days=20)
    Case.objects.filter(pk=case.pk).update(step_due_on=late)
    assert actions.escalate_overdue(at=now()) == 1

    assert desk.get("/counter/overdue").status_code == 403
    page = text(head, "/counter/overdue?step=submitted")
    assert case.number in page
    assert "武侯区社保经办大厅（审核岗）" in page
    assert case.number not in text(head, "/counter/overdue?step=checked")
    assert "超期督办" not in text(desk, "/counter/")

    answer = head.post(f"/counter/cases/{case.number}/order", {"order": "今日办结"})
    assert answer["Location"] == f"/counter/cases/{case.number}/?done=1"
    assert "督办意见：今日办结" in text(desk, f"/counter/cases/{case.number}/")
    assert "周主任：今日办结" in text(head, "/counter/overdue")
    assert head.post(f"/counter/cases/{case.number}/order", {"order": ""}).status_code == 422


def test_a_supervisor_of_another_region_sees_none_of_it(case: Case) -> None:
    Case.objects.filter(pk=case.pk).update(step_due_on=day_of(now()) - timedelta(days=20))
    actions.escalate_overdue(at=now())
    other = cast.log_in(Client(), cast.staff("吴主任", "wu", role=Role.SUPERVISOR, scope="5107"))

    assert case.number not in text(other, "/counter/overdue")


@pytest.mark.clause("B3")
def test_a_case_goes_back_and_comes_corrected(desk: Client, checker: Client, case: Case) -> None:
    ask, correct = f"/counter/cases/{case.number}/ask", f"/counter/cases/{case.number}/correct"
    empty = checker.post(ask, {})
    assert empty.status_code == 422
    assert "请至少选择一项补正内容" in empty.content.decode()

    checker.post(ask, {"bank": "请另选银行", "photo": "照片过期"})
    page = text(desk, f"/counter/cases/{case.number}/")
    assert "办理时限暂停计算" in page
    assert "照片过期" in page
    assert "请补正：合作银行（请另选银行）；照片（照片过期）。" in text(
        desk, f"/counter/cases/{case.number}/receipt"
    )

    assert desk.post(correct, {"verified": "yes"}).status_code == 422
    desk.post(correct, {"verified": "yes", "bank": cast.APART})
    stored = Case.objects.get(pk=case.pk)
    assert (stored.status, stored.bank_id) == ("correcting", cast.APART)
    assert "id_bank" not in text(desk, correct)
    desk.post(correct, {"verified": "yes", "photo": "新照片已采集"})
    assert Case.objects.get(pk=case.pk).status == "submitted"


@pytest.mark.clause("B1", "B3")
def test_begun_by_the_holder_it_is_finished_here(desk: Client, stage: None) -> None:
    holder = cast.wang_fang()
    wish = Wish(division_code="510107", bank_code=cast.APART, delivery="1", address="示例路 9 号")
    draft = actions.save_draft(holder.pk, kind=CaseKind.APPLY, wish=wish, by=herself(holder), at=now())

    found = desk.post("/counter/progress", {"number": draft.number})
    assert "继续办理" in text(desk, found["Location"])
    assert draft.number in text(desk, f"/counter/holders/{holder.pk}/")
    form = text(desk, f"/counter/holders/{holder.pk}/apply")
    assert f'<option value="{cast.APART}" selected>' in form
    assert 'value="示例路 9 号"' in form

    given = {
        "bank_code": cast.APART,
        "delivery": "1",
        "address": "示例路 9 号",
        "verified": "yes",
        "step": "confirm",
    }
    answer = desk.post(f"/counter/holders/{holder.pk}/apply", given)
    stored = Case.objects.get()
    assert (stored.number, stored.status, stored.channel, stored.address) == (
        draft.number,
        "submitted",
        "mobile",
        "示例路 9 号",
    )
    assert answer["Location"] == f"/counter/cases/{draft.number}/?new=1"


def test_begun_here_it_is_kept_for_the_holder(desk: Client, stage: None) -> None:
    holder = cast.wang_fang()
    answer = desk.post(f"/counter/holders/{holder.pk}/apply", {"delivery": "0", "step": "save"})

    stored = Case.objects.get()
    assert (stored.status, stored.bank_id, stored.channel) == ("draft", None, "counter")
    assert answer["Location"] == f"/counter/cases/{stored.number}/?saved=1"
    assert "草稿已保存" in text(desk, answer["Location"])


@pytest.mark.clause("B3", "S14")
def test_the_fee_is_told_taken_and_on_the_receipt(desk: Client, stage: None) -> None:
    holder = cast.wang_fang()
    cast.card_in_use(holder)
    form = {"reason": "damaged", "bank_code": "", "delivery": "0", "verified": "yes"}
    told = desk.post(f"/counter/holders/{holder.pk}/replace", form | {"step": "check"})
    assert '本次工本费 <span class="num">¥20.00</span>' in told.content.decode()
    bad = desk.post(
        f"/counter/holders/{holder.pk}/replace", form | {"fee_ground": "disaster", "step": "check"}
    )
    assert bad.status_code == 422
    assert "请写明免收工本费的具体依据" in bad.content.decode()

    desk.post(f"/counter/holders/{holder.pk}/replace", form | {"step": "confirm"})
    case = Case.objects.get(kind="replace")
    assert "未缴" in text(desk, f"/counter/cases/{case.number}/receipt")
    cast.make_card(case)
    refused = desk.post(f"/counter/holders/{holder.pk}/collect", {"verified": "yes", "do": "hand_over"})
    assert "工本费 20.00 元尚未缴纳" in refused.content.decode()
    assert f"/counter/cases/{case.number}/fee" in refused.content.decode()
    desk.post(f"/counter/cases/{case.number}/fee", {"receipt": "SJ-2026-0001"})
    assert "SJ-2026-0001" in text(desk, f"/counter/cases/{case.number}/receipt")
    assert desk.post(f"/counter/cases/{case.number}/fee", {"receipt": "SJ-2"}).status_code == 409


def test_a_supervisor_waives_a_fee(desk: Client, head: Client, stage: None) -> None:
    holder = cast.wang_fang()
    cast.card_in_use(holder)
    case = actions.replace(holder.pk, reason="damaged", division_code="510107", by=cast.clerk(), at=now())
    assert desk.get(f"/counter/cases/{case.number}/waive").status_code == 403

    assert head.post(f"/counter/cases/{case.number}/waive", {"ground": "policy"}).status_code == 422
    head.post(f"/counter/cases/{case.number}/waive", {"ground": "policy", "note": "换发通知"})

    assert "免收，依据：政策性统一换发（换发通知）" in text(desk, f"/counter/cases/{case.number}/")
