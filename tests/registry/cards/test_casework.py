"""Limits, owners, what rises to a supervisor, and what goes back to the applicant."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from procrastinate.contrib.django.models import ProcrastinateJob

from tests.registry.conftest import (
    APART,
    AT,
    JOINT,
    LI_QIANG,
    MIAN_YANG,
    SUPERVISOR,
    ZHAO_MIN,
    herself,
)  # fmt: skip
from yikatong.core.actor import SYSTEM
from yikatong.core.errors import DomainError, Forbidden, NotFound
from yikatong.core.models import AuditEntry
from yikatong.registry.cards import actions, following, refusals
from yikatong.registry.cards.actions import Answers
from yikatong.registry.cards.models import Case, CaseStatus, Correction, Escalation
from yikatong.registry.holders.models import Holder
from yikatong.registry.outlets.rules import SERVICES
from yikatong.registry.regions.models import CalendarDay, CalendarYear, Organisation, Outlet
from yikatong.using.identity.models import SentMessage
from yikatong.using.identity.tasks import tell_holder

pytestmark = pytest.mark.django_db

TUESDAY = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
WEDNESDAY = TUESDAY + timedelta(days=1)


@pytest.fixture
def hall(places: None) -> Outlet:
    hrss = Organisation.objects.create(
        code="CDHRSS", name="成都市人社局", kind="hrss", division_code="510100"
    )
    return Outlet.objects.create(
        number="5101070001", name="武侯区社保经办大厅", organisation=hrss, division_code="510107",
        address="武侯区示例路 1 号", hours="周一至周五 9:00–17:00", services=list(SERVICES),
    )  # fmt: skip


@pytest.fixture
def case(wang_fang: Holder, hall: Outlet) -> Case:
    """Taken on Friday 2026-11-20: two working days to check, until Tuesday."""
    return actions.apply(
        wang_fang.pk, bank_code=JOINT, outlet_id=hall.pk, division_code="510107", by=LI_QIANG, at=AT
    )


def seen(case: Case) -> Case:
    return Case.objects.select_related("bank", "outlet", "holder").get(pk=case.pk)


def progress(case: Case, at: datetime = AT) -> following.Progress:
    return following.progress(seen(case), at=at)


@pytest.mark.clause("B1", "B3", "S14")
def test_every_step_has_its_owner_its_limit_and_what_comes_next(case: Case) -> None:
    found = progress(case)

    assert (found.owner, found.due_on, found.days_left) == (
        "武侯区社保经办大厅（审核岗）",
        date(2026, 11, 24),
        2,
    )
    assert (found.next_step, found.is_expected) == ("经办机构审核申请材料。", False)
    assert [(one.state, one.label, one.owner, one.limit, one.due_on) for one in found.plan] == [
        ("now", "提交申请与审核", "武侯区社保经办大厅（审核岗）", "2 个工作日", date(2026, 11, 24)),
        ("todo", "银行预开户", "蜀安银行（预开户岗）", "3 个工作日", date(2026, 11, 27)),
        ("todo", "排入制卡批次", "四川省社会保障卡管理服务机构（制卡管理岗）", "排批和制卡共 7 个工作日", date(2026, 12, 8)),
        ("todo", "制卡", "制卡机构（制卡岗）", "排批和制卡共 7 个工作日", date(2026, 12, 8)),
        ("todo", "到网点领取", "武侯区社保经办大厅（领卡窗口）", "保管 180 天", None),
        ("todo", "启用办结", "", "", None),
    ]  # fmt: skip


def test_a_case_without_an_outlet_belongs_to_its_place(wang_fang: Holder) -> None:
    case = actions.apply(wang_fang.pk, bank_code=JOINT, division_code="510107", by=LI_QIANG, at=AT)

    assert progress(case).owner == "四川省成都市武侯区社会保障卡经办机构（审核岗）"


def test_an_ended_case_waits_for_nobody(case: Case) -> None:
    actions.withdraw(case.pk, by=LI_QIANG, at=AT)
    found = progress(case)

    assert (found.owner, found.due_on, found.plan) == ("", None, [])


@pytest.mark.clause("B1", "S14")
def test_a_notice_moves_the_limits_that_begin_after_it(case: Case) -> None:
    year = CalendarYear.objects.create(year=2026, notice="省政府办公厅通知", is_published=False)
    CalendarDay.objects.create(day=date(2026, 11, 26), year=year, works=False, name="示例")

    actions.check(case.pk, by=SUPERVISOR, at=TUESDAY)

    assert seen(case).step_due_on == date(2026, 11, 30)  # Friday would have been the third day


@pytest.mark.clause("B1", "S14")
def test_a_notice_moves_the_limits_that_run(
    case: Case, register: Callable[..., Holder], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("yikatong.registry.cards.actions.limits._CHUNK", 1)
    checked, late, asked = (
        actions.apply(register(serial).pk, bank_code=JOINT, division_code="510107", by=LI_QIANG, at=at)
        for serial, at in ((3, AT), (4, AT - timedelta(days=7)), (5, AT))
    )
    actions.check(checked.pk, by=SUPERVISOR, at=AT)
    actions.ask_correction(asked.pk, items={"address": "请写到门牌号"}, by=SUPERVISOR, at=AT)
    before = [seen(one).step_due_on for one in (case, checked, late, asked)]
    assert actions.renew_limits(by=SYSTEM, at=AT) == 0

    year = CalendarYear.objects.create(year=2026, notice="省政府办公厅通知", is_published=False)
    CalendarDay.objects.create(day=date(2026, 11, 23), year=year, works=False, name="示例")
    assert actions.renew_limits(by=SYSTEM, at=AT) == 2
    assert actions.renew_limits(by=SYSTEM, at=AT) == 0

    after = [seen(one).step_due_on for one in (case, checked, late, asked)]
    assert (before[0], after[0]) == (date(2026, 11, 24), date(2026, 11, 25))
    assert (before[1], after[1]) == (date(2026, 11, 25), date(2026, 11, 26))
    assert (before[2], before[3]) == (after[2], after[3])  # what is over, and what the holder was told, stays
    rows = AuditEntry.objects.filter(event="cards:limits:renewed").order_by("at", "id")
    assert sorted(row.facts["rows"] for row in rows) == [0, 0, 2]


def test_a_limit_in_a_year_without_a_notice_is_expected(wang_fang: Holder, hall: Outlet) -> None:
    late_december = datetime(2026, 12, 31, 2, 0, tzinfo=UTC)
    case = actions.apply(
        wang_fang.pk,
        bank_code=JOINT,
        outlet_id=hall.pk,
        division_code="510107",
        by=LI_QIANG,
        at=late_december,
    )
    found = progress(case, late_december)

    assert (found.due_on, found.is_expected) == (date(2027, 1, 5), True)


@pytest.mark.clause("B3", "S14")
def test_a_late_step_rises_once(case: Case) -> None:
    assert actions.escalate_overdue(at=TUESDAY) == 0  # its last day
    assert actions.escalate_overdue(at=WEDNESDAY) == 1
    assert actions.escalate_overdue(at=WEDNESDAY) == 0
    assert actions.escalate_overdue(at=WEDNESDAY + timedelta(days=7)) == 0

    one = Escalation.objects.get()
    assert (one.case_id, one.status, one.due_on, one.at) == (
        case.pk,
        "submitted",
        date(2026, 11, 24),
        WEDNESDAY,
    )
    assert (one.division_code, one.closed_at) == ("510107", None)
    assert progress(case, WEDNESDAY + timedelta(days=1)).days_late == 2
    assert AuditEntry.objects.filter(event="cards:case:escalated", subject=f"case:{case.pk}").count() == 1


def test_leaving_the_step_closes_what_rose(case: Case) -> None:
    actions.escalate_overdue(at=WEDNESDAY)

    actions.check(case.pk, by=SUPERVISOR, at=WEDNESDAY)

    assert Escalation.objects.get().closed_at == WEDNESDAY
    assert actions.escalate_overdue(at=WEDNESDAY) == 0  # the next step has its own limit


def test_many_rise_in_chunks(register: Callable[..., Holder], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("yikatong.registry.cards.actions.escalations._CHUNK", 2)
    for serial in range(1, 6):
        actions.apply(register(serial).pk, bank_code=JOINT, division_code="510107", by=LI_QIANG, at=AT)

    assert actions.escalate_overdue(at=WEDNESDAY) == 5
    assert Escalation.objects.values("case").distinct().count() == 5


def test_a_waiting_card_and_a_correction_are_not_the_offices_delay(
    case: Case, ready: Callable[..., Case], register: Callable[..., Holder]
) -> None:
    ready(register(2))
    actions.ask_correction(case.pk, items={"ground": "请说明居住情况"}, by=LI_QIANG, at=AT)

    assert actions.escalate_overdue(at=AT + timedelta(days=400)) == 0


def test_a_supervisor_gives_an_order(case: Case) -> None:
    actions.escalate_overdue(at=WEDNESDAY)
    with pytest.raises(Forbidden):
        actions.give_order(case.pk, order="今天办完", by=LI_QIANG, at=WEDNESDAY)
    with pytest.raises(refusals.NoteMissing):
        actions.give_order(case.pk, order=" ", by=SUPERVISOR, at=WEDNESDAY)

    actions.give_order(case.pk, order="今天办完", by=SUPERVISOR, at=WEDNESDAY)

    one = Escalation.objects.get()
    assert (one.order, one.ordered_by, one.ordered_at) == ("今天办完", "周主任", WEDNESDAY)
    actions.check(case.pk, by=SUPERVISOR, at=WEDNESDAY)
    with pytest.raises(NotFound):
        actions.give_order(case.pk, order="再查", by=SUPERVISOR, at=WEDNESDAY)


@pytest.mark.clause("B1", "B3")
def test_a_correction_stops_the_clock_and_it_goes_on(case: Case, wang_fang: Holder) -> None:
    actions.ask_correction(
        case.pk, items={"bank": "请另选银行", "certificate": "证件照片不清"}, by=LI_QIANG, at=AT
    )
    found = progress(case)
    assert (seen(case).status, found.due_on, found.is_paused) == ("correcting", date(2026, 12, 11), True)
    assert (found.owner, found.plan[0].state, found.plan[1].due_on) == ("申请人本人", "paused", None)

    by_phone = Answers(bank_code=APART)
    actions.correct(case.pk, answers=by_phone, by=herself(wang_fang), at=TUESDAY)
    assert (seen(case).status, seen(case).bank_id) == ("correcting", APART)
    actions.correct(case.pk, answers=Answers(seen={"certificate": "原件已核验"}), by=LI_QIANG, at=WEDNESDAY)

    # Two working days were left on the Friday; they begin on the Wednesday.
    assert (seen(case).status, seen(case).step_due_on, seen(case).days_left) == (
        "submitted",
        date(2026, 11, 27),
        None,
    )
    assert list(Correction.objects.values_list("item", "answer", "channel", "answered_at")) == [
        ("bank", "天府惠民银行", "mobile", TUESDAY), ("certificate", "原件已核验", "counter", WEDNESDAY),
    ]  # fmt: skip
    assert list(case.steps.values_list("status", "channel", "note")) == [
        ("submitted", "counter", ""), ("correcting", "counter", "请补正：合作银行、身份证件"),
        ("submitted", "counter", "已补正"),
    ]  # fmt: skip


@pytest.mark.clause("B1")
def test_a_correction_given_in_part_is_in_the_audit_log_too(case: Case, wang_fang: Holder) -> None:
    items = {"bank": "请另选银行", "photo": "照片不清晰"}
    actions.ask_correction(case.pk, items=items, by=SUPERVISOR, at=AT)
    actions.correct(case.pk, answers=Answers(bank_code=APART), by=herself(wang_fang), at=AT)
    assert (seen(case).status, seen(case).bank_id) == ("correcting", APART)
    entry = AuditEntry.objects.get(event="cards:case:corrected")
    assert (entry.actor_id, entry.holder_id, entry.facts) == (wang_fang.pk, wang_fang.pk, {"items": ["bank"]})


def test_a_late_case_stays_as_late_as_it_was(case: Case, wang_fang: Holder) -> None:
    thursday = WEDNESDAY + timedelta(days=1)
    actions.ask_correction(case.pk, items={"ground": "请说明"}, by=LI_QIANG, at=thursday)
    monday = thursday + timedelta(days=4)
    actions.correct(case.pk, answers=Answers(ground="租住"), by=herself(wang_fang), at=monday)

    assert progress(case, monday).days_late == 2


def test_a_failed_card_may_go_back_to_its_applicant_too(case: Case) -> None:
    Case.objects.filter(pk=case.pk).update(status=CaseStatus.FAILED)

    assert (
        actions.ask_correction(case.pk, items={"bank": "户名不符"}, by=LI_QIANG, at=AT).status == "correcting"
    )


@pytest.mark.parametrize("items", [{}, {"bank": " "}, {"hat": "红色"}])
def test_a_correction_names_what_it_wants(case: Case, items: dict[str, str]) -> None:
    with pytest.raises(refusals.NothingToCorrect):
        actions.ask_correction(case.pk, items=items, by=LI_QIANG, at=AT)

    assert (seen(case).status, Correction.objects.count()) == ("submitted", 0)


@pytest.mark.parametrize(
    ("answers", "refusal"),
    [
        (Answers(), refusals.NothingCorrected),
        (Answers(address="示例路 9 号"), refusals.NothingCorrected),  # nobody asked for that
        (Answers(bank_code="95909"), DomainError),  # closed to new cards
        (Answers(seen={"certificate": "自己看过"}), refusals.CounterOnly),
    ],
)
def test_a_wrong_correction_changes_nothing(
    case: Case, wang_fang: Holder, answers: Answers, refusal: type[DomainError]
) -> None:
    actions.ask_correction(case.pk, items={"bank": "请另选", "certificate": "不清"}, by=LI_QIANG, at=AT)

    with pytest.raises(refusal):
        actions.correct(case.pk, answers=answers, by=herself(wang_fang), at=TUESDAY)

    assert (seen(case).status, seen(case).bank_id) == ("correcting", JOINT)
    assert not Correction.objects.exclude(answered_at=None).exists()


def test_only_who_may_corrects(case: Case) -> None:
    with pytest.raises(refusals.NotCorrecting):
        actions.correct(case.pk, answers=Answers(bank_code=APART), by=LI_QIANG, at=AT)
    actions.ask_correction(case.pk, items={"bank": "请另选"}, by=LI_QIANG, at=AT)
    with pytest.raises(NotFound):
        actions.correct(case.pk, answers=Answers(bank_code=APART), by=ZHAO_MIN, at=AT)
    actions.correct(
        case.pk, answers=Answers(bank_code=APART), by=MIAN_YANG, at=AT
    )  # any counter of the province

    assert seen(case).status == "submitted"


@pytest.mark.clause("B3")
def test_what_is_not_corrected_in_time_is_given_up(case: Case, wang_fang: Holder) -> None:
    actions.ask_correction(case.pk, items={"bank": "请另选"}, by=LI_QIANG, at=AT)
    last_day = datetime(2026, 12, 11, 12, 0, tzinfo=UTC)
    assert actions.close_uncorrected(at=last_day) == 0
    assert actions.close_uncorrected(at=last_day + timedelta(days=1)) == 1
    assert actions.close_uncorrected(at=last_day + timedelta(days=1)) == 0

    closed = seen(case)
    assert (closed.status, closed.closed_at, closed.step_due_on) == (
        "abandoned",
        last_day + timedelta(days=1),
        None,
    )
    assert closed.steps.latest("at").note == "补正期限已过，视为放弃申请"
    told = ProcrastinateJob.objects.filter(task_name="identity.tell_holder").order_by("id")
    assert [(job.args["holder_id"], job.args["template"]) for job in told] == [
        (str(wang_fang.pk), "case.correcting"),
        (str(wang_fang.pk), "case.abandoned"),
    ]
    assert f"（受理号 {case.number}）超过补正期限，已视为放弃" in told[1].args["text"]
    actions.apply(wang_fang.pk, bank_code=JOINT, division_code="510107", by=LI_QIANG, at=AT)  # and again


def test_an_open_correction_is_an_open_matter(case: Case, wang_fang: Holder) -> None:
    actions.ask_correction(case.pk, items={"bank": "请另选"}, by=LI_QIANG, at=AT)

    with pytest.raises(refusals.HasOpenCase):
        actions.apply(wang_fang.pk, bank_code=JOINT, division_code="510107", by=LI_QIANG, at=AT)
    assert actions.withdraw(case.pk, by=herself(wang_fang), at=AT).status == "withdrawn"


def test_the_notice_reaches_the_registered_phone(wang_fang: Holder, settings: Any) -> None:
    settings.SMS_SENDER = "yikatong.adapters.sms.demo.DemoSender"
    tell_holder(holder_id=str(wang_fang.pk), text="需要补正。", template="case.correcting")

    sent = SentMessage.objects.get()
    assert (sent.phone, sent.text, sent.template) == ("13900000001", "需要补正。", "case.correcting")
