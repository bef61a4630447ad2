"""Acts of stock: receive, return, spoil, count; and issuing at once, from the blank to the card."""

from collections.abc import Iterable
from datetime import datetime, time
from typing import Final
from uuid import UUID

from django.db import transaction
from procrastinate.contrib.django import app as jobs

from yikatong.core import audit
from yikatong.core.actor import SYSTEM, Actor
from yikatong.core.clock import BEIJING, day_of
from yikatong.core.constraints import refusing
from yikatong.core.errors import NotFound
from yikatong.core.permissions import Permission, require
from yikatong.registry.banks import actions as banks
from yikatong.registry.banks.rules import OtherBank, serves_bank
from yikatong.registry.banks.terms import accepting
from yikatong.registry.cards.actions.moves import locked_case, move_case
from yikatong.registry.cards.batches import production
from yikatong.registry.cards.batches.files import MakeAnswer, MakeRequest
from yikatong.registry.cards.models import BatchRow, Card, Case, CaseKind, CaseStatus
from yikatong.registry.holders.models import Holder
from yikatong.registry.regions.law import province
from yikatong.registry.regions.models import Outlet
from yikatong.registry.stock import queries, rules
from yikatong.registry.stock.models import Blank, BlankMove, DayBalance, DayCount, PrintJob
from yikatong.registry.stock.printer import printer

PRINT: Final = "stock.print_next"
Kind, State = BlankMove.Kind, Blank.Status
_CHANGE: Final = {
    Kind.RECEIVED: 1,
    Kind.TAKEN: 0,
    Kind.ISSUED: -1,
    Kind.SPOILED: -1,
    Kind.RETURNED: -1,
    Kind.MISSING: -1,
}


def outlet_of(by: Actor) -> Outlet:
    """The clerk's outlet, which issues at once; raises NotAtOnce."""
    require(by, Permission.CARD_HAND_OVER)
    outlet = Outlet.objects.filter(pk=by.outlet_id, issues_at_once=True).first() if by.outlet_id else None
    if outlet is None:
        raise rules.NotAtOnce
    return outlet


@transaction.atomic
def receive(bank_code: str, *, first: str, count: int, by: Actor, at: datetime) -> int:
    """领入 a pack of consecutive numbers, whole or not at all. Raises BadPack, BlankKnown, OtherBank."""
    outlet, bank = outlet_of(by), accepting(bank_code, by=by, at=at)
    pack = [Blank(serial=one, outlet=outlet, bank=bank) for one in rules.serials(first.strip(), count)]
    with refusing({"stock_blank_serial_key": rules.BlankKnown}):
        Blank.objects.bulk_create(pack)
    _note(pack, Kind.RECEIVED, by=by, at=at)
    _audit("received", outlet, by=by, at=at, bank=bank.pk, first=pack[0].serial, count=count)
    return count


@transaction.atomic
def give_back(*, first: str, count: int, by: Actor, at: datetime) -> int:
    """退回 a pack: every card of it lies in this outlet's stock. Raises BadPack, BlankNotHere."""
    outlet = outlet_of(by)
    pack = _in_stock(rules.serials(first.strip(), count), outlet, by)
    Blank.objects.filter(pk__in=[one.pk for one in pack]).update(status=State.RETURNED)
    _note(pack, Kind.RETURNED, by=by, at=at)
    _audit("returned", outlet, by=by, at=at, first=pack[0].serial, count=count)
    return count


@transaction.atomic
def spoil(serial: str, *, reason: str, by: Actor, at: datetime) -> Blank:
    """作废 a blank found damaged in stock."""
    outlet = outlet_of(by)
    blank = _in_stock([serial.strip()], outlet, by)[0]
    _move(blank, State.SPOILED, Kind.SPOILED, by=by, at=at, note=reason)
    _audit("spoiled", outlet, by=by, at=at, serial=blank.serial)
    return blank


@transaction.atomic
def count(bank_code: str, *, counted: int, note: str = "", by: Actor, at: datetime) -> DayCount:
    """盘点 of the day: what lies in the drawer beside what the book says. Raises CountMissing, CountedAlready."""
    outlet = outlet_of(by)
    if not serves_bank(by, bank_code):
        raise OtherBank
    book = queries.in_house(outlet, bank_code)
    if counted != book and not note.strip():
        raise rules.CountMissing
    with refusing({"day_count_once": rules.CountedAlready}):
        done = DayCount.objects.create(
            outlet=outlet, bank_id=bank_code, day=day_of(at), book=book, counted=counted, at=at,
            actor_name=by.name, actor_id=by.id, note=note.strip()[:100],
        )  # fmt: skip
    _carry_forward(outlet, bank_code, at)
    _audit("counted", outlet, by=by, at=at, bank=bank_code, book=book, counted=counted)
    return done


def _carry_forward(outlet: Outlet, bank_code: str, at: datetime) -> None:
    """What lay there when this day began, once no act of yesterday can be under way any more; else tomorrow's count."""
    day = day_of(at)
    if at - datetime.combine(day, time.min, BEIJING) >= rules.SETTLED_AFTER:
        found = queries.opening(outlet, bank_code, day=day)
        DayBalance.objects.get_or_create(
            outlet=outlet, bank_id=bank_code, day=day, defaults={"opening": found}
        )


def _audit_count(what: str, outlet: Outlet, found: DayCount, *, by: Actor, at: datetime) -> None:
    facts = {
        "bank": found.bank_id,
        "day": found.day.isoformat(),
        "book": found.book,
        "counted": found.counted,
    }
    audit.record(f"stock:count:{what}", subject=f"outlet:{outlet.pk}", by=by, at=at, **facts)


@transaction.atomic
def confirm_count(count_id: UUID, *, by: Actor, at: datetime) -> DayCount:
    """复核 of a count by another one of the outlet (四眼原则). Raises CountOwn, CountConfirmed."""
    outlet = outlet_of(by)
    found = DayCount.objects.select_for_update(of=("self",)).filter(pk=count_id, outlet=outlet).first()
    if found is None or not serves_bank(by, found.bank_id):
        raise NotFound("没有找到这次盘点。")
    if found.confirmed_at is not None:
        raise rules.CountConfirmed
    if province().check.four_eyes and by.id is not None and by.id == found.actor_id:
        raise rules.CountOwn
    found.confirmed_by, found.confirmed_at = by.name, at
    found.save(update_fields=["confirmed_by", "confirmed_at"])
    _audit_count("confirmed", outlet, found, by=by, at=at)
    return found


@transaction.atomic
def write_off(serial: str, *, reason: str, by: Actor, at: datetime) -> Blank:
    """短少核销: a blank that a confirmed count has missed, by a supervisor. Raises NoShortage, BlankNotHere."""
    require(by, Permission.CASE_OVERSEE)
    outlet = outlet_of(by)
    blank = _in_stock([serial.strip()], outlet, by)[0]
    if queries.shortage(outlet, blank.bank_id) <= 0:
        raise rules.NoShortage
    _move(blank, State.MISSING, Kind.MISSING, by=by, at=at, note=reason)
    _audit("written_off", outlet, by=by, at=at, serial=blank.serial)
    return blank


@transaction.atomic
def issue_at_once(case_id: UUID, *, by: Actor, at: datetime) -> PrintJob:
    """立等可取: take a blank and queue the card for this outlet's printer.

    Raises NotAtOnce, NoPrinter, NotReadyToPrint, OtherOutlet, NoBlanks.
    """
    outlet = outlet_of(by)
    if printer() is None:
        raise rules.NoPrinter
    case = locked_case(case_id, by=by)
    check_ready(case)
    check_here(case, outlet)
    number = production.number_for(case)
    blank = _take(outlet, case, by=by, at=at)
    move_case(case, CaseStatus.PRODUCING, by=by, at=at, note=f"立等可取，{outlet.name}")
    job = PrintJob.objects.create(case=case, outlet=outlet, blank=blank, card_number=number, created_at=at)
    _print_soon(outlet.pk)
    return job


def check_ready(case: Case) -> None:
    """Raises NotReadyToPrint for a case that cannot be printed now."""
    is_card = case.kind in {CaseKind.APPLY, CaseKind.REPLACE}
    batched = case.batch_rows.filter(result=BatchRow.Result.PENDING).exists()
    if not is_card or case.status != CaseStatus.PREOPENED or case.account_id is None or batched:
        raise rules.NotReadyToPrint(status=str(case.status))


def check_here(case: Case, outlet: Outlet) -> None:
    """The card is made where its holder waits for it; raises OtherOutlet."""
    if case.outlet_id not in {None, outlet.pk}:
        name = case.outlet.name if case.outlet else ""
        raise rules.OtherOutlet(
            f"本件在{name}领取，请由该网点即时制卡；"
            "要改在本网点领取的，请先撤回本件，重新申请时选择本网点领取。"
        )


@transaction.atomic
def start_next(outlet_id: UUID, *, at: datetime) -> PrintJob | None:
    """The oldest queued job of an outlet whose printer is free, now printing; None when there is none."""
    Outlet.objects.select_for_update(no_key=True).get(pk=outlet_id)  # one printer, one start at a time
    open_jobs = PrintJob.objects.filter(outlet=outlet_id)
    if open_jobs.filter(status=PrintJob.Status.PRINTING).exists():
        return None
    job = open_jobs.filter(status=PrintJob.Status.QUEUED).order_by("created_at", "pk").first()
    if job is not None:
        job.status, job.started_at = PrintJob.Status.PRINTING, at
        job.save(update_fields=["status", "started_at"])
    return job


def order_of(job: PrintJob, *, at: datetime) -> MakeRequest:
    """What the printer is to make."""
    case = Case.objects.select_related("holder", "account", "old_card").get(pk=job.case_id)
    return production.order(case, row=1, card_number=job.card_number, issued_on=day_of(at))


@transaction.atomic
def printed(job_id: UUID, order: MakeRequest, answer: MakeAnswer, *, at: datetime) -> PrintJob:
    """The printer has made it: the card exists and lies ready. A chip that cannot be is a spoiled card."""
    job = _printing(job_id)
    fault = production.chip_fault(answer, job.card_number)
    if not fault and Card.objects.filter(identification=answer.identification).exists():
        fault = "卡识别码重复"
    if fault:
        return print_failed(job_id, reason=fault, by=SYSTEM, at=at)
    case = locked_case(job.case_id, by=SYSTEM)
    if case.holder.status != Holder.Status.ACTIVE:
        return _void(job, case, at=at)
    card = production.made_card(case, order, answer)
    card.save(force_insert=True)
    production.note_made([card], by=SYSTEM, at=at)
    _move(job.blank, State.ISSUED, Kind.ISSUED, by=SYSTEM, at=at, case=case)
    move_case(case, CaseStatus.READY, by=SYSTEM, at=at, note=f"空白卡 {job.blank.serial}", card=card)
    return _end(job, PrintJob.Status.DONE, at=at)


def _void(job: PrintJob, case: Case, *, at: datetime) -> PrintJob:
    """Its holder died while it was being printed: the card is spoiled, the case ends, its account is closed."""
    said = f"持卡人登记为“{case.holder.get_status_display()}”，成卡作废销毁"
    _move(job.blank, State.SPOILED, Kind.SPOILED, by=SYSTEM, at=at, case=case, note=said)
    for to in (CaseStatus.FAILED, CaseStatus.REJECTED):
        move_case(case, to, by=SYSTEM, at=at, note=said)
    banks.close_unused(case.account_id, by=SYSTEM, at=at)
    job.spoiled, job.trouble = job.spoiled + 1, said
    return _end(job, PrintJob.Status.FAILED, at=at)


@transaction.atomic
def print_failed(job_id: UUID, *, reason: str, by: Actor, at: datetime) -> PrintJob:
    """The blank is spoiled: the next one is taken, until none is left or too many are spoiled."""
    job = _printing(job_id)
    if by is not SYSTEM and outlet_of(by).pk != job.outlet_id:
        raise NotFound
    case = locked_case(job.case_id, by=by)
    _move(job.blank, State.SPOILED, Kind.SPOILED, by=by, at=at, case=case, note=reason)
    job.spoiled, job.trouble = job.spoiled + 1, reason[:100]
    try:
        job.blank = _another(job, case, by=by, at=at)
    except rules.NoBlanks as none_left:
        move_case(case, CaseStatus.FAILED, by=SYSTEM, at=at, note=f"制卡：{reason}；{none_left.message}")
        return _end(job, PrintJob.Status.FAILED, at=at)
    job.status, job.started_at = PrintJob.Status.QUEUED, None
    job.save()
    _print_soon(job.outlet_id)
    return job


def _another(job: PrintJob, case: Case, *, by: Actor, at: datetime) -> Blank:
    if job.spoiled >= rules.SPOILED_MOST:
        raise rules.NoBlanks("连续废卡，请检查打印机。")
    return _take(job.outlet, case, by=by, at=at)


def _printing(job_id: UUID) -> PrintJob:
    found = PrintJob.objects.select_for_update(of=("self",)).select_related("blank", "outlet")
    job = found.filter(pk=job_id, status=PrintJob.Status.PRINTING).first()
    if job is None:
        raise rules.NotPrinting
    return job


def _end(job: PrintJob, status: PrintJob.Status, *, at: datetime) -> PrintJob:
    job.status, job.ended_at = status, at
    job.save()
    return job


def _take(outlet: Outlet, case: Case, *, by: Actor, at: datetime) -> Blank:
    """A blank of the case's bank that nobody else is taking; two clerks get two, or the second none."""
    free = Blank.objects.filter(outlet=outlet, bank=case.bank_id, status=State.IN_STOCK)
    blank = free.select_for_update(skip_locked=True).order_by("serial").first()
    if blank is None:
        raise rules.NoBlanks
    return _move(blank, State.TAKEN, Kind.TAKEN, by=by, at=at, case=case)


def _in_stock(serials: list[str], outlet: Outlet, by: Actor) -> list[Blank]:
    """These blanks, locked; raises BlankNotHere naming the first that does not lie in this stock."""
    free = Blank.objects.select_for_update().filter(outlet=outlet, status=State.IN_STOCK, serial__in=serials)
    free = free.filter(bank=by.bank) if by.bank else free
    found = {one.serial: one for one in free.order_by("serial")}
    for serial in serials:
        if serial not in found:
            raise rules.BlankNotHere(f"空白卡 {serial} 不在本网点库存中，请核对号码。", serial=serial)
    return [found[serial] for serial in serials]


def _move(
    blank: Blank,
    to: Blank.Status,
    kind: BlankMove.Kind,
    *,
    by: Actor,
    at: datetime,
    case: Case | None = None,
    note: str = "",
) -> Blank:
    blank.status = to
    blank.save(update_fields=["status"])
    _note([blank], kind, by=by, at=at, case=case, note=note)
    return blank


def _note(
    blanks: Iterable[Blank],
    kind: BlankMove.Kind,
    *,
    by: Actor,
    at: datetime,
    case: Case | None = None,
    note: str = "",
) -> None:
    BlankMove.objects.bulk_create(
        BlankMove(
            blank=one,
            outlet_id=one.outlet_id,
            bank_id=one.bank_id,
            at=at,
            kind=kind,
            change=_CHANGE[kind],
            case=case,
            actor_name=by.name,
            note=note[:100],
        )
        for one in blanks
    )


def _audit(what: str, outlet: Outlet, *, by: Actor, at: datetime, **facts: object) -> None:
    audit.record(f"stock:blank:{what}", subject=f"outlet:{outlet.pk}", by=by, at=at, **facts)


def _print_soon(outlet_id: UUID) -> None:
    jobs.configure_task(PRINT, lock=f"printer:{outlet_id}").defer(outlet=str(outlet_id))
