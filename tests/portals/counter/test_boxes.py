"""Boxes at the desk: which are here, what lies where, and where the clerk reaches when the holder comes."""

import pytest
from django.test import Client

from tests import cast
from tests.portals.counter.typed import looks, text
from yikatong.adapters.production_sandbox import whole_round
from yikatong.core.clock import now
from yikatong.registry.cards import actions
from yikatong.registry.cards.models import BatchRow, Card, Case


@pytest.fixture
def made(stage: None) -> list[Case]:
    """Three cards in one box."""
    for serial, name in ((1, "王芳"), (2, "李小花"), (3, "赵晚")):
        holder = cast.register(cast.id_number(serial), name=name, phone=f"1390000000{serial}")
        actions.check(cast.apply(holder).pk, by=cast.supervisor(), at=now())
    whole_round(cast.JOINT, by=cast.supervisor(), at=now())
    return list(Case.objects.order_by("number"))


@pytest.mark.clause("B1")
def test_the_desk_is_told_where_the_card_lies(made: list[Case], desk: Client) -> None:
    box = BatchRow.objects.get(case=made[1]).box
    base = f"/counter/holders/{made[1].holder_id}/collect"
    page = text(desk.get(base))
    assert (
        f'取卡：<a class="num" href="/counter/boxes/{box}">{box}</a> 箱，第 <b class="num">2</b> 位。' in page
    )
    desk.post(base, {"verified": "yes", "do": "hand_over"})
    assert "取卡：" not in text(desk.get(base))


@pytest.mark.clause("B1", "G17")
def test_a_box_lists_positions_and_no_person(made: list[Case], desk: Client) -> None:
    box = BatchRow.objects.get(case=made[0]).box
    desk.post(f"/counter/holders/{made[1].holder_id}/collect", {"verified": "yes", "do": "hand_over"})
    actions.cancel(Card.objects.get(cases=made[2]).pk, reason="request", by=cast.clerk(), at=now())
    before = looks()
    all_boxes = text(desk.get("/counter/boxes"))
    assert '<span class="num">1</span> 箱，<span class="num">1</span> 张待领取' in all_boxes
    page = text(desk.get(f"/counter/boxes/{box}"))
    rows = [row.split("</tr>")[0] for row in page.split('<tr><th scope="row" class="num">')[1:]]
    assert [row[0] for row in rows] == ["1", "2", "3"]
    for row, words in zip(rows, ("待领取", "已领走", "领取前已注销，请抽出销毁"), strict=True):
        assert words in row
    assert "王" not in page.split("<main")[1].split("</main>")[0]
    assert looks() == before


def test_a_box_is_opened_by_its_number(made: list[Case], desk: Client) -> None:
    box = BatchRow.objects.get(case=made[0]).box
    assert desk.get("/counter/boxes", {"q": f" {box} "}).headers["Location"] == f"/counter/boxes/{box}"
    assert "本网点没有箱号为“X-9”" in text(desk.get("/counter/boxes", {"q": "X-9"}))
    assert desk.get("/counter/boxes/X-9").status_code == 404


def test_a_stranger_finds_no_box(made: list[Case], chongqing: Client) -> None:
    box = BatchRow.objects.get(case=made[0]).box
    assert "没有卡箱。" in text(chongqing.get("/counter/boxes"))
    assert chongqing.get(f"/counter/boxes/{box}").status_code == 404


def test_the_list_of_failures_says_why(made: list[Case], desk: Client) -> None:
    for serial in (5, 6, 7, 8):
        holder = cast.register(cast.id_number(serial), name="钱远", phone=f"1390000000{serial}")
        actions.check(cast.apply(holder).pk, by=cast.supervisor(), at=now())
    whole_round(cast.JOINT, maker_failing=1.0, by=cast.supervisor(), at=now())
    failed = Case.objects.filter(status="failed").first()
    assert failed is not None
    why = failed.steps.get(status="failed").note
    assert why.startswith("制卡：")
    assert f"<br>{why}</span>" in text(desk.get("/counter/"))
    page = text(desk.get(f"/counter/cases/{failed.number}/"))
    assert "不再制卡" in page
    assert desk.post(f"/counter/cases/{failed.number}/reject", {"reason": "本人不再申领"}).status_code == 303
    failed.refresh_from_db()
    assert failed.status == "rejected"
