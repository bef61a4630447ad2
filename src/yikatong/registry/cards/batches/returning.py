"""The card maker's return 回盘, card by card: made cards lie ready in their boxes, failed ones go back to a clerk."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import transaction

from yikatong.core.actor import Actor
from yikatong.core.sm.sm3 import sm3
from yikatong.registry.cards.batches import boxes, files
from yikatong.registry.cards.batches.bulk import (
    check_right,
    check_step,
    is_repeated,
    locked_batch,
    move_cases,
    note_batch,
    pending_rows,
    save_rows,
    void_rows,
    wanted_rows,
)
from yikatong.registry.cards.batches.files import MakeAnswer, MakeRequest
from yikatong.registry.cards.batches.opening import BANK_STEP, fail_rows
from yikatong.registry.cards.batches.production import chip_fault, made_card, note_made, request_of
from yikatong.registry.cards.batches.report import ReturnReport, report_of
from yikatong.registry.cards.models import Batch, BatchRow, Card, CaseStatus

MAKER_STEP: Final = "制卡"
#: What becomes of a card that comes back for one who is not there any more.
SPOILED: Final = "成卡作废，按箱位取出销毁"


@transaction.atomic
def take_return(batch_id: UUID, data: bytes, *, by: Actor, at: datetime) -> ReturnReport:
    """Take the card maker's return, card by card.

    Raises BadReturn, OtherBatch, WrongTotals, UnknownRow or BadPlace for the file as a whole, and changes nothing
    then. The same file again is harmless.
    """
    check_right(by)
    batch = locked_batch(batch_id)
    if is_repeated(batch.return_digest, data):
        return report_of(batch, repeated=True)
    check_step(batch, Batch.Status.PRODUCING, "导入制卡回盘")
    head, answers = files.maker_files().read_answers(data)
    rows = {row.number: row for row in pending_rows(batch)}
    files.check_whole(head, batch.number, batch.bank_id, [one.row for one in answers], set(rows))
    orders = {number: request_of(row, batch) for number, row in rows.items()}
    judged = _judge(answers, orders)
    places = boxes.places_of(one for one, why in judged if not why)
    made, failed = _fates(rows, judged, places)
    made, gone = wanted_rows(made)
    failed, lost = wanted_rows(failed)
    chips = {one.row: one.identification for one in answers}
    void_rows(gone, SPOILED, by=by, at=at)
    void_rows(lost, "没有制成", by=by, at=at)
    _make(made, orders, {one.row: one for one in answers}, by=by, at=at)
    fail_rows(failed, by=by, at=at)
    batch.status, batch.return_digest, batch.returned_at = Batch.Status.RETURNED, sm3(data), at
    batch.save(update_fields=["status", "return_digest", "returned_at"])
    report = report_of(batch)
    if gone:  # the chips that must never be seen again
        note_batch("spoiled", batch, by=by, at=at, chips=[chips[row.number] for row in gone])
    note_batch("returned", batch, by=by, at=at, made=report.made, failed=report.failed)
    return report


def _judge(answers: list[MakeAnswer], orders: dict[int, MakeRequest]) -> list[tuple[MakeAnswer, str]]:
    """Each answer with why it fails, "" where it holds."""
    given = [one.identification for one in answers]
    taken = set(Card.objects.filter(identification__in=given).values_list("identification", flat=True))
    judged = []
    for one in answers:
        why = one.fault or _said(one) or _fault(one, orders[one.row])
        if not why and one.identification in taken:
            why = "卡识别码重复"
        taken.add(one.identification)
        judged.append((one, why))
    return judged


def _said(one: MakeAnswer) -> str:
    """The maker's own reason; a step that is neither the bank's nor his is told with it."""
    known = one.failed_step in {"", BANK_STEP, MAKER_STEP}
    return one.failure if known else f"{one.failed_step}：{one.failure}"


def _fault(answer: MakeAnswer, order: MakeRequest) -> str:
    return _other_card(answer, order) or chip_fault(answer, order.card_number)


def _other_card(answer: MakeAnswer, order: MakeRequest) -> str:
    """What the maker has put on the card and was not asked to; "" where all is as ordered."""
    if (said := answer.echo) is None or answer.card_number != order.card_number:
        return ""  # the number is told by `chip_fault`
    issued, expires = f"{order.issued_on:%Y%m%d}", f"{order.expires_on:%Y%m%d}"
    pairs = (
        ("社会保障号码", said.social_security_number, order.social_security_number),
        ("姓名", said.name, order.name),
        ("发卡日期", said.issued_on, issued),
        ("有效期", said.expires_on, expires),
        ("服务银行", said.bank, order.bank),
        ("银行卡号", said.account, order.account),
    )
    return next((f"回盘{label}与制卡数据不符" for label, given, wanted in pairs if given != wanted), "")


def _fates(
    rows: dict[int, BatchRow], judged: Iterable[tuple[MakeAnswer, str]], places: dict[int, boxes.Place]
) -> tuple[list[BatchRow], list[BatchRow]]:
    """The rows that were made, in their places, and those that were not, each with its reason."""
    made, failed = [], []
    for answer, why in judged:
        row = rows[answer.row]
        if why:
            row.result, row.failure = BatchRow.Result.FAILED, why[:100]
            row.failed_step = BANK_STEP if answer.failed_step == BANK_STEP else MAKER_STEP
            failed.append(row)
        else:
            row.result, (row.box, row.position) = BatchRow.Result.MADE, places[answer.row]
            made.append(row)
    return made, failed


def _make(
    rows: list[BatchRow],
    orders: dict[int, MakeRequest],
    answers: dict[int, MakeAnswer],
    *,
    by: Actor,
    at: datetime,
) -> None:
    for row in rows:
        row.case.card = made_card(row.case, orders[row.number], answers[row.number])
    cards = [row.case.card for row in rows if row.case.card is not None]
    Card.objects.bulk_create(cards, batch_size=1_000)
    note_made(cards, by=by, at=at)
    save_rows(rows)
    notes = {row.case_id: f"装箱：{boxes.place_words(row.box, row.position)}" for row in rows}
    move_cases((row.case for row in rows), CaseStatus.READY, by=by, at=at, notes=notes)
