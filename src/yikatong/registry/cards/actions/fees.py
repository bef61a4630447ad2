"""工本费 of a replacement: what it is, why it is not taken, and by which receipt it was paid (Sichuan art. 14)."""

import re
from datetime import date, datetime
from typing import Final
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet

from yikatong.core import audit
from yikatong.core.actor import Actor, Role
from yikatong.core.asking import Question
from yikatong.core.clock import day_of
from yikatong.core.constraints import refusing
from yikatong.core.errors import Forbidden
from yikatong.core.permissions import Permission, require
from yikatong.registry.cards import refusals, rules
from yikatong.registry.cards.actions.moves import locked_case
from yikatong.registry.cards.models import OPEN_CASES, Case
from yikatong.registry.holders.models import Category, Holder
from yikatong.registry.regions.law import province

_RECEIPT: Final = re.compile(r"[0-9A-Za-z-]{4,30}")


def fee_of(
    holder: Holder, reason: str, *, claimed: str = "", note: str = "", by: Actor, at: datetime
) -> rules.Fee:
    """The fee this holder would pay for that reason. Only staff record a ground that no category proves."""
    if claimed and by.role is Role.HOLDER:
        raise Forbidden("免收工本费的依据由窗口登记。")
    return rules.fee(reason, province(), proven=_proven(holder, at), claimed=claimed, note=note)


def fees_of(holder: Holder, *, at: datetime) -> dict[str, rules.Fee]:
    """What this holder would pay, by reason: told before he confirms."""
    proven = _proven(holder, at)
    return {reason: rules.fee(reason, province(), proven=proven) for reason in rules.ReplaceReason.values}


def _proven(holder: Holder, at: datetime) -> frozenset[str]:
    return frozenset(kind for (kind,) in _VALID(holder.pk, day_of(at)))


def _valid(holder_id: UUID, day: date) -> QuerySet[Category, tuple[str]]:
    valid = Category.objects.filter(Q(valid_until=None) | Q(valid_until__gt=day), valid_from__lte=day)
    return valid.filter(holder_id=holder_id).values_list("kind")


_VALID: Final = Question(_valid, UUID, date)


@transaction.atomic
def take_fee(case_id: UUID, *, receipt: str, by: Actor, at: datetime) -> Case:
    """Record that the fee was paid at the counter, by the number of its receipt.

    Raises NothingToPay, FeePaid, ReceiptInvalid, ReceiptUsed.
    """
    require(by, Permission.CARD_HAND_OVER)
    number = receipt.strip().upper()
    if not _RECEIPT.fullmatch(number):
        raise refusals.ReceiptInvalid
    case = _unpaid(case_id, by=by)
    case.fee_receipt, case.fee_paid_at = number, at
    with refusing({"case_fee_receipt_once": refusals.ReceiptUsed}):
        case.save(update_fields=["fee_receipt", "fee_paid_at"])
    _note("fee_paid", case, by=by, at=at, fen=case.fee_fen)
    return case


@transaction.atomic
def waive_fee(case_id: UUID, *, ground: str, note: str, by: Actor, at: datetime) -> Case:
    """A supervisor waives a fee not yet paid, on a recorded ground. Raises as `rules.fee`."""
    require(by, Permission.CASE_OVERSEE)
    case = _unpaid(case_id, by=by)
    if not ground:
        raise refusals.WaiverUnknown
    fee = fee_of(case.holder, case.reason, claimed=ground, note=note, by=by, at=at)
    case.fee_fen, case.fee_ground, case.fee_note = fee.fen, fee.ground, fee.note[:100]
    case.save(update_fields=["fee_fen", "fee_ground", "fee_note"])
    _note("fee_waived", case, by=by, at=at)
    return case


def check_paid(case: Case) -> None:
    """A card is handed over when its fee is paid. Raises FeeUnpaid."""
    if case.fee_fen and case.fee_paid_at is None:
        yuan = f"{case.fee_fen // 100}.{case.fee_fen % 100:02d}"
        raise refusals.FeeUnpaid(f"工本费 {yuan} 元尚未缴纳。请收费并登记收据号后再领卡。", fen=case.fee_fen)


def _unpaid(case_id: UUID, *, by: Actor) -> Case:
    case = locked_case(case_id, by=by)
    if case.fee_paid_at is not None:
        raise refusals.FeePaid
    if not case.fee_fen or case.status not in OPEN_CASES:
        raise refusals.NothingToPay
    return case


def _note(what: str, case: Case, *, by: Actor, at: datetime, **facts: object) -> None:
    audit.record(
        f"cards:case:{what}", subject=f"case:{case.pk}", holder_id=case.holder_id, by=by, at=at, **facts
    )
