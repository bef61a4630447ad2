"""Cases of a desk: found by number, printed, listed, counted."""

from datetime import timedelta

import pytest
from django.test import Client

from tests import cast
from tests.portals.counter.typed import looks, text
from yikatong.core.clock import day_of, now
from yikatong.registry.cards.models import Case


def test_progress_by_number(desk: Client) -> None:
    case = cast.apply(cast.wang_fang())
    answer = desk.post("/counter/progress", {"number": f" {case.number} "})
    assert answer.headers["Location"] == f"/counter/cases/{case.number}/"
    unknown = desk.post("/counter/progress", {"number": "510107112199999"})
    assert unknown.status_code == 422
    assert "没有找到这件受理单。请核对受理号后重试。" in text(unknown)


def test_a_receipt_is_masked_and_carries_the_number(desk: Client) -> None:
    case = cast.apply(cast.wang_fang())
    page = text(desk.get(f"/counter/cases/{case.number}/receipt"))
    assert case.number in page
    assert "王*" in page
    assert "510***********0129" in page
    assert "王芳" not in page
    assert cast.WANG_FANG_NUMBER not in page
    assert '<svg xmlns="http://www.w3.org/2000/svg"' in page


def test_work_lists_put_the_late_first_and_name_no_one(desk: Client) -> None:
    fresh = cast.apply(cast.wang_fang())
    late = cast.apply(cast.register(cast.id_number(9), name="赵晚", phone="13900000009"))
    elsewhere = cast.apply(
        cast.register(cast.id_number(11), name="钱远", phone="13900000011"), outlet_id=None
    )
    Case.objects.filter(pk=late.pk).update(step_due_on=day_of(now()) - timedelta(days=1))
    Case.objects.filter(pk=elsewhere.pk).update(division_code="510703")
    page = text(desk.get("/counter/"))
    assert page.index(late.number) < page.index(fresh.number)
    assert elsewhere.number not in page
    assert "赵晚" not in page
    assert "1</span> 件超时" in page
    assert late.number in text(desk.get("/counter/check"))
    assert looks() == []


@pytest.mark.parametrize(("status", "title"), [("ready", "待领取"), ("failed", "制卡失败待处理")])
def test_of_a_long_list_the_desk_leads_to_the_rest(desk: Client, status: str, title: str) -> None:
    cases = [
        cast.apply(cast.register(cast.id_number(serial), name="赵晚", phone=f"139000000{serial}"))
        for serial in range(10, 17)
    ]
    link = f'<a href="/counter/waiting/{status}">全部{title}</a>'
    Case.objects.exclude(pk=cases[0].pk).update(status=status)
    assert link not in text(desk.get("/counter/"))

    Case.objects.update(status=status)

    page = text(desk.get("/counter/"))
    assert link in page
    assert sum(one.number in page for one in cases) == 6
    whole = text(desk.get(f"/counter/waiting/{status}"))
    assert all(one.number in whole for one in cases)
    assert "赵晚" not in whole


@pytest.mark.parametrize("status", ["submitted", "done", "nonsense"])
def test_there_are_no_lists_of_other_states(desk: Client, status: str) -> None:
    assert desk.get(f"/counter/waiting/{status}").status_code == 404


def test_today_is_counted_by_what_the_clerk_has_done(desk: Client) -> None:
    case = cast.apply(cast.wang_fang())
    assert '今日已办 <span class="num">0</span> 件' in text(desk.get("/counter/"))
    desk.post(f"/counter/cases/{case.number}/check")
    assert '今日已办 <span class="num">1</span> 件' in text(desk.get("/counter/"))
    holder = cast.register(cast.id_number(9), name="赵晚", phone="13900000009")
    cast.card_in_use(holder)
    desk.post(
        f"/counter/holders/{holder.pk}/loss", {"loss": "formal", "verified": "yes"}
    )  # two steps, one case
    assert '今日已办 <span class="num">2</span> 件' in text(desk.get("/counter/"))


def test_a_namesake_does_not_see_what_i_did_today(desk: Client) -> None:
    case = cast.apply(cast.wang_fang())
    desk.post(f"/counter/cases/{case.number}/check")
    namesake = cast.log_in(Client(), cast.staff("李强", "liqiang2", scope="5107"))

    mine, his = text(desk.get("/counter/")), text(namesake.get("/counter/"))

    assert '今日已办 <span class="num">1</span> 件' in mine
    assert case.number in mine
    assert '今日已办 <span class="num">0</span> 件' in his
    assert case.number not in his
