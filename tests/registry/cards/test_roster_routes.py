"""全省通办 of a roster: each row of another city goes to its place of issue, like a case taken alone."""

from dataclasses import replace
from datetime import date
from uuid import UUID

import pytest

from tests import cast
from tests.registry.cards.sheets import as_csv, faults, line, taken
from tests.registry.conftest import AT, id_number
from yikatong.core.actor import Actor, Channel, Role
from yikatong.core.errors import DomainError
from yikatong.core.models import AuditEntry
from yikatong.registry.cards import actions, elsewhere, rosters
from yikatong.registry.cards.models import Case, Roster
from yikatong.registry.cards.rosters.routes import Route
from yikatong.registry.holders.actions import certificate_index
from yikatong.registry.holders.models import Holder
from yikatong.registry.outlets.rules import SERVICES
from yikatong.registry.regions.models import Outlet

pytestmark = pytest.mark.django_db
#: At the hall in 武侯区, 成都; and the checker of 绵阳.
HERE = Actor(
    UUID(int=31),
    "周主任",
    Role.SUPERVISOR,
    Channel.BATCH,
    scope="5101",
    organisation="大厅",
    outlet_id=cast.HALL,
)
THERE = Actor(UUID(int=32), "何丽", Role.CLERK, Channel.COUNTER, scope="5107", organisation="绵阳")
WORDS = "全省通办：成都市武侯区受理，转签发地绵阳市涪城区审核"


@pytest.fixture(autouse=True)
def _stage() -> None:
    cast.set_stage()


def case_of(serial: int) -> Case:
    return Case.objects.get(holder__certificates__number_index=certificate_index("A", id_number(serial)))


@pytest.mark.clause("B5", "O10", "A5")
def test_each_row_goes_where_it_is_issued() -> None:
    """New people by what the row says, known ones by where they are registered; the rest stay checked."""
    moved = cast.register(id_number(3), division_code="510703")
    roster = taken(
        as_csv(
            line(1),
            line(2, 所在区划="510703"),
            line(3, 所在区划="510107"),
            line(4, 所在区划="510703", 领取方式="邮寄"),
        ),
        by=HERE,
    )
    assert (roster.cases, roster.faults, roster.routed, roster.taken_code) == (4, 0, 3, "510107")
    here = case_of(1)
    assert (here.status, here.taken_code, here.division_code, here.outlet_id) == (
        "checked",
        "",
        "510107",
        None,
    )
    for serial, outlet in ((2, cast.HALL), (3, cast.HALL), (4, None)):
        case = case_of(serial)
        told = (case.status, case.taken_code, case.division_code, case.outlet_id, case.step_due_on)
        assert told == ("submitted", "510107", "510703", outlet, date(2026, 11, 24))
        assert [(one.status, one.note) for one in case.steps.all()] == [("submitted", WORDS)]
    assert case_of(3).holder_id == moved.pk
    events = AuditEntry.objects.filter(event__startswith="cards:case:").values_list("event", flat=True)
    assert sorted(events) == ["cards:case:checked"] + ["cards:case:submitted"] * 3


@pytest.mark.clause("B5", "O10")
def test_both_cities_see_it_and_only_the_place_of_issue_decides() -> None:
    roster = taken(as_csv(line(1), line(2, 所在区划="510703")), by=HERE)
    case = case_of(2)
    assert list(elsewhere.to_issue(THERE)) == [case]
    assert list(elsewhere.taken_here(HERE)) == [case]
    assert rosters.routes(roster.pk) == [Route("绵阳市涪城区", 1, 1)]
    clerk = replace(HERE, channel=Channel.COUNTER)
    with pytest.raises(DomainError) as caught:
        actions.check(case.pk, by=clerk, at=AT)
    assert caught.value.code == "not_place_of_issue"
    checked = actions.check(case.pk, by=THERE, at=AT)
    assert checked.status in {"checked", "preopened"}
    assert rosters.routes(roster.pk) == [Route("绵阳市涪城区", 1, 0)]


@pytest.mark.clause("B5", "O10")
def test_an_outlet_without_that_service_takes_its_own_city_only() -> None:
    Outlet.objects.filter(pk=cast.HALL).update(services=["申领"])
    cast.register(id_number(3), division_code="510703")
    roster = taken(as_csv(line(1), line(2, 所在区划="510703"), line(3)), by=HERE)
    assert (roster.cases, roster.routed) == (1, 0)
    assert faults(roster) == [(3, "所在区划", "outside_scope"), (4, "所在区划", "only_at_place_of_issue")]
    assert Case.objects.count() == 1
    assert Holder.objects.count() == 2


@pytest.mark.clause("B4", "B5")
def test_an_outlet_that_takes_no_applications_takes_no_roster() -> None:
    Outlet.objects.filter(pk=cast.HALL).update(services=[one for one in SERVICES if one != "申领"])
    with pytest.raises(DomainError) as caught:
        rosters.receive(as_csv(line(1)), "名册.csv", by=HERE, at=AT)
    assert caught.value.code == "not_offered_here"
    assert not Roster.objects.exists()


def test_an_office_of_a_city_and_one_of_the_province() -> None:
    """Without an outlet it is the region that takes; a province is every city's, so nothing is routed."""
    office = replace(HERE, outlet_id=None)
    assert taken(as_csv(line(2, 所在区划="510703")), by=office).routed == 1
    assert case_of(2).taken_code == "510100"
    province = replace(office, scope="51")
    assert taken(as_csv(line(5, 所在区划="510703")), by=province).routed == 0
    assert (case_of(5).status, case_of(5).taken_code) == ("checked", "")


def test_another_province_is_told_row_by_row() -> None:
    cast.register(id_number(3), division_code="510703")
    Holder.objects.update(division_code="500103")
    roster = taken(as_csv(line(3)), by=HERE)
    assert faults(roster) == [(2, "证件号码", "other_province")]
    assert not Case.objects.exists()
