"""Read cards and cases. Acts and portals that have already read the holder use the plain ones."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from uuid import UUID

from django.db import transaction
from django.db.models import Case as When
from django.db.models import Q, QuerySet, Value
from django.db.models import When as Is

from yikatong.core import looks
from yikatong.core.actor import Actor
from yikatong.core.asking import Question
from yikatong.core.errors import DomainError, NotFound
from yikatong.registry.banks import terms
from yikatong.registry.banks.models import Agreement, Bank, BankAccount
from yikatong.registry.banks.queries import BankHalf, Half, lost_half
from yikatong.registry.cards import elsewhere, following, refusals, rules
from yikatong.registry.cards.models import (
    CASE_TRANSITIONS,
    COMING,
    LIVE,
    OPEN_CASES,
    BatchRow,
    Card,
    CardEvent,
    CardStatus,
    Case,
    CaseKind,
    CaseStatus,
    CaseStep,
    Escalation,
)
from yikatong.registry.holders.models import Holder
from yikatong.registry.holders.queries import surviving
from yikatong.registry.holders.rules import acts_for
from yikatong.registry.regions.law import province


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a case as its holder follows it; `at` is None for the step that is still to come."""

    label: str
    at: datetime | None
    actor: str
    note: str
    owner: str
    due_on: date | None
    is_current: bool
    channel: str = ""
    is_late: bool = False


@dataclass(frozen=True, slots=True)
class LossCover:
    """What a loss has stopped, and what it has not."""

    social_security: bool
    bank: bool
    bank_name: str
    hotline: str
    ends_at: datetime | None
    advice: str
    half: BankHalf | None = None  # of a card that is lost: how far the bank half has come


def card_of(holder_id: UUID) -> Card | None:
    """The live card, else the one on its way, else the last one there was."""
    rank = When(Is(status__in=LIVE, then=Value(0)), Is(status__in=COMING, then=Value(1)), default=Value(2))
    cards = Card.objects.select_related("account__bank").filter(holder_id=holder_id)
    return cards.order_by(rank, "-issued_on", "-pk").first()


def cards_of(holder_id: UUID) -> QuerySet[Card]:
    """All cards of a holder, the latest first."""
    return (
        Card.objects.select_related("account__bank").filter(holder_id=holder_id).order_by("-issued_on", "-pk")
    )


def why_stopped(identification: str, number: str) -> str:
    """Why a card with this 识别码 and 卡号 may not be used, as a terminal's list of stopped cards has it; "" when it may.

    Tells the status of a card in hand and nothing of its holder.
    """
    card = Card.objects.filter(identification=identification, number=number).only("status").first()
    if card is None:
        return "该卡没有登记"
    return "" if card.status == CardStatus.NORMAL else f"该卡状态为“{CardStatus(card.status).label}”"


def cases_of(holder_id: UUID) -> QuerySet[Case]:
    """All matters of a holder, the latest first."""
    cases = Case.objects.select_related("bank", "outlet", "card").filter(holder_id=holder_id)
    return cases.order_by("-created_at", "-pk")


@transaction.atomic
def case(number: str, *, by: Actor, at: datetime) -> Case:
    """A case by its number, with a look row; NotFound to a stranger."""
    cases = Case.objects.select_related(
        "holder", "bank", "outlet", "card__account", "old_card", "authorisation"
    )
    found = cases.filter(number=number.strip()).first()
    if found is None or not acts_for(by, found.holder) or not rules.is_case_served_by(found, by):
        raise NotFound("没有找到这件受理单。请核对受理号后重试。")
    looks.record(found.holder_id, by=by, at=at, purpose="查询受理进度", fields=("姓名", "受理单"))
    return found


_TAKEN: Final = Question(
    lambda case, clerk: (
        CaseStep.objects.filter(case_id=case, status=CaseStatus.SUBMITTED, actor_id=clerk)
        .order_by()
        .values_list("pk")[:1]
    ),
    UUID,
    UUID,
)


def check_hindrance(case: Case, *, by: Actor) -> DomainError | None:
    """What stands against `by` approving this case: that another city issues it, or that he took it himself.

    Cases of a roster have no taker, a holder's own has himself: those are free to every checker.
    """
    if (other := elsewhere.hindrance(case, by=by)) is not None:
        return other
    if by.id is None or not rules.needs_four_eyes(by, province()):
        return None
    return refusals.FourEyes() if _TAKEN(case.pk, by.id) else None


def withdrawal_hindrance(case: Case) -> DomainError | None:
    """What stands against taking this application back: it lies with the bank or the maker, or has ended."""
    if case.status in OPEN_CASES and case.batch_rows.filter(result=BatchRow.Result.PENDING).exists():
        return refusals.InProduction()
    allowed = CASE_TRANSITIONS[CaseStatus(case.status)]
    return None if CaseStatus.WITHDRAWN in allowed else rules.case_refusal(case.status, CaseStatus.WITHDRAWN)


def timeline(case: Case) -> list[Step]:
    """The steps taken, and after them the one being waited for, with its owner and limit."""
    steps = [
        Step(
            CaseStatus(one.status).label,
            one.at,
            one.actor_name,
            one.note,
            "",
            None,
            is_current=False,
            channel=rules.CHANNELS.get(one.channel, ""),
        )
        for one in case.steps.order_by("at", "pk")
    ]
    if late := [_risen(one) for one in case.escalations.all()]:
        steps = sorted([*steps, *late], key=lambda one: one.at.timestamp() if one.at else 0)
    return [*steps, *_waiting(case)]


def _risen(one: Escalation) -> Step:
    label = f"{CaseStatus(one.status).label}超过期限，已报业务主管"
    return Step(label, one.at, "平台", one.order, "", one.due_on, is_current=False, is_late=True)


def being_made(holder_id: UUID) -> Case | None:
    """The matter in which this holder's card is being made; there is at most one."""
    kinds = (CaseKind.APPLY, CaseKind.REPLACE)
    return cases_of(holder_id).filter(kind__in=kinds, status__in=OPEN_CASES).first()


def draft_of(holder_id: UUID, kind: str = "") -> Case | None:
    """The application this holder has begun and not submitted, in whatever channel."""
    drafts = Case.objects.select_related("bank", "outlet").filter(
        holder_id=holder_id, status=CaseStatus.DRAFT
    )
    return drafts.filter(**({"kind": kind} if kind else {})).first()


@transaction.atomic
def draft_to_finish(holder_id: UUID, kind: str, *, purpose: str, by: Actor, at: datetime) -> Case | None:
    """The draft staff may go on with: one that names another bank is none of a bank's clerk's.

    An address in it stands on the page in clear, which the holder sees in his log.
    """
    draft = draft_of(holder_id, kind)
    if draft is None or not rules.is_draft_served_by(draft, by):
        return None
    if draft.address:
        looks.record(holder_id, by=by, at=at, purpose=purpose, fields=("收件地址",))
    return draft


def overdue(by: Actor, status: str = "") -> QuerySet[Escalation]:
    """Steps of the actor's region that are over their limit now, the longest first: a supervisor's list."""
    late = Escalation.objects.filter(closed_at=None)
    late = late.filter(division_code__startswith=by.scope, **({"status": status} if status else {}))
    return late.order_by("due_on", "at", "pk")


def _waiting(case: Case) -> Iterator[Step]:
    if case.status in rules.CASE_OWNER:
        owner = following.owner(case, CaseStatus(case.status))
        next_step = rules.CASE_NEXT_STEP[case.status]
        yield Step(next_step, None, "", "", owner, case.step_due_on, is_current=True)


def events_of(card: Card) -> QuerySet[CardEvent]:
    return card.events.order_by("at", "pk")


def queue(
    by: Actor,
    status: str,
    kinds: tuple[str, ...] = (CaseKind.APPLY, CaseKind.REPLACE),
    where: Q | None = None,
) -> QuerySet[Case]:
    """Cases of the actor's region (or such as `where` says) in a status, the oldest first: work lists of the counter."""
    cases = Case.objects.select_related("bank", "outlet").filter(status=status, kind__in=kinds)
    cases = cases.filter(bank=by.bank) if by.bank else cases
    return cases.filter(where or Q(division_code__startswith=by.scope)).order_by("created_at")


def account_after_death(card: Card, *, day: date) -> str:
    """What the bank does with the account of one who has died, as agreed; "" where there is none."""
    if card.account is None:
        return ""
    bank, how = card.account.bank, terms.standing(card.account.bank_id, day).on_death
    if how == Agreement.OnDeath.APART:
        return f"金融账户由继承人向{bank.name}办理，客服电话 {bank.hotline}。"
    verb = "冻结" if how == Agreement.OnDeath.FREEZE else "停止支付"
    return f"按合作协议，同时通知{bank.name}对金融账户{verb}，由继承人向银行办理，客服电话 {bank.hotline}。"


@dataclass(frozen=True, slots=True)
class Payee:
    """Where money for a person goes now; without an account, `hindrance` says why (Chinese)."""

    holder_id: UUID
    account: BankAccount | None
    hindrance: str = ""


def payee_of(holder_id: UUID) -> Payee:
    """Resolved at the moment of paying: a merged record pays into the one it stands under, a changed card into the
    new account; nothing is paid to one who has died (Guangdong art. 8).
    """
    holder = Holder.objects.get(pk=surviving(holder_id))
    if holder.status != Holder.Status.ACTIVE:
        return Payee(holder.pk, None, f"持卡人登记为“{holder.get_status_display()}”，暂停发放")
    card = holder.cards.filter(status__in=LIVE).select_related("account__bank").first()
    account = card.account if card else None
    if account is None:
        return Payee(holder.pk, None, "没有启用的社会保障卡账户")
    if account.status in {BankAccount.Status.CLOSED, BankAccount.Status.PREOPENED}:
        return Payee(holder.pk, None, f"金融账户{account.get_status_display()}")
    return Payee(holder.pk, account)


def loss_cover(card: Card, *, day: date) -> LossCover:
    """Which halves a loss of this card covers: would cover before it is reported, has covered after it."""
    bank = card.account.bank if card.account else None
    lost = card.status in {CardStatus.LOST, CardStatus.TEMPORARILY_LOST}
    half = lost_half(card.account) if lost else None
    joint = bank is not None and terms.standing(bank.pk, day).joint_loss
    return LossCover(
        social_security=lost or card.status in {CardStatus.NORMAL, CardStatus.INACTIVE},
        bank=half.state in {Half.ASKED, Half.STOPPED} if half else joint,
        bank_name=bank.name if bank else "",
        hotline=bank.hotline if bank else "",
        ends_at=card.loss_ends_at,
        advice=_advice(bank, half, joint=joint),
        half=half,
    )


def _advice(bank: Bank | None, half: BankHalf | None, *, joint: bool) -> str:
    if bank is None:
        return "该卡没有关联银行账户。"
    match half.state if half else None:
        case Half.ASKED:
            return f"社会保障功能已停用；已通知{bank.name}停用金融账户，正在等待银行确认。"
        case Half.STOPPED:
            return f"社会保障功能和{bank.name}金融账户都已停用。"
        case Half.REFUSED:
            reason = f"（{half.reason}）" if half and half.reason else ""
            return f"社会保障功能已停用；{bank.name}没有受理金融账户挂失{reason}，请尽快拨打 {bank.hotline}。"
    if joint and half is None:
        return f"社会保障功能和{bank.name}金融账户同时挂失。"
    return f"只挂失社会保障功能；金融账户须另向{bank.name}挂失，请拨打 {bank.hotline}。"
