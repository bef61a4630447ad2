"""A loss in both halves, from a phone to every place that must know of it, and back by itself; by keyboard alone."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from playwright.sync_api import Page, expect

from tests import cast
from tests.bank_sandbox import Sandbox
from tests.portals.citizen.conftest import session_of
from tests.portals.conftest import OpenPage, arrived
from tests.using.codes.test_devices import KEY
from tests.using.people import of
from yikatong.adapters.bank_api.connector import BankApi
from yikatong.core.actor import SYSTEM, Role
from yikatong.core.clock import now
from yikatong.registry.access import actions as access
from yikatong.registry.access.models import Terminal, TerminalState
from yikatong.registry.banks import tasks as bank_tasks
from yikatong.registry.cards import actions as cards
from yikatong.registry.cards.models import Card
from yikatong.registry.catalogue.models import Domain, Place
from yikatong.registry.holders.models import Holder
from yikatong.registry.regions.models import Organisation
from yikatong.using.codes import actions, publish, tasks
from yikatong.using.codes import partners as telling
from yikatong.using.codes.models import LossSpread
from yikatong.using.codes.partner_line import line

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.clause("Q2", "M3")]
Axe = Callable[[Page], None]


@pytest.fixture
def wang(bank: Sandbox, partners: Sandbox) -> Holder:
    """With credentials in her phone; her bank has joined. Two terminals hold the lists, two partners too."""
    cast.set_stage()
    wang = cast.wang_fang()
    cast.card_in_use(wang)
    actions.issue_ecard(wang.pk, by=of(wang), at=now())
    phone = actions.register_device(wang.pk, public_key=KEY.public, name="手机", by=of(wang), at=now())
    actions.issue_credentials(phone.id, by=of(wang), at=now())
    owner = Organisation.objects.get()
    domain = Domain.objects.create(code="culture", name="文化体验")
    library = Place.objects.create(
        number="51010700001",
        name="武侯区图书馆",
        kind="图书馆",
        domain=domain,
        keeper=owner,
        division_code="510107",
    )
    for name in ("一号闸机", "二号闸机"):
        access.register_terminal(
            name=name, kind="gate", place_id=library.pk, owner_id=owner.pk, scenes=[3], by=SYSTEM, at=now()
        )
    Terminal.objects.update(status="enrolled")
    publish.publish_lists(at=now())
    for one in Terminal.objects.all():
        TerminalState.objects.create(terminal=one, seen_at=now(), hot_versions=newest())
    work()
    return wang


def newest() -> dict[str, int]:
    found = publish.latest("hot", 3)
    return {"3": found.version if found else 0}


def work() -> None:
    """What the workers do within seconds."""
    for card in Card.objects.all():
        tasks.card_changed(str(card.pk))
    bank_tasks.send(cast.JOINT)
    telling.sync(line())
    for code in telling.due(at=now()):
        tasks.tell_partner(code)
    tasks.watch_spreading(0)


def report(page: Page) -> None:
    """On the phone's page, by keyboard."""
    page.goto("/m/card/loss")
    page.get_by_role("radio", name="临时挂失").focus()
    page.keyboard.press("Space")
    page.keyboard.press("Enter")
    arrived(page.get_by_role("button", name="确认挂失"))
    page.get_by_role("button", name="确认挂失").focus()
    page.keyboard.press("Enter")
    arrived(page.get_by_text("临时挂失已生效"))


def chief() -> dict[str, str]:
    user = cast.staff("周主任", "zhou", role=Role.SUPERVISOR, scope="51", organisation="省社保卡中心")
    return {"sessionid": cast.log_in(Client(), user).cookies["sessionid"].value}


def at_bank() -> str:
    account = Card.objects.select_related("account").get().account
    assert account is not None
    return BankApi().status_of(account.number, cast.JOINT)


@pytest.mark.clause("B2", "G5", "N17", "E3", "S18")
def test_a_loss_is_followed_to_every_place_and_ends_by_itself(
    open_page: OpenPage, axe: Axe, no_overflow: Callable[[Page], None], wang: Holder
) -> None:
    phone = open_page(390, 844, cookies={"sessionid": session_of(wang)})
    report(phone)
    expect(phone.locator("main")).to_contain_text("蜀安银行")
    axe(phone)
    work()
    assert at_bank() == "lost"
    first = Terminal.objects.order_by("number").first()
    assert first is not None
    TerminalState.objects.filter(terminal=first).update(hot_versions=newest())
    tasks.watch_spreading(0)

    page = open_page(cookies=chief())
    page.goto("/console/")
    arrived(page.locator("nav"))
    page.keyboard.press("Alt+8")
    arrived(page.get_by_role("heading", name="挂失传播"))
    stages = page.locator("main table").first
    for name, arrived_count, waiting in (
        ("在线闸机", "1", "0"),
        ("离线名单发布", "1", "0"),
        ("全部终端取得名单", "0", "1"),
        ("银行", "1", "0"),
        ("伙伴平台", "1", "0"),
    ):
        cells = stages.get_by_role("row", name=name).locator("td")
        expect(cells.first).to_have_text(arrived_count)
        expect(cells.last).to_have_text(waiting)
    expect(page.locator("main table").last).to_contain_text("正在取得")
    axe(page)
    for width in (1366, 390, 320):
        page.set_viewport_size({"width": width, "height": 768})
        no_overflow(page)
    page.set_viewport_size({"width": 1366, "height": 768})

    # Ten minutes on, the second gate has still not called: it is named.
    LossSpread.objects.update(listed_in=now() - timedelta(minutes=10))
    listed = publish.latest("hot", 3)
    assert listed is not None
    listed.made_at = now() - timedelta(minutes=10)
    listed.save(update_fields=["made_at"])
    page.reload()
    late = page.get_by_role("region", name="尚未取得名单的终端")
    expect(late).to_contain_text("二号闸机")
    expect(late).not_to_contain_text("一号闸机")
    expect(late).to_contain_text("10 分")
    axe(page)
    TerminalState.objects.update(hot_versions=newest())
    tasks.watch_spreading(0)
    page.reload()
    expect(page.get_by_text("所有联系过的终端都已取得名单")).to_be_visible()
    spread = LossSpread.objects.get()
    assert None not in (spread.gate_at, spread.list_at, spread.most_at, spread.all_at, spread.partners_at)

    # Its days are over: it ends in both halves, asked for by nobody.
    Card.objects.update(loss_ends_at=now())
    assert cards.release_ended_losses(at=now()) == 1
    work()
    phone.goto("/m/card")
    expect(phone.locator("main")).to_contain_text("正常")
    axe(phone)


@pytest.mark.clause("B2")
def test_the_bank_ends_a_temporary_loss_itself_though_the_line_is_down(wang: Holder, bank: Sandbox) -> None:
    """It was told with its end, so that it needs no second word."""
    card = cards.report_temporary_loss(Card.objects.get().pk, by=of(wang), at=now() - timedelta(days=7))
    work()
    assert card.loss_ends_at is not None
    assert card.loss_ends_at <= now()
    assert cards.release_ended_losses(at=now()) == 1
    card.refresh_from_db()
    assert (card.status, at_bank() in {"active", "preopened"}) == ("1", True)


@pytest.mark.clause("B2")
def test_where_the_bank_has_not_joined_the_holder_is_told_its_number(
    open_page: OpenPage, axe: Axe, wang: Holder
) -> None:
    card = Card.objects.select_related("account").get()
    assert card.account is not None
    card.account.bank_id = cast.APART
    card.account.save(update_fields=["bank"])
    phone = open_page(390, 844, cookies={"sessionid": session_of(wang)})
    phone.goto("/m/card/loss")
    expect(phone.locator("main")).to_contain_text("金融账户须另向天府惠民银行挂失，请拨打 95903。")
    axe(phone)
    report(phone)
    expect(phone.get_by_role("link", name="银行客服 95903")).to_have_attribute("href", "tel:95903")
    axe(phone)
    phone.goto("/m/card")
    expect(phone.locator("main")).to_contain_text("95903")
    work()
    desk = open_page(cookies=chief())
    desk.goto("/console/losses")
    expect(desk.locator("main table").last).to_contain_text("持卡人自行挂失")
    desk.goto(f"/counter/holders/{wang.pk}")
    expect(desk.locator(".desk-panel")).to_contain_text("95903")
    axe(desk)
