"""What stands against an application, or makes it needless, is told before anything is filled in."""

import pytest
from django.test import Client

from tests import cast
from tests.portals.citizen import people
from tests.portals.citizen.conftest import LogIn
from tests.portals.citizen.test_cases import claim
from yikatong.core.clock import now
from yikatong.registry.cards import actions
from yikatong.registry.cards.models import Card, CardStatus, Case
from yikatong.registry.holders.models import Holder

FORM = 'name="bank"'


def text(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.mark.clause("B1", "G5")
def test_who_has_applied_is_shown_his_case_and_no_form(logged_in: LogIn, chen: Holder) -> None:
    client = logged_in(chen)
    assert FORM in text(client, "/m/apply")
    client.post("/m/apply", claim())
    page = text(client, "/m/apply")
    assert "您的申领正在办理" in page
    assert f'href="/m/cases/{Case.objects.get().number}"' in page
    assert FORM not in page


@pytest.mark.clause("A2", "G5")
def test_an_unproven_ground_is_told_with_the_way_out(logged_in: LogIn, chen: Holder) -> None:
    Holder.objects.filter(pk=chen.pk).update(ground="work")
    page = text(logged_in(chen), "/m/apply")
    assert "现在还不能申领" in page
    assert "下一步：登记劳动合同或就业登记或外国人工作许可后再申领。" in page
    assert "第五条" in page
    assert 'href="/m/outlets"' in page
    assert FORM not in page


@pytest.mark.clause("A4", "O10")
def test_a_child_is_told_that_his_guardian_acts(logged_in: LogIn, world: None) -> None:
    child = people.holder(cast.id_number(9, born="20180601"), "王小宝", "13900000009")
    page = text(logged_in(child), "/m/apply")
    assert "由监护人代为办理。下一步：监护人持本人证件和监护关系证明到服务窗口登记监护关系" in page
    assert FORM not in page


@pytest.mark.clause("B1", "S14")
def test_a_card_that_is_made_waits_for_its_holder_and_says_where(logged_in: LogIn, chen: Holder) -> None:
    client = logged_in(chen)
    client.post("/m/apply", claim())
    case = cast.make_card(Case.objects.get())
    for address in ("/m/apply", "/m/card/replace"):
        page = text(client, address)
        assert "新卡已经制成，等您领取" in page
        assert "请持有效证件到武侯区社会保障卡服务大厅领取" in page
        assert FORM not in page
    card = text(client, "/m/card")
    assert "待领取" in card
    assert "到哪里领取" in card
    assert "补换卡" not in card.split("<main")[1]
    assert "签发电子社保卡</a>" not in card
    assert "前领取" in text(client, "/m/")

    actions.hand_over(case.pk, by=cast.clerk(), at=now())
    assert Card.objects.get().status == CardStatus.INACTIVE
    assert "新卡还没有启用" in text(client, "/m/apply")
    assert "怎么启用" in text(client, "/m/card")


@pytest.mark.clause("B2", "G5")
def test_a_replacement_under_way_is_shown_and_no_form(logged_in: LogIn, wang: Holder) -> None:
    client = logged_in(wang)
    assert FORM in text(client, "/m/card/replace")
    client.post("/m/card/replace", claim(reason="damaged"))
    page = text(client, "/m/card/replace")
    assert "您的补换正在办理" in page
    assert FORM not in page
