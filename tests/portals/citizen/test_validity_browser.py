"""The period of a certificate on the phone: asked for, refused and shown for everyone, at every width."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.portals.citizen import people
from tests.portals.citizen.conftest import session_of
from tests.portals.citizen.test_validity import HALF, OVER
from tests.portals.conftest import OpenPage
from yikatong.registry.cards.models import Case
from yikatong.registry.holders.models import Certificate
from yikatong.registry.holders.rules import birthday

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.clause("Q2")]


@pytest.mark.parametrize("look", [{}, {"elder": True}, {"size": 4}], ids=["standard", "elder", "largest"])
def test_the_new_period_is_told_when_the_old_one_has_run_out(
    open_page: OpenPage,
    axe: Callable[[Page], None],
    no_overflow: Callable[[Page], None],
    look: dict[str, bool | int],
) -> None:
    people.world()
    chen = people.holder(people.CHEN, "陈静", people.OTHER_PHONE)
    Certificate.objects.filter(holder=chen).update(valid_from=birthday(OVER, -20), valid_until=OVER)
    page = open_page(390, 844, cookies={"sessionid": session_of(chen, code_open=False)}, **look)

    def good() -> None:
        axe(page)
        for width in (320, 1366, 390):
            page.set_viewport_size({"width": width, "height": 844})
            no_overflow(page)

    page.goto("/m/record")
    expect(page.get_by_text("已到期")).to_be_visible()
    good()
    page.goto("/m/apply")
    page.check("input[name=outlet]")
    page.check("input[name=bank][value='95901']")
    page.get_by_role("button", name="提交申请").click()
    expect(page.get_by_role("alert")).to_contain_text(f"居民身份证已于 {OVER} 到期")
    good()
    page.get_by_label("证件有效期自").fill(str(HALF.begins))
    page.get_by_label("证件有效期至").fill(str(HALF.ends))
    page.get_by_role("button", name="提交申请").click()
    page.wait_for_url("**/m/cases/*?new")
    assert Case.objects.count() == 1
    page.goto("/m/record")
    expect(page.get_by_text(f"{HALF.begins} 至 {HALF.ends}", exact=True).first).to_be_visible()
    good()
