"""全省通办: a case of another city is routed to its place of issue and back."""

from datetime import timedelta
from uuid import UUID

import pytest
from django.test import Client

from tests import cast
from yikatong.core.actor import Actor, Channel, Role
from yikatong.core.clock import day_of, now
from yikatong.core.errors import DomainError
from yikatong.registry.banks.models import Bank
from yikatong.registry.cards import actions, elsewhere, following, queries
from yikatong.registry.cards.models import Card, Case, CaseStatus
from yikatong.registry.holders.models import Holder
from yikatong.registry.outlets.rules import SERVICES
from yikatong.registry.regions.models import Organisation, Outlet
from yikatong.registry.stock import actions as stock

pytestmark = pytest.mark.django_db
FU_CHENG = UUID("01900000-0000-7000-8000-000000000002")
THERE = Actor(
    UUID(int=21), "陈静", Role.CLERK, Channel.COUNTER, scope="5107", organisation="绵阳", outlet_id=FU_CHENG
)
CHENG_DU = Actor(UUID(int=22), "何丽", Role.CLERK, Channel.COUNTER, scope="5101", organisation="成都")


@pytest.fixture(autouse=True)
def _stage() -> None:
    cast.set_stage()
    Outlet.objects.create(
        id=FU_CHENG, number="5107030001", name="涪城区社会保障卡服务大厅", organisation=Organisation.objects.get(),
        division_code="510703", address="示例路 9 号", hours="", issues_at_once=True, services=list(SERVICES),
    )  # fmt: skip


@pytest.fixture
def holder() -> Holder:
    return cast.wang_fang()


def taken(holder: Holder, **more: object) -> Case:
    wish = {"bank_code": cast.JOINT, "division_code": "510703", "outlet_id": FU_CHENG} | more
    return actions.apply(holder.pk, **wish, by=THERE, at=now())  # type: ignore[arg-type]


def refused(code: str, act: object) -> DomainError:
    with pytest.raises(DomainError) as caught:
        act()  # type: ignore[operator]
    assert caught.value.code == code
    return caught.value


@pytest.mark.clause("B4", "O10", "G5")
def test_it_is_taken_there_checked_here_and_comes_back(holder: Holder) -> None:
    case = taken(holder)
    assert (case.division_code, case.taken_code, case.outlet_id) == ("510107", "510703", FU_CHENG)
    (first,) = case.steps.all()
    assert first.note == "全省通办：绵阳市涪城区受理，转签发地成都市武侯区审核"
    got = following.progress(case, at=now())
    assert got.owner == "四川省成都市武侯区社会保障卡经办机构（签发地审核岗）"
    assert got.elsewhere == "绵阳市涪城区受理，签发地成都市武侯区审核，在涪城区社会保障卡服务大厅领取。"
    assert [step.owner for step in got.plan][-2:] == ["涪城区社会保障卡服务大厅（领卡窗口）", ""]

    refusal = refused("not_place_of_issue", lambda: actions.check(case.pk, by=THERE, at=now()))
    assert refusal.message.startswith("通办件由签发地成都市武侯区的经办机构审核，受理地不能审核。")
    for act in (
        lambda: actions.reject(case.pk, reason="x", by=THERE, at=now()),
        lambda: actions.ask_correction(case.pk, items={"photo": "x"}, by=THERE, at=now()),
        lambda: actions.retry(case.pk, by=THERE, at=now()),
    ):
        refused("not_place_of_issue", act)
    assert Case.objects.get().status == CaseStatus.SUBMITTED

    checked = actions.check(case.pk, by=CHENG_DU, at=now())
    assert checked.status == CaseStatus.CHECKED
    assert list(case.steps.order_by("at", "pk").values_list("note", flat=True))[1] == (
        "签发地审核通过，制成后由涪城区社会保障卡服务大厅发卡"
    )
    assert checked.outlet_id != cast.HALL
    printed_here = refused(
        "printed_elsewhere", lambda: stock.check_here(checked, Outlet.objects.get(pk=cast.HALL))
    )
    assert printed_here.message.startswith("本件在涪城区社会保障卡服务大厅领取，请由该网点即时制卡")
    ready = cast.make_card(checked)
    assert following.progress(ready, at=now()).owner == "涪城区社会保障卡服务大厅（领卡窗口）"
    card = actions.hand_over(ready.pk, by=THERE, at=now())
    assert actions.activate(card.pk, by=THERE, at=now()).status == "1"


@pytest.mark.clause("B4", "S14")
def test_each_city_has_it_in_its_list_and_limits_belong_to_the_place_of_issue(holder: Holder) -> None:
    case = taken(holder)
    assert [one.pk for one in elsewhere.to_issue(CHENG_DU)] == [case.pk]
    assert [one.pk for one in elsewhere.taken_here(THERE)] == [case.pk]
    assert list(elsewhere.to_issue(THERE)) == list(elsewhere.taken_here(CHENG_DU)) == []
    Case.objects.update(step_due_on=day_of(now()) - timedelta(days=9))
    assert actions.escalate_overdue(at=now()) == 1
    assert [one.case_id for one in queries.overdue(CHENG_DU)] == [case.pk]
    assert list(queries.overdue(THERE)) == []
    actions.reject(case.pk, reason="照片不清晰", by=CHENG_DU, at=now())
    assert list(elsewhere.to_issue(CHENG_DU)) == []


def test_without_a_wish_the_card_comes_to_the_taking_outlet(holder: Holder) -> None:
    assert taken(holder, outlet_id=None).outlet_id == FU_CHENG


def test_the_holder_may_wish_the_outlet_at_home_and_a_case_at_home_is_no_such_case(holder: Holder) -> None:
    assert taken(holder, outlet_id=cast.HALL).outlet_id == cast.HALL
    Case.objects.all()[0].steps.all().delete()
    Case.objects.all().delete()
    own = actions.apply(holder.pk, bank_code=cast.JOINT, division_code="510104", by=CHENG_DU, at=now())
    assert (own.division_code, own.taken_code) == ("510104", "")  # another county of the same city
    assert following.progress(own, at=now()).elsewhere == ""


@pytest.mark.clause("B4", "O10")
def test_what_may_not_be_done_elsewhere_is_refused_in_words(holder: Holder) -> None:
    card = cast.card_in_use(holder)
    before = list(Case.objects.order_by("pk").values_list("pk", "status"))
    refusal = refused(
        "only_at_place_of_issue", lambda: actions.cancel(card.pk, reason="request", by=THERE, at=now())
    )
    assert refusal.message == (
        "注销须在签发地成都市武侯区办理，本网点不能通办。下一步：请到成都市武侯区的服务网点办理。"
    )
    assert "（十）" in refusal.article
    assert Card.objects.get().status == "1"
    assert list(Case.objects.order_by("pk").values_list("pk", "status")) == before
    actions.report_loss(card.pk, by=THERE, at=now())
    actions.cancel(card.pk, reason="request", by=CHENG_DU, at=now())


@pytest.mark.clause("B4")
def test_a_card_of_another_province_is_refused_plainly(holder: Holder) -> None:
    Holder.objects.update(division_code="500103")
    own = Actor(holder.pk, "王芳", Role.HOLDER, Channel.MOBILE)
    refusal = refused(
        "other_province",
        lambda: actions.apply(holder.pk, bank_code=cast.JOINT, division_code="510107", by=own, at=now()),
    )
    assert refusal.message.startswith("此人的社会保障卡由外省（市）签发，本平台目前不能受理。")
    assert not Case.objects.exists()


@pytest.mark.clause("B4", "B3")
def test_the_desks_show_it_to_both_cities_and_the_holder_follows_it(holder: Holder) -> None:
    there = cast.log_in(Client(), cast.staff("陈静", "jing", scope="5107", outlet_id=FU_CHENG))
    here = cast.log_in(Client(), cast.li_qiang())
    Bank.objects.update(accepts_new=True)
    form = there.get(f"/counter/holders/{holder.pk}/apply").content.decode()
    assert "全省通办：签发地为成都市武侯区，本件转签发地审核，制成后在所选网点领取。" in form
    assert "武侯区社保经办大厅" in form
    given = {"bank_code": cast.JOINT, "delivery": "0", "outlet_id": str(FU_CHENG), "verified": "yes"}
    there.post(f"/counter/holders/{holder.pk}/apply", given | {"step": "confirm"})
    case = Case.objects.get()
    assert case.taken_code == "510703"
    for client, title in ((here, "由本地签发，外地受理"), (there, "本地受理，由外地签发")):
        page = client.get("/counter/elsewhere").content.decode()
        assert case.number in page.split(title)[1].split("</section>")[0]
        assert "签发地审核岗" in page
    assert case.number in here.get("/counter/check").content.decode()
    assert case.number not in there.get("/counter/check").content.decode()
    shown = there.get(f"/counter/cases/{case.number}/").content.decode()
    assert "绵阳市涪城区受理，签发地成都市武侯区审核" in shown
    assert "受理地不能审核" in shown
    assert 'form="check"' not in shown
    here.post(f"/counter/cases/{case.number}/check")
    cast.make_card(Case.objects.get())
    assert case.number in there.get("/counter/").content.decode()
    assert case.number not in here.get("/counter/").content.decode().split("我今天办的")[0]
