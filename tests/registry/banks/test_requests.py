"""Requests to banks: sent after the act, harmless when sent again, settled by the bank's own answer."""

from collections.abc import Callable
from datetime import timedelta

import psycopg
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from procrastinate.contrib.django.models import ProcrastinateJob

from tests.agreements import agree
from tests.bank_sandbox import Sandbox
from tests.registry.conftest import AT, JOINT, LI_QIANG, SUPERVISOR
from yikatong.core.clock import now
from yikatong.core.errors import Forbidden
from yikatong.core.models import AuditEntry
from yikatong.registry.banks import actions, queries, requests, tasks
from yikatong.registry.banks.models import Bank, BankAccount, BankAct, BankRequest
from yikatong.registry.banks.rules import AlreadySettled, retry_after
from yikatong.registry.cards import actions as cards
from yikatong.registry.cards.models import Card
from yikatong.registry.holders.models import Holder

Carry = Callable[..., Card]


@pytest.fixture
def card(wang_fang: Holder, carry: Carry) -> Card:
    """In use, with an account at a bank that has joined."""
    return carry(wang_fang)


def lost(card: Card) -> BankRequest:
    cards.report_loss(card.pk, by=LI_QIANG, at=now())
    return BankRequest.objects.get(act=BankAct.REPORT_LOSS)


def due_again(request: BankRequest) -> None:
    """The pause is over."""
    BankRequest.objects.filter(pk=request.pk).update(next_try_at=now())


def fresh(request: BankRequest) -> BankRequest:
    return BankRequest.objects.get(pk=request.pk)


def account_of(card: Card) -> str:
    return BankAccount.objects.get(cards=card).status


def times_received(request: BankRequest) -> int:
    """How often the bank has seen this number, in its own book."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT times FROM peer_bank.request WHERE number = %s", [request.number])
        row = cursor.fetchone()
    return int(row[0]) if row else 0


@pytest.mark.clause("G5", "N17", "B2")
def test_a_loss_reaches_the_bank_after_the_act(card: Card, bank: Sandbox) -> None:
    request = lost(card)
    assert (request.status, account_of(card)) == ("waiting", "active")
    assert (request.number[:5], len(request.number)) == (JOINT, 23)
    job = ProcrastinateJob.objects.get(task_name="banks.send")
    assert (job.queue_name, job.lock, job.args) == ("banks", f"bank:{JOINT}", {"bank": JOINT})

    assert tasks.send(JOINT) == 1

    assert (fresh(request).status, fresh(request).code, account_of(card)) == ("done", "00", "lost")
    events = AuditEntry.objects.filter(event__startswith="banks:request").order_by("at", "pk")
    assert [entry.event for entry in events] == ["banks:request:asked", "banks:request:done"]
    assert tasks.send(JOINT) == 0
    assert times_received(request) == 1


@pytest.mark.clause("B2")
def test_an_answer_that_is_lost_is_asked_for_and_nothing_is_done_twice(card: Card, bank: Sandbox) -> None:
    request = lost(card)
    bank.goes_wrong("lost", "report_loss")
    assert tasks.send(JOINT) == 0
    found = fresh(request)
    assert (found.status, found.trouble, account_of(card)) == (
        "unknown",
        "银行没有在规定时间内应答",
        "active",
    )
    assert found.next_try_at > now()
    assert tasks.send(JOINT) == 0, "its pause is not over"

    due_again(request)
    assert tasks.send(JOINT) == 1
    assert (fresh(request).status, fresh(request).tries, account_of(card)) == ("done", 2, "lost")
    assert times_received(request) == 1, "asked, not told again"


@pytest.mark.clause("B2")
def test_a_request_that_timed_out_on_the_way_is_sent_again(card: Card, bank: Sandbox) -> None:
    request = lost(card)
    bank.goes_wrong("timeout", "report_loss")
    tasks.send(JOINT)
    assert (fresh(request).status, times_received(request)) == ("unknown", 0)
    due_again(request)
    tasks.send(JOINT)
    assert (fresh(request).status, times_received(request), account_of(card)) == ("done", 1, "lost")


def test_a_worker_that_died_after_the_call_leaves_a_request_that_is_sent_again(
    card: Card, bank: Sandbox
) -> None:
    request = lost(card)
    claimed = requests.claim(JOINT, at=now())
    assert claimed is not None
    bank.wire.post("/v1/requests", _as_sent(claimed))
    assert requests.claim(JOINT, at=now()) is None, "it is his for a minute"

    due_again(request)
    assert tasks.send(JOINT) == 1
    assert (fresh(request).status, times_received(request), account_of(card)) == ("done", 2, "lost")


def _as_sent(request: BankRequest) -> dict[str, object]:
    said = requests.wanted(request)
    return {"number": said.number, "bank": said.bank, "act": said.act, **said.content}


@pytest.mark.clause("B2")
def test_a_refusal_is_the_bank_s_last_word(card: Card, bank: Sandbox) -> None:
    request = lost(card)
    bank.goes_wrong("refuse", "report_loss", reason="账户已被司法冻结")
    assert tasks.send(JOINT) == 1
    found = fresh(request)
    assert (found.status, found.code, found.reason) == ("refused", "99", "账户已被司法冻结")
    assert (account_of(card), Card.objects.get(pk=card.pk).status) == ("active", "2")
    with pytest.raises(AlreadySettled):
        requests.retry_now(request.pk, by=SUPERVISOR, at=now())


@pytest.mark.clause("B2")
def test_a_bank_that_is_away_delays_and_loses_nothing(card: Card, bank_away: Sandbox) -> None:
    request, at = lost(card), now()
    assert tasks.send(JOINT) == 0
    found = fresh(request)
    assert (found.status, found.tries, found.trouble) == ("waiting", 1, "无法连接银行接口")
    assert timedelta(seconds=4) < found.next_try_at - at < timedelta(seconds=8)
    assert requests.banks_due(at=now() + timedelta(seconds=8)) == [JOINT]
    assert Card.objects.get(pk=card.pk).status == "2", "the social-security half has long been stopped"


def test_pauses_grow_and_no_request_is_given_up() -> None:
    assert [retry_after(tries).total_seconds() for tries in (1, 2, 3, 4, 5, 99)] == [5, 15, 60, 300, 900, 900]


def test_an_answer_under_another_key_is_no_answer(card: Card, bank_forged: Sandbox) -> None:
    request = lost(card)
    tasks.send(JOINT)
    found = fresh(request)
    assert (found.status, account_of(card)) == ("unknown", "active")
    assert found.trouble == "银行应答没有正确的签名（HTTP 401）"


@pytest.mark.clause("N17", "B2")
def test_a_release_does_not_overtake_its_loss(card: Card, bank: Sandbox) -> None:
    cards.report_temporary_loss(card.pk, by=LI_QIANG, at=now())
    cards.release_loss(card.pk, by=LI_QIANG, at=now())
    bank.goes_wrong("timeout", "report_loss")
    assert tasks.send(JOINT) == 0
    assert list(BankRequest.objects.order_by("serial").values_list("act", "status")) == [
        ("report_loss", "unknown"), ("release", "waiting"),
    ]  # fmt: skip
    due_again(BankRequest.objects.get(act="report_loss"))
    assert tasks.send(JOINT) == 2
    assert set(BankRequest.objects.values_list("status", flat=True)) == {"done"}
    assert account_of(card) == "active"


@pytest.mark.clause("B2")
def test_a_temporary_loss_ends_in_both_halves_while_the_line_is_down(card: Card, bank: Sandbox) -> None:
    reported = now()
    cards.report_temporary_loss(card.pk, by=LI_QIANG, at=reported)
    tasks.send(JOINT)
    assert account_of(card) == "lost"
    ends = Card.objects.get(pk=card.pk).loss_ends_at
    assert ends is not None
    assert BankRequest.objects.get().ends_at == ends

    assert cards.release_ended_losses(at=ends) == 1
    assert (Card.objects.get(pk=card.pk).status, account_of(card)) == ("1", "active")
    assert BankRequest.objects.count() == 1, "the bank was told the end when it was told the loss"
    entry = AuditEntry.objects.get(event="banks:account:active", at=ends)
    assert (entry.holder_id, entry.actor_role, entry.subject) == (
        card.holder_id,
        "system",
        f"account:{card.account_id}",
    )


def test_what_the_bank_says_too_late_does_not_stop_an_account_again(card: Card, bank: Sandbox) -> None:
    at = now() - timedelta(days=8)
    cards.report_temporary_loss(card.pk, by=LI_QIANG, at=at)
    cards.release_ended_losses(at=now())
    assert tasks.send(JOINT) == 1
    assert (BankRequest.objects.get().status, account_of(card)) == ("done", "active")


@pytest.mark.clause("G12")
def test_an_account_is_opened_over_the_line(wang_fang: Holder, bank: Sandbox) -> None:
    its_bank = online(JOINT)
    case = cards.apply(wang_fang.pk, bank_code=JOINT, division_code="510107", by=LI_QIANG, at=now())
    claim = {"certificate": "510107199003070129", "name": "王芳", "phone": "13900000001"}
    request = actions.open_online(
        its_bank, holder_id=wang_fang.pk, case_id=case.pk, **claim, by=LI_QIANG, at=now()
    )
    assert request is not None
    tasks.send(JOINT)
    account = fresh(request).account
    assert account is not None
    assert (account.status, account.holder_id, account.number[:7]) == ("preopened", wang_fang.pk, "6229518")
    told = ProcrastinateJob.objects.get(task_name="cards.account_answered")
    assert told.args == {"request_id": str(request.pk)}


def test_an_account_number_that_cannot_be_is_not_taken(wang_fang: Holder, bank: Sandbox) -> None:
    its_bank = online(JOINT)
    Bank.objects.filter(pk=JOINT).update(bin="622999")
    case = cards.apply(wang_fang.pk, bank_code=JOINT, division_code="510107", by=LI_QIANG, at=now())
    claim = {"certificate": "510107199003070129", "name": "王芳", "phone": ""}
    request = actions.open_online(
        its_bank, holder_id=wang_fang.pk, case_id=case.pk, **claim, by=LI_QIANG, at=now()
    )
    assert request is not None
    tasks.send(JOINT)
    found = fresh(request)
    assert (found.status, found.reason, found.account) == ("refused", "银行返回的账号不合规则", None)
    assert not BankAccount.objects.exists()


def test_a_bank_that_contradicts_what_we_know_overwrites_nothing(card: Card, bank: Sandbox) -> None:
    request = lost(card)
    BankAccount.objects.update(status="closed", closed_at=AT)
    tasks.send(JOINT)
    found = fresh(request)
    assert (found.status, found.reason) == ("refused", "银行称账户为“已挂失”，本地为“销户”，请与银行核对。")
    assert account_of(card) == "closed"


def test_the_lines_are_asked_for_bank_by_bank(card: Card, bank: Sandbox) -> None:
    """The indexes are by bank: without one, the page would read every request there ever was."""
    lost(card)
    with CaptureQueriesContext(connection) as asked:
        (line,) = [one for one in queries.lines(at=now()) if one.bank.pk == JOINT]
    assert (line.waiting, line.done, line.refused) == (1, 0, 0)
    of_requests = [one["sql"] for one in asked.captured_queries if 'FROM "banks_bankrequest"' in one["sql"]]
    assert of_requests
    assert all('"banks_bankrequest"."bank_id" = ' in sql for sql in of_requests)


def test_who_cannot_wait_has_it_sent_now(card: Card, bank_away: Sandbox) -> None:
    request = lost(card)
    tasks.send(JOINT)
    with pytest.raises(Forbidden):
        requests.retry_now(request.pk, by=LI_QIANG, at=now())
    at = now()
    requests.retry_now(request.pk, by=SUPERVISOR, at=at)
    assert fresh(request).next_try_at == at


@pytest.mark.django_db(transaction=True)
def test_two_workers_do_not_send_the_same_request(card: Card, bank: Sandbox, database_dsn: str) -> None:
    lost(card)
    with psycopg.connect(database_dsn) as other, other.transaction():
        other.execute("SELECT FROM banks_bankrequest FOR UPDATE")
        assert requests.claim(JOINT, at=now()) is None
    assert requests.claim(JOINT, at=now()) is not None


def online(code: str) -> Bank:
    """The bank does everything over the line, from now on."""
    agree(code, is_online=True)
    return Bank.objects.get(pk=code)


def test_the_job_that_looks_after_the_rest_sends_for_each_bank_once(card: Card, bank: Sandbox) -> None:
    lost(card)
    ProcrastinateJob.objects.all().delete()
    tasks.chase(timestamp=0)
    assert [job.args for job in ProcrastinateJob.objects.filter(task_name="banks.send")] == [{"bank": JOINT}]
    tasks.send(JOINT)
    ProcrastinateJob.objects.all().delete()
    tasks.chase(timestamp=0)
    assert not ProcrastinateJob.objects.exists()
