"""The round to bank and card maker and back: every row has exactly one fate."""

from collections.abc import Callable

import pytest

from tests.agreements import agree
from tests.registry.conftest import APART, AT, JOINT, LI_QIANG, SUPERVISOR, make_card
from yikatong.adapters.bank_files import sandbox as bank
from yikatong.adapters.card_maker import sandbox as maker
from yikatong.adapters.production_sandbox import rest_of_round, whole_round
from yikatong.core import gb18030
from yikatong.core.errors import DomainError
from yikatong.core.models import AuditEntry, Look
from yikatong.registry.banks.actions import open_online
from yikatong.registry.banks.models import Bank, BankAccount
from yikatong.registry.cards import actions, batches, numbers
from yikatong.registry.cards.models import Batch, BatchRow, Card, Case, CaseStep
from yikatong.registry.holders.models import Holder

Register = Callable[..., Holder]
WHO = {"by": SUPERVISOR, "at": AT}
BIN = "622951"


@pytest.fixture
def checked(register: Register) -> Callable[[int], list[Case]]:
    def _checked(count: int, *, bank_code: str = JOINT) -> list[Case]:
        first = Holder.objects.count() + 1
        people = [register(serial, name="王芳") for serial in range(first, first + count)]
        cases = [
            actions.apply(one.pk, bank_code=bank_code, division_code="510107", by=LI_QIANG, at=AT)
            for one in people
        ]
        return [actions.check(one.pk, by=SUPERVISOR, at=AT) for one in cases]

    return _checked


def everything() -> tuple[object, ...]:
    return (
        sorted(Case.objects.values_list("pk", "status", "account", "card")),
        sorted(BatchRow.objects.values_list("pk", "result", "failure", "card_number")),
        sorted(Batch.objects.values_list("pk", "status")),
        Card.objects.count(),
        BankAccount.objects.count(),
        CaseStep.objects.count(),
        AuditEntry.objects.count(),
        Look.objects.count(),
    )


def refused(code: str, act: Callable[[], object]) -> None:
    before = everything()
    with pytest.raises(DomainError) as refusal:
        act()
    assert refusal.value.code == code
    assert everything() == before


def to_production(count: int, checked: Callable[[int], list[Case]]) -> Batch:
    checked(count)
    batch = batches.open_batch(JOINT, **WHO)
    batches.take_preopening_return(
        batch.pk, bank.answer(batches.preopening_file(batch.pk), prefix=BIN), **WHO
    )
    return batches.start_production(batch.pk, **WHO)


@pytest.mark.clause("O8", "G12", "B1")
def test_a_whole_round_makes_cards_that_lie_ready(checked: Callable[[int], list[Case]]) -> None:
    cases = checked(3)
    report = whole_round(JOINT, **WHO)
    assert (report.rows, report.made, report.failed, report.pending) == (3, 3, 0, 0)
    for case in Case.objects.filter(pk__in=[one.pk for one in cases]).select_related("card", "account"):
        assert case.status == "ready"
        assert case.card is not None
        assert case.account is not None
        assert numbers.check(case.card.number) == case.card.number
        assert case.card.number[0] == "A"
        assert (case.card.status, case.card.account_id) == ("0", case.account_id)
        assert numbers.luhn_ok(case.account.number)
        assert case.account.number.startswith(BIN)
        assert [step.status for step in case.steps.all()] == [
            "submitted", "checked", "preopened", "producing", "ready",
        ]  # fmt: skip
    assert Card.objects.values("number").distinct().count() == 3
    assert actions.hand_over(cases[0].pk, by=LI_QIANG, at=AT).status == "A"


@pytest.mark.parametrize("begun", ["open", "preopened", "producing", "returned"])
def test_a_batch_that_is_open_is_carried_on_from_where_it_stands(
    checked: Callable[[int], list[Case]], begun: str
) -> None:
    checked(3)
    batch = batches.open_batch(JOINT, **WHO)
    if begun != "open":
        answer = bank.answer(batches.preopening_file(batch.pk), prefix=BIN)
        batches.take_preopening_return(batch.pk, answer, **WHO)
    if begun in {"producing", "returned"}:
        batches.start_production(batch.pk, **WHO)
    if begun == "returned":
        batches.take_return(batch.pk, maker.answer(batches.production_file(batch.pk)), **WHO)
    batch.refresh_from_db()
    assert batch.status == begun

    report = rest_of_round(batch, **WHO)

    assert (report.batch, report.made, report.failed, report.pending) == (batch.number, 3, 0, 0)
    assert Card.objects.count() == 3
    assert Case.objects.filter(status="ready").count() == 3


@pytest.mark.clause("G17")
def test_holders_see_who_was_given_their_data(checked: Callable[[int], list[Case]]) -> None:
    whole = checked(1)[0]
    whole_round(JOINT, **WHO)
    purposes = Look.objects.filter(holder_id=whole.holder_id).values_list("purpose", flat=True)
    assert sorted(purposes) == ["提供给制卡机构制卡", "提供给蜀安银行预开户"]


def test_failures_of_both_sides_go_back_to_a_clerk_and_then_again(
    checked: Callable[[int], list[Case]],
) -> None:
    checked(40)
    report = whole_round(JOINT, bank_failing=0.2, maker_failing=0.2, **WHO)
    steps = [step for _, step, _ in report.failures]
    assert report.made + report.failed == 40
    assert 0 < steps.count("银行") < 20
    assert 0 < steps.count("制卡") < 20
    failed = list(Case.objects.filter(status="failed"))
    assert len(failed) == report.failed
    assert Case.objects.filter(status="ready").count() == report.made == Card.objects.count()
    assert failed[0].steps.filter(note__contains="：").exists()
    for case in failed:
        actions.retry(case.pk, by=LI_QIANG, at=AT)
    again = whole_round(JOINT, **WHO)
    assert (again.rows, again.made) == (len(failed), len(failed))
    assert Case.objects.filter(status="ready").count() == 40
    assert BankAccount.objects.count() == 40


def test_a_case_lies_in_one_batch_at_a_time_and_cannot_be_withdrawn(
    checked: Callable[[int], list[Case]],
) -> None:
    (case,) = checked(1)
    batches.open_batch(JOINT, **WHO)
    refused("nothing_to_produce", lambda: batches.open_batch(JOINT, **WHO))
    refused("case_in_production", lambda: actions.withdraw(case.pk, by=LI_QIANG, at=AT))


def test_a_batch_is_limited_and_takes_only_its_bank(checked: Callable[..., list[Case]]) -> None:
    mine = checked(3)
    checked(2, bank_code=APART)
    batch = batches.open_batch(JOINT, limit=2, **WHO)
    assert batch.rows == 2
    in_batch = set(batch.lines.values_list("case_id", flat=True))
    assert in_batch == {mine[0].pk, mine[1].pk}
    refused("forbidden", lambda: batches.open_batch(APART, by=LI_QIANG, at=AT))


def test_the_same_return_again_is_harmless_and_another_is_refused(
    checked: Callable[[int], list[Case]],
) -> None:
    checked(2)
    batch = batches.open_batch(JOINT, **WHO)
    answer = bank.answer(batches.preopening_file(batch.pk), prefix=BIN)
    batches.take_preopening_return(batch.pk, answer, **WHO)
    before = everything()
    assert batches.take_preopening_return(batch.pk, answer, **WHO).repeated
    assert everything() == before
    refused(
        "batch_already_returned", lambda: batches.take_preopening_return(batch.pk, answer + b"\r\n", **WHO)
    )
    batches.start_production(batch.pk, **WHO)
    returned = maker.answer(batches.production_file(batch.pk))
    first = batches.take_return(batch.pk, returned, **WHO)
    before = everything()
    second = batches.take_return(batch.pk, returned, **WHO)
    assert (second.made, second.repeated, first.repeated) == (2, True, False)
    assert everything() == before


def test_the_waiting_are_counted_as_a_batch_would_gather_them(checked: Callable[[int], list[Case]]) -> None:
    asked, *_ = checked(2)
    assert batches.waiting_by_bank() == [("蜀安银行", 2)]
    at_once = {"certificate": "1", "name": "王芳", "phone": ""}
    agree(JOINT, is_online=True)
    open_online(Bank.objects.get(pk=JOINT), holder_id=asked.holder_id, case_id=asked.pk, **at_once, **WHO)
    assert batches.waiting_by_bank() == [("蜀安银行", 1)]
    assert batches.open_batch(JOINT, **WHO).rows == 1
    assert batches.waiting_by_bank() == []


def test_steps_of_a_batch_have_their_order(checked: Callable[[int], list[Case]]) -> None:
    checked(1)
    batch = batches.open_batch(JOINT, **WHO)
    refused("batch_step_wrong", lambda: batches.start_production(batch.pk, **WHO))
    refused("batch_step_wrong", lambda: batches.production_file(batch.pk))
    refused("batch_step_wrong", lambda: batches.take_return(batch.pk, b"", **WHO))


def edited(data: bytes, change: Callable[[list[str]], list[str]]) -> bytes:
    return gb18030.encode("\r\n".join(change(gb18030.decode(data).split("\r\n"))))


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda x: [x[0].replace("|P2026", "|P2025"), *x[1:]], "return_of_other_batch"),
        (lambda x: [x[0].replace(JOINT, APART), *x[1:]], "return_of_other_batch"),
        (lambda x: [x[0].replace("|3|3|0|", "|3|2|1|"), *x[1:]], "return_totals_differ"),
        (lambda x: [x[0], *x[2:]], "return_totals_differ"),
        (lambda x: [x[0].replace("|3|3|0|", "|2|2|0|"), *x[2:]], "return_totals_differ"),
        (lambda x: [x[0], x[1], x[1], *x[3:]], "return_row_unknown"),
        (lambda x: [x[0], "9" + x[1][1:], *x[2:]], "return_row_unknown"),
        (lambda x: [x[0], "甲" + x[1], *x[2:]], "return_unreadable"),
        (lambda x: ["X" + x[0], *x[1:]], "return_unreadable"),
        (lambda _: [], "return_unreadable"),
    ],
)
def test_a_wrong_return_is_refused_whole_and_changes_nothing(
    checked: Callable[[int], list[Case]], change: Callable[[list[str]], list[str]], code: str
) -> None:
    checked(3)
    batch = batches.open_batch(JOINT, **WHO)
    good = bank.answer(batches.preopening_file(batch.pk), prefix=BIN)
    refused(code, lambda: batches.take_preopening_return(batch.pk, edited(good, change), **WHO))
    batches.take_preopening_return(batch.pk, good, **WHO)
    batches.start_production(batch.pk, **WHO)
    returned = maker.answer(batches.production_file(batch.pk))
    refused(code, lambda: batches.take_return(batch.pk, edited(returned, change), **WHO))
    refused("return_unreadable", lambda: batches.take_return(batch.pk, b"\xff\x00\xff", **WHO))
    assert batches.take_return(batch.pk, returned, **WHO).made == 3


def test_a_bad_row_of_the_bank_fails_alone(checked: Callable[[int], list[Case]]) -> None:
    checked(3)
    batch = batches.open_batch(JOINT, **WHO)
    good = bank.answer(batches.preopening_file(batch.pk), prefix=BIN)

    def spoil(lines: list[str]) -> list[str]:
        first = lines[1].split("|")
        wrong = "|".join([first[0], "00", first[2][:-1] + str((int(first[2][-1]) + 1) % 10), ""])
        twin = "|".join(["3", "00", lines[2].split("|")[2], ""])
        return [lines[0], wrong, lines[2], twin, ""]

    report = batches.take_preopening_return(batch.pk, edited(good, spoil), **WHO)
    assert report.failures == ((1, "银行", "银行返回的账号校验不符"), (3, "银行", "银行返回的账号重复"))
    assert sorted(Case.objects.values_list("status", flat=True)) == ["failed", "failed", "preopened"]


def test_a_bad_row_of_the_maker_fails_alone(checked: Callable[[int], list[Case]]) -> None:
    batch = to_production(5, checked)
    good = maker.answer(batches.production_file(batch.pk))

    def spoil(lines: list[str]) -> list[str]:
        one, two, three, four, five = (line.split("|") for line in lines[1:6])
        one[1] = two[1]
        three[6] = two[6]
        four[7] = "123"
        five[9] = two[9]
        return [lines[0], *("|".join(fields) for fields in (one, two, three, four, five)), ""]

    report = batches.take_return(batch.pk, edited(good, spoil), **WHO)
    assert [(row, why) for row, _, why in report.failures] == [
        (1, "回盘卡号与制卡数据不符"),
        (3, "卡识别码重复"),
        (4, "卡识别码或复位信息格式不正确，请重新读卡。"),
        (5, "回盘银行卡号与制卡数据不符"),
    ]
    assert (report.made, Card.objects.count()) == (1, 1)


@pytest.mark.clause("G5", "B6")
def test_a_replacement_keeps_account_and_number_where_bank_and_province_do(
    register: Register, settings: pytest.FixtureRequest
) -> None:
    holder = register()
    case = actions.apply(holder.pk, bank_code=JOINT, division_code="510107", by=LI_QIANG, at=AT)
    old = actions.activate(actions.hand_over(make_card(case).pk, by=LI_QIANG, at=AT).pk, by=LI_QIANG, at=AT)
    where = {"division_code": "510107", "by": LI_QIANG, "at": AT}
    again = actions.replace(holder.pk, reason="damaged", **where)
    actions.check(again.pk, by=SUPERVISOR, at=AT)
    assert whole_round(JOINT, **WHO).made == 1
    new = Case.objects.select_related("card").get(pk=again.pk).card
    assert new is not None
    assert (new.number, new.account_id, new.replaces_id) == (old.number, old.account_id, old.pk)
    assert new.identification != old.identification
    assert BankAccount.objects.count() == 1


@pytest.mark.clause("G5", "G8", "B6")
def test_another_bank_means_another_account(register: Register) -> None:
    holder = register()
    case = actions.apply(holder.pk, bank_code=JOINT, division_code="510107", by=LI_QIANG, at=AT)
    old = actions.activate(actions.hand_over(make_card(case).pk, by=LI_QIANG, at=AT).pk, by=LI_QIANG, at=AT)
    where = {"division_code": "510107", "by": LI_QIANG, "at": AT}
    actions.check(
        actions.replace(holder.pk, reason="bank", bank_code=APART, **where).pk, by=SUPERVISOR, at=AT
    )
    assert whole_round(APART, **WHO).made == 1
    new = Card.objects.get(replaces=old)
    assert new.account is not None
    assert (new.account.bank_id, new.account_id != old.account_id) == (APART, True)


def test_names_with_rare_characters_travel_whole(register: Register) -> None:
    for serial, name in enumerate(["张䶮", "李𬭊", "阿卜杜热合曼·麦麦提"], start=1):
        holder = register(serial, name=name)
        case = actions.apply(holder.pk, bank_code=JOINT, division_code="510107", by=LI_QIANG, at=AT)
        actions.check(case.pk, by=SUPERVISOR, at=AT)
    batch = batches.open_batch(JOINT, **WHO)
    text = gb18030.decode(batches.preopening_file(batch.pk))
    assert [line.split("|")[4] for line in text.splitlines()[1:]] == ["张䶮", "李𬭊", "阿卜杜热合曼·麦麦提"]


def test_numbers_go_on_after_cards_loaded_from_elsewhere(
    checked: Callable[[int], list[Case]], ready: Callable[[Holder], Case], register: Register
) -> None:
    ready(register())
    Card.objects.update(number=numbers.make("A", 41_233))
    batches.numbers_after_loading()
    checked(1)
    whole_round(JOINT, **WHO)
    assert sorted(Card.objects.values_list("number", flat=True)) == [
        numbers.make("A", 41_233),
        numbers.make("A", 41_234),
    ]
