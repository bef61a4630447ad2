"""Refusals about banks as partners: agreements, accounts held by order, a bank's paper; and joint matters."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from tests.agreements import agree
from tests.refusals.stage import APART, JOINT, Stage
from tests.refusals.table import refuses, way
from tests.registry.conftest import MIAN_YANG, id_number
from tests.registry.joint.conftest import FATHER, MAKING, newborn, veteran
from yikatong.adapters.bank_files import sandbox as bank_sandbox
from yikatong.adapters.card_maker import sandbox as maker_sandbox
from yikatong.core.actor import Actor, Channel, Role
from yikatong.registry.banks import agreeing, freezing, replies, rules
from yikatong.registry.banks.connector import Answer
from yikatong.registry.banks.freezing import Order
from yikatong.registry.banks.models import Agreement, BankAccount, BankRequest, Hold
from yikatong.registry.banks.replies import Paper
from yikatong.registry.cards import actions, batches, refusals
from yikatong.registry.cards.batches import files
from yikatong.registry.cards.models import Card, Case
from yikatong.registry.holders import refusals as holder_rules
from yikatong.registry.holders.actions import life
from yikatong.registry.joint import actions as joint
from yikatong.registry.joint import following, moves
from yikatong.registry.joint import rules as joint_rules
from yikatong.registry.joint.connector import Answer as JointAnswer
from yikatong.registry.joint.models import JointItem, JointRequest
from yikatong.registry.regions.models import Organisation, Outlet
from yikatong.registry.stock import actions as stock
from yikatong.registry.stock import rules as stock_rules
from yikatong.using.codes import actions as codes
from yikatong.using.codes import rules as code_rules

OTHER: dict[str, Any] = {
    "by": Actor(UUID(int=6), "刘主任", Role.SUPERVISOR, Channel.WEB, scope="51"), "at": Stage.at,
}  # fmt: skip

# --- agreements ---


def drafted(s: Stage, **changes: Any) -> Agreement:
    entry: dict[str, Any] = {
        "number": "川社卡合作〔2026〕009 号", "valid_from": date(2026, 11, 1), "valid_until": date(2028, 11, 1),
        "promises": {"opens_accounts": True},
    }  # fmt: skip
    return agreeing.draft(APART, **(entry | changes), **s.chief)


def confirmed(s: Stage) -> Agreement:
    return agreeing.confirm(drafted(s).pk, **OTHER)


def end(s: Stage, agreement: Agreement, reason: str = "银行申请退出") -> object:
    return agreeing.ask_end(agreement.pk, on=date(2027, 1, 1), reason=reason, **s.chief)


way(agreeing.BadAgreement, lambda s: drafted(s, valid_until=date(2026, 11, 1)))
way(agreeing.NumberTaken, lambda s: [drafted(s) for _ in range(2)])
way(agreeing.NotADraft, lambda s: agreeing.confirm(confirmed(s).pk, **OTHER))
way(agreeing.FourEyesOfAgreement, lambda s: agreeing.confirm(drafted(s).pk, **s.chief))
way(agreeing.LaterAgreement, lambda s: agreeing.confirm(drafted(s, valid_from=date(2019, 1, 1)).pk, **OTHER))
way(agreeing.CannotEnd, lambda s: end(s, drafted(s)))
way(agreeing.NoReason, lambda s: end(s, confirmed(s), ""))
way(rules.NoAgreement, lambda s: (Agreement.objects.all().delete(), s.apply()))
way(rules.OpensNoAccounts, lambda s: (agree(JOINT, opens_accounts=False), s.apply()))
way(
    rules.OutletNotDelegated,
    lambda s: s.apply(by=Actor(None, "林芳", Role.BANK_CLERK, Channel.COUNTER, scope="51", bank=JOINT)),
)


@refuses(rules.MatterNotDelegated)
def _(s: Stage) -> None:
    clerk = s.bank_clerk()
    agree(JOINT, matters=[])
    s.apply(by=clerk)


# --- accounts held by order ---

ORDER = Order(
    authority="court", authority_name="武侯区人民法院", document="（2026）川 0107 执 88 号", reason="执行案件",
    contact="", ordered_on=Stage.today, until=Stage.today + timedelta(days=365),
)  # fmt: skip


def held(s: Stage, *, online: bool = True, times: int = 1, **changes: Any) -> Hold:
    card = s.carried()
    agree(JOINT, is_online=online)
    assert card.account_id is not None
    for _again in range(times):
        hold = freezing.freeze(card.account_id, replace(ORDER, **changes), **s.chief)
    return hold


way(rules.BankNotOnline, lambda s: held(s, online=False))
way(freezing.BadOrder, lambda s: held(s, authority="friend"))
way(freezing.HeldAlready, lambda s: held(s, times=2))


@refuses(freezing.AccountClosed)
def _(s: Stage) -> None:
    card = s.carried()
    agree(JOINT, is_online=True)
    BankAccount.objects.update(status="closed", closed_at=s.at)
    assert card.account_id is not None
    freezing.freeze(card.account_id, ORDER, **s.chief)


@refuses(freezing.NotHeld)
def _(s: Stage) -> None:
    hold = held(s)
    over = next(one for one in Hold.Status if one not in freezing.STANDING)
    Hold.objects.update(status=over)
    freezing.unfreeze(hold.pk, document="（2026）执 88 号之一", reason="执行完毕", **s.chief)


# --- a bank's paper ---


def silent(s: Stage, *, days: int = 3) -> BankRequest:
    """Asked some days ago, and no answer since."""
    s.lost()
    BankRequest.objects.update(created_at=s.at - timedelta(days=days))
    return BankRequest.objects.get(act="report_loss")


def recorded(s: Stage, request: BankRequest, **changes: Any) -> Any:
    paper = {"is_done": True, "document": "蜀安函〔2026〕31 号", "answered_on": s.today, "status": "lost"}
    return replies.record(request.pk, Paper(**(paper | changes)), **s.chief)


def contradicted(s: Stage) -> Any:
    """The paper said it is done, and the line says later that it is not."""
    request = silent(s)
    replies.confirm(recorded(s, request).pk, **OTHER)
    answer = Answer(is_done=False, code="05", reason="账户不存在", account="", status="", at=s.at)
    found = replies.compare(request.pk, answer, at=s.at)
    assert found is not None
    return found


way(replies.TooEarly, lambda s: recorded(s, silent(s, days=0)))
way(replies.BadAnswer, lambda s: recorded(s, silent(s), document=""))
way(replies.AnswerWaits, lambda s: [recorded(s, request) for request in [silent(s)] * 2])
way(replies.FourEyesOfAnswer, lambda s: replies.confirm(recorded(s, silent(s)).pk, **s.chief))
way(
    replies.NotProposed,
    lambda s: [replies.drop(written.pk, **OTHER) for written in [recorded(s, silent(s))] * 2],
)
way(replies.NoNote, lambda s: replies.keep(contradicted(s).pk, note="", **s.chief))
way(
    replies.Settled,
    lambda s: [replies.keep(one.pk, note="与银行核对无误", **s.chief) for one in [contradicted(s)] * 2],
)


@refuses(replies.NotItsTurn)
def _(s: Stage) -> None:
    silent(s)
    actions.release_loss(Card.objects.get().pk, **s.who)
    BankRequest.objects.update(created_at=s.at - timedelta(days=3))
    recorded(s, BankRequest.objects.get(act="release"))


# --- another city ---


way(refusals.OnlyAtIssue, lambda s: actions.cancel(s.carried().pk, reason="request", by=MIAN_YANG, at=s.at))

# --- joint matters ---


def born(s: Stage, **changes: Any) -> Any:
    return joint.open_newborn(newborn(**changes), MAKING, guardian=FATHER, **s.who)


def left_army(s: Stage, holder: Any = None, **changes: Any) -> Any:
    return joint.open_veteran((holder or s.enter()).pk, veteran(**changes), **s.who)


way(joint_rules.JointKnown, lambda s: [born(s) for _ in range(2)])
way(joint_rules.NotANewborn, lambda s: born(s, birth_date=date(2020, 1, 1)))
way(joint_rules.FieldWrong, lambda s: born(s, hospital=""))
way(joint_rules.OrderMissing, lambda s: joint.give_order(born(s).pk, "birth", order="", **s.chief))
way(joint_rules.NotCorrectable, lambda s: joint.correct(born(s).pk, "household", answers={}, **s.who))
way(joint_rules.NothingToWithdraw, lambda s: [joint.withdraw(one.pk, **s.who) for one in [born(s)] * 2])
way(
    holder_rules.NumberKnown,
    lambda s: life.give_number(s.enter().pk, number=id_number(3), **s.proven, **s.who),
)
way(joint_rules.NotDischarged, lambda s: left_army(s, discharged_on=date(2027, 1, 1)))
way(joint_rules.TooYoungToServe, lambda s: left_army(s, s.child()))
way(refusals.NumberAwaited, lambda s: actions.check(born(s).case.pk, **s.chief))


@refuses(joint_rules.NumberOfAnother)
def _(s: Stage) -> None:
    joint.withdraw(born(s).pk, **s.who)
    born(s, name="刘小曼")


@refuses(joint_rules.GuardianOfAnother)
def _(s: Stage) -> None:
    joint.withdraw(born(s).pk, **s.who)
    joint.open_newborn(newborn(), MAKING, by=s.himself(s.enter(12)), at=s.at)


@refuses(joint_rules.NothingCorrected)
def _(s: Stage) -> None:
    matter = born(s)
    asked = JointRequest.objects.get(item__joint=matter, item__key="birth")
    following.settle(asked.pk, JointAnswer("correcting", "W1", "姓名与底册不一致", s.at), at=s.at)
    joint.correct(matter.pk, "birth", answers={"name": "刘小满"}, **s.who)


@refuses(joint_rules.ItemSettled)
def _(s: Stage) -> None:
    """The acts look before they move; this is the table behind them."""
    moves.move_item(born(s).items.get(key="household"), JointItem.Status.DONE, **s.who)


# --- stock, boxes, expiry ---


@refuses(stock_rules.OtherOutlet)
def _(s: Stage) -> None:
    seat = s.seated()
    case = s.printable()
    facts = {"organisation": Organisation.objects.get(), "division_code": "510107"}
    Case.objects.update(outlet=Outlet.objects.create(number="5101070002", name="望江路网点", **facts))
    stock.issue_at_once(case.pk, **seat)


@refuses(stock_rules.CountOwn)
def _(s: Stage) -> None:
    seat = s.seated()
    stock.confirm_count(stock.count(JOINT, counted=0, **seat).pk, **seat)


@refuses(stock_rules.CountConfirmed)
def _(s: Stage) -> None:
    seat = s.seated()
    head = Actor(
        UUID(int=4), "陈晓", Role.SUPERVISOR, Channel.COUNTER, scope="51", outlet_id=seat["by"].outlet_id
    )
    done = stock.count(JOINT, counted=0, **seat)
    for _again in range(2):
        stock.confirm_count(done.pk, by=head, at=s.at)


@refuses(stock_rules.NoShortage)
def _(s: Stage) -> None:
    seat = s.seated()
    stock.receive(JOINT, first="000001", count=1, **seat)
    head = Actor(
        UUID(int=4), "陈晓", Role.SUPERVISOR, Channel.COUNTER, scope="51", outlet_id=seat["by"].outlet_id
    )
    stock.write_off("000001", reason="未找到", by=head, at=s.at)


@refuses(files.BadPlace)
def _(s: Stage) -> None:
    for serial in (1, 2):
        s.checked(serial)
    batch = batches.open_batch(JOINT, **s.chief)
    opened = bank_sandbox.answer(batches.preopening_file(batch.pk), prefix=batch.bank.bin)
    batches.take_preopening_return(batch.pk, opened, **s.chief)
    batches.start_production(batch.pk, **s.chief)
    made = maker_sandbox.answer(batches.production_file(batch.pk))
    batches.take_return(batch.pk, made.replace(b"-01-002", b"-01-001"), **s.chief)


@refuses(code_rules.CardExpired)
def _(s: Stage) -> None:
    card = s.carried()
    Card.objects.update(expires_on=s.today - timedelta(days=1))
    codes.issue_ecard(card.holder_id, by=s.himself(card.holder), at=s.at)
