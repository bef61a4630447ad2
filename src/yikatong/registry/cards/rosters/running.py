"""Work a roster through, a chunk a transaction: killed in the middle, it goes on where it was."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import transaction

from yikatong.core import audit
from yikatong.core.actor import Actor, Channel, Role
from yikatong.core.clock import day_of
from yikatong.core.errors import DomainError, NotFound
from yikatong.core.keyring import keyring
from yikatong.registry.banks.models import Bank
from yikatong.registry.banks.terms import offered
from yikatong.registry.cards.actions.moves import next_numbers
from yikatong.registry.cards.elsewhere import takes_elsewhere
from yikatong.registry.cards.models import CaseKind, Roster, RosterFault
from yikatong.registry.cards.rosters import staging
from yikatong.registry.cards.rosters.cells import Entry, Fault, Known, check
from yikatong.registry.cards.rosters.given import seal_row
from yikatong.registry.cards.rosters.intake import PLACE
from yikatong.registry.cards.rosters.reading import Row, Sheet, read
from yikatong.registry.regions.calendar import calendar
from yikatong.registry.regions.law import province
from yikatong.registry.regions.models import Outlet
from yikatong.registry.regions.queries import known_divisions

CHUNK: Final = 1_000
Progress = Callable[[int, int], None]


def run(roster_id: UUID, progress: Progress | None = None, *, at: datetime | None = None) -> Roster:
    """Make cases and faults of all rows still to do; `progress(done, total)` after each chunk.

    Cases date from the moment the file was received, whenever it is worked through; `at` is the moment of
    finishing. Two runs at once share the work without doubling any. A finished roster is left as it is.
    """
    roster = _begun(roster_id)
    if roster.status in {Roster.Status.DONE, Roster.Status.REFUSED}:
        return roster
    try:
        sheet = read(keyring().unseal(PLACE, bytes(roster.content or b"")))
    except DomainError as refusal:
        return _refused(roster, refusal, at or roster.created_at)
    known = _known(roster)
    while (done := _chunk(roster_id, sheet, known)) < len(sheet.rows):
        _tell(progress, done, len(sheet.rows))
    _tell(progress, done, len(sheet.rows))
    return _finished(roster_id, at or roster.created_at)


def _tell(progress: Progress | None, done: int, total: int) -> None:
    if progress is not None:
        progress(done, total)


@transaction.atomic
def _begun(roster_id: UUID) -> Roster:
    roster = Roster.objects.select_for_update().filter(pk=roster_id).first()
    if roster is None:
        raise NotFound("没有找到这份名册。")
    if roster.status == Roster.Status.WAITING:
        roster.status = Roster.Status.RUNNING
        roster.save(update_fields=["status"])
    return roster


@transaction.atomic
def _chunk(roster_id: UUID, sheet: Sheet, known: Known) -> int:
    """One chunk from where the roster stands, its count stored in the same transaction; returns rows done."""
    progress = (
        "rows_done",
        "cases",
        "faults",
        "created_by",
        "uploader_id",
        "organisation",
        "kind",
        "applicant",
        "created_at",
        "scope",
        "taken_code",
        "outlet",
        "routed",
    )
    roster = Roster.objects.select_for_update().only(*progress).get(pk=roster_id)
    rows = sheet.rows[roster.rows_done : roster.rows_done + CHUNK]
    read_rows = [check(row, sheet.columns, known) for row in rows]
    entries = [one for one in read_rows if isinstance(one, Entry)]
    faults = [one for one in read_rows if isinstance(one, Fault)]
    refused, routed = _enter(entries, roster, known)
    _store(roster, faults + refused, {row.number: row for row in rows})
    roster.rows_done += len(rows)
    roster.cases += len(entries) - len(refused)
    roster.faults += len(faults) + len(refused)
    roster.routed += routed
    roster.save(update_fields=["rows_done", "cases", "faults", "routed"])
    return roster.rows_done


def _enter(entries: Sequence[Entry], roster: Roster, known: Known) -> tuple[list[Fault], int]:
    """Faults, and how many rows go to another place of issue."""
    day, limits = known.today, province().limits
    workday = calendar(day).add
    return staging.enter(
        entries,
        next_numbers(len(entries)),
        roster=roster,
        takes_elsewhere=known.takes_elsewhere,
        due_on=workday(day, limits.days("preopen")),
        check_due_on=workday(day, limits.days("check")),
        day=day,
        by=_uploader(roster),
        at=roster.created_at,
    )


def _uploader(roster: Roster) -> Actor:
    return Actor(
        roster.uploader_id,
        roster.created_by,
        Role.SUPERVISOR,
        Channel.BATCH,
        scope=roster.scope,
        organisation=roster.organisation,
    )


def _store(roster: Roster, faults: Sequence[Fault], came: Mapping[int, Row]) -> None:
    RosterFault.objects.bulk_create(
        (
            RosterFault(
                roster=roster,
                row=fault.row,
                column=fault.column,
                code=fault.code,
                message=fault.message,
                shown=fault.shown,
                given=seal_row(came[fault.row]),
            )
            for fault in faults
        ),
        batch_size=CHUNK,
    )


@transaction.atomic
def _finished(roster_id: UUID, at: datetime) -> Roster:
    """The file itself is dropped: its rows have become cases and faults."""
    roster = Roster.objects.select_for_update().get(pk=roster_id)
    if roster.status == Roster.Status.RUNNING:
        roster.status, roster.content, roster.finished_at = Roster.Status.DONE, None, at
        roster.save(update_fields=["status", "content", "finished_at"])
        counts = {"cases": roster.cases, "faults": roster.faults, "routed": roster.routed}
        audit.record(
            "cards:roster:done", subject=f"roster:{roster.pk}", by=_uploader(roster), at=at, **counts
        )
    return roster


@transaction.atomic
def _refused(roster: Roster, refusal: DomainError, at: datetime) -> Roster:
    """A file that can be read no more, e.g. after rules have become stricter."""
    roster.status, roster.refusal, roster.content = Roster.Status.REFUSED, refusal.message[:300], None
    roster.finished_at = at
    roster.save(update_fields=["status", "refusal", "content", "finished_at"])
    audit.record(
        "cards:roster:refused", subject=f"roster:{roster.pk}", by=_uploader(roster), at=at, code=refusal.code
    )
    return roster


def _known(roster: Roster) -> Known:
    profile = province()
    banks, today = list(Bank.objects.all()), day_of(roster.created_at)
    taking = set(offered(today).values_list("pk", flat=True))
    return Known(
        divisions=known_divisions(),
        banks={name: bank.pk for bank in banks for name in (bank.pk, bank.name, bank.short_name)},
        closed_banks=frozenset(bank.pk for bank in banks if bank.pk not in taking),
        outlets={one.number: str(one.pk) for one in Outlet.objects.filter(is_open=True).only("number")},
        province_code=profile.code,
        scope=roster.scope,
        independent_age=profile.card.independent_age,
        today=today,
        takes_elsewhere=bool(roster.taken_code) and takes_elsewhere(CaseKind.APPLY, roster.outlet),
    )
