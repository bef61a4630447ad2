"""A town of a dozen people to whom everything has happened once, by the acts themselves."""

from datetime import timedelta
from typing import Any

from tests.agreements import agree
from tests.registry.conftest import APART, AT, JOINT, LI_QIANG, SUPERVISOR, bank_answers, herself, id_number
from yikatong.adapters.bank_files import sandbox as bank_sandbox
from yikatong.adapters.card_maker import sandbox as maker_sandbox
from yikatong.adapters.production_sandbox import whole_round
from yikatong.core.actor import Actor, Channel, Role
from yikatong.core.clock import day_of
from yikatong.core.sm import sm2
from yikatong.registry.banks import deliveries, freezing, requests
from yikatong.registry.banks.connector import Answer
from yikatong.registry.banks.models import BankAccount
from yikatong.registry.cards import actions, batches
from yikatong.registry.cards.actions import Wish
from yikatong.registry.cards.models import Card, Case, CaseKind
from yikatong.registry.holders import actions as holders
from yikatong.registry.holders.models import Holder
from yikatong.registry.joint import actions as joint
from yikatong.registry.joint import following
from yikatong.registry.joint.actions import Guardian, Making, Newborn
from yikatong.registry.joint.connector import Answer as JointAnswer
from yikatong.registry.joint.connector import State
from yikatong.registry.joint.models import JointRequest
from yikatong.registry.outlets.rules import SERVICES
from yikatong.registry.regions.models import Organisation, Outlet
from yikatong.registry.stock import actions as stock
from yikatong.registry.stock import tasks as printing
from yikatong.using.codes import actions as codes
from yikatong.using.codes import sealing

#: When the town is looked at: everything due before has been done.
NOW = AT + timedelta(days=20)
_BY = {"by": LI_QIANG, "at": AT}


def build() -> None:
    """`places` and `partners` stand, and a printer is set up."""
    outlet = _hall()
    carrying = [_applies(serial) for serial in range(1, 10)]
    _child()
    whole_round(JOINT, by=SUPERVISOR, at=AT)
    cards = [_carries(one) for one in carrying]
    _devices(carrying)
    _replaced(carrying[0])
    _losses(cards)
    _ended(carrying)
    _waiting()
    _stock(outlet)
    _banks()
    _joint()
    _night()


def _hall() -> Outlet:
    office = Organisation.objects.create(
        code="CDHRSS", name="成都市人社局", kind="hrss", division_code="510100"
    )
    return Outlet.objects.create(
        number="5101070001", name="武侯区社保经办大厅", organisation=office, division_code="510107",
        issues_at_once=True, services=list(SERVICES),
    )  # fmt: skip


def _enter(serial: int, **changes: Any) -> Holder:
    claim: dict[str, Any] = {
        "kind": "A", "number": id_number(serial), "name": "王芳", "phone": f"139{serial:08d}",
        "division_code": "510107", "ground": "residence",
    }  # fmt: skip
    return holders.register(**(claim | changes), **_BY)


def _applies(serial: int, *, bank_code: str = JOINT, check: bool = True) -> Holder:
    holder = _enter(serial)
    case = actions.apply(holder.pk, bank_code=bank_code, division_code="510107", **_BY)
    if check:
        actions.check(case.pk, by=SUPERVISOR, at=AT)
    return holder


def _child() -> None:
    """With a guardian, in the same batch; and another who is of age soon after."""
    for serial, born in ((30, "20150307"), (31, "20101125")):
        child = _enter(serial, number=id_number(serial, born=born))
        holders.register_guardian(
            child.pk, name="王芳", kind="A", number=id_number(1), ground="parent", evidence="birth", **_BY
        )
        case = actions.apply(child.pk, bank_code=JOINT, division_code="510107", **_BY)
        actions.check(case.pk, by=SUPERVISOR, at=AT)


def _carries(holder: Holder) -> Card:
    case = Case.objects.get(holder=holder, status="ready")
    card = actions.hand_over(case.pk, **_BY)
    actions.activate_account(card.pk, **_BY)
    return actions.activate(card.pk, **_BY)


def _devices(people: list[Holder]) -> None:
    for holder in people[:7]:
        codes.issue_ecard(holder.pk, by=herself(holder), at=AT)
        key = sm2.generate().public
        codes.register_device(holder.pk, public_key=key, name="手机", by=herself(holder), at=AT)


def _replaced(holder: Holder) -> None:
    """Damaged, paid for, made at the next batch, in use."""
    case = actions.replace(holder.pk, reason="damaged", division_code="510107", **_BY)
    actions.take_fee(case.pk, receipt="SJ-0001", **_BY)
    actions.check(case.pk, by=SUPERVISOR, at=AT)
    whole_round(JOINT, by=SUPERVISOR, at=AT)
    card = actions.hand_over(case.pk, **_BY)
    actions.activate(card.pk, **_BY)


def _losses(cards: list[Card]) -> None:
    actions.report_loss(cards[1].pk, **_BY)
    bank_answers()
    actions.release_loss(cards[1].pk, **_BY)
    bank_answers()
    actions.report_temporary_loss(cards[3].pk, **_BY)
    bank_answers()
    actions.report_temporary_loss(cards[2].pk, by=LI_QIANG, at=NOW - timedelta(days=1))
    bank_answers(at=NOW)


def _ended(people: list[Holder]) -> None:
    actions.record_death(people[4].pk, on=AT.date(), evidence="居民死亡医学证明 1", **_BY)
    actions.restore(people[4].pk, reason="登记有误", by=SUPERVISOR, at=AT)
    actions.record_death(people[5].pk, on=AT.date(), evidence="居民死亡医学证明 2", **_BY)
    actions.record_leaving(people[6].pk, reason="moved", evidence="户口迁移证 1", **_BY)
    why = {"reason": "同一人两次登记", "evidence": "户口簿 1", "by": SUPERVISOR, "at": AT}
    actions.merge(people[7].pk, people[8].pk, **why)


def _waiting() -> None:
    """Cases in every open step but production: one of them late, one given back to its applicant, one a draft."""
    _applies(40, check=False)
    asked = _applies(41, check=False)
    case = Case.objects.get(holder=asked)
    actions.ask_correction(case.pk, items={"phone": "号码已停机"}, by=SUPERVISOR, at=NOW - timedelta(days=2))
    draft = _enter(42)
    wish = Wish(division_code="510107", bank_code=JOINT)
    actions.save_draft(draft.pk, kind=CaseKind.APPLY, wish=wish, **_BY)
    holders.add_category(draft.pk, kind="student", valid_from=AT.date(), source="education", **_BY)
    failing = _applies(43, bank_code=APART)
    batch = batches.open_batch(APART, by=SUPERVISOR, at=AT)
    answer = bank_sandbox.answer(batches.preopening_file(batch.pk), prefix=batch.bank.bin, failing=1.0)
    batches.take_preopening_return(batch.pk, answer, by=SUPERVISOR, at=AT)
    batches.start_production(batch.pk, by=SUPERVISOR, at=AT)
    assert Case.objects.get(holder=failing).status == "failed"


def _stock(outlet: Outlet) -> None:
    clerk = Actor(None, "李强", Role.CLERK, Channel.COUNTER, scope="5101", outlet_id=outlet.pk)
    who = {"by": clerk, "at": AT + timedelta(minutes=1)}
    stock.receive(JOINT, first="000001", count=6, **who)
    for serial in (50, 51):
        _applies(serial)
    batch = batches.open_batch(JOINT, by=SUPERVISOR, at=AT)  # their accounts are opened by file
    answer = bank_sandbox.answer(batches.preopening_file(batch.pk), prefix=batch.bank.bin)
    batches.take_preopening_return(batch.pk, answer, by=SUPERVISOR, at=AT)
    batches.start_production(batch.pk, by=SUPERVISOR, at=AT)
    answer = maker_sandbox.answer(batches.production_file(batch.pk), failing=1.0)
    batches.take_return(batch.pk, answer, by=SUPERVISOR, at=AT)
    for serial in (50, 51):
        case = Case.objects.get(holder__phone_index=holders.phone_index(f"139{serial:08d}"))
        actions.retry(case.pk, by=SUPERVISOR, at=AT)
        stock.issue_at_once(case.pk, **who)
        if serial == 50:
            job = stock.start_next(outlet.pk, at=AT)
            assert job is not None
            order = stock.order_of(job, at=AT)
            made = printing.printer()
            assert made is not None
            stock.printed(job.pk, order, made.print_card(order, job.blank.serial), at=who["at"])
    stock.spoil("000003", reason="卡面划伤", **who)
    stock.give_back(first="000004", count=1, **who)
    stock.count(JOINT, counted=2, note="找到一张", by=clerk, at=AT + timedelta(minutes=2))


def _banks() -> None:
    agree(JOINT, delivers_by=8, is_online=True)
    held = BankAccount.objects.filter(bank=JOINT, status="active").order_by("opened_at", "pk")[0]
    order = freezing.Order(
        authority="court",
        authority_name="武侯区人民法院",
        document="执 1 号",
        reason="执行案件",
        ordered_on=day_of(AT),
    )
    hold = freezing.freeze(held.pk, order, by=SUPERVISOR, at=AT)
    done = Answer(is_done=True, code="00", reason="", account="", status="frozen", at=AT)
    requests.settle(hold.request_id, done, at=AT)
    agree(JOINT, is_online=False)
    deliveries.expect(at=AT)
    owed = deliveries.owed(at=AT)[0]
    deliveries.take(owed.pk, [], at=AT)


def _joint() -> None:
    """A newborn whose number has come, one who awaits his; a department late, one that asks for a correction."""
    father = Guardian(name="刘洋", kind="A", number=id_number(41), phone="13800000041")
    making = Making(bank_code=JOINT, division_code="510107")
    for number, answered in (("T510000001", {"birth", "household"}), ("T510000002", {"birth"})):
        child = Newborn(
            name="刘小满", sex="2", birth_date=day_of(AT), birth_certificate=number, hospital="示例医院",
            mother_name="周小雨", household_book="510107123", division_code="510107",
        )  # fmt: skip
        joint.open_newborn(child, making, guardian=father, **_BY)
        _departments_say(number, answered)


def _departments_say(certificate: str, answered: set[str]) -> None:
    for key in ("birth", "household", "vaccination"):
        request = JointRequest.objects.filter(item__key=key, item__joint__holder__certificates__number_index=(
            holders.certificate_index("B", certificate))).get()  # fmt: skip
        state: State = "done" if key in answered else "correcting" if key == "vaccination" else "accepted"
        number = {"household": id_number(50, born=f"{day_of(AT):%Y%m%d}")}.get(key, certificate)
        following.settle(request.pk, JointAnswer(state, "1", "", AT, {"number": number}), at=AT)


def _night() -> None:
    """What jobs do every hour and day, up to now."""
    for act in (
        actions.release_ended_losses, actions.close_uncorrected, actions.escalate_overdue,
        joint.escalate_overdue, holders.end_grown_wards, holders.switch_categories, sealing.seal,
    ):  # fmt: skip
        act(at=NOW)
