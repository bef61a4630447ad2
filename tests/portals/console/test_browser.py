"""The console's pages full of rows: what only shows with data must be as accessible and narrow as the rest."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from playwright.sync_api import Page, expect

from tests import cast
from yikatong.adapters.production_sandbox import whole_round
from yikatong.core import audit, looks
from yikatong.core.actor import SYSTEM, Role
from yikatong.core.clock import now
from yikatong.registry.access import actions as access_acts
from yikatong.registry.access.models import TerminalState
from yikatong.registry.cards import actions as card_acts
from yikatong.registry.cards.models import Batch, Roster
from yikatong.registry.catalogue.models import Domain, Place
from yikatong.registry.regions.models import Organisation
from yikatong.using.codes import rotation
from yikatong.using.codes.models import ListVersion
from yikatong.using.codes.publish import publish_lists

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.clause("Q2")]
CSV = f"""证件类型,证件号码,姓名,性别,出生日期,国籍,手机号码,所在区划,通讯地址,银行,领卡网点,领取方式
居民身份证,51010719900307012X,王芳,,,,{cast.PHONE},510107,示例路 1 号,{cast.JOINT},,
"""


def browser_of(role: Role) -> Client:
    scope = "5101" if role is Role.AUDITOR else "51"  # an auditor of a city: his page says so
    return cast.log_in(Client(), cast.staff("周芸", f"user-{role}", role=role, scope=scope))


def supervisor() -> tuple[Client, list[str]]:
    """A roster with a fault, and a batch of one card."""
    browser = browser_of(Role.SUPERVISOR)
    case = cast.apply(cast.wang_fang())
    card_acts.check(case.pk, by=cast.supervisor(), at=now())
    whole_round(cast.JOINT, by=cast.supervisor(), at=now())  # a batch with boxes, and one under way
    case = cast.apply(cast.register(cast.id_number(9), name="阿米娜·买买提", phone="13900000009"))
    card_acts.check(case.pk, by=cast.supervisor(), at=now())
    browser.post("/console/batches", {"bank": cast.JOINT})
    sent = browser.post("/console/rosters", {"file": SimpleUploadedFile("某单位申领名册.csv", CSV.encode())})
    batches = [f"/console/batches/{one.number}" for one in Batch.objects.all()]
    return browser, ["/console/", "/console/rosters", sent.headers["Location"], "/console/batches", *batches]


def operator() -> tuple[Client, list[str]]:
    """A terminal whose lists are behind, and keys in every state."""
    keeper, at = Organisation.objects.get(), now()
    place = Place.objects.create(
        number="51010700001", name="武侯区图书馆", kind="图书馆", keeper=keeper, division_code="510107",
        domain=Domain.objects.create(code="culture", name="文化体验"),
    )  # fmt: skip
    made = access_acts.register_terminal(
        name="图书馆一号闸机",
        kind="gate",
        place_id=place.pk,
        owner_id=keeper.pk,
        scenes=[1, 4],
        by=SYSTEM,
        at=at,
    )
    TerminalState.objects.create(terminal_id=made.pk, seen_at=at, trust_version=1, hot_versions={"4": 1})
    publish_lists(at=at - timedelta(days=30))
    rotation.rotate_keys(by=SYSTEM, at=at - timedelta(days=20))
    rotation.withdraw_key(rotation.rotate_keys(by=SYSTEM, at=at).key_id, reason="演练", by=SYSTEM, at=at)
    assert ListVersion.objects.filter(kind="hot", scene=4).count() > 1
    number = f"/console/terminals/{made.number}"
    return browser_of(Role.OPERATOR), [
        "/console/terminals",
        number,
        "/console/terminals/new",
        "/console/keys",
    ]


def auditor() -> tuple[Client, list[str]]:
    """Two pages of looks and of entries."""
    holder, clerk, at = cast.wang_fang(), cast.li_qiang().actor(), now()
    for number in range(60):
        then = at - timedelta(seconds=number)
        looks.record(
            holder.pk, by=clerk, at=then, purpose="窗口办理：补换卡、变更联系方式", fields=looks_fields()
        )
        audit.record("holders:holder:revealed", subject=f"holder:{holder.pk}", by=clerk, at=then)
    found = ["/console/looks", "/console/looks?since=2020-01-01", f"/console/looks?holder={holder.pk}"]
    return browser_of(Role.AUDITOR), [*found, "/console/audit", "/console/"]


def looks_fields() -> list[str]:
    return ["姓名", "证件号码（脱敏）", "手机号码（脱敏）", "所在区划"]


def leader() -> tuple[Client, list[str]]:
    """A board before it hangs on a wall, and while it does."""
    return cast.log_in(Client(), cast.leader()), ["/staff/wall", "/staff/account", "/board/", "/board/print"]


def wall() -> tuple[Client, list[str]]:
    browser, _ = leader()
    browser.post("/staff/wall")
    return browser, ["/board/", "/board/?range=week&rotate=1"]


@pytest.mark.parametrize(("elder", "size"), [(False, 1), (True, 2), (False, 4)])
@pytest.mark.parametrize("scene", [supervisor, operator, auditor, leader, wall])
def test_pages_with_rows_are_accessible_and_nothing_overflows(
    scene: Callable[[], tuple[Client, list[str]]],
    elder: bool,  # noqa: FBT001
    size: int,
    open_page: Callable[..., Page],
    axe: Callable[[Page], None],
    no_overflow: Callable[[Page], None],
) -> None:
    cache.clear()
    cast.set_stage()
    browser, paths = scene()
    page = open_page(elder=elder, size=size, cookies={"sessionid": browser.cookies["sessionid"].value})

    for path in paths:
        page.goto(path)
        assert page.url.endswith(path)
        axe(page)
        for width in (320, 390, 1366):
            page.set_viewport_size({"width": width, "height": 768})
            no_overflow(page)


def test_a_rosters_progress_moves_until_it_rests(open_page: Callable[..., Page]) -> None:
    cast.set_stage()
    browser, paths = supervisor()
    page = open_page(cookies={"sessionid": browser.cookies["sessionid"].value})
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(paths[2])
    done = page.locator("dl.facts dd").nth(1)
    expect(done).to_have_text("0")

    Roster.objects.update(status="running", rows=5, rows_done=2)
    expect(done).to_have_text("2")
    Roster.objects.update(status="done", rows_done=5)
    expect(page.get_by_text("已完成")).to_be_visible()
    assert any(url.endswith(f"{paths[2]}?auto=1") for url in asked)
