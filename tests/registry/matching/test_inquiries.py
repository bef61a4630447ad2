"""核验: who is registered or applies is asked for at the population source; whatever it does, he is served."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.bank_sandbox import Sandbox
from tests.registry.conftest import AT, JOINT, LI_QIANG, days, id_number
from yikatong.core.models import Look
from yikatong.registry.cards import actions as cards
from yikatong.registry.cards.signals import roster_submitted
from yikatong.registry.holders.models import Holder, LifeEvent
from yikatong.registry.matching import inquiries
from yikatong.registry.matching.models import Inquiry, Issue

Register = Callable[..., Holder]


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("yikatong.adapters.signed_http._PAUSES_S", (0.0, 0.0))


def stands(holder: Holder) -> tuple[str, str]:
    found = inquiries.latest(holder.pk)
    assert found is not None
    return found.status, found.trouble


def apply(holder: Holder, **more: Any) -> None:
    cards.apply(holder.pk, bank_code=JOINT, division_code="510107", by=LI_QIANG, **{"at": AT} | more)


@pytest.mark.clause("A6", "A1", "N13")
def test_who_is_registered_is_asked_for_at_once(sources: Sandbox, register: Register) -> None:
    holder = register(1)
    assert stands(holder) == ("waiting", "")
    found = inquiries.ask_now(holder.pk, at=AT)
    assert found is not None
    assert (found.status, found.answered_at, found.tries) == ("agrees", AT, 1)
    assert Look.objects.filter(holder_id=holder.pk, purpose="与公安人口库（沙箱）核对").count() == 1
    assert not Issue.objects.exists()


@pytest.mark.clause("A6", "N13", "O13")
@pytest.mark.parametrize(
    ("said", "status", "issue"),
    [
        ({"name": "王芳华"}, "differs", ("name", "王芳", "王芳华")),
        ({"name": "王芳", "known": False}, "unknown", ("person", "已登记", "查无此人")),
    ],
)
def test_a_difference_opens_an_issue_and_overwrites_nothing(
    sources: Sandbox, register: Register, said: dict[str, Any], status: str, issue: tuple[str, str, str]
) -> None:
    sources.enters("population", id_number(1), **said)
    holder = register(1)
    before = list(Holder.objects.values())
    inquiries.ask_now(holder.pk, at=AT)
    assert stands(holder) == (status, "")
    opened = Issue.objects.get()
    assert (opened.field, opened.ours, opened.theirs, opened.status) == (*issue, "open")
    assert list(Holder.objects.values()) == before
    assert not LifeEvent.objects.exists()
    apply(holder)  # and he is served


@pytest.mark.clause("A6", "B1")
def test_a_source_that_is_away_delays_the_inquiry_and_not_the_person(
    sources: Sandbox, register: Register
) -> None:
    sources.post("sources", "faults", {"kind": "away", "who": "population", "times": 1})
    holder = register(1)
    inquiries.ask_now(holder.pk, at=AT)
    assert stands(holder) == ("waiting", "对方系统暂停服务")
    apply(holder)
    assert Inquiry.objects.count() == 1
    assert inquiries.ask_due(at=AT) == 0, "it is given a pause"
    assert inquiries.ask_due(at=AT + timedelta(seconds=10)) == 1
    assert stands(holder) == ("agrees", "")


@pytest.mark.clause("A6")
@pytest.mark.parametrize("kind", ["slow", "malformed", "incomplete", "broken"])
def test_slow_or_nonsense_it_stays_to_be_asked(sources: Sandbox, register: Register, kind: str) -> None:
    sources.post("sources", "faults", {"kind": kind, "who": "population", "hold_s": 2.0, "times": 1})
    holder = register(1)
    inquiries.ask_now(holder.pk, at=AT)
    status, trouble = stands(holder)
    assert status == "waiting"
    assert trouble
    assert not Issue.objects.exists()


@pytest.mark.clause("A6")
def test_who_was_asked_for_today_is_not_asked_for_again(sources: Sandbox, register: Register) -> None:
    holder = register(1)
    inquiries.ask_now(holder.pk, at=AT)
    apply(holder)
    assert Inquiry.objects.count() == 1


@pytest.mark.clause("A6")
def test_an_application_later_is_asked_for_anew(sources: Sandbox, register: Register) -> None:
    holder = register(1)
    inquiries.ask_now(holder.pk, at=AT)
    sources.enters("population", id_number(1), "王芳华")
    apply(holder, at=AT + days(30))
    assert inquiries.ask_due(at=AT + days(30)) == 1
    assert stands(holder) == ("differs", "")
    assert Inquiry.objects.count() == 2


@pytest.mark.clause("A6")
def test_two_who_ask_at_once_share_the_work(sources: Sandbox, register: Register) -> None:
    holder = register(1)
    claimed = inquiries._claim(Inquiry.objects.filter(status="waiting"), AT)
    assert [one.holder_id for one in claimed] == [holder.pk]
    assert inquiries.ask_due(at=AT) == 0
    assert inquiries.ask_due(at=AT + inquiries.LEASE) == 1, "it was killed, or the source held it too long"


@pytest.mark.clause("A6")
def test_who_has_ended_meanwhile_is_asked_for_no_more(sources: Sandbox, register: Register) -> None:
    holder = register(1)
    Holder.objects.update(status="merged", merged_into=register(2))
    assert inquiries.ask_due(at=AT) == 2
    assert stands(holder) == ("dropped", "")
    assert not Look.objects.filter(holder_id=holder.pk, looker_name="平台").exists()


def test_a_thousand_of_a_roster_are_written_down_and_asked_for_in_chunks(
    sources: Sandbox, register: Register
) -> None:
    people = [register(serial) for serial in range(1, 41)]
    Inquiry.objects.all().delete()
    for serial in (1, 10):
        sources.enters("population", id_number(serial), "王小芳")
    counts = []
    for some in (people[:2], people[2:]):
        with CaptureQueriesContext(connection) as captured:
            roster_submitted.send(None, holder_ids=[one.pk for one in some], at=AT)
            assert inquiries.ask_due(at=AT) == len(some)
        counts.append(len(captured))
    assert counts[1] <= counts[0]


def test_without_a_source_nobody_is_asked_for(register: Register) -> None:
    holder = register(1)
    assert inquiries.ask_now(holder.pk, at=AT) is None
    assert inquiries.ask_due(at=AT) == 0
