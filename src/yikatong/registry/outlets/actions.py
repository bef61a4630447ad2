"""Acts of outlets: what they offer, their hours, and the queue as reported. Each is audited with old and new."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db import transaction

from yikatong.core import audit
from yikatong.core.actor import SYSTEM, Actor
from yikatong.core.clock import day_of
from yikatong.core.errors import NotFound
from yikatong.core.keyring import keyring
from yikatong.core.permissions import Permission, require
from yikatong.registry.outlets import hours, rules
from yikatong.registry.outlets.hours import Span
from yikatong.registry.outlets.models import DayKind, HoursChange, OpenHours, QueueMachine, QueueState
from yikatong.registry.regions.models import Outlet

_YEAR: Final = timedelta(days=366)
_KEY_BYTES: Final = 32
_KEPT: Final = ("phone", "address", "services", "facilities", "longitude", "latitude", "is_open")


def kept(outlet_id: UUID, *, by: Actor) -> Outlet:
    """The outlet, locked, for who keeps the outlets of its region; NotFound to a stranger."""
    require(by, Permission.OUTLET_KEEP)
    outlet = Outlet.objects.select_for_update(no_key=True).filter(pk=outlet_id).first()
    if outlet is None or not by.covers(outlet.division_code):
        raise NotFound("没有找到这个服务网点。")
    return outlet


@transaction.atomic
def describe(  # noqa: PLR0913 - the fields of the form
    outlet_id: UUID,
    *,
    phone: str,
    address: str,
    services: Collection[str],
    facilities: Collection[str],
    longitude: float | None,
    latitude: float | None,
    is_open: bool,
    by: Actor,
    at: datetime,
) -> Outlet:
    """What an outlet offers and where it lies. Raises BadServices, BadPosition; no change leaves no trace."""
    rules.check_services(services, facilities)
    rules.check_position(longitude, latitude)
    outlet = kept(outlet_id, by=by)
    wanted: dict[str, Any] = {
        "phone": phone.strip(), "address": address.strip(),
        "services": [one for one in rules.SERVICES if one in services],
        "facilities": [one for one in rules.FACILITIES if one in facilities],
        "longitude": longitude, "latitude": latitude, "is_open": is_open,
    }  # fmt: skip
    changed = {name: value for name, value in wanted.items() if getattr(outlet, name) != value}
    if not changed:
        return outlet
    before = {name: getattr(outlet, name) for name in changed}
    for name, value in wanted.items():
        setattr(outlet, name, value)
    outlet.is_accessible = next(iter(rules.FACILITIES)) in wanted["facilities"]
    outlet.save(update_fields=[*_KEPT, "is_accessible"])
    _audit("described", outlet, by=by, at=at, before=before, now=changed)
    return outlet


@transaction.atomic
def set_week(outlet_id: UUID, *, week: Mapping[int, Sequence[Span]], by: Actor, at: datetime) -> Outlet:
    """The whole week plan anew, and with it the words that are shown where there is little room."""
    outlet = kept(outlet_id, by=by)
    before, now = outlet.hours, hours.spoken(week)
    write_week(outlet, week)
    if before != now:
        outlet.hours = now[:100]
        outlet.save(update_fields=["hours"])
        _audit("hours_set", outlet, by=by, at=at, before=before, now=now)
    return outlet


def write_week(outlet: Outlet, week: Mapping[int, Sequence[Span]]) -> None:
    """The rows of a week plan, within another act or a loading."""
    OpenHours.objects.filter(outlet=outlet).delete()
    OpenHours.objects.bulk_create(
        OpenHours(outlet=outlet, kind=DayKind(kind), opens=span.opens, closes=span.closes)
        for kind, spans in week.items()
        for span in spans
    )


@transaction.atomic
def change_hours(
    outlet_id: UUID, *, since: date, until: date, span: Span | None, reason: str, by: Actor, at: datetime
) -> HoursChange:
    """临时调整 from a day to a day, both with; without a span the outlet is closed. Raises BadChange."""
    outlet = kept(outlet_id, by=by)
    today = day_of(at)
    if not today <= since <= until <= today + _YEAR or not reason.strip():
        raise rules.BadChange
    made = HoursChange.objects.create(
        outlet=outlet, since=since, until=until, opens=span.opens if span else None,
        closes=span.closes if span else None, reason=reason.strip()[:60], created_at=at, actor_name=by.name,
    )  # fmt: skip
    facts = {"since": since.isoformat(), "until": until.isoformat(), "span": str(span or "不开放")}
    _audit("hours_changed", outlet, by=by, at=at, reason=made.reason, **facts)
    return made


@transaction.atomic
def take_back_change(change_id: UUID, *, by: Actor, at: datetime) -> None:
    """A change that need not be, or not any longer: one begun ends yesterday, one to come is gone."""
    change = HoursChange.objects.select_for_update(of=("self",)).filter(pk=change_id).first()
    if change is None:
        raise rules.ChangeGone
    outlet, today = kept(change.outlet_id, by=by), day_of(at)
    if change.until < today:
        raise rules.ChangeGone
    if change.since < today:
        change.until = today - timedelta(days=1)
        change.save(update_fields=["until"])
    else:
        change.delete()
    _audit("hours_change_ended", outlet, by=by, at=at, reason=change.reason, since=change.since.isoformat())


@transaction.atomic
def report_queue(
    outlet_id: UUID, *, waiting: int, windows: int | None = None, by: Actor, at: datetime
) -> QueueState:
    """How many wait, as a clerk of the outlet counts them. Raises BadQueue, NoOutletOfYours."""
    require(by, Permission.CARD_HAND_OVER)
    rules.check_queue(waiting, windows)
    if by.outlet_id != outlet_id:
        raise rules.NoOutletOfYours
    return _keep_queue(outlet_id, waiting, windows, QueueState.Source.CLERK, at)


@transaction.atomic
def machine_report(outlet: Outlet, *, waiting: int, windows: int | None, measured_at: datetime) -> QueueState:
    """The same from a queue machine whose key has been proven. An older one than the last: ReportTooOld.

    Not audited one by one: the machine tells a number every minute, and keeps no record of anyone.
    """
    rules.check_queue(waiting, windows)
    return _keep_queue(outlet.pk, waiting, windows, QueueState.Source.MACHINE, measured_at)


def _keep_queue(
    outlet_id: UUID, waiting: int, windows: int | None, source: QueueState.Source, at: datetime
) -> QueueState:
    Outlet.objects.select_for_update(no_key=True).get(pk=outlet_id)
    last = QueueState.objects.filter(pk=outlet_id).first()
    if last is not None and last.at >= at:
        raise rules.ReportTooOld(newest=last.at.isoformat())
    state = QueueState(outlet_id=outlet_id, waiting=waiting, windows=windows, source=source, at=at)
    state.save()
    return state


@transaction.atomic
def renew_machine_key(outlet_id: UUID, *, by: Actor, at: datetime) -> str:
    """A new key (64 hexadecimal digits) for the outlet's queue machine, told once; the one before ends."""
    outlet = kept(outlet_id, by=by)
    machine = QueueMachine.objects.filter(pk=outlet.pk).first()
    machine = machine or QueueMachine(outlet=outlet, generation=0)
    machine.generation, machine.is_stopped, machine.changed_at = machine.generation + 1, False, at
    machine.save()
    _audit("machine_key_renewed", outlet, by=by, at=at, generation=machine.generation)
    return machine_key(machine).hex()


@transaction.atomic
def stop_machine(outlet_id: UUID, *, by: Actor, at: datetime) -> None:
    """The machine's key is worth nothing any more."""
    outlet = kept(outlet_id, by=by)
    if QueueMachine.objects.filter(pk=outlet.pk, is_stopped=False).update(is_stopped=True, changed_at=at):
        _audit("machine_stopped", outlet, by=by, at=at)


def machine_key(machine: QueueMachine) -> bytes:
    """Nothing of it is stored: derived from the installation's master key."""
    return keyring().key(f"queue machine:{machine.outlet_id}:{machine.generation}", _KEY_BYTES)


def _audit(what: str, outlet: Outlet, *, by: Actor = SYSTEM, at: datetime, **facts: object) -> None:
    audit.record(f"outlets:outlet:{what}", subject=f"outlet:{outlet.pk}", by=by, at=at, **facts)
