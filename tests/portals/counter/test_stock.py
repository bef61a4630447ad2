"""立等可取 at the desk: blanks, the printer's queue, and a card made while its holder waits."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from playwright.sync_api import Page, expect

from tests import cast
from tests.portals.conftest import OpenPage
from tests.portals.counter.typed import text
from tests.registry.stock.test_stock import SANDBOX, ready
from yikatong.core.models import StaffUser
from yikatong.registry.cards.models import Case
from yikatong.registry.regions.models import Outlet
from yikatong.registry.stock import tasks
from yikatong.registry.stock.models import Blank, DayCount


@pytest.fixture
def hall(desk: Client, settings: Any) -> Client:
    """李强's desk, at an outlet that issues at once."""
    settings.CARD_PRINTER = SANDBOX
    Outlet.objects.update(issues_at_once=True)
    return desk


def send(hall: Client, act: str, **fields: str) -> Any:
    return hall.post(
        "/counter/stock", {"act": act} | {f"{act}-{name}": said for name, said in fields.items()}
    )


@pytest.mark.clause("O10", "B5")
def test_from_a_pack_to_a_card_in_the_hand(hall: Client) -> None:
    assert send(hall, "receive", bank_code=cast.JOINT, first="000001", count="3").status_code == 303
    case = ready()
    page = f"/counter/cases/{case.number}/"
    assert "立等可取" in text(hall.get(page))
    assert hall.post(f"{page}print").status_code == 303
    stock = text(hall.get("/counter/stock"))
    assert case.number in stock
    assert "排队" in stock
    assert "立等可取 <kbd" not in text(hall.get(page)), "once"

    tasks.print_next(str(cast.HALL))

    stock = text(hall.get("/counter/stock"))
    assert "已制成" in stock
    assert f"/counter/holders/{case.holder_id}/collect" in stock
    hall.post(f"/counter/holders/{case.holder_id}/collect", {"verified": "yes", "do": "hand_over"})
    assert Case.objects.get(pk=case.pk).status == "done"


@pytest.mark.clause("B5")
def test_faults_stand_at_their_form_and_change_nothing(hall: Client) -> None:
    answer = send(hall, "receive", bank_code=cast.JOINT, first="12a", count="3")
    assert answer.status_code == 422
    assert "空白卡号应为 6 至 16 位数字，张数为 1 至 2000。" in text_of(answer)
    assert not Blank.objects.exists()
    send(hall, "receive", bank_code=cast.JOINT, first="000001", count="3")
    again = send(hall, "receive", bank_code=cast.JOINT, first="000003", count="3")
    assert "整包没有入库" in text_of(again)
    assert Blank.objects.count() == 3
    differs = send(hall, "count", bank_code=cast.JOINT, counted="2", note="")
    assert "实盘与账面不符，请填写差异说明。" in text_of(differs)
    assert send(hall, "count", bank_code=cast.JOINT, counted="9" * 10, note="多").status_code == 422
    assert send(hall, "count", bank_code=cast.JOINT, counted="3", note="").status_code == 303
    assert DayCount.objects.get().counted == 3
    assert "相符" in text(hall.get("/counter/stock"))


def text_of(answer: Any) -> str:
    return str(answer.content.decode())


def test_an_outlet_without_stock_shows_none_of_it(desk: Client, li_qiang: StaffUser) -> None:
    assert "空白卡与打印" not in text(desk.get("/counter/"))
    refused = desk.get("/counter/stock")
    assert refused.status_code == 409
    assert "本网点不办理立等可取，请按批次制卡。" in text_of(refused)


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("width", [375, 1366])
def test_the_page_is_accessible_and_works_by_keyboard(
    hall: Client, open_page: OpenPage, axe: Callable[[Page], None], no_overflow: Callable[[Page], None], width: int
) -> None:  # fmt: skip
    page = open_page(width, 800, cookies={"sessionid": hall.cookies["sessionid"].value})
    page.goto("/counter/stock")
    axe(page)
    page.locator("[name=receive-first]").focus()
    page.keyboard.type("000001")
    page.keyboard.press("Tab")
    page.keyboard.type("3")
    page.keyboard.press("Enter")
    expect(page.locator(".notice.is-good")).to_contain_text("空白卡已入库")
    case = ready()
    hall.post(f"/counter/cases/{case.number}/print")
    for path in ("/counter/stock", f"/counter/cases/{case.number}/"):
        page.goto(path)
        axe(page)
        no_overflow(page)
