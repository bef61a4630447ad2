"""Every status table, whole: a way on it goes and leaves its trace, any other is refused in exact words and changes nothing.

`test_walks.py` walks by acts; here each mutator is asked for every pair, and for walks of any order.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from itertools import product
from typing import Any
from uuid import UUID

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.refusals.stage import Stage
from tests.registry.access.test_terminals import OPERATOR, place
from tests.registry.conftest import AT, JOINT, LI_QIANG, SUPERVISOR
from tests.registry.joint.conftest import FATHER, MAKING, newborn
from yikatong.core.errors import DomainError
from yikatong.core.models import AuditEntry
from yikatong.core.sm import sm2
from yikatong.registry.access import actions as access
from yikatong.registry.access import rules as access_rules
from yikatong.registry.access.models import Terminal
from yikatong.registry.banks import accounts, requests
from yikatong.registry.banks import rules as bank_rules
from yikatong.registry.banks.models import BankAccount, BankRequest
from yikatong.registry.cards import actions, batches, rules
from yikatong.registry.cards.actions.moves import locked_card, locked_case, move_card, move_case
from yikatong.registry.cards.models import (
    CASE_TRANSITIONS,
    TRANSITIONS,
    Batch,
    Card,
    CardEvent,
    CardStatus,
    Case,
    CaseStatus,
    CaseStep,
)
from yikatong.registry.cards.rules import CardAct
from yikatong.registry.holders.actions.life import HOLDER_MOVES
from yikatong.registry.holders.models import Holder
from yikatong.registry.joint import rules as joint_rules
from yikatong.registry.joint.actions import open_newborn
from yikatong.registry.joint.models import JointItem, JointStep
from yikatong.registry.joint.moves import move_item
from yikatong.registry.joint.rules import ITEM_MOVES
from yikatong.registry.matching import actions as matching
from yikatong.registry.matching.models import ISSUE_MOVES, Issue
from yikatong.registry.stock import actions as stock
from yikatong.registry.stock.models import Blank, PrintJob
from yikatong.using.codes import actions as codes
from yikatong.using.codes import rules as code_rules
from yikatong.using.codes.models import Device


@dataclass(frozen=True)
class Table:
    """A status table with its one mutator. `put` sets a row into a status by hand; `trace` counts what a move leaves."""

    ways: Any
    model: Any
    put: Callable[[Any, Any], None]
    move: Callable[[Any, Any], object]
    says: Callable[[Any, Any], tuple[type[DomainError], str]]
    trace: Callable[[], int]


def _put_card(key: Any, status: Any) -> None:
    ends = AT + timedelta(days=7) if status == CardStatus.TEMPORARILY_LOST else None
    Card.objects.filter(pk=key).update(status=status, loss_ends_at=ends)


def _move_card(key: Any, to: Any) -> None:
    ends = AT + timedelta(days=7) if to == CardStatus.TEMPORARILY_LOST else None
    move_card(locked_card(key, by=LI_QIANG), to, CardAct.CANCEL, by=LI_QIANG, at=AT, loss_ends_at=ends)


def _card_says(old: Any, _: Any) -> tuple[type[DomainError], str]:
    text = f"卡片当前为“{CardStatus(old).label}”，不能办理注销。{rules.NEXT_STEP[old]}"
    return rules.card_refusal(old, CardAct.CANCEL, old).__class__, text


def _move_case(key: Any, to: Any) -> None:
    move_case(locked_case(key, by=LI_QIANG), to, by=LI_QIANG, at=AT)


def _case_says(old: Any, to: Any) -> tuple[type[DomainError], str]:
    text = f"受理单当前为“{CaseStatus(old).label}”，不能转为“{CaseStatus(to).label}”。{rules.CASE_NEXT_STEP[old]}"
    return rules.case_refusal(old, to).__class__, text


def _account_says(old: Any, to: Any) -> tuple[type[DomainError], str]:
    text = f"银行称账户为“{to.label}”，本地为“{bank_rules.Status(old).label}”，请与银行核对。"
    return bank_rules.AccountDiffers, text


def _move_part(key: Any, to: Any) -> None:
    move_item(JointItem.objects.select_related("joint").get(pk=key), to, by=LI_QIANG, at=AT)


def _part_says(old: Any, to: Any) -> tuple[type[DomainError], str]:
    text = f"这一项当前为“{JointItem.Status(old).label}”，不能转为“{to.label}”。{joint_rules.NEXT_STEP[old]}"
    return joint_rules.ItemSettled, text


CARD = Table(
    TRANSITIONS, Card, _put_card, _move_card, _card_says,
    lambda: CardEvent.objects.count() + AuditEntry.objects.filter(event__startswith="cards:card").count(),
)  # fmt: skip
CASE = Table(
    CASE_TRANSITIONS, Case, lambda key, to: Case.objects.filter(pk=key).update(status=to) and None, _move_case, _case_says,
    lambda: CaseStep.objects.count() + AuditEntry.objects.filter(event__startswith="cards:case").count(),
)  # fmt: skip
ACCOUNT = Table(
    bank_rules.TRANSITIONS, BankAccount, lambda key, to: BankAccount.objects.filter(pk=key).update(status=to) and None,
    lambda key, to: accounts.follow(key, to, at=AT), _account_says,
    lambda: 2 * AuditEntry.objects.filter(event__startswith="banks:account").count(),
)  # fmt: skip
PART = Table(
    ITEM_MOVES, JointItem, lambda key, to: JointItem.objects.filter(pk=key).update(status=to) and None,
    _move_part, _part_says,
    lambda: JointStep.objects.count() + AuditEntry.objects.filter(event__startswith="joint:item").count(),
)  # fmt: skip
TABLES = {"card": CARD, "case": CASE, "account": ACCOUNT, "part": PART}


@pytest.fixture
def stage(places: None, partners: None, settings: Any, tmp_path: Any) -> Stage:
    return Stage(tmp_path, settings)


def row(name: str, stage: Stage) -> Any:
    """A row of the table, of 王芳."""
    if name == "case":
        return stage.apply().pk
    if name == "part":
        joint = open_newborn(newborn(), MAKING, guardian=FATHER, by=LI_QIANG, at=AT)
        return joint.items.get(key="household").pk
    card = stage.carried()
    return card.account_id if name == "account" else card.pk


def tried(table: Table, key: Any, old: Any, new: Any) -> None:
    """One move: on its table it goes and leaves two traces; off it is refused exactly and leaves none."""
    before, trace = table.model.objects.filter(pk=key).values().get(), table.trace()
    allowed = new in table.ways[old]
    if table is ACCOUNT and new == old:
        table.move(key, new)  # what the bank says again is no news
    elif allowed:
        table.move(key, new)
        assert table.model.objects.get(pk=key).status == new
        assert table.trace() == trace + 2
        return
    else:
        kind, text = table.says(old, new)
        with pytest.raises(kind) as refused, transaction.atomic():
            table.move(key, new)
        assert (type(refused.value), refused.value.message) == (kind, text)
    assert table.model.objects.filter(pk=key).values().get() == before
    assert table.trace() == trace


@pytest.mark.clause("G5", "N17", "B1", "B2", "B6")
@pytest.mark.parametrize("name", TABLES)
def test_every_pair_of_a_table(name: str, stage: Stage) -> None:
    table, key = TABLES[name], row(name, stage)
    for old, new in product(table.ways, repeat=2):
        with transaction.atomic():
            table.put(key, old)
            tried(table, key, old, new)
            transaction.set_rollback(True)


@pytest.mark.parametrize("name", TABLES)
@settings(
    max_examples=12, deadline=None, derandomize=True, database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip
@given(data=st.data())
def test_any_walk_stays_on_its_table(name: str, stage: Stage, data: st.DataObject) -> None:
    table = TABLES[name]
    with transaction.atomic():
        Holder.objects.all().exists()
        key = row(name, stage)
        for new in data.draw(st.lists(st.sampled_from(list(table.ways)), min_size=4, max_size=14)):
            tried(table, key, type(new)(table.model.objects.get(pk=key).status), new)
        transaction.set_rollback(True)


# --- tables whose ways are acts: every act in every status ---


@pytest.mark.parametrize("old", list(Terminal.Status))
def test_every_act_on_a_terminal_in_every_status(db: None, old: Terminal.Status) -> None:
    at_place = place()
    given = {"place_id": at_place.pk, "owner_id": at_place.keeper_id, "scenes": [3]}
    key = access.register_terminal(name="一号", kind="bus", **given, by=OPERATOR, at=AT).pk  # type: ignore[arg-type]
    acts = {
        "stop": ("stopped", access.stop),
        "resume": ("enrolled", access.resume),
        "retire": ("retired", access.retire),
    }
    for name, (to, act) in acts.items():
        Terminal.objects.filter(pk=key).update(status=old)
        told = AuditEntry.objects.count()
        allowed = Terminal.Status(to) in access_rules.TRANSITIONS[old] and not (
            name == "resume" and old != "stopped"
        )
        if allowed:
            assert act(key, reason="检修", by=OPERATOR, at=AT).status == to
            assert AuditEntry.objects.count() == told + 1
            continue
        with pytest.raises(
            access_rules.TerminalMove, match=r"^终端当前状态不能办理这项操作，请刷新后核对终端状态。$"
        ):
            act(key, reason="检修", by=OPERATOR, at=AT)
        assert (Terminal.objects.get(pk=key).status, AuditEntry.objects.count()) == (old, told)


@pytest.mark.clause("A6")
@pytest.mark.parametrize("old", list(Issue.Status))
def test_every_act_on_an_issue_in_every_status(stage: Stage, old: Issue.Status) -> None:
    issue = Issue.objects.create(
        holder=stage.enter(), source="health", field="phone", ours="13900000001", theirs="13900000002",
        division_code="510107", opened_at=AT,
    )  # fmt: skip
    for to, act in {"kept": matching.keep, "asked": matching.ask, "taken": matching.take}.items():
        with transaction.atomic():
            Issue.objects.filter(pk=issue.pk).update(status=old)
            told = AuditEntry.objects.count()
            if Issue.Status(to) in ISSUE_MOVES[old]:
                assert act(issue.pk, note="已核实", by=SUPERVISOR, at=AT).status == to
            else:
                with pytest.raises(DomainError) as refused, transaction.atomic():
                    act(issue.pk, note="已核实", by=SUPERVISOR, at=AT)
                assert refused.value.message == "这项问题已经处理，不需要再次处理；请刷新列表。"
                assert (Issue.objects.get().status, AuditEntry.objects.count()) == (old, told)
            transaction.set_rollback(True)


@pytest.mark.clause("A6", "G5")
@pytest.mark.parametrize("old", list(Holder.Status))
def test_every_ending_of_a_record_in_every_status(stage: Stage, old: Holder.Status) -> None:
    holder, other = stage.enter(1), stage.enter(2)
    proven = {"evidence": "户口簿 1", "at": AT}
    acts: dict[str, Callable[[], object]] = {
        "deceased": lambda: actions.record_death(holder.pk, on=AT.date(), **proven, by=LI_QIANG),
        "left": lambda: actions.record_leaving(holder.pk, reason="moved", **proven, by=LI_QIANG),
        "merged": lambda: actions.merge(other.pk, holder.pk, reason="重复登记", **proven, by=SUPERVISOR),
    }
    for to, act in acts.items():
        with transaction.atomic():
            Holder.objects.filter(pk=holder.pk).update(status=old)
            told = AuditEntry.objects.count()
            if Holder.Status(to) in HOLDER_MOVES[old] and not (old == "deceased" and to == "left"):
                act()
                assert Holder.objects.get(pk=holder.pk).status == to
            else:
                with pytest.raises(DomainError) as refused, transaction.atomic():
                    act()
                assert refused.value.message == (
                    f"该持卡人登记为“{old.label}”，不能办理此项业务。下一步：登记有误的，由业务主管恢复。"
                )
                assert (Holder.objects.get(pk=holder.pk).status, AuditEntry.objects.count()) == (old, told)
            transaction.set_rollback(True)


@pytest.mark.clause("B1")
@pytest.mark.parametrize("old", list(Batch.Status))
def test_every_step_of_a_batch_in_every_status(stage: Stage, old: Batch.Status) -> None:
    """Each step belongs to one status; in any other it is refused by the name of the step, and nothing moves."""
    batch = stage.batch()
    steps: dict[str, tuple[str, Callable[[], object]]] = {
        "open": (
            "导入预开户回盘",
            lambda: batches.take_preopening_return(batch.pk, b"x", by=SUPERVISOR, at=AT),
        ),
        "preopened": ("送制卡", lambda: batches.start_production(batch.pk, by=SUPERVISOR, at=AT)),
        "producing": ("导入制卡回盘", lambda: batches.take_return(batch.pk, b"x", by=SUPERVISOR, at=AT)),
    }
    for wanted, (verb, act) in steps.items():
        Batch.objects.filter(pk=batch.pk).update(status=old)
        told = AuditEntry.objects.count()
        if old == wanted:
            continue  # its own step is tests/registry/cards/test_batches.py
        with pytest.raises(DomainError) as refused, transaction.atomic():
            act()
        assert refused.value.message == f"批次当前为“{old.label}”，不能{verb}，请核对批次号和当前步骤。"
        assert (Batch.objects.get().status, AuditEntry.objects.count()) == (old, told)


@pytest.mark.clause("O10", "B5")
@pytest.mark.parametrize("old", list(Blank.Status))
def test_a_blank_leaves_the_stock_only_from_the_stock(stage: Stage, old: Blank.Status) -> None:
    seat = stage.seated()
    stock.receive(JOINT, first="000001", count=1, **seat)
    case = stage.printable()
    acts: dict[str, Callable[[], object]] = {
        "spoiled": lambda: stock.spoil("000001", reason="划伤", **seat),
        "returned": lambda: stock.give_back(first="000001", count=1, **seat),
        "taken": lambda: stock.issue_at_once(case.pk, **seat),
    }
    for to, act in acts.items():
        with transaction.atomic():
            Blank.objects.update(status=old)
            moves = Blank.objects.get().moves.count()
            if old == Blank.Status.IN_STOCK:
                act()
                assert (Blank.objects.get().status, Blank.objects.get().moves.count()) == (to, moves + 1)
            else:
                with pytest.raises(DomainError) as refused, transaction.atomic():
                    act()
                assert refused.value.code in {"blank_not_in_stock", "no_blank_cards"}
                assert (Blank.objects.get().status, Blank.objects.get().moves.count()) == (old, moves)
            transaction.set_rollback(True)


@pytest.mark.parametrize("old", list(PrintJob.Status))
def test_only_a_printing_job_ends(stage: Stage, old: PrintJob.Status) -> None:
    seat = stage.seated()
    stock.receive(JOINT, first="000001", count=2, **seat)
    job = stock.issue_at_once(stage.printable().pk, **seat)
    PrintJob.objects.update(status=old)
    if old == PrintJob.Status.PRINTING:
        assert stock.print_failed(job.pk, reason="卡纸", **seat).status == "queued"
        return
    with pytest.raises(DomainError) as refused:
        stock.print_failed(job.pk, reason="卡纸", **seat)
    assert refused.value.message == "这项打印任务已经结束，请刷新打印队列。"
    assert (PrintJob.objects.get().status, Blank.objects.filter(status="spoiled").count()) == (old, 0)


@pytest.mark.clause("B6")
@pytest.mark.parametrize("old", list(BankRequest.Status))
def test_a_settled_request_stays_settled(stage: Stage, old: BankRequest.Status) -> None:
    account = stage.lost().account
    assert account is not None
    request = account.requests.get()
    is_over = old in {"done", "refused"}
    BankRequest.objects.update(status=old, settled_at=AT if is_over else None)
    before = BankRequest.objects.values().get()
    if is_over:
        with pytest.raises(bank_rules.AlreadySettled, match=r"^银行已经答复，不需要再发送。$"):
            requests.retry_now(request.pk, by=SUPERVISOR, at=AT)
        requests.put_off(request.pk, maybe_done=True, trouble="断线", at=AT)
        assert requests.claim(JOINT, at=AT) is None
        assert BankRequest.objects.values().get() == before
    else:
        assert requests.retry_now(request.pk, by=SUPERVISOR, at=AT).status == old
        assert requests.put_off(request.pk, maybe_done=True, trouble="断线", at=AT).status == "unknown"


@pytest.mark.clause("S2")
def test_an_e_card_and_its_device_end_once_and_begin_anew(stage: Stage) -> None:
    holder = stage.carried().holder
    himself = {"by": stage.himself(holder), "at": AT}
    ecard = codes.issue_ecard(holder.pk, **himself)
    device = codes.register_device(holder.pk, public_key=sm2.generate().public, name="手机", **himself)
    assert codes.issue_ecard(holder.pk, **himself).number == ecard.number
    codes.revoke_device(device.id, **himself)
    with pytest.raises(code_rules.DeviceRevoked, match=r"^该设备已解除绑定。请在本设备重新绑定。$"):
        codes.revoke_device(device.id, **himself)
    codes.remove_ecard(holder.pk, **himself)
    with pytest.raises(code_rules.NoECard, match=r"^尚未签发电子社保卡。请先签发。$"):
        codes.remove_ecard(holder.pk, **himself)
    assert Device.objects.get().status == "revoked"
    assert codes.issue_ecard(holder.pk, **himself).status == "issued"
    assert isinstance(device.id, UUID)
