"""Second half of the round: the order to the card maker, and what a card is made of. `returning` takes the answer."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Final
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Max
from django.db.models.functions import Left, Substr

from yikatong.core import audit, looks
from yikatong.core.actor import Actor
from yikatong.core.clock import day_of
from yikatong.core.copying import copy_in
from yikatong.core.errors import DomainError, NotFound
from yikatong.registry.cards import numbers, rules
from yikatong.registry.cards.batches import files
from yikatong.registry.cards.batches.bulk import (
    check_right,
    check_step,
    locked_batch,
    move_cases,
    note_batch,
    pending_rows,
    save_rows,
    void_rows,
    wanted_rows,
)
from yikatong.registry.cards.batches.files import Delivery, Head, MakeAnswer, MakeRequest
from yikatong.registry.cards.models import (
    LIVE,
    Batch,
    BatchRow,
    Card,
    CardEvent,
    CardStatus,
    Case,
    CaseKind,
    CaseStatus,
)
from yikatong.registry.cards.rules import CardAct
from yikatong.registry.holders.models import Holder
from yikatong.registry.regions.law import province

POSTED: Final = "1"  # 领取方式 邮寄
SPEC_VERSION: Final = "3.00"
_SHOWN: Final = ("姓名", "社会保障号码", "性别", "民族", "出生日期", "金融账号")
_SHOWN_POSTED: Final = (*_SHOWN, "手机号码", "收件地址")


@transaction.atomic
def start_production(batch_id: UUID, *, by: Actor, at: datetime) -> Batch:
    """Give each card its 卡号 and send the batch to the card maker. After this no case can be withdrawn."""
    check_right(by)
    batch = locked_batch(batch_id)
    check_step(batch, Batch.Status.PREOPENED, "送制卡")
    rows, gone = wanted_rows(pending_rows(batch))
    void_rows(gone, "没有送制卡", by=by, at=at)
    _give_numbers(rows)
    save_rows(rows)
    move_cases((row.case for row in rows), CaseStatus.PRODUCING, by=by, at=at)
    _note_looks(rows, by=by, at=at)
    batch.status = Batch.Status.PRODUCING if rows else Batch.Status.RETURNED
    batch.save(update_fields=["status"])
    note_batch("production_started", batch, by=by, at=at, rows=len(rows))
    return batch


def _note_looks(rows: list[BatchRow], *, by: Actor, at: datetime) -> None:
    """An address is told of a card that is posted, and of no other."""
    for is_posted, fields in ((False, _SHOWN), (True, _SHOWN_POSTED)):
        people = [row.case.holder_id for row in rows if (row.case.delivery == POSTED) is is_posted]
        looks.record(people, by=by, at=at, purpose="提供给制卡机构制卡", fields=fields)


def _give_numbers(rows: list[BatchRow]) -> None:
    """换领不换号 where the province keeps numbers; else the next of the area's own sequence."""
    profile = province()
    waiting: dict[str, list[BatchRow]] = {}
    for row in rows:
        old = row.case.old_card if row.case.kind == CaseKind.REPLACE else None
        if old is not None and profile.card.keeps_number:
            row.card_number = old.number
        else:
            waiting.setdefault(profile.letter_of(row.case.holder.division_code), []).append(row)
    for letter, lacking in waiting.items():
        for row, sequence in zip(lacking, _sequences(letter, len(lacking)), strict=True):
            row.card_number = numbers.make(letter, sequence)


def number_for(case: Case) -> str:
    """卡号 of one card, made apart from any batch; by the same rule as in a batch."""
    profile = province()
    old = case.old_card if case.kind == CaseKind.REPLACE else None
    if old is not None and profile.card.keeps_number:
        return old.number
    letter = profile.letter_of(case.holder.division_code)
    return numbers.make(letter, _sequences(letter, 1)[0])


def numbers_after_loading() -> None:
    """Set each area's sequence past the numbers there are, once cards have been loaded from elsewhere."""
    found = Card.objects.annotate(letter=Left("number", 1)).values_list("letter")
    with connection.cursor() as cursor:
        for letter, last in found.annotate(last=Max(Substr("number", 2, 7))).order_by("letter"):
            cursor.execute(
                "SELECT setval(%s::regclass, %s)", [_sequence(letter), numbers.sequence_number(last)]
            )


def _sequence(letter: str) -> str:
    return f"cards_number_{letter.lower()}"  # a capital of the profile, checked there


def _sequences(letter: str, count: int) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval(%s::regclass) FROM generate_series(1, %s)", [_sequence(letter), count])
        return [row[0] for row in cursor.fetchall()]


def production_file(batch_id: UUID) -> bytes:
    """The order to the card maker. Raises WrongBatchStep before `start_production` and after the return."""
    batch = Batch.objects.filter(pk=batch_id).first()
    if batch is None:
        raise NotFound("没有找到这个批次。")
    check_step(batch, Batch.Status.PRODUCING, "导出制卡文件")
    lines = batch.lines.select_related("case__holder", "case__account", "case__outlet").filter(
        result="pending"
    )
    rows = [request_of(row, batch) for row in lines.order_by("number")]
    head = Head(batch.number, batch.bank_id, len(rows), day_of(batch.created_at))
    return files.maker_files().write_requests(head, rows)


def request_of(row: BatchRow, batch: Batch) -> MakeRequest:
    return order(row.case, row=row.number, card_number=row.card_number, issued_on=day_of(batch.created_at))


def order(case: Case, *, row: int, card_number: str, issued_on: date) -> MakeRequest:
    """What is printed and written on the card of this case, whose account is open; `row` names it in the answer."""
    holder = case.holder
    return MakeRequest(
        row=row,
        card_number=card_number,
        social_security_number=holder.social_security_number,
        name=holder.name,
        sex=holder.sex,
        ethnicity=holder.ethnicity,
        birth_date=holder.birth_date,
        division_code=_issuing(holder.division_code),
        issued_on=issued_on,
        expires_on=rules.expiry(issued_on, province().card.validity_years),
        category=rules.category_of(holder.birth_date, issued_on),
        spec_version=SPEC_VERSION,
        bank=case.bank_id or "",
        account=case.account.number if case.account else "",
        delivery=_delivery(case, holder),
    )


def _delivery(case: Case, holder: Holder) -> Delivery:
    """A box to the outlet that was chosen, else to the card office of the district; an address only where posted."""
    outlet = case.outlet
    place = (
        (outlet.number, outlet.name, outlet.division_code[:6]) if outlet else ("", "", case.division_code[:6])
    )
    if case.delivery != POSTED:
        return Delivery(case.delivery, *place)
    to = (holder.name, holder.phone or "", case.address or holder.address or "")
    return Delivery(case.delivery, *place, *to)


def _issuing(division_code: str) -> str:
    """发卡地区: the city."""
    return division_code[:4] + "00"


def chip_fault(answer: MakeAnswer, card_number: str) -> str:
    """What is wrong with the chip's own numbers, "" where nothing is."""
    if answer.card_number != card_number:
        return "回盘卡号与制卡数据不符"
    try:
        numbers.check_identifier(answer.identification)
        numbers.diversification_factor(answer.reset_info)
    except DomainError as refusal:
        return refusal.message
    return ""


def made_card(case: Case, request: MakeRequest, answer: MakeAnswer) -> Card:
    """The card that was made for this case; not yet stored."""
    old = case.old_card
    return Card(
        holder_id=case.holder_id,
        number=request.card_number,
        identification=answer.identification,
        reset_info=answer.reset_info,
        account=case.account,
        category=request.category,
        spec_version=request.spec_version,
        division_code=request.division_code,
        issued_on=request.issued_on,
        expires_on=request.expires_on,
        replaces=old if old is not None and old.status in LIVE else None,
    )


def note_made(cards: Iterable[Card], *, by: Actor, at: datetime) -> None:
    made = list(cards)
    copy_in(
        CardEvent(
            card=card,
            at=at,
            kind=CardAct.MADE,
            to_status=CardStatus.RELEASED,
            actor_name=by.name,
            channel=by.channel,
        )
        for card in made
    )
    audit.record_all(
        audit.entry(
            f"cards:card:{CardAct.MADE}", subject=f"card:{card.pk}", holder_id=card.holder_id, by=by, at=at
        )
        for card in made
    )
