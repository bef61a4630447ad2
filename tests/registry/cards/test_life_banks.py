"""What happens to a person reaches his banks and what is being made for him; undone, it is undone there too."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.agreements import agree
from tests.bank_sandbox import Sandbox
from tests.registry.conftest import APART, AT, JOINT, LI_QIANG, SUPERVISOR, id_number, make_card
from yikatong.adapters.bank_files import sandbox as bank_files
from yikatong.adapters.card_maker import sandbox as maker
from yikatong.core.clock import day_of, now
from yikatong.core.models import AuditEntry, Look
from yikatong.insight.soundness import checking
from yikatong.registry.banks import freezing, tasks
from yikatong.registry.banks.models import BankAccount, BankRequest, Hold
from yikatong.registry.cards import actions, batches
from yikatong.registry.cards.batches.fates import Fate, Part, reconcile, rows_with_fate
from yikatong.registry.cards.models import Batch, Card, Case, ECard
from yikatong.registry.cards.queries import payee_of
from yikatong.registry.holders.models import Holder, Merge
from yikatong.registry.holders.queries import records_of, surviving

Register = Callable[..., Holder]
Carry = Callable[..., Card]
PAPER = "户口簿 510107001"
WHY: dict[str, Any] = {"reason": "同一人两次登记", "evidence": PAPER}
#: What must hold of the books whatever happens to a person.
HELD = {
    "account_of_its_holder", "case_fits_its_card", "replaced_card_has_ended", "one_live_card", "one_coming_card",
    "card_number_of_one_person", "case_moved_along_its_table", "ecard_hangs_on_a_live_card", "merged_holder_is_empty",
    "ended_holder_has_no_card", "open_case_has_owner_and_limit", "hold_has_its_answer", "one_matter_under_way",
    "requests_of_an_account_in_order",
}  # fmt: skip


def sound() -> None:
    found = [one for one in checking.breaches(at=now()) if one.name in HELD]
    assert found == []


def by(**more: Any) -> dict[str, Any]:
    return {"by": LI_QIANG, "at": now()} | more


def chief() -> dict[str, Any]:
    return {"by": SUPERVISOR, "at": now()}


def die(holder: Holder) -> Case:
    day = day_of(now())
    return actions.record_death(holder.pk, on=day, evidence="居民死亡医学证明 510000000001", **by())


def back(holder: Holder) -> Case:
    return actions.restore(holder.pk, reason="本人健在，登记有误", **chief())


def account_of(card: Card) -> str:
    return BankAccount.objects.get(cards=card).status


def asked() -> list[tuple[str, str]]:
    return list(BankRequest.objects.order_by("serial").values_list("act", "status"))


# --- death ---


@pytest.mark.clause("A6", "B6", "G12")
def test_a_death_freezes_the_account_as_agreed_and_its_undoing_frees_it(
    wang_fang: Holder, carry: Carry, bank: Sandbox
) -> None:
    card = carry(wang_fang)
    agree(JOINT, is_online=True, on_death="freeze")
    die(wang_fang)
    assert (asked(), account_of(card)) == ([("freeze", "waiting")], "active")
    assert payee_of(wang_fang.pk).hindrance == "持卡人登记为“已故”，暂停发放"
    assert tasks.send(JOINT) == 1
    assert (account_of(card), Hold.objects.get().status) == ("frozen", "held")

    back(wang_fang)
    assert tasks.send(JOINT) == 1

    assert (account_of(card), Hold.objects.get().status) == ("active", "lifted")
    assert Card.objects.get().status == "1"
    assert payee_of(wang_fang.pk).account == BankAccount.objects.get()
    sound()


@pytest.mark.clause("A6", "B6")
def test_undone_before_the_bank_was_there_both_reach_it_in_their_order(
    wang_fang: Holder, carry: Carry, bank: Sandbox
) -> None:
    card = carry(wang_fang)
    agree(JOINT, is_online=True, on_death="freeze")
    bank.goes_wrong("away", times=2)
    die(wang_fang)
    tasks.send(JOINT)
    back(wang_fang)
    BankRequest.objects.update(next_try_at=now())
    tasks.send(JOINT)
    BankRequest.objects.update(next_try_at=now())
    assert tasks.send(JOINT) == 2
    assert asked() == [("freeze", "done"), ("unfreeze", "done")]
    assert (account_of(card), Hold.objects.get().status) == ("active", "lifted")


@pytest.mark.clause("A6", "B2")
def test_a_death_stops_payment_where_that_is_agreed_and_a_lost_card_stays_lost(
    wang_fang: Holder, carry: Carry, bank: Sandbox
) -> None:
    card = carry(wang_fang)
    agree(JOINT, on_death="report_loss")
    actions.report_temporary_loss(card.pk, **by())
    die(wang_fang)
    assert tasks.send(JOINT) == 2
    back(wang_fang)
    assert tasks.send(JOINT) == 1
    assert [act for act, _ in asked()] == ["report_loss", "report_loss", "report_loss"]
    found = Card.objects.get()
    assert (found.status, account_of(card)) == ("B", "lost")
    assert BankRequest.objects.order_by("-serial")[0].ends_at == found.loss_ends_at, "its end is told anew"
    sound()


def test_where_nothing_is_agreed_the_heirs_see_to_the_account(wang_fang: Holder, carry: Carry) -> None:
    carry(wang_fang)
    die(wang_fang)
    back(wang_fang)
    assert (asked(), Hold.objects.count()) == ([], 0)


@pytest.mark.clause("A6", "B6")
def test_what_a_court_holds_stays_held_when_the_death_was_none(
    wang_fang: Holder, carry: Carry, bank: Sandbox
) -> None:
    card = carry(wang_fang)
    agree(JOINT, is_online=True, on_death="freeze")
    order = freezing.Order(
        authority="court", authority_name="武侯区人民法院", document="执 88 号", reason="执行案件",
        ordered_on=day_of(now()),
    )  # fmt: skip
    assert card.account_id is not None
    freezing.freeze(card.account_id, order, **chief())
    die(wang_fang)
    tasks.send(JOINT)
    back(wang_fang)
    assert tasks.send(JOINT) == 0
    assert account_of(card) == "frozen"
    assert [str(one) for one in freezing.seen_by(wang_fang.pk)] == ["武侯区人民法院 执 88 号"]


@pytest.mark.clause("A6", "B1", "B6")
def test_an_application_ends_with_its_account_and_goes_on_when_the_death_was_none(
    wang_fang: Holder, bank: Sandbox
) -> None:
    agree(JOINT, is_online=True, on_death="freeze")
    case = actions.apply(wang_fang.pk, bank_code=JOINT, division_code="510107", **by())
    actions.check(case.pk, **chief())
    tasks.send(JOINT)
    from yikatong.registry.cards.tasks import account_answered  # noqa: PLC0415 - a job, called as one

    account_answered(str(BankRequest.objects.get().pk))
    assert Case.objects.get(pk=case.pk).status == "preopened"

    die(wang_fang)
    assert Case.objects.get(pk=case.pk).status == "withdrawn"
    tasks.send(JOINT)
    assert BankAccount.objects.get().status == "closed"

    back(wang_fang)
    found = Case.objects.get(pk=case.pk)
    assert (found.status, found.account, found.closed_at) == ("checked", None, None)
    assert asked() == [("open", "done"), ("close", "done"), ("open", "waiting")]
    sound()


@pytest.fixture
def three(register: Register) -> list[Case]:
    """Approved applications of three people at a bank that works by files."""
    made = []
    for serial in (31, 32, 33):
        holder = register(serial, name="王芳")
        case = actions.apply(holder.pk, bank_code=APART, division_code="510107", by=LI_QIANG, at=AT)
        made.append(actions.check(case.pk, by=SUPERVISOR, at=AT))
    return made


@pytest.mark.clause("A6", "B1")
def test_a_card_that_comes_back_for_a_dead_holder_is_destroyed_and_the_batch_says_so(
    three: list[Case],
) -> None:
    first, second, third = three
    who: dict[str, Any] = {"by": SUPERVISOR, "at": AT}
    batch = batches.open_batch(APART, **who)
    batches.take_preopening_return(
        batch.pk, bank_files.answer(batches.preopening_file(batch.pk), prefix="622953"), **who
    )
    die(first.holder)  # before the batch goes to the maker
    batches.start_production(batch.pk, **who)
    die(second.holder)  # while it lies there
    assert Case.objects.get(pk=second.pk).status == "producing"

    report = batches.take_return(batch.pk, maker.answer(batches.production_file(batch.pk)), **who)

    assert (report.made, report.failed, report.pending) == (1, 2, 0)
    fates = {row.case_id: row.fate for row in rows_with_fate(batch)}  # type: ignore[attr-defined]
    assert fates == {first.pk: Fate.STOPPED, second.pk: Fate.SPOILED, third.pk: Fate.WAITING}
    book = reconcile(Batch.objects.get())
    assert book.adds_up
    assert (book.parts[Part.MADE], book.parts[Part.HOLDER]) == (1, 2)
    spoiled = batch.lines.get(case=second)
    assert (spoiled.failure, spoiled.position is not None) == (
        "持卡人登记为“已故”，成卡作废，按箱位取出销毁", True,
    )  # fmt: skip
    assert [Case.objects.get(pk=one.pk).status for one in three] == ["withdrawn", "rejected", "ready"]
    assert Card.objects.get().holder_id == third.holder_id
    (entry,) = AuditEntry.objects.filter(event="cards:batch:spoiled")
    assert len(entry.facts["chips"]) == 1

    said = back(second.holder).note
    assert said == "", "the application was ended by its card, not by the death's own act"
    sound()


@pytest.mark.clause("A6", "B1")
def test_a_bank_file_answered_after_a_death_goes_no_further(three: list[Case]) -> None:
    who: dict[str, Any] = {"by": SUPERVISOR, "at": AT}
    batch = batches.open_batch(APART, **who)
    answer = bank_files.answer(batches.preopening_file(batch.pk), prefix="622953")
    die(three[0].holder)
    batches.take_preopening_return(batch.pk, answer, **who)
    assert [Case.objects.get(pk=one.pk).status for one in three] == ["withdrawn", "preopened", "preopened"]
    assert reconcile(Batch.objects.get()).adds_up
    sound()


@pytest.mark.clause("A6", "B6")
def test_who_leaves_keeps_his_account_and_the_bank_knows_the_card_has_ended(
    wang_fang: Holder, carry: Carry, bank: Sandbox
) -> None:
    card = carry(wang_fang)
    agree(JOINT, is_online=True, on_death="freeze")
    actions.record_leaving(wang_fang.pk, reason="emigrated", evidence="户口注销证明 1", **by())
    assert tasks.send(JOINT) == 1
    assert (asked(), account_of(card)) == ([("end_card", "done")], "active")


# --- changes ---


@pytest.mark.clause("A1", "B6")
def test_a_new_name_and_number_reach_the_bank_or_the_holder_is_told_to_go(
    wang_fang: Holder, carry: Carry, bank: Sandbox
) -> None:
    carry(wang_fang)
    case = actions.change_name(wang_fang.pk, name="王芳华", evidence=PAPER, **by())
    assert case.note == "请本人持证件到蜀安银行变更客户信息"
    agree(JOINT, is_online=True)
    number = id_number(77, born="19900308")
    case = actions.change_number(wang_fang.pk, number=number, evidence=PAPER, **by())
    assert case.note == "已通知蜀安银行变更客户信息"
    assert tasks.send(JOINT) == 1
    assert asked() == [("rename", "done")]
    look = Look.objects.get(holder_id=wang_fang.pk, purpose="提供给蜀安银行变更客户信息")
    assert set(look.fields) == {"姓名", "证件号码"}


# --- one person once ---


@pytest.fixture
def twice(register: Register) -> tuple[Holder, Holder]:
    return register(1), register(kind="M", number=id_number(7, region="810000"), name="王芳")


def ecard_of(card: Card, number: int) -> ECard:
    return ECard.objects.create(holder_id=card.holder_id, card=card, number=f"{number:024d}", issued_at=now())


@pytest.mark.clause("A1", "N13", "B6", "G8")
def test_the_card_in_use_stays_and_everything_stands_under_the_kept_record(
    twice: tuple[Holder, Holder], carry: Carry, bank: Sandbox
) -> None:
    kept, gone = twice
    lost, used = carry(kept), carry(gone)
    mine = ecard_of(lost, 1)
    ecard_of(used, 2)
    actions.report_loss(lost.pk, **by())
    agree(JOINT, is_online=True)
    merged = actions.merge(kept.pk, gone.pk, **WHY, **chief())

    assert Card.objects.values_list("status", "holder", "cancel_reason").get(pk=used.pk) == ("1", kept.pk, "")
    assert Card.objects.values_list("status", "cancel_reason").get(pk=lost.pk) == ("3", "duplicate")
    mine.refresh_from_db()
    assert (mine.status, mine.card_id) == ("issued", used.pk)
    assert ECard.objects.get(holder=gone).status == "removed"
    assert set(BankAccount.objects.values_list("holder_id", flat=True)) == {kept.pk}
    assert not Case.objects.filter(holder=gone).exists()
    assert (surviving(gone.pk), payee_of(gone.pk).account) == (kept.pk, BankAccount.objects.get(cards=used))
    assert records_of(kept) == [kept.pk, gone.pk]
    assert BankRequest.objects.filter(act="end_card", account__cards=lost).exists()
    sound()

    actions.unmerge(merged.pk, reason="核实不是同一人", **chief())

    assert Card.objects.values_list("status", "holder").get(pk=used.pk) == ("1", gone.pk)
    assert Card.objects.values_list("status", "holder").get(pk=lost.pk) == ("2", kept.pk)
    mine.refresh_from_db()
    assert (mine.status, mine.card_id) == ("issued", lost.pk)
    assert set(gone.cards.values_list("account__holder_id", flat=True)) == {gone.pk}
    assert payee_of(gone.pk).account == BankAccount.objects.get(cards=used)
    found = Merge.objects.get()
    assert found.missing == ["并入一方的电子社保卡须由本人重新签发，设备须重新绑定"]
    assert Case.objects.filter(reason="unmerged", note="；".join(found.missing)).count() == 2
    sound()


@pytest.mark.clause("A1", "N13")
def test_what_replaced_a_card_since_goes_back_with_it_and_that_is_said(
    twice: tuple[Holder, Holder], carry: Carry
) -> None:
    kept, gone = twice
    used = carry(gone)
    merged = actions.merge(kept.pk, gone.pk, **WHY, **chief())
    case = actions.replace(kept.pk, reason="defect", bank_code=JOINT, division_code="510107", **by())
    made = make_card(case)
    assert made.card_id is not None
    actions.activate(actions.hand_over(made.pk, **by()).pk, **by())
    sound()

    actions.unmerge(merged.pk, reason="核实不是同一人", **chief())

    assert set(gone.cards.values_list("pk", "status")) == {(used.pk, "4"), (made.card_id, "1")}
    assert not kept.cards.exists()
    number = Card.objects.get(pk=made.card_id).number
    assert Merge.objects.get().missing == [f"合并后补换的卡 {number} 随原卡归回"]
    sound()


@pytest.mark.clause("A1", "N13")
def test_an_application_goes_over_and_comes_back(twice: tuple[Holder, Holder]) -> None:
    kept, gone = twice
    theirs = actions.apply(gone.pk, bank_code=JOINT, division_code="510107", **by())
    merged = actions.merge(kept.pk, gone.pk, **WHY, **chief())
    theirs.refresh_from_db()
    assert (theirs.holder_id, theirs.status) == (kept.pk, "submitted")
    actions.unmerge(merged.pk, reason="核实不是同一人", **chief())
    theirs.refresh_from_db()
    assert (theirs.holder_id, theirs.status) == (gone.pk, "submitted")
    sound()


@pytest.mark.clause("A1", "N13")
def test_of_two_applications_one_ends_and_lives_again(twice: tuple[Holder, Holder]) -> None:
    kept, gone = twice
    mine = actions.apply(kept.pk, bank_code=JOINT, division_code="510107", **by())
    theirs = actions.apply(gone.pk, bank_code=APART, division_code="510107", **by())
    merged = actions.merge(kept.pk, gone.pk, **WHY, **chief())
    assert [Case.objects.get(pk=one.pk).status for one in (mine, theirs)] == ["submitted", "withdrawn"]
    sound()
    actions.unmerge(merged.pk, reason="核实不是同一人", **chief())
    assert [Case.objects.get(pk=one.pk).status for one in (mine, theirs)] == ["submitted", "submitted"]
    assert Case.objects.get(pk=theirs.pk).holder_id == gone.pk
    sound()


def test_who_has_no_card_is_paid_into_none(wang_fang: Holder) -> None:
    assert payee_of(wang_fang.pk).hindrance == "没有启用的社会保障卡账户"
