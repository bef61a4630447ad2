"""Files to bank and card maker byte by byte, boxes, and what a return may and may not say."""

from collections.abc import Callable
from datetime import date
from uuid import UUID

import pytest

from tests.registry.cards.test_batches import everything, refused
from tests.registry.conftest import AT, JOINT, LI_QIANG, SUPERVISOR, ZHAO_MIN, id_number
from yikatong.adapters.bank_files import sandbox as bank
from yikatong.adapters.bank_files.layout import PipeBankFiles
from yikatong.adapters.card_maker import sandbox as maker
from yikatong.adapters.production_sandbox import whole_round
from yikatong.core import gb18030
from yikatong.core.actor import Actor, Channel, Role
from yikatong.core.errors import DomainError
from yikatong.core.models import Look
from yikatong.registry.cards import actions, batches
from yikatong.registry.cards.batches import Fate, Part
from yikatong.registry.cards.models import Batch, BatchRow, Card, Case
from yikatong.registry.holders import actions as holders
from yikatong.registry.holders.models import Holder
from yikatong.registry.holders.validity import Validity
from yikatong.registry.outlets.rules import SERVICES
from yikatong.registry.regions.models import Organisation, Outlet

Register = Callable[..., Holder]
WHO = {"by": SUPERVISOR, "at": AT}
BIN = "622951"
HALL = UUID("01900000-0000-7000-8000-000000000001")


@pytest.fixture
def hall(places: None) -> Outlet:
    office = Organisation.objects.create(code="CD", name="成都市人社局", kind="hrss", division_code="510100")
    where = {
        "organisation": office,
        "division_code": "510107",
        "address": "示例路 1 号",
        "hours": "9:00–17:00",
        "services": list(SERVICES),
    }
    return Outlet.objects.create(id=HALL, number="5101070001", name="武侯大厅", **where)


def sent(holder: Holder, **wish: object) -> Case:
    case = actions.apply(holder.pk, bank_code=JOINT, division_code="510107", by=LI_QIANG, at=AT, **wish)
    return actions.check(case.pk, by=SUPERVISOR, at=AT)


def in_production() -> Batch:
    batch = batches.open_batch(JOINT, **WHO)
    answer = bank.answer(batches.preopening_file(batch.pk), prefix=BIN)
    batches.take_preopening_return(batch.pk, answer, **WHO)
    return batches.start_production(batch.pk, **WHO)


@pytest.mark.clause("B1", "G12", "A4")
def test_the_request_to_the_bank_byte_by_byte(register: Register) -> None:
    """Fields in the order of an application; a child with his guardian, a passport with its end."""
    child = register(9, number=id_number(9, born="20161120"), name="李𬭊", address="示例路 1 号")
    father = id_number(40, born="19850101", female=False)
    proof = {"ground": "parent", "evidence": "birth", "evidence_number": "S510000001"}
    guardian = holders.register_guardian(
        child.pk, name="李建国", kind="A", number=father, **proof, by=LI_QIANG, at=AT
    )
    foreigner = register(
        2, kind="C", number="EJ1234567", name="MARIA SILVA", birth_date=date(1988, 5, 4), sex="2",
        nationality="BRA",
    )  # fmt: skip
    permit = {"number": "BRA51000126001", "issuer": "示例市科技局", "valid_until": date(2027, 11, 20)}
    holders.prove(foreigner.pk, kind="work_permit", **permit, by=LI_QIANG, at=AT)
    until = Validity(date(2020, 2, 1), date(2030, 1, 31))
    holders.record_validity(foreigner.pk, validity=until, by=LI_QIANG, at=AT)
    elder = register(
        3, number=id_number(3, born="19500307"), validity=Validity(date(2010, 3, 8), None, is_long_term=True)
    )
    cases = [sent(child, guardianship_id=guardian.pk), sent(foreigner), sent(elder)]
    batch = batches.open_batch(JOINT, **WHO)
    guarded = f"|李建国|A|{father}|父母"
    lines = [
        f"H|KH|1.0|{batch.number}|{JOINT}|3|0|0|20261120",
        f"1|{cases[0].number}|{child.social_security_number}|A|李𬭊|13900000009|CHN|||20161120|2|示例路 1 号"
        + guarded,
        f"2|{cases[1].number}|EJ1234567|C|MARIA SILVA|13900000002|BRA|20200201|20300131|19880504|2|||||",
        f"3|{cases[2].number}|{elder.social_security_number}|A|王芳|13900000003|CHN|20100308|99991231|19500307|2|||||",
    ]
    data = batches.preopening_file(batch.pk)
    _, asked = PipeBankFiles().read_requests(data)
    assert [(one.valid_from, one.valid_until, one.is_long_term) for one in asked] == [
        (None, None, False), (date(2020, 2, 1), date(2030, 1, 31), False), (date(2010, 3, 8), None, True),
    ]  # fmt: skip
    assert data == gb18030.encode("\r\n".join(lines) + "\r\n")
    assert gb18030.encode("李𬭊") in data
    assert batches.preopening_file(batch.pk) == data
    told = dict(Look.objects.filter(purpose="提供给蜀安银行预开户").values_list("holder_id", "fields"))
    assert all("证件有效期" in fields for fields in told.values())
    assert ("监护人" in told[child.pk], "监护人" in told[foreigner.pk]) == (True, False)


@pytest.mark.clause("B1", "G17")
def test_the_order_to_the_maker_byte_by_byte(register: Register, hall: Outlet) -> None:
    """Who is to get the box; an address goes out only for a card that is posted."""
    here, posted = register(1, name="张䶮"), register(2, name="王芳", address="示例路 2 号")
    sent(here, outlet_id=HALL)
    sent(posted, delivery="1")
    batch = in_production()
    one, two = batch.lines.select_related("case__account").order_by("number")
    accounts = [row.case.account.number for row in (one, two) if row.case.account]
    common = "19900307|510100|20261120|20361120|3|3.00|95901"
    boxed, mailed = "|0|5101070001|武侯大厅|510107|||", "|1|||510107|王芳|13900000002|示例路 2 号"
    lines = [
        f"H|ZK|1.0|{batch.number}|{JOINT}|2|0|0|20261120",
        f"1|{one.card_number}|{here.social_security_number}|张䶮|2|{here.ethnicity}|{common}|{accounts[0]}"
        + boxed,
        f"2|{two.card_number}|{posted.social_security_number}|王芳|2|{posted.ethnicity}|{common}|{accounts[1]}"
        + mailed,
    ]
    assert batches.production_file(batch.pk) == gb18030.encode("\r\n".join(lines) + "\r\n")
    told = dict(Look.objects.filter(purpose="提供给制卡机构制卡").values_list("holder_id", "fields"))
    assert ("收件地址" in told[here.pk], "收件地址" in told[posted.pk]) == (False, True)


@pytest.mark.clause("B1")
def test_a_return_puts_each_card_in_its_box(register: Register, hall: Outlet) -> None:
    for serial in (1, 2, 3):
        sent(register(serial), **({"outlet_id": HALL} if serial < 3 else {}))
    batch = in_production()
    answer = maker.answer(batches.production_file(batch.pk))
    text = gb18030.decode(answer).split("\r\n")
    row, card = batch.lines.get(number=1), text[1].split("|")
    account = row.case.account
    assert account is not None
    holder = row.case.holder
    assert [*card[:6], *card[8:]] == [
        "1", row.card_number, holder.social_security_number, "王芳", "20261120", "20361120",
        JOINT, account.number, "", f"{batch.number[-6:]}-01-001", "", "",
    ]  # fmt: skip
    batches.take_return(batch.pk, answer, **WHO)
    box = f"{batch.number[-6:]}-01"
    assert list(batch.lines.order_by("number").values_list("box", "position")) == [
        (box, 1), (box, 2), (f"{batch.number[-6:]}-02", 1),
    ]  # fmt: skip
    assert batches.place_of(row.case_id) == (box, 1)
    assert row.case.steps.get(status="ready").note == f"装箱：{box} 箱第 1 位"


def changed(data: bytes, number: int, field: int, value: str) -> bytes:
    lines = [line.split("|") for line in gb18030.decode(data).split("\r\n")]
    lines[number][field] = value
    return gb18030.encode("\r\n".join("|".join(fields) for fields in lines))


@pytest.mark.clause("B1")
@pytest.mark.parametrize(
    ("place", "message"),
    [
        ("", "序号 2 的装箱位置是“”，应为“箱号-位置”"),
        ("7", "序号 2 的装箱位置是“7”，应为“箱号-位置”"),
        ("A-0", "序号 2 的装箱位置是“A-0”，应为“箱号-位置”"),
        ("A-x", "序号 2 的装箱位置是“A-x”，应为“箱号-位置”"),
        ("{box}-001", "序号 2 的装箱位置 {box} 箱第 1 位 已有另一张卡"),
        ("OLD-1", "序号 2 的装箱位置 OLD 箱第 1 位 已有另一张卡"),
    ],
)
def test_a_card_that_nobody_could_find_again_is_refused(register: Register, place: str, message: str) -> None:
    sent(register(9))
    whole_round(JOINT, **WHO)
    BatchRow.objects.update(box="OLD", position=1)  # it still waits for its holder
    for serial in (1, 2):
        sent(register(serial))
    batch = in_production()
    good, box = maker.answer(batches.production_file(batch.pk)), f"{batch.number[-6:]}-01"
    before = everything()
    with pytest.raises(DomainError) as refusal:
        batches.take_return(batch.pk, changed(good, 2, 11, place.format(box=box)), **WHO)
    assert refusal.value.code == "return_place_invalid"
    assert refusal.value.message.startswith(message.format(box=box))
    assert everything() == before


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        (2, id_number(77), "回盘社会保障号码与制卡数据不符"),
        (3, "王方", "回盘姓名与制卡数据不符"),
        (4, "20261121", "回盘发卡日期与制卡数据不符"),
        (5, "20261121", "回盘有效期与制卡数据不符"),
        (8, "95903", "回盘服务银行与制卡数据不符"),
        (9, "6229519000000000000", "回盘银行卡号与制卡数据不符"),
    ],
)
def test_a_card_made_otherwise_than_ordered_is_no_card(
    register: Register, field: int, value: str, reason: str
) -> None:
    sent(register(1))
    batch = in_production()
    wrong = changed(maker.answer(batches.production_file(batch.pk)), 1, field, value)
    report = batches.take_return(batch.pk, wrong, **WHO)
    assert (report.failures, Card.objects.count()) == (((1, "制卡", reason),), 0)


def test_another_batchs_return_is_named(register: Register) -> None:
    batch_files = []
    for serial in (1, 2):
        sent(register(serial))
        batch = in_production()
        batch_files.append((batch, maker.answer(batches.production_file(batch.pk))))
    (first, own), (second, other) = batch_files
    with pytest.raises(DomainError) as refusal:
        batches.take_return(first.pk, other, **WHO)
    assert refusal.value.message == (
        f"这个文件是批次 {second.number}、银行 95901 的回盘，本批次是 {first.number}、银行 95901，没有导入。"
        "下一步：打开文件所属的批次上传。"
    )
    refused("return_of_other_batch", lambda: batches.take_incoming(second.pk, own, **WHO))


def test_one_door_takes_whatever_comes_back(register: Register) -> None:
    sent(register(1))
    batch = batches.open_batch(JOINT, **WHO)
    opened = bank.answer(batches.preopening_file(batch.pk), prefix=BIN)
    assert not batches.take_incoming(batch.pk, opened, **WHO).repeated
    assert batches.take_incoming(batch.pk, opened, **WHO).repeated
    refused("batch_step_wrong", lambda: batches.take_incoming(batch.pk, b"x", **WHO))
    batches.start_production(batch.pk, **WHO)
    assert batches.take_incoming(batch.pk, opened, **WHO).repeated
    made = maker.answer(batches.production_file(batch.pk))
    assert batches.take_incoming(batch.pk, made, **WHO).made == 1
    before = everything()
    assert batches.take_incoming(batch.pk, made, **WHO).repeated
    assert batches.take_incoming(batch.pk, opened, **WHO).repeated
    assert everything() == before
    refused("batch_already_returned", lambda: batches.take_incoming(batch.pk, made + b"\r\n", **WHO))
    refused("forbidden", lambda: batches.take_incoming(batch.pk, made, by=LI_QIANG, at=AT))


def with_failures(data: bytes, count: int, failed: str) -> bytes:
    """The first `count` rows of an answer failed, and its head says so."""
    lines = gb18030.decode(data).split("\r\n")
    head = lines[0].split("|")
    head[6:8] = [str(int(head[5]) - count), str(count)]
    spoilt = [f"{line.split('|')[0]}|{failed}" for line in lines[1 : count + 1]]
    return gb18030.encode("\r\n".join(["|".join(head), *spoilt, *lines[count + 1 :]]))


@pytest.mark.clause("B1")
def test_every_card_has_one_fate_and_the_counts_add_up(register: Register, hall: Outlet) -> None:
    cases = [sent(register(serial), outlet_id=HALL) for serial in range(1, 31)]
    batch = batches.open_batch(JOINT, **WHO)

    def fates() -> dict[str, int]:
        found = batches.reconcile(Batch.objects.get(pk=batch.pk))
        assert found.adds_up
        return {one.fate.value: one.count for one in found.lines}

    assert fates() == {"at_bank": 30}
    answer = bank.answer(batches.preopening_file(batch.pk), prefix=BIN)
    batches.take_preopening_return(batch.pk, with_failures(answer, 4, "17||客户身份待核实"), **WHO)
    assert fates() == {"to_maker": 26, "refused": 4}
    batches.start_production(batch.pk, **WHO)
    assert fates() == {"at_maker": 26, "refused": 4}
    answer = maker.answer(batches.production_file(batch.pk))
    report = batches.take_return(batch.pk, with_failures(answer, 3, "|||||||||||制卡|芯片写入失败"), **WHO)
    assert (report.made, report.failed) == (23, 7)
    assert fates() == {"waiting": 23, "refused": 4, "unmade": 3}
    assert batches.reconcile(batch).parts == {
        Part.PENDING: 0, Part.MADE: 23, Part.BANK: 4, Part.MAKER: 3,
    }  # fmt: skip

    # One is fetched, one cancelled before that; of those that failed one goes again, one ends.
    made = list(Case.objects.filter(status="ready").order_by("number"))
    actions.hand_over(made[0].pk, by=LI_QIANG, at=AT)
    actions.cancel(Card.objects.get(cases=made[1]).pk, reason="request", by=LI_QIANG, at=AT)
    turned_down = list(Case.objects.filter(status="failed", batch_rows__failed_step="银行"))
    actions.retry(turned_down[0].pk, by=LI_QIANG, at=AT)
    actions.reject(turned_down[1].pk, reason="本人放弃", by=SUPERVISOR, at=AT)
    assert fates() == {
        "waiting": 21, "collected": 1, "void": 1, "refused": 2, "unmade": 3, "again": 1, "ended": 1,
    }  # fmt: skip
    assert whole_round(JOINT, **WHO).made == 1
    again = batches.rows_with_fate(batch).get(case=turned_down[0])
    assert (again.fate, again.next_batch) == (Fate.AGAIN, Batch.objects.latest("created_at", "number").number)

    exported = list(batches.export_rows(batch, **WHO))
    assert len(exported) == len(cases)
    assert sorted({row[4] for row in exported}) == sorted(
        {"制成，待领取", "制成，已领取", "制成，领取前已注销", "银行退回，待处理", "制卡失败，待处理", "失败后已重新送办",
         "失败后已终止"}
    )  # fmt: skip
    assert not any("王芳" in cell for row in exported for cell in row)


@pytest.mark.clause("B1")
def test_an_outlet_finds_a_card_in_its_box(register: Register, hall: Outlet) -> None:
    for serial in (1, 2, 3):
        sent(register(serial), outlet_id=HALL)
    whole_round(JOINT, **WHO)
    clerk = Actor(UUID(int=1), "李强", Role.CLERK, Channel.COUNTER, scope="5101", outlet_id=HALL)
    (box,) = batches.boxes_at(clerk)
    assert (box.full, box.waiting, box.positions) == (3, 3, (1, 3))
    assert [row.position for row in batches.cards_in(box.number, clerk)] == [1, 2, 3]
    first = batches.cards_in(box.number, clerk)[0].case
    actions.hand_over(first.pk, by=LI_QIANG, at=AT)
    assert [(one.full, one.waiting) for one in batches.boxes_at(clerk)] == [(3, 2)]

    elsewhere = Actor(UUID(int=1), "李强", Role.CLERK, Channel.COUNTER, scope="5101", outlet_id=UUID(int=5))
    for stranger in (elsewhere, ZHAO_MIN):
        assert batches.boxes_at(stranger) == []
        with pytest.raises(DomainError, match="没有找到这个卡箱"):
            batches.cards_in(box.number, stranger)


def test_a_box_with_cards_of_two_outlets_is_told(register: Register, hall: Outlet) -> None:
    sent(register(1), outlet_id=HALL)
    sent(register(2))
    batch = in_production()
    data = changed(maker.answer(batches.production_file(batch.pk)), 1, 11, "X-1")
    batches.take_return(batch.pk, changed(data, 2, 11, "X-2"), **WHO)
    assert [(one.number, one.cards, one.places) for one in batches.boxes_of(batch)] == [
        ("X", 2, ["武侯大厅", "四川省成都市武侯区（未选网点）"])
    ]
