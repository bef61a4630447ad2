"""The demonstration's loader: everything it writes keeps every invariant, and shows every state of a case."""

from datetime import datetime
from pathlib import Path

import pytest
from procrastinate.contrib.django.models import ProcrastinateJob
from pytest_django import Settings

from yikatong.cli.demo import load
from yikatong.cli.demo.plan import Loading, Sizes
from yikatong.core.clock import BEIJING
from yikatong.core.models import StaffUser
from yikatong.insight.soundness import checking
from yikatong.registry.banks.models import Delivery
from yikatong.registry.cards import rosters
from yikatong.registry.cards.models import BatchRow, CardEvent, Case, Escalation, Roster
from yikatong.registry.holders.models import Category
from yikatong.registry.joint.models import JointMatter
from yikatong.registry.matching.models import Inquiry, Issue
from yikatong.registry.outlets.models import QueueState
from yikatong.registry.regions import profile
from yikatong.registry.regions.models import Division, Outlet
from yikatong.registry.stock import queries as stock
from yikatong.registry.stock.models import BlankMove
from yikatong.using.codes.publish import publish_lists

pytestmark = pytest.mark.django_db
SMALL = Sizes(holders=600, outlets=24, places=40, terminals=24, days=2)
SHOWN = {
    "draft", "submitted", "correcting", "checked", "preopened", "producing", "ready", "done", "rejected", "withdrawn",
}  # fmt: skip
#: An afternoon at the office; and the small hours of a Sunday within a long holiday.
MOMENTS = (datetime(2026, 11, 20, 15, 30, tzinfo=BEIJING), datetime(2026, 10, 4, 2, 10, tzinfo=BEIJING))


@pytest.fixture(params=MOMENTS, ids=["office hours", "holiday"])
def loaded(request: pytest.FixtureRequest, settings: Settings, tmp_path: Path) -> Loading:
    """A small demo province: two counties a city, and all else as `yikatong demo load` has it."""
    settings.CARD_PRINTER = "yikatong.adapters.card_maker.printer.SandboxPrinter"
    province = profile.load(settings.PROVINCE)
    codes = [province.code, *(city.code for city in province.cities if not city.partner)]
    codes += [f"{code[:4]}{county}" for code in codes[1:] for county in ("02", "04")]
    Division.objects.bulk_create(
        Division(code=code, name=f"示例{code}", level=_level(code), province_code=province.code)
        for code in codes
    )
    publish_lists(at=request.param)
    loading = Loading(province, request.param, tmp_path / "demo.json", SMALL)
    load.load(loading=loading, tick=lambda _: None)
    return loading


def _level(code: str) -> Division.Level:
    if code.endswith("0000"):
        return Division.Level.PROVINCE
    return Division.Level.CITY if code.endswith("00") else Division.Level.COUNTY


@pytest.mark.clause("G5", "O10")
def test_it_is_sound_and_shows_what_there_is(loaded: Loading) -> None:
    at = loaded.at
    assert checking.breaches(at=at) == []
    assert set(Case.objects.values_list("status", flat=True)) >= SHOWN
    assert set(Category.objects.values_list("kind", flat=True)) == set(Category.Kind.values)
    assert JointMatter.objects.count() == 2
    assert QueueState.objects.count() == SMALL.outlets // 2
    _late_cases_are_with_the_supervisor(at)
    _cards_lie_in_boxes()
    _blanks_have_moved()
    _banks_were_late_and_on_time(loaded)
    _registers_differ(at)
    _a_roster_waits_to_be_mended()
    _own_people_have_a_story(loaded)
    _no_job_of_the_past_is_told_as_of_now(loaded)


def _late_cases_are_with_the_supervisor(at: datetime) -> None:
    late = Escalation.objects.filter(closed_at=None)
    assert late.exists()
    assert all(one.due_on < one.at.astimezone(BEIJING).date() <= at.date() for one in late)


def _cards_lie_in_boxes() -> None:
    ready = Case.objects.filter(status="ready").values("pk")
    assert BatchRow.objects.filter(case__in=ready, result="made", position__gt=0).count() == ready.count()


def _blanks_have_moved() -> None:
    clerk = StaffUser.objects.get(username="liqiang").actor()
    kinds = set(BlankMove.objects.filter(blank__outlet=clerk.outlet_id).values_list("kind", flat=True))
    assert kinds == {"received", "taken", "issued", "spoiled"}
    hall = Outlet.objects.get(pk=clerk.outlet_id)
    assert stock.shortage(hall, "95901") == 1


def _banks_were_late_and_on_time(loaded: Loading) -> None:
    promised = [entry.code for entry in loaded.profile.banks if entry.delivers_by is not None]
    lists = Delivery.objects.filter(bank__in=promised)
    late = [one for one in lists if one.late_by(loaded.at)]
    assert 0 < len(late) < lists.count() / 2
    owed = lists.filter(received_at=None, due_at__lt=loaded.at)
    assert owed.count() == (loaded.at.hour > 8)  # in the small hours nobody owes anything yet


def _registers_differ(at: datetime) -> None:
    assert set(Issue.objects.values_list("status", flat=True)) >= {"open", "kept"}
    assert not Inquiry.objects.filter(status="waiting").exists()
    assert not Issue.objects.filter(opened_at__gt=at).exists()


def _a_roster_waits_to_be_mended() -> None:
    sent, chief = Roster.objects.get(), StaffUser.objects.get(username="chenxiao").actor()
    assert (sent.status, sent.rows, sent.cases, sent.faults) == ("done", 24, 21, 3)
    assert rosters.is_sender(sent, chief)


def _own_people_have_a_story(loaded: Loading) -> None:
    """Whoever tries the demonstration finds what happened to the card of its people, to its last step."""
    assert [one.holder.name for one in loaded.known] == ["王芳", "张建国"]
    for person in loaded.known:
        case = Case.objects.get(holder=person.holder, kind="apply")
        assert list(case.steps.values_list("status", flat=True)) == [
            "submitted", "checked", "preopened", "producing", "ready", "done",
        ]  # fmt: skip
        kinds = CardEvent.objects.filter(card=case.card).values_list("kind", flat=True)
        assert list(kinds)[:3] == ["made", "handed_over", "activated"]


def _no_job_of_the_past_is_told_as_of_now(loaded: Loading) -> None:
    """A loss of last week whose job ran now would be measured as a week on its way."""
    new = [str(key) for one in loaded.known for key in one.holder.cards.values_list("pk", flat=True)]
    left = ProcrastinateJob.objects.exclude(task_name="joint.send").exclude(args__card_id__in=new)
    assert list(left.values_list("task_name", flat=True)) == []
