"""Pages of what is routed, put right or not offered: what they say, for everyone, from the smallest phone to the desk."""

from collections.abc import Callable

import pytest
from django.test import Client, RequestFactory
from playwright.sync_api import Page

from tests import cast
from tests.portals.citizen.test_joint import child, phone_of
from tests.portals.conftest import OpenPage
from tests.registry.cards.sheets import as_csv, line
from yikatong.core.actor import Role
from yikatong.core.clock import now
from yikatong.portals.kiosk import session
from yikatong.registry.cards import rosters
from yikatong.registry.joint.models import JointMatter
from yikatong.registry.outlets.rules import SERVICES
from yikatong.registry.regions.models import Outlet

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
WIDTHS = (320, 390, 1366)


@pytest.fixture
def look(
    open_page: OpenPage, axe: Callable[[Page], None], no_overflow: Callable[[Page], None]
) -> Callable[..., None]:
    """Open an address as this client and find the words; axe and the width at every size."""

    def looked(client: Client, address: str, *words: str, widths: tuple[int, ...] = WIDTHS) -> None:
        cookies = {name: one.value for name, one in client.cookies.items()}
        for width in widths:
            page = open_page(width, cookies=cookies)
            page.goto(address)
            shown = page.locator("main").inner_text()
            assert [one for one in words if one not in shown] == []
            axe(page)
            no_overflow(page)

    return looked


@pytest.mark.clause("B5", "O10")
def test_a_roster_tells_where_its_rows_went(look: Callable[..., None]) -> None:
    cast.set_stage()
    user = cast.staff("周芸", "zhouyun", role=Role.SUPERVISOR, scope="5101", outlet_id=cast.HALL)
    lines = [line(1, 银行=cast.JOINT), line(2, 所在区划="510703", 银行=cast.JOINT)]
    roster = rosters.run(rosters.receive(as_csv(*lines), "某校名册.csv", by=user.actor(), at=now()).pk)
    desk = cast.log_in(Client(), user)
    look(desk, f"/console/rosters/{roster.pk}", "转签发地", "绵阳市涪城区", "通办件", widths=(390, 1366))
    look(desk, "/counter/elsewhere", "成都市武侯区受理，签发地绵阳市涪城区审核", widths=(1366,))


@pytest.mark.clause("B7", "O10")
def test_a_number_is_put_right_on_the_phone_and_at_the_counter(look: Callable[..., None]) -> None:
    cast.set_stage()
    phone = phone_of(cast.wang_fang())
    phone.post("/m/joint/newborn", child())
    joint = JointMatter.objects.get()
    look(phone, f"/m/joint/{joint.number}", "更正填错的编号")
    form = f"/m/joint/{joint.number}/birth/correct"
    look(phone, form, "部门还没有答复", "出生医学证明编号")
    assert phone.post(form, {"birth_certificate": "X1"}).status_code == 422
    assert phone.post(form, {"birth_certificate": "T510012346"}).status_code == 303
    assert joint.holder.certificates.get().number == "T510012346"
    look(phone, f"/m/joint/{joint.number}", "填写已更正", "已改正：出生医学证明编号")

    desk = cast.log_in(Client(), cast.li_qiang())
    look(desk, f"/counter/joint/{joint.number}/", "更正编号", "填写已更正", widths=(1366,))
    form = f"/counter/joint/{joint.number}/birth/correct"
    look(desk, form, "出生医学证明编号", widths=(1366,))
    given = {"birth_certificate": "T510012347", "verified": "yes", "step": "check"}
    assert desk.post(form, given).status_code == 303
    assert joint.holder.certificates.get().number == "T510012347"


@pytest.mark.clause("B3", "B4", "S14")
def test_a_desk_and_a_machine_say_where_it_is_offered(look: Callable[..., None]) -> None:
    cast.set_stage()
    near = {"organisation": Outlet.objects.get().organisation, "division_code": "510107"}
    Outlet.objects.create(number="5101070009", name="望江路网点", services=list(SERVICES), **near)
    Outlet.objects.filter(pk=cast.HALL).update(services=["启用"])
    holder = cast.wang_fang()
    words = "武侯区社保经办大厅的可办业务中没有“申领”，不能受理。下一步：可以到望江路网点办理。"
    desk = cast.log_in(Client(), cast.li_qiang())
    look(desk, f"/counter/holders/{holder.pk}/apply", "现在不能办理申领", words, widths=(1366,))

    machine, request = Client(), RequestFactory().get("/kiosk/")
    request.session = machine.session
    session.begin(request, holder)
    request.session.save()
    machine.cookies["sessionid"] = str(request.session.session_key)
    machine.cookies[session.OUTLET_COOKIE] = "5101070001"
    look(machine, "/kiosk/apply", "本网点不办理这项业务", words, widths=(390, 1366))
