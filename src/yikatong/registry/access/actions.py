"""Register, enrol, stop and retire terminals. The gate reads the table itself, so each takes effect at once."""

from collections.abc import Collection
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Max

from yikatong.core import audit
from yikatong.core.actor import Actor
from yikatong.core.errors import NotFound
from yikatong.core.permissions import Permission, require
from yikatong.core.statuses import check_move
from yikatong.registry.access import platform_keys, rules
from yikatong.registry.access.models import Terminal
from yikatong.registry.catalogue.models import Place
from yikatong.registry.regions.law import province
from yikatong.registry.regions.models import Organisation

_NUMBERS_LOCK: Final = 0x59_4B_54_02
Status = Terminal.Status


@transaction.atomic
def register_terminal(  # noqa: PLR0913 - one keyword per column of the register
    *,
    name: str,
    kind: str,
    place_id: UUID,
    owner_id: UUID,
    scenes: Collection[int],
    number: int | None = None,
    by: Actor,
    at: datetime,
) -> Terminal:
    """Take a terminal into the register, by its own number or the next of its county.

    Raises NotFound, ScenesWrong, NumberWrong, NumberTaken, NoNumberLeft.
    """
    require(by, Permission.TERMINAL_MANAGE)
    place = Place.objects.filter(id=place_id).first()
    if place is None or not by.covers(place.division_code):
        raise NotFound
    if not Organisation.objects.filter(id=owner_id).exists():
        raise NotFound
    if not scenes or not set(scenes) <= set(rules.SCENES):
        raise rules.ScenesWrong
    terminal = Terminal.objects.create(
        number=_number(place.division_code[:6], number),
        name=name.strip(),
        kind=Terminal.Kind(kind),
        place=place,
        owner_id=owner_id,
        city_code=province().city_of(place.division_code),
        domain_code=place.domain_id,
        scenes=sorted(set(scenes)),
    )
    _record("registered", terminal, by, at, place=place.number)
    return terminal


@transaction.atomic
def new_enrol_code(terminal_id: UUID, *, by: Actor, at: datetime) -> str:
    """A code with which a terminal gets its key, once, within 24 hours; an older code ends. Raises TerminalMove.

    Only its keyed hash is kept: it is shown now or never.
    """
    terminal = _locked(terminal_id, by)
    if terminal.status not in {Status.REGISTERED, Status.ENROLLED}:
        raise rules.TerminalMove(**{"from": terminal.status, "to": str(Status.ENROLLED)})
    code = rules.new_code()
    terminal.enrol_code_hash = platform_keys.code_hash(terminal.number, code)
    terminal.enrol_code_until = at + rules.CODE_LIFE
    terminal.save(update_fields=["enrol_code_hash", "enrol_code_until"])
    _record("code_made", terminal, by, at)
    return code


@transaction.atomic
def enrol(number: int, code: str, *, at: datetime) -> tuple[bytes, int]:
    """The terminal's main key (32 bytes) and its generation; the key before dies. Raises EnrolmentRefused."""
    with connection.cursor() as cursor:
        cursor.execute(platform_keys.ENROL_SQL, platform_keys.enrol_parameters(number, code, at=at))
        row = cursor.fetchone()
    if row is None:
        raise rules.EnrolmentRefused
    return platform_keys.main_key(number, row[0]), row[0]


def stop(terminal_id: UUID, *, reason: str, by: Actor, at: datetime) -> Terminal:
    """Refuse all requests of a terminal from now on. Raises NotFound, ReasonMissing, TerminalMove."""
    return _move(terminal_id, Status.STOPPED, "stopped", reason, by, at)


def resume(terminal_id: UUID, *, reason: str = "", by: Actor, at: datetime) -> Terminal:
    """Let a stopped terminal work again with the key it has. Raises NotFound, TerminalMove."""
    return _move(terminal_id, Status.ENROLLED, "resumed", reason, by, at, comes_from=Status.STOPPED)


def retire(terminal_id: UUID, *, reason: str, by: Actor, at: datetime) -> Terminal:
    """Take a terminal out of use for ever. Raises NotFound, ReasonMissing, TerminalMove."""
    return _move(terminal_id, Status.RETIRED, "retired", reason, by, at)


@transaction.atomic
def _move(
    terminal_id: UUID,
    new: Terminal.Status,
    event: str,
    reason: str,
    by: Actor,
    at: datetime,
    *,
    comes_from: Terminal.Status | None = None,
) -> Terminal:
    terminal = _locked(terminal_id, by)
    old = Status(terminal.status)
    if comes_from is not None and old is not comes_from:
        raise rules.TerminalMove(**{"from": str(old), "to": str(new)})
    check_move(rules.TRANSITIONS, old, new, rules.TerminalMove)
    reason = reason.strip()[:100]
    if comes_from is None and not reason:
        raise rules.ReasonMissing
    terminal.status, terminal.stopped_reason = new, "" if new is Status.ENROLLED else reason
    # Whoever holds a code that was never used shall not bring the terminal back.
    terminal.enrol_code_hash = terminal.enrol_code_until = None
    terminal.save(update_fields=["status", "stopped_reason", "enrol_code_hash", "enrol_code_until"])
    _record(event, terminal, by, at, reason=reason)
    return terminal


def _locked(terminal_id: UUID, by: Actor) -> Terminal:
    require(by, Permission.TERMINAL_MANAGE)
    terminals = Terminal.objects.select_for_update(of=("self",), no_key=True).select_related("place")
    terminal = terminals.filter(id=terminal_id).first()
    if terminal is None or not by.covers(terminal.place.division_code):
        raise NotFound
    return terminal


def _number(division: str, wanted: int | None) -> int:
    """The number asked for, else the next of the division; one registration at a time."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_NUMBERS_LOCK])
    if wanted is not None:
        rules.check_number(wanted, division)
        if Terminal.objects.filter(number=wanted).exists():
            raise rules.NumberTaken
        return wanted
    first = int(division) * 10**6
    taken = Terminal.objects.filter(number__gte=first, number__lt=first + 10**6)
    number = int(taken.aggregate(last=Max("number"))["last"] or first) + 1
    if number >= first + 10**6:
        raise rules.NoNumberLeft
    return number


def _record(event: str, terminal: Terminal, by: Actor, at: datetime, **facts: object) -> None:
    subject = f"terminal:{terminal.id}"
    audit.record(f"access:terminal:{event}", subject=subject, by=by, at=at, number=terminal.number, **facts)
