"""What follows when a person's record ends, or turns out not to have: cases, cards, e-card and accounts.

Order of locks, as every act keeps it: cases, then cards, then the e-card, then accounts.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Final
from uuid import UUID

from yikatong.core.actor import SYSTEM, Actor
from yikatong.registry.banks import actions as banks
from yikatong.registry.banks import freezing
from yikatong.registry.banks.models import BankAccount
from yikatong.registry.cards.actions.handover import ending_of, ending_stamps
from yikatong.registry.cards.actions.moves import (
    locked_card,
    move_card,
    move_case,
    open_done,
    revive_card,
    revive_case,
)
from yikatong.registry.cards.actions.openings import ask_for_account
from yikatong.registry.cards.models import (
    CASE_TRANSITIONS,
    COMING,
    LIVE,
    OPEN_CASES,
    TRANSITIONS,
    BatchRow,
    Card,
    CardStatus,
    Case,
    CaseKind,
    CaseStatus,
    ECard,
)
from yikatong.registry.cards.rules import CancelReason, CardAct
from yikatong.registry.holders.models import Holder

#: How a case ends whose holder has ended, the best first; one that lies with bank or maker ends when it comes back.
_CASE_ENDS: Final = (CaseStatus.WITHDRAWN, CaseStatus.REJECTED, CaseStatus.DONE)
_FINAL: Final = [status for status, ways in TRANSITIONS.items() if not ways]
_LOST: Final = frozenset({CardStatus.LOST, CardStatus.TEMPORARILY_LOST})


def ended_words(holder: Holder) -> str:
    return f"持卡人登记为“{holder.get_status_display()}”"


def follow_end(holder: Holder, reason: CancelReason, *, by: Actor, at: datetime) -> Case:
    """The record has ended: everything of it ends in the same act, and the banks are told as agreed."""
    end_cases(holder, ended_words(holder), by=by, at=at)
    accounts = end_cards(holder, reason, by=by, at=at)
    ECard.objects.filter(holder=holder, status=ECard.Status.ISSUED).update(
        status=ECard.Status.REMOVED, removed_at=at
    )
    if reason == CancelReason.DECEASED:
        freezing.hold_for_death(_carried(holder), by=by, at=at)
    else:
        tell_ended(accounts, by=by, at=at)
    return file(holder, reason, kind=CaseKind.CANCEL, by=by, at=at)


def end_cases(holder: Holder, note: str, *, by: Actor, at: datetime) -> list[Case]:
    """End what can end now; an account opened for a case, and for nothing else, is closed again."""
    opened = Case.objects.select_for_update(of=("self",), no_key=True).filter(
        holder=holder, status__in=[*OPEN_CASES, CaseStatus.DRAFT]
    )
    ended = []
    for case in opened.order_by("pk"):
        to = next((one for one in _CASE_ENDS if one in CASE_TRANSITIONS[CaseStatus(case.status)]), None)
        if to is None or case.batch_rows.filter(result=BatchRow.Result.PENDING).exists():
            continue  # the card comes back from its maker, and is destroyed
        ended.append(move_case(case, to, by=by, at=at, note=note, days_left=None))
        banks.close_unused(case.account_id, by=by, at=at)
    return ended


def end_cards(holder: Holder, reason: CancelReason, *, by: Actor, at: datetime) -> list[UUID]:
    """Returns the accounts behind the cards that ended."""
    accounts = []
    for key in holder.cards.exclude(status__in=_FINAL).order_by("pk").values_list("pk", flat=True):
        card = locked_card(key, by=SYSTEM)  # it may be another bank's, or another region's
        move_card(card, ending_of(card), CardAct.CANCEL, by=by, at=at, **ending_stamps(reason, at))
        accounts += [card.account_id] if card.account_id else []
    return accounts


def tell_ended(account_ids: Iterable[UUID], *, by: Actor, at: datetime) -> None:
    """The banks learn that a card no longer stands in front of these accounts; the accounts stay."""
    for account_id in sorted(set(account_ids)):
        banks.card_ended(account_id, by=by, at=at)


def _carried(holder: Holder) -> list[UUID]:
    """The accounts that have, or had, a card of this holder's."""
    mine = BankAccount.objects.filter(holder_id=holder.pk, cards__isnull=False)
    return sorted(set(mine.values_list("pk", flat=True)))


def follow_return(
    holder: Holder, reason: CancelReason, ended_at: datetime, *, by: Actor, at: datetime
) -> list[str]:
    """The end was none: what that very act ended is as it was. Returns, in words, what cannot be."""
    cases = holder.cases.filter(kind__in=[CaseKind.APPLY, CaseKind.REPLACE], closed_at=ended_at)
    missing = revive_cases(cases.order_by("pk"), ended_words_of(reason), by=by, at=at)
    missing += revive_cards(holder, reason, ended_at, by=by, at=at)
    stopped = frozenset(
        holder.cards.filter(status__in=_LOST, account__isnull=False).values_list("account", flat=True)
    )
    freezing.lift_for_life(_carried(holder), stays_stopped=stopped, by=by, at=at)
    for card in holder.cards.filter(status__in=_LOST):  # a temporary loss has a new end
        banks.stop_with_card(card.account_id, ends_at=card.loss_ends_at, by=by, at=at)
    if ECard.objects.filter(holder=holder, removed_at=ended_at).exists():
        missing.append("电子社保卡须由本人重新签发，设备须重新绑定")
    return missing


def ended_words_of(reason: CancelReason) -> str:
    return "持卡人登记为“已故”" if reason == CancelReason.DECEASED else "登记合并"


def revive_cases(cases: Iterable[Case], note: str, *, by: Actor, at: datetime) -> list[str]:
    """Cases that ended for this reason go on; those whose card was destroyed do not."""
    missing = []
    for case in cases:
        if case.steps.latest("at", "pk").note != note:
            continue
        revived = revive_case(case, by=by, at=at)
        if revived is None:
            missing.append(f"受理单 {case.number} 不能继续办理，须重新申请")
        elif revived.status == CaseStatus.CHECKED:
            ask_for_account(revived, by=by, at=at)
    return missing


def revive_cards(
    holder: Holder, reason: CancelReason, ended_at: datetime, *, by: Actor, at: datetime
) -> list[str]:
    """The cards which that very act ended go back to what they were, unless the person has another by now."""
    missing = []
    ended = holder.cards.filter(cancel_reason=reason, cancelled_at=ended_at).order_by("pk")
    for key in ended.values_list("pk", flat=True):
        card = locked_card(key, by=SYSTEM)
        has = set(holder.cards.filter(status__in=[*LIVE, *COMING]).values_list("status", flat=True))
        if has and card.activated_at is not None and has & set(LIVE):
            missing.append(f"原卡 {card.number} 不能恢复：此人已有另一张有效的卡")
            continue
        if revive_card(card, by=by, at=at).status in _FINAL:
            missing.append(f"未领取的卡 {card.number} 已作废，须重新申领")
        elif reason != CancelReason.DECEASED:
            banks.card_changed(card.account_id, card_number=card.number, by=by, at=at)
    return missing


def file(
    holder: Holder,
    reason: str,
    *,
    kind: CaseKind = CaseKind.CHANGE,
    note: str = "",
    by: Actor,
    at: datetime,
) -> Case:
    """受理单 of a matter that ends where it began."""
    card: Card | None = holder.cards.order_by("-issued_on", "-pk").first()
    case = Case(kind=kind, holder=holder, card=card, division_code=holder.division_code, reason=reason)
    case.note = note[:200]
    return open_done(case, by=by, at=at)
