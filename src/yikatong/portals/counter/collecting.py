"""领卡与启用: which of the three steps is next, and doing one."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from yikatong.core.actor import Actor
from yikatong.core.errors import DomainError
from yikatong.portals.counter.panel import Panel
from yikatong.registry.banks.models import BankAccount, BankAct
from yikatong.registry.banks.queries import is_asked
from yikatong.registry.cards import actions, queries
from yikatong.registry.cards.models import COMING, Card, CardStatus, Case, CaseStatus


class NothingToCollect(DomainError):
    code = "nothing_to_collect"
    message = "没有待领取的卡。请查询办理进度，卡片制成并到网点后再领取。"


@dataclass(frozen=True, slots=True)
class CollectStep:
    key: str
    title: str
    explained: str
    state: str  # done, next, later


def steps(panel: Panel) -> list[CollectStep]:
    """The bank half may be activated any time after the card is in hand, and apart from the other."""
    card = panel.card
    has_card = card is not None and card.status not in COMING
    in_hand = has_card or (card is not None and card.status == CardStatus.INACTIVE)
    in_use = has_card and card is not None and card.activated_at is not None
    account = card.account if card is not None else None
    opened = account is not None and (
        account.status != BankAccount.Status.PREOPENED or is_asked(account, BankAct.ACTIVATE)
    )
    ready = panel.case is not None and panel.case.status == CaseStatus.READY
    return [
        CollectStep("hand_over", "领卡", "核对人、证、卡一致后交给持卡人。", _state(in_hand and not ready, ready)),
        CollectStep(
            "activate", "社会保障功能启用", "启用后可用于全部社会保障和公共服务；补换的，原卡同时注销。",
            _state(in_use and not ready, in_hand and not ready),
        ),
        CollectStep(
            "activate_account", "金融账户激活", "由持卡人自愿办理，与社会保障功能互不影响。",
            _state(opened and not ready, in_hand and not ready),
        ),
    ]  # fmt: skip


def _state(is_done: bool, is_next: bool) -> str:  # noqa: FBT001 - two facts of one step
    return "done" if is_done else "next" if is_next else "later"


def do(key: str, holder_id: UUID, *, by: Actor, at: datetime) -> str:
    """Do one step; returns its key."""
    if key == "activate":
        actions.activate(_card(holder_id).pk, by=by, at=at)
    elif key == "activate_account":
        actions.activate_account(_card(holder_id).pk, by=by, at=at)
    else:
        key = "hand_over"
        actions.hand_over(_ready(holder_id).pk, by=by, at=at)
    return key


def _ready(holder_id: UUID) -> Case:
    case = queries.cases_of(holder_id).filter(status=CaseStatus.READY).first()
    if case is None:
        raise NothingToCollect
    return case


def _card(holder_id: UUID) -> Card:
    """The new card in hand, else the one in use."""
    coming = queries.cards_of(holder_id).filter(status__in=COMING).first()
    card = coming or queries.card_of(holder_id)
    if card is None:
        raise NothingToCollect
    return card
