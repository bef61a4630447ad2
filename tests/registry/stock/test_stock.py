"""Blank cards counted one by one, and a card made while its holder waits."""

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from procrastinate.contrib.django.models import ProcrastinateJob

from tests import cast
from tests.registry.stock.jamming import Jamming
from yikatong.core.actor import Actor, Role
from yikatong.core.clock import day_of, now
from yikatong.core.errors import DomainError, Forbidden
from yikatong.core.models import AuditEntry
from yikatong.registry.banks import actions as bank_acts
from yikatong.registry.banks.rules import OtherBank
from yikatong.registry.cards import actions as cards
from yikatong.registry.cards.models import Card, Case
from yikatong.registry.regions.models import Outlet
from yikatong.registry.stock import actions, queries, rules, tasks
from yikatong.registry.stock.models import Blank, BlankMove, DayCount, PrintJob

SANDBOX = "yikatong.adapters.card_maker.printer.SandboxPrinter"
JAMMING = "tests.registry.stock.jamming.Jamming"


@pytest.fixture
def hall(db: None, settings: Any) -> Outlet:
    """An outlet that issues at once, with its printer."""
    settings.CARD_PRINTER = SANDBOX
    cast.set_stage()
    Outlet.objects.update(issues_at_once=True)
    return Outlet.objects.get()


@pytest.fixture
def clerk(hall: Outlet) -> Actor:
    return cast.li_qiang().actor()


def ready(serial: int = 1, *, bank_code: str = cast.JOINT) -> Case:
    """Approved, with its account open."""
    holder = cast.register(cast.id_number(serial), phone=f"139{serial:08d}")
    case = cast.apply(holder, bank_code=bank_code)
    cards.check(case.pk, by=cast.supervisor(), at=now())
    body = f"62295190{serial:010d}"
    number = body + cast.numbers.luhn_digit(body)
    account = bank_acts.preopen(holder.pk, bank_code=bank_code, number=number, by=cast.supervisor(), at=now())
    Case.objects.filter(pk=case.pk).update(status="preopened", account=account)
    return Case.objects.get(pk=case.pk)


def balance(clerk: Actor) -> tuple[int, ...]:
    row = queries.balances(Outlet.objects.get(), clerk, day=day_of(now()))[0]
    assert row.opening + row.received - row.issued - row.spoiled - row.returned == row.closing
    assert row.closing == queries.in_house(Outlet.objects.get(), row.bank.pk)
    return row.opening, row.received, row.issued, row.spoiled, row.returned, row.closing


def refused(kind: type[DomainError], act: Callable[[], object]) -> DomainError:
    before = list(Blank.objects.order_by("pk").values_list("serial", "status")), BlankMove.objects.count()
    with pytest.raises(kind) as refusal:
        act()
    assert (
        list(Blank.objects.order_by("pk").values_list("serial", "status")),
        BlankMove.objects.count(),
    ) == before
    return refusal.value


@pytest.mark.clause("O10", "B5")
def test_a_card_is_made_while_its_holder_waits(clerk: Actor) -> None:
    actions.receive(cast.JOINT, first="000001", count=3, by=clerk, at=now())
    case = ready()
    job = actions.issue_at_once(case.pk, by=clerk, at=now())
    assert (job.status, job.blank.serial, job.blank.status) == ("queued", "000001", "taken")
    told = ProcrastinateJob.objects.get(task_name="stock.print_next")
    assert told.lock == f"printer:{cast.HALL}"

    assert tasks.print_next(str(cast.HALL)) == 1

    case.refresh_from_db()
    card = Card.objects.get()
    assert (case.status, case.card, card.status, card.account_id) == ("ready", card, "0", case.account_id)
    assert (PrintJob.objects.get().status, Blank.objects.get(serial="000001").status) == ("done", "issued")
    assert balance(clerk) == (0, 3, 1, 0, 0, 2)
    cards.hand_over(case.pk, by=clerk, at=now())
    assert cards.activate(card.pk, by=clerk, at=now()).status == "1"


@pytest.mark.clause("O10", "B5")
def test_a_spoiled_card_is_accounted_for_and_the_next_taken(clerk: Actor, settings: Any) -> None:
    settings.CARD_PRINTER, Jamming.jams = JAMMING, 1
    actions.receive(cast.JOINT, first="000001", count=2, by=clerk, at=now())
    case = ready()
    actions.issue_at_once(case.pk, by=clerk, at=now())
    assert tasks.print_next(str(cast.HALL)) == 1
    job = PrintJob.objects.get()
    assert (job.status, job.spoiled, job.trouble, job.blank.serial) == ("done", 1, "卡面印刷不合格", "000002")
    assert balance(clerk) == (0, 2, 1, 1, 0, 0)


@pytest.mark.clause("O10", "B5")
@pytest.mark.parametrize(
    ("blanks", "jams", "spoiled", "why"), [(1, 1, 1, "没有这家银行的空白卡"), (9, 9, 3, "请检查打印机")]
)
def test_a_printer_that_spoils_all_leaves_the_case_to_a_clerk(
    clerk: Actor, settings: Any, blanks: int, jams: int, spoiled: int, why: str
) -> None:
    settings.CARD_PRINTER, Jamming.jams = JAMMING, jams
    actions.receive(cast.JOINT, first="000001", count=blanks, by=clerk, at=now())
    case = ready()
    actions.issue_at_once(case.pk, by=clerk, at=now())
    assert tasks.print_next(str(cast.HALL)) == 0
    case.refresh_from_db()
    note = case.steps.latest("at", "pk").note
    assert case.status == "failed"
    assert note.startswith("制卡：卡面印刷不合格")
    assert why in note
    assert (PrintJob.objects.get().status, balance(clerk)) == (
        "failed",
        (0, blanks, 0, spoiled, 0, blanks - spoiled),
    )
    assert not Card.objects.exists()
    Jamming.jams = 0


@pytest.mark.clause("B5")
def test_packs_are_taken_whole_or_not_at_all(clerk: Actor) -> None:
    actions.receive(cast.JOINT, first="000010", count=5, by=clerk, at=now())
    refused(
        rules.BlankKnown, lambda: actions.receive(cast.JOINT, first="000014", count=3, by=clerk, at=now())
    )
    refused(rules.BadPack, lambda: actions.receive(cast.JOINT, first="12a456", count=3, by=clerk, at=now()))
    refused(rules.BadPack, lambda: actions.receive(cast.JOINT, first="999999", count=2, by=clerk, at=now()))
    refused(
        rules.BadPack, lambda: actions.receive(cast.JOINT, first="000100", count=2_001, by=clerk, at=now())
    )
    missing = refused(
        rules.BlankNotHere, lambda: actions.give_back(first="000013", count=3, by=clerk, at=now())
    )
    assert missing.message == "空白卡 000015 不在本网点库存中，请核对号码。"
    actions.give_back(first="000013", count=2, by=clerk, at=now())
    actions.spoil("000012", reason="受潮", by=clerk, at=now())
    assert balance(clerk) == (0, 5, 0, 1, 2, 2)
    refused(rules.BlankNotHere, lambda: actions.spoil("000012", reason="受潮", by=clerk, at=now()))


@pytest.mark.clause("B5")
def test_a_day_opens_with_what_the_day_before_left(clerk: Actor) -> None:
    actions.receive(cast.JOINT, first="000001", count=4, by=clerk, at=now() - timedelta(days=1))
    actions.spoil("000001", reason="受潮", by=clerk, at=now() - timedelta(days=1))
    actions.spoil("000002", reason="受潮", by=clerk, at=now())
    assert balance(clerk) == (3, 0, 0, 1, 0, 2)


@pytest.mark.clause("B5")
def test_what_is_counted_stands_beside_the_book(clerk: Actor) -> None:
    actions.receive(cast.JOINT, first="000001", count=4, by=clerk, at=now())
    refused(rules.CountMissing, lambda: actions.count(cast.JOINT, counted=3, by=clerk, at=now()))
    actions.count(cast.JOINT, counted=3, note="一张夹在打印机内", by=clerk, at=now())
    done = DayCount.objects.get()
    assert (done.book, done.counted, done.actor_name) == (4, 3, "李强")
    refused(rules.CountedAlready, lambda: actions.count(cast.JOINT, counted=4, by=clerk, at=now()))


@pytest.mark.clause("O10", "B5")
def test_a_count_is_confirmed_by_another_and_a_shortage_written_off_card_by_card(clerk: Actor) -> None:
    actions.receive(cast.JOINT, first="000001", count=4, by=clerk, at=now())
    done = actions.count(cast.JOINT, counted=2, note="找不到两张", by=clerk, at=now())
    refused(rules.CountOwn, lambda: actions.confirm_count(done.pk, by=clerk, at=now()))
    head = cast.chen_xiao().actor()
    refused(rules.NoShortage, lambda: actions.write_off("000004", reason="未找到", by=head, at=now()))
    assert actions.confirm_count(done.pk, by=head, at=now()).confirmed_by == "陈晓"
    refused(rules.CountConfirmed, lambda: actions.confirm_count(done.pk, by=head, at=now()))
    assert queries.shortage(Outlet.objects.get(), cast.JOINT) == 2
    refused(Forbidden, lambda: actions.write_off("000004", reason="未找到", by=clerk, at=now()))
    for serial in ("000003", "000004"):
        actions.write_off(serial, reason="未找到，已上报", by=head, at=now())
    refused(rules.NoShortage, lambda: actions.write_off("000002", reason="未找到", by=head, at=now()))
    row = queries.balances(Outlet.objects.get(), clerk, day=day_of(now()))[0]
    assert (row.received, row.missing, row.closing, row.shortage) == (4, 2, 2, 0)
    told = AuditEntry.objects.filter(event__startswith="stock:").order_by("at", "id")
    assert [one.event for one in told] == [
        "stock:blank:received", "stock:blank:counted", "stock:count:confirmed",
        "stock:blank:written_off", "stock:blank:written_off",
    ]  # fmt: skip


@pytest.mark.clause("O10", "B5")
def test_what_cannot_be_printed_is_refused_by_name(clerk: Actor, settings: Any) -> None:
    case = ready()

    def issue(by: Actor = clerk) -> object:
        return actions.issue_at_once(case.pk, by=by, at=now())

    refused(rules.NoBlanks, issue)
    actions.receive(cast.APART, first="000001", count=1, by=clerk, at=now())
    refused(rules.NoBlanks, issue)
    actions.receive(cast.JOINT, first="000002", count=2, by=clerk, at=now())
    refused(rules.NotAtOnce, lambda: issue(cast.clerk()))
    Case.objects.filter(pk=case.pk).update(status="checked")
    refused(rules.NotReadyToPrint, issue)
    Case.objects.filter(pk=case.pk).update(status="preopened")
    settings.CARD_PRINTER = ""
    refused(rules.NoPrinter, issue)
    settings.CARD_PRINTER = SANDBOX
    issue()
    refused(rules.NotReadyToPrint, issue)
    assert Case.objects.get(pk=case.pk).status == "producing"


@pytest.mark.clause("K2")
def test_a_bank_s_outlet_keeps_its_own_blanks_only(hall: Outlet) -> None:
    by = cast.staff("林芳", "linfang", role=Role.BANK_CLERK, scope="5101", outlet_id=cast.HALL).actor()
    refused(OtherBank, lambda: actions.receive(cast.APART, first="000001", count=1, by=by, at=now()))
    actions.receive(cast.JOINT, first="000001", count=1, by=by, at=now())
    refused(OtherBank, lambda: actions.count(cast.APART, counted=0, by=by, at=now()))


def test_one_card_at_a_time(clerk: Actor) -> None:
    actions.receive(cast.JOINT, first="000001", count=2, by=clerk, at=now())
    for serial in (1, 2):
        actions.issue_at_once(ready(serial).pk, by=clerk, at=now())
    first = actions.start_next(cast.HALL, at=now())
    assert first is not None
    assert actions.start_next(cast.HALL, at=now()) is None
    actions.print_failed(first.pk, reason="打印中断", by=clerk, at=now())
    refused(rules.NotPrinting, lambda: actions.print_failed(first.pk, reason="再按", by=clerk, at=now()))


@pytest.fixture
def committed(transactional_db: None, settings: Any) -> Actor:
    settings.CARD_PRINTER = SANDBOX
    cast.set_stage()
    Outlet.objects.update(issues_at_once=True)
    return cast.li_qiang().actor()


@pytest.mark.clause("B5")
@pytest.mark.parametrize(("blanks", "made"), [(1, 1), (2, 2)])
def test_two_clerks_never_take_the_same_blank(committed: Actor, blanks: int, made: int) -> None:
    """On two real connections; the second of two for one blank is told that there is none."""
    actions.receive(cast.JOINT, first="000001", count=blanks, by=committed, at=now())
    cases, ends, start = [ready(1), ready(2)], list[str](), threading.Barrier(2)

    def issue(case: Case) -> None:
        try:
            start.wait()
            with transaction.atomic():
                actions.issue_at_once(case.pk, by=committed, at=now())
            ends.append("made")
        except rules.NoBlanks:
            ends.append("none")
        finally:
            connection.close()

    clerks = [threading.Thread(target=issue, args=(case,)) for case in cases]
    for one in clerks:
        one.start()
    for one in clerks:
        one.join()
    assert sorted(ends) == sorted(["made"] * made + ["none"] * (2 - made))
    assert Blank.objects.filter(status="taken").count() == made
    assert PrintJob.objects.values("blank").distinct().count() == made
    assert Case.objects.filter(status="producing").count() == made
