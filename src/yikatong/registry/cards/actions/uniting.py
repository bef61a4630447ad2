"""合并 and its undoing: two records of one person become one, with cards, cases and accounts; or two again."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from yikatong.core.actor import Actor
from yikatong.core.permissions import Permission, require
from yikatong.registry.banks.models import BankAccount
from yikatong.registry.cards import refusals
from yikatong.registry.cards.actions import aftermath
from yikatong.registry.cards.actions.moves import tell_codes
from yikatong.registry.cards.models import (
    COMING,
    LIVE,
    OPEN_CASES,
    Authorisation,
    BatchRow,
    Card,
    CardStatus,
    Case,
    CaseKind,
    CaseStatus,
    ECard,
)
from yikatong.registry.cards.rules import CancelReason, ChangeReason
from yikatong.registry.holders import actions as holders
from yikatong.registry.holders.actions import merging
from yikatong.registry.holders.models import Holder, Merge

#: Which card stays: the one in use, then one that is lost, then one that waits, then an application.
_WORTH: Final = {
    CardStatus.NORMAL: 6, CardStatus.TEMPORARILY_LOST: 5, CardStatus.LOST: 4,
    CardStatus.INACTIVE: 3, CardStatus.RELEASED: 2,
}  # fmt: skip
_NEVER: Final = datetime(1, 1, 1, tzinfo=UTC)
_NOTE: Final = aftermath.ended_words_of(CancelReason.DUPLICATE)


@transaction.atomic
def merge(kept_id: UUID, gone_id: UUID, *, reason: str, evidence: str, by: Actor, at: datetime) -> Merge:
    """合并 two records of one person: all of it stands under the one that is kept, and one card stays.

    The card in use stays before a lost one, that before one that waits; of two alike the one activated last.
    The others are cancelled as issued twice, and their banks are told. Raises Forbidden (supervisors only),
    MergeSelf, HolderEnded, InProduction, ReasonTooShort, EvidenceMissing.
    """
    require(by, Permission.HOLDER_CORRECT)
    kept, gone = merging.pair(kept_id, gone_id, by=by)
    stays = max((kept, gone), key=_worth)
    leaves = gone if stays is kept else kept
    _check_not_at_work(leaves, gone)
    merged = merging.merge(kept, gone, reason=reason, evidence=evidence, by=by, at=at)
    Authorisation.objects.filter(holder=gone, ended_at=None).update(ended_at=at)
    aftermath.end_cases(leaves, _NOTE, by=by, at=at)
    accounts = aftermath.end_cards(leaves, CancelReason.DUPLICATE, by=by, at=at)
    aftermath.tell_ended(accounts, by=by, at=at)
    _draw_up(merged, kept, gone, at=at)
    aftermath.file(kept, ChangeReason.MERGED, by=by, at=at)
    return merged


def _worth(holder: Holder) -> tuple[int, datetime]:
    """What speaks for keeping this record's card; of two alike the first one asked, which is kept."""
    cards = list(holder.cards.filter(status__in=[*LIVE, *COMING]))
    if cards:
        best = max(cards, key=lambda card: (_WORTH[CardStatus(card.status)], card.activated_at or _NEVER))
        return _WORTH[CardStatus(best.status)], best.activated_at or _NEVER
    return int(holder.cases.filter(status__in=OPEN_CASES).exists()), _NEVER


def _check_not_at_work(leaves: Holder, gone: Holder) -> None:
    """What lies with bank file or maker names one record in print: it comes back first. Raises InProduction."""
    away = Q(status=CaseStatus.PRODUCING) | Q(batch_rows__result=BatchRow.Result.PENDING)
    if Case.objects.filter(away, holder__in=[leaves, gone], status__in=OPEN_CASES).exists():
        raise refusals.InProduction("并入的登记有申请已送银行或制卡机构办理，制成或退回后再合并。")


def _draw_up(merged: Merge, kept: Holder, gone: Holder, *, at: datetime) -> None:
    """Cards, cases and accounts stand under the kept record; its e-card is that of the card which stays."""
    merged.moved |= {
        "cards": _keys(gone.cards.all()),
        "cases": _keys(gone.cases.all()),
        "accounts": _keys(BankAccount.objects.filter(holder_id=gone.pk)),
    }
    merged.save(update_fields=["moved"])
    Card.objects.filter(holder=gone).update(holder=kept)
    Case.objects.filter(holder=gone).update(holder=kept)
    BankAccount.objects.filter(holder_id=gone.pk).update(holder_id=kept.pk)
    ECard.objects.filter(holder=gone, status=ECard.Status.ISSUED).update(
        status=ECard.Status.REMOVED, removed_at=at
    )
    _point_ecard(kept, at=at)
    tell_codes(kept.cards.filter(status__in=LIVE).values_list("pk", flat=True))


def _point_ecard(holder: Holder, *, at: datetime) -> None:
    """The holder's issued e-card follows his live card; without one it is removed."""
    mine = ECard.objects.filter(holder=holder, status=ECard.Status.ISSUED)
    live = holder.cards.filter(status__in=LIVE).first()
    if live is not None:
        mine.exclude(card=live).update(card=live)
    else:
        mine.update(status=ECard.Status.REMOVED, removed_at=at)


@transaction.atomic
def unmerge(merge_id: UUID, *, reason: str, by: Actor, at: datetime) -> Merge:
    """They were two persons: what went over goes back, with what has come of it since; cards ended live again.

    What cannot be as it was is told in `Merge.missing`. Raises Forbidden (supervisors only), MergeUndone,
    MergeCannotBeUndone, InProduction, ReasonTooShort.
    """
    require(by, Permission.HOLDER_CORRECT)
    merged = merging.unmerge(merge_id, reason=reason, by=by, at=at)
    kept, gone = (holders.locked(key, by=by) for key in (merged.kept_id, merged.gone_id))
    later = _give_back(merged, kept, gone)
    missing = [f"合并后补换的卡 {card.number} 随原卡归回" for card in later]
    for holder in (kept, gone):
        ended = holder.cases.filter(closed_at=merged.at, kind__in=[CaseKind.APPLY, CaseKind.REPLACE])
        missing += _revived(ended.order_by("pk"), holder, by=by, at=at)
        missing += aftermath.revive_cards(holder, CancelReason.DUPLICATE, merged.at, by=by, at=at)
        _point_ecard(holder, at=at)
    if ECard.objects.filter(holder=gone).exclude(status=ECard.Status.ISSUED).exists():
        missing.append("并入一方的电子社保卡须由本人重新签发，设备须重新绑定")
    merged.missing = missing
    merged.save(update_fields=["missing"])
    for holder in (kept, gone):
        aftermath.file(holder, ChangeReason.UNMERGED, note="；".join(missing), by=by, at=at)
    return merged


def _revived(cases: Iterable[Case], holder: Holder, *, by: Actor, at: datetime) -> list[str]:
    """An application goes on, unless its holder has another by now."""
    if holder.cases.filter(kind__in=[CaseKind.APPLY, CaseKind.REPLACE], status__in=OPEN_CASES).exists():
        return []
    return aftermath.revive_cases(cases, _NOTE, by=by, at=at)


def _give_back(merged: Merge, kept: Holder, gone: Holder) -> list[Card]:
    """Cards, cases and accounts go back, and with them what replaced them since; returns those later cards."""
    moved: dict[str, Any] = merged.moved
    cards = set(kept.cards.filter(pk__in=moved.get("cards", [])).values_list("pk", flat=True))
    later: list[Card] = []
    while found := list(kept.cards.filter(replaces__in=cards).exclude(pk__in=cards)):
        later += found
        cards |= {card.pk for card in found}
    mine = Q(pk__in=moved.get("cases", [])) | Q(card__in=cards) | Q(old_card__in=cards)
    cases = kept.cases.filter(mine)
    accounts = {UUID(key) for key in moved.get("accounts", [])}
    accounts |= {key for key in cases.values_list("account", flat=True) if key}
    accounts |= {key for key in Card.objects.filter(pk__in=cards).values_list("account", flat=True) if key}
    _part(kept, gone, cases=list(cases.values_list("pk", flat=True)), cards=cards, accounts=accounts)
    return later


def _part(kept: Holder, gone: Holder, *, cases: list[UUID], cards: set[UUID], accounts: set[UUID]) -> None:
    Case.objects.filter(pk__in=cases).update(holder=gone)
    Card.objects.filter(pk__in=cards).update(holder=gone)
    BankAccount.objects.filter(pk__in=accounts, holder_id=kept.pk).update(holder_id=gone.pk)
    tell_codes(cards)


def _keys(rows: Any) -> list[str]:
    return [str(key) for key in rows.values_list("pk", flat=True)]
