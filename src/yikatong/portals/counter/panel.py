"""The right-hand panel: who sits at the desk, masked, and what is still to be done for him."""

from dataclasses import dataclass, field
from uuid import UUID

from yikatong.core.actor import Actor
from yikatong.core.masking import mask_number, mask_phone
from yikatong.registry.banks.models import BankAccount, BankAct
from yikatong.registry.banks.queries import Half, is_asked, lost_half
from yikatong.registry.cards import queries
from yikatong.registry.cards.models import OPEN_CASES, Card, CardStatus, Case, CaseKind, CaseStatus, ECard
from yikatong.registry.cards.rules import is_case_served_by, is_draft_served_by, is_served_by
from yikatong.registry.holders import names
from yikatong.registry.holders.models import Holder
from yikatong.registry.holders.rules import awaits_number
from yikatong.registry.matching import inquiries
from yikatong.registry.matching.models import Inquiry
from yikatong.registry.regions.queries import full_name

Tone = str  # good, warn, bad or ""

TONES: dict[str, Tone] = {
    CardStatus.NORMAL: "good",
    CardStatus.RELEASED: "",
    CardStatus.INACTIVE: "warn",
    CardStatus.TEMPORARILY_LOST: "warn",
    CardStatus.LOST: "warn",
    CardStatus.LOST_CANCELLED: "bad",
    CardStatus.CANCELLED: "bad",
}
_HALVES = {
    Half.ASKED: "挂失已通知银行，等待确认",
    Half.STOPPED: "已挂失",
    Half.REFUSED: "银行没有受理挂失，请持卡人拨打 {hotline}",
    Half.APART: "未挂失，请持卡人拨打 {hotline}",
}
_MADE_IN_ORDER = (
    CaseStatus.SUBMITTED,
    CaseStatus.CHECKED,
    CaseStatus.PREOPENED,
    CaseStatus.PRODUCING,
    CaseStatus.READY,
)
_MAKING = ("材料审核", "银行预开户", "编入制卡批次", "制卡", "领取")


@dataclass(frozen=True, slots=True)
class ToDo:
    label: str
    is_done: bool
    state: str


@dataclass(frozen=True, slots=True)
class Panel:
    """Everything here is already masked."""

    holder_id: UUID
    name: str
    number: str
    phone: str
    place: str
    card: Card | None
    tone: Tone
    bank: str
    account: str
    ecard: str
    case: Case | None
    draft: Case | None = None
    todo: list[ToDo] = field(default_factory=list)
    inquiry: Inquiry | None = None  # how the population source answered for him
    is_bounded: bool = False  # what a bank's clerk does not need is left out


def of(holder: Holder, *, by: Actor) -> Panel:
    """The panel of a holder whose record has been read (and the look written) by the caller.

    A bank's clerk sees neither phone nor e-card, and of another bank's card only that there is one.
    """
    card, case, ecard = queries.card_of(holder.pk), open_case(holder.pk), _ecard(holder.pk)
    if by.bank and (case is not None and not is_case_served_by(case, by)):
        case = None
    account = card.account if card and is_served_by(card, by) else None
    phone = "" if by.bank else holder.phone or ""
    return Panel(
        holder_id=holder.pk,
        name=names.mask(holder.name),
        number="" if awaits_number(holder) else mask_number(holder.social_security_number),
        phone=mask_phone(phone) if phone else "",
        place=full_name((card.division_code if card else holder.division_code)[:6]),
        card=card,
        tone=TONES[card.status] if card else "",
        bank=account.bank.name if account else "其他银行" if card and card.account else "",
        account=_account_words(card) if account else "",
        ecard="" if by.bank else _ecard_words(ecard, card),
        is_bounded=bool(by.bank),
        inquiry=None if by.bank else inquiries.latest(holder.pk),
        case=case,
        draft=_draft(holder, by) if case is None else None,
        todo=_making(case)
        if case and case.kind in {CaseKind.APPLY, CaseKind.REPLACE}
        else []
        if by.bank
        else _using(card, ecard),
    )


def open_case(holder_id: UUID) -> Case | None:
    """The matter under way; there is at most one about making a card."""
    return queries.cases_of(holder_id).filter(status__in=OPEN_CASES).first()


def _draft(holder: Holder, by: Actor) -> Case | None:
    draft = queries.draft_of(holder.pk)
    return draft if draft is None or is_draft_served_by(draft, by) else None


def _account_words(card: Card | None) -> str:
    """The bank half, with what the bank still owes an answer to."""
    account = card.account if card else None
    if card is None or account is None:
        return ""
    if card.status in {CardStatus.LOST, CardStatus.TEMPORARILY_LOST}:
        half = lost_half(account)
        return _HALVES.get(half.state, account.get_status_display()).format(hotline=account.bank.hotline)
    waiting = "，激活已通知银行" if is_asked(account, BankAct.ACTIVATE) else ""
    return account.get_status_display() + waiting


def _ecard(holder_id: UUID) -> ECard | None:
    return ECard.objects.filter(holder_id=holder_id, status=ECard.Status.ISSUED).first()


def _ecard_words(ecard: ECard | None, card: Card | None) -> str:
    """An e-card is usable only while its card is (Sichuan art. 2)."""
    if ecard is None:
        return "未签发"
    usable = card is not None and card.status == CardStatus.NORMAL
    return "已签发" if usable else "已暂停（随实体卡）"


def _making(case: Case) -> list[ToDo]:
    at = 0 if case.status == CaseStatus.CORRECTING else 3
    at = _MADE_IN_ORDER.index(CaseStatus(case.status)) if case.status in _MADE_IN_ORDER else at
    here = {CaseStatus.FAILED: "失败", CaseStatus.CORRECTING: "待补正"}.get(CaseStatus(case.status), "办理中")
    words = ["完成" if step < at else here if step == at else "未开始" for step in range(5)]
    return [ToDo(label, word == "完成", word) for label, word in zip(_MAKING, words, strict=True)]


def _using(card: Card | None, ecard: ECard | None) -> list[ToDo]:
    if card is None:
        return [
            ToDo("登记", is_done=True, state="完成"),
            ToDo("申领社会保障卡", is_done=False, state="未开始"),
        ]
    account = card.account.status if card.account else ""
    steps = [
        ("领卡", card.status != CardStatus.RELEASED),
        ("社会保障功能启用", card.activated_at is not None),
        ("金融账户激活", account not in {"", BankAccount.Status.PREOPENED}),
        ("签发电子社保卡", ecard is not None),
    ]
    return [ToDo(label, is_done, "完成" if is_done else "未办") for label, is_done in steps]
