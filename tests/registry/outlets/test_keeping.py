"""Outlets are kept by their region's people, and queues reported by machine or clerk."""

import json
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from tests import cast
from yikatong.core import http_mac
from yikatong.core.actor import Actor
from yikatong.core.clock import BEIJING, now
from yikatong.core.errors import DomainError
from yikatong.core.models import AuditEntry
from yikatong.registry.outlets import actions, queries, rules
from yikatong.registry.outlets.hours import Span, parse
from yikatong.registry.outlets.models import HoursChange, OpenHours, QueueState
from yikatong.registry.regions.models import Outlet

pytestmark = pytest.mark.django_db
FRIDAY = datetime(2026, 11, 20, 10, 0, tzinfo=BEIJING)
FACTS: dict[str, Any] = {
    "phone": "02812333", "address": "武侯区示例路 1 号", "services": ["补换", "申领"], "facilities": ["nursing", "ramp"],
    "longitude": 104.05, "latitude": 30.64, "is_open": True,
}  # fmt: skip
NUMBER = "5101070001"
PATH = f"/api/v1/outlets/{NUMBER}/queue"


@pytest.fixture(autouse=True)
def _stage() -> None:
    cast.set_stage()


def refused(code: str, act: Any) -> DomainError:
    with pytest.raises(DomainError) as caught:
        act()
    assert caught.value.code == code
    return caught.value


def events() -> list[str]:
    return list(
        AuditEntry.objects.filter(event__startswith="outlets:")
        .order_by("at", "id")
        .values_list("event", flat=True)
    )


@pytest.mark.clause("B9", "S14", "G5")
def test_facts_are_kept_with_old_and_new_and_in_order() -> None:
    head = cast.supervisor()
    outlet = actions.describe(cast.HALL, **FACTS, by=head, at=FRIDAY)
    assert (outlet.services, outlet.facilities, outlet.is_accessible) == (
        ["申领", "补换"],
        ["ramp", "nursing"],
        True,
    )
    actions.describe(cast.HALL, **FACTS, by=head, at=FRIDAY)  # the same again is no change
    assert events() == ["outlets:outlet:described"]
    facts = AuditEntry.objects.get(event="outlets:outlet:described").facts
    assert facts["before"]["phone"] == ""
    assert facts["now"]["phone"] == "02812333"
    for name, wrong, code in (
        ("services", ["飞行"], "services_invalid"), ("facilities", ["pool"], "services_invalid"),
        ("latitude", None, "position_invalid"), ("longitude", 2.0, "position_invalid"),
    ):  # fmt: skip
        refused(
            code,
            lambda name=name, wrong=wrong: actions.describe(
                cast.HALL, **FACTS | {name: wrong}, by=head, at=FRIDAY
            ),
        )
    assert Outlet.objects.get().services == ["申领", "补换"]


def test_strangers_and_clerks_keep_no_outlet() -> None:
    refused("forbidden", lambda: actions.describe(cast.HALL, **FACTS, by=cast.clerk(), at=FRIDAY))
    away = Actor(None, "x", cast.supervisor().role, cast.supervisor().channel, scope="5107")
    refused("not_found", lambda: actions.describe(cast.HALL, **FACTS, by=away, at=FRIDAY))
    assert events() == []


@pytest.mark.clause("B9", "S14")
def test_the_week_and_its_changes() -> None:
    head = cast.supervisor()
    week = dict.fromkeys(range(1, 6), parse("9:00-12:00 13:30-17:00"))
    assert (
        actions.set_week(cast.HALL, week=week, by=head, at=FRIDAY).hours
        == "周一至周五 9:00–12:00，13:30–17:00"
    )
    assert OpenHours.objects.count() == 10
    monday = date(2026, 11, 23)
    closed = actions.change_hours(
        cast.HALL, since=monday, until=monday, span=None, reason="停电", by=head, at=FRIDAY
    )
    (shown,) = queries.shown([cast.HALL], at=FRIDAY + timedelta(days=3))
    assert shown.standing is not None
    assert (shown.standing.is_open, shown.standing.reason) == (False, "停电")
    for since, until, reason in (
        (monday, date(2026, 11, 22), "x"), (date(2026, 11, 19), monday, "x"), (monday, monday, " "),
        (monday, date(2028, 1, 1), "x"),
    ):  # fmt: skip
        refused(
            "hours_change_invalid",
            lambda s=since, u=until, r=reason: actions.change_hours(
                cast.HALL, since=s, until=u, span=Span(*parse("9:00-10:00")[0]), reason=r, by=head, at=FRIDAY
            ),
        )
    actions.take_back_change(closed.pk, by=head, at=FRIDAY)
    assert not HoursChange.objects.exists()
    refused("hours_change_gone", lambda: actions.take_back_change(closed.pk, by=head, at=FRIDAY))
    begun = actions.change_hours(
        cast.HALL, since=FRIDAY.date(), until=monday, span=None, reason="装修", by=head, at=FRIDAY
    )
    actions.take_back_change(begun.pk, by=head, at=FRIDAY + timedelta(days=1))
    assert HoursChange.objects.get().until == FRIDAY.date()  # what has been stays readable
    assert events() == [
        "outlets:outlet:hours_set", "outlets:outlet:hours_changed", "outlets:outlet:hours_change_ended",
        "outlets:outlet:hours_changed", "outlets:outlet:hours_change_ended",
    ]  # fmt: skip


def signed(key: bytes, body: bytes, *, time: int | None = None, path: str = PATH) -> Any:
    time = int(now().timestamp()) if time is None else time
    mac = http_mac.of_request(key, time=time, method="POST", path=path, body=body).hex()
    return Client().post(
        PATH, body, content_type="application/json", headers={http_mac.TIME: str(time), http_mac.MAC: mac}
    )


@pytest.mark.clause("B9")
def test_a_queue_machine_reports_with_its_key_and_nobody_else() -> None:
    head = cast.supervisor()
    key = bytes.fromhex(actions.renew_machine_key(cast.HALL, by=head, at=now()))
    body = json.dumps({"waiting": 7, "windows": 3}).encode()
    assert signed(b"x" * 32, body).status_code == 401
    assert signed(key, body, path="/api/v1/outlets/other/queue").status_code == 401
    assert signed(key, body, time=int(now().timestamp()) - 600).status_code == 401
    assert Client().post(PATH, body, content_type="application/json").status_code == 401
    assert not QueueState.objects.exists()

    answer = signed(key, body)
    assert (answer.status_code, answer.json()["waiting"]) == (200, 7)
    again = signed(key, body, time=int(QueueState.objects.get().at.timestamp()))
    assert (again.status_code, again.json()["code"]) == (409, "queue_report_old")
    later = int(now().timestamp()) + 5
    for wrong in (
        b"",
        b"[]",
        b"{}",
        b'{"waiting": -1}',
        b'{"waiting": 1000}',
        b'{"waiting": "7"}',
        b'{"waiting": 1, "x": 1}',
        b'{"waiting": true}',
    ):
        assert signed(key, wrong, time=later).status_code == 422, wrong
    state = QueueState.objects.get()
    assert (state.waiting, state.windows, state.source) == (7, 3, "machine")

    new = bytes.fromhex(actions.renew_machine_key(cast.HALL, by=head, at=now()))
    assert signed(key, body, time=later).status_code == 401  # the key before has ended
    actions.stop_machine(cast.HALL, by=head, at=now())
    assert signed(new, body, time=later).status_code == 401
    assert events() == [
        "outlets:outlet:machine_key_renewed", "outlets:outlet:machine_key_renewed", "outlets:outlet:machine_stopped",
    ]  # fmt: skip


@pytest.mark.clause("B9")
def test_a_clerk_reports_for_his_own_outlet_only() -> None:
    li = cast.li_qiang().actor()
    assert actions.report_queue(cast.HALL, waiting=4, by=li, at=FRIDAY).source == "clerk"
    refused(
        "outlet_not_yours", lambda: actions.report_queue(cast.HALL, waiting=5, by=cast.clerk(), at=FRIDAY)
    )
    refused("queue_invalid", lambda: actions.report_queue(cast.HALL, waiting=-1, by=li, at=FRIDAY))
    refused("queue_report_old", lambda: actions.report_queue(cast.HALL, waiting=5, by=li, at=FRIDAY))
    fresh = queries.queues_of([cast.HALL], at=FRIDAY + timedelta(minutes=15))[cast.HALL]
    assert (fresh.waiting, fresh.is_stale) == (4, False)
    assert queries.queues_of([cast.HALL], at=FRIDAY + timedelta(minutes=16))[cast.HALL].is_stale
    assert rules.stale_after() == timedelta(minutes=15)


@pytest.mark.clause("B9", "S14")
def test_the_console_keeps_an_outlet_and_refuses_what_is_wrong() -> None:
    desk = cast.log_in(Client(), cast.chen_xiao())
    page = f"/console/outlets/{cast.HALL}"
    assert "武侯区社保经办大厅" in desk.get("/console/outlets").content.decode()
    given = FACTS | {"is_open": "on", "act": "facts"}
    assert desk.post(page, given).status_code == 303
    assert Outlet.objects.get().facilities == ["ramp", "nursing"]
    assert desk.post(page, {"act": "week", "day1": "9:00-12:00", "day0": ""}).status_code == 303
    assert Outlet.objects.get().hours == "周一 9:00–12:00"
    wrong = desk.post(page, {"act": "week", "day1": "朝九晚五"})
    assert wrong.status_code == 422
    assert "服务时间应写作" in wrong.content.decode()
    today = now().astimezone(BEIJING).date()
    change = {
        "act": "change",
        "since": today.isoformat(),
        "until": today.isoformat(),
        "span": "",
        "reason": "培训",
    }
    assert desk.post(page, change).status_code == 303
    assert "培训" in desk.get(page).content.decode()
    made = HoursChange.objects.get()
    assert desk.post(page, {"act": "take-back", "change": str(made.pk)}).status_code == 303
    assert not HoursChange.objects.exists()
    assert desk.post(page, {"act": "take-back", "change": "x"}).status_code == 422
    shown = desk.post(page, {"act": "key"}).content.decode()
    assert "叫号机密钥只显示这一次" in shown
    assert cast.log_in(Client(), cast.li_qiang()).get(page).status_code == 403


def test_the_desk_sets_its_queue() -> None:
    desk = cast.log_in(Client(), cast.li_qiang())
    assert "今天没有报告" in desk.get("/counter/queue").content.decode()
    assert desk.post("/counter/queue", {"waiting": "6", "windows": ""}).status_code == 303
    assert QueueState.objects.get().waiting == 6
    assert desk.post("/counter/queue", {"waiting": "x"}).status_code == 422
    assert "6" in desk.get("/counter/queue?done=1").content.decode()
    without = cast.log_in(Client(), cast.chen_jing())
    assert without.get("/counter/queue").status_code == 403


def test_the_published_vector_is_what_we_compute() -> None:
    spec = (Path(__file__).parents[3] / "docs" / "spec" / "queue-v1.md").read_text(encoding="utf-8")
    body = b'{"waiting": 7, "windows": 3}'
    mac = http_mac.of_request(bytes(range(32)), time=1795228920, method="POST", path=PATH, body=body)
    assert f"MAC `{mac.hex()}`" in spec


@pytest.mark.clause("B9")
def test_the_kiosk_leads_to_outlets_by_touch_and_knows_strange_codes() -> None:
    client = Client()
    assert "/kiosk/outlets?from=5101" in client.get("/kiosk/outlets").content.decode()
    assert "/kiosk/outlets?from=510107" in client.get("/kiosk/outlets?from=5101").content.decode()
    page = client.get("/kiosk/outlets?from=510107").content.decode()
    assert "武侯区社保经办大厅" in page
    assert "没有报告" in page
    for strange in ("x", "99", "999999", "510107999", "%00"):
        assert client.get(f"/kiosk/outlets?from={strange}").status_code == 200
