"""Refusals about cards and cases."""

from typing import Any
from uuid import UUID

from tests.refusals.stage import APART, CLOSED, Stage
from tests.refusals.table import refuses, way
from tests.registry.conftest import id_number
from yikatong.core.actor import Actor, Channel, Role
from yikatong.core.errors import Forbidden, NotFound
from yikatong.registry.banks import accounts, requests
from yikatong.registry.banks import rules as bank_rules
from yikatong.registry.banks.models import BankAccount
from yikatong.registry.cards import actions, refusals, rosters
from yikatong.registry.cards.actions import Answers, chips, reading
from yikatong.registry.cards.models import Card, Case
from yikatong.registry.holders.models import Holder
from yikatong.registry.matching import actions as matching
from yikatong.registry.matching import rules as matching_rules
from yikatong.registry.matching.models import Issue
from yikatong.registry.outlets.rules import NotOffered
from yikatong.registry.regions.models import Outlet

way(NotFound, lambda s: actions.report_loss(UUID(int=1), **s.who))
way(Forbidden, lambda s: actions.merge(s.enter(1).pk, s.enter(2).pk, reason="重复登记", **s.proven, **s.who))
way(refusals.IllegalCardMove, lambda s: actions.release_loss(s.carried().pk, **s.who))
way(refusals.IllegalCaseMove, lambda s: actions.hand_over(s.apply().pk, **s.who))
way(refusals.HasCard, lambda s: s.apply(s.carried().holder))
way(refusals.HasComingCard, lambda s: s.apply(s.held().holder))
way(refusals.HasOpenCase, lambda s: s.apply(s.apply().holder))
way(
    refusals.NoLiveCard,
    lambda s: actions.replace(s.enter().pk, reason="damaged", division_code="510107", **s.who),
)
way(refusals.HolderNotActive, lambda s: s.apply(s.dead()))
way(refusals.WrongReason, lambda s: s.replace(s.carried(), "boredom"))
way(refusals.LossFirst, lambda s: s.replace(s.carried(), "lost"))
way(
    refusals.WrongChannel,
    lambda s: actions.release_loss(s.lost().pk, by=s.himself(Holder.objects.get()), at=s.at),
)
way(refusals.InProduction, lambda s: actions.withdraw(s.batch().lines.get().case_id, **s.who))
way(refusals.FourEyes, lambda s: actions.check(s.apply().pk, **s.who))
way(refusals.BadDelivery, lambda s: s.apply(delivery="1"))
way(refusals.NoOutlet, lambda s: s.apply(outlet_id=UUID(int=1)))
way(refusals.BadAuthorisation, lambda s: s.authorise(s.enter(), matters=[]))
way(refusals.OwnAgent, lambda s: s.authorise(s.enter(), number=id_number(1)))
way(refusals.DeathFirst, lambda s: actions.cancel(s.carried().pk, reason="deceased", **s.who))
way(refusals.NoteMissing, lambda s: actions.reject(s.apply().pk, reason="", **s.chief))
way(refusals.WaiverUnknown, lambda s: s.replace(s.carried(), fee_ground="birthday"))
way(refusals.WaiverUnproven, lambda s: s.replace(s.carried(), fee_ground="disabled"))
way(refusals.WaiverNoteMissing, lambda s: s.replace(s.carried(), fee_ground="disaster"))
way(refusals.NothingToPay, lambda s: actions.take_fee(s.apply().pk, receipt="SJ-0001", **s.who))
way(refusals.ReceiptInvalid, lambda s: actions.take_fee(s.apply().pk, receipt="收据", **s.who))
way(refusals.NothingToCorrect, lambda s: actions.ask_correction(s.apply().pk, items={}, **s.chief))
way(refusals.NotCorrecting, lambda s: actions.correct(s.apply().pk, answers=Answers(), **s.who))
way(refusals.NothingCorrected, lambda s: actions.correct(s.asked().pk, answers=Answers(), **s.who))
way(refusals.BadRosterKind, lambda s: rosters.receive(b"", "x.csv", kind="friends", **s.chief))


@refuses(NotOffered)
def _(s: Stage) -> None:
    who = s.seated()
    Outlet.objects.update(services=["申领"], longitude=104.04, latitude=30.64)
    near = {
        "organisation": Outlet.objects.get().organisation,
        "division_code": "510107",
        "services": ["注销"],
    }
    Outlet.objects.create(number="5101070002", name="望江路网点", longitude=104.06, latitude=30.63, **near)
    actions.cancel(s.carried().pk, reason="request", **who)


@refuses(refusals.FormalLossFinal)
def _(s: Stage) -> None:
    card = s.lost()
    s.settings.PROVINCE = "chongqing"
    actions.release_loss(
        card.pk, by=Actor(None, "主管", Role.SUPERVISOR, Channel.COUNTER, scope="51"), at=s.at
    )


@refuses(refusals.LostBeforeActivation)
def _(s: Stage) -> None:
    card = actions.report_loss(s.held().pk, **s.who)
    actions.release_loss(card.pk, **s.who)


@refuses(refusals.LossOfNewCard)
def _(s: Stage) -> None:
    old = s.carried()
    new = actions.hand_over(s.ready(case=s.replace(old)).pk, **s.who)
    actions.report_loss(new.pk, **s.who)


@refuses(refusals.NoAccount)
def _(s: Stage) -> None:
    card = s.carried()
    Card.objects.update(account=None)
    actions.activate_account(card.pk, **s.who)


@refuses(refusals.AgentNotAuthorised)
def _(s: Stage) -> None:
    card = s.carried()
    agent = s.authorise(card.holder, matters=["release"])
    actions.report_loss(card.pk, authorisation_id=agent.pk, **s.who)


@refuses(refusals.AuthorisationEnded)
def _(s: Stage) -> None:
    agent = s.authorise(s.enter())
    for _again in range(2):
        actions.end_authorisation(agent.pk, **s.who)


@refuses(refusals.FeePaid)
def _(s: Stage) -> None:
    case = s.replace(s.carried())
    for receipt in ("SJ-0001", "SJ-0002"):
        actions.take_fee(case.pk, receipt=receipt, **s.who)


@refuses(refusals.ReceiptUsed)
def _(s: Stage) -> None:
    for serial in (1, 2):
        case = s.replace(s.carried(s.enter(serial)))
        actions.take_fee(case.pk, receipt="SJ-0001", **s.who)


@refuses(refusals.FeeUnpaid)
def _(s: Stage) -> None:
    case = s.ready(case=s.replace(s.carried()))
    Case.objects.filter(pk=case.pk).update(fee_paid_at=None)
    actions.hand_over(case.pk, **s.who)


@refuses(refusals.CounterOnly)
def _(s: Stage) -> None:
    case = s.asked()
    actions.correct(case.pk, answers=Answers(seen={"address": "看过"}), by=s.himself(case.holder), at=s.at)


@refuses(reading.CardUnknown)
def _(s: Stage) -> None:
    reading.registered_here("510100D1560000050000000100000001", by=s.clerk)


@refuses(refusals.ChipNotServed)
def _(s: Stage) -> None:
    card = s.lost()
    chips.set_pin(
        f"{card.identification}|{card.number}|",
        "03|0173|0000000000000000|8424000114|135790|",
        holder_id=card.holder_id,
        **s.who,
    )


@refuses(refusals.NotPlaceOfIssue)
def _(s: Stage) -> None:
    case = s.apply(division_code="510703", by=s.other_clerk)
    actions.check(case.pk, by=s.other_clerk, at=s.at)


@refuses(refusals.OtherProvince)
def _(s: Stage) -> None:
    holder = s.enter()
    Holder.objects.update(division_code="500103")
    s.apply(holder, by=s.himself(holder))


# --- banks ---

way(bank_rules.NoBank, lambda s: s.apply(bank_code="00000"))
way(bank_rules.BankClosedToNew, lambda s: s.apply(bank_code=CLOSED))


@refuses(bank_rules.OtherBank)
def _(s: Stage) -> None:
    s.apply(bank_code=APART, by=s.bank_clerk())


way(
    bank_rules.ProvinceOnly,
    lambda _: requests.check_right(Actor(None, "主管", Role.SUPERVISOR, Channel.COUNTER, scope="5101")),
)


@refuses(bank_rules.IllegalAccountMove)
def _(s: Stage) -> None:
    card = s.carried()
    for _again in range(2):
        actions.activate_account(card.pk, **s.who)


@refuses(bank_rules.AccountDiffers)
def _(s: Stage) -> None:
    account = s.carried().account_id
    assert account is not None
    BankAccount.objects.filter(pk=account).update(status="closed", closed_at=s.at)
    accounts.follow(account, bank_rules.Status.ACTIVE, at=s.at)


@refuses(bank_rules.AlreadySettled)
def _(s: Stage) -> None:
    card = s.lost()
    assert card.account is not None
    request = card.account.requests.get()
    type(request).objects.update(status="done", settled_at=s.at)
    requests.retry_now(request.pk, **s.chief)


# --- differing sources ---


def issue(s: Stage, **facts: Any) -> Issue:
    told = {"field": "phone", "ours": "13900000001", "theirs": "13900000002"} | facts
    return Issue.objects.create(
        holder=s.enter(), source="health", division_code="510107", opened_at=s.at, **told
    )


way(
    matching_rules.NotTakeable, lambda s: matching.take(issue(s, field="person").pk, note="已核实", **s.chief)
)
way(
    matching_rules.TheirsUnusable,
    lambda s: matching.take(issue(s, theirs="12345").pk, note="已核实", **s.chief),
)


@refuses(matching_rules.IssueSettled)
def _(s: Stage) -> None:
    found = issue(s)
    for _again in range(2):
        matching.keep(found.pk, note="本库正确", **s.chief)
