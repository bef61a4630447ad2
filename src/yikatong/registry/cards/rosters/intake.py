"""Take a roster file in: once, sealed, and only when its rows can be read."""

from datetime import datetime
from typing import Final, Protocol

from django.db import transaction
from procrastinate.contrib.django import app as jobs

from yikatong.core import audit
from yikatong.core.actor import Actor
from yikatong.core.keyring import keyring
from yikatong.core.permissions import Permission, require
from yikatong.core.sm.sm3 import sm3
from yikatong.registry.cards.actions.desks import check_desk
from yikatong.registry.cards.elsewhere import taken_at
from yikatong.registry.cards.models import ApplicantKind, CaseKind, Roster
from yikatong.registry.cards.refusals import BadRosterKind
from yikatong.registry.cards.rosters import given
from yikatong.registry.cards.rosters.reading import BYTES_MAX, RosterTooLarge, read
from yikatong.registry.cards.rules import ROSTER_KINDS
from yikatong.registry.regions.models import Outlet

PLACE: Final = "cards_roster.content"
RUN_TASK: Final = "cards.run_roster"


class Readable(Protocol):
    def read(self, size: int = -1, /) -> bytes: ...


@transaction.atomic
def receive(
    file: Readable | bytes,
    filename: str,
    *,
    kind: str = ApplicantKind.EMPLOYER,
    applicant: str = "",
    run_now: bool = True,
    by: Actor,
    at: datetime,
) -> Roster:
    """Store a roster and defer its run (`run_now`). The same file again is the same roster, and nothing new.

    Of the same region: elsewhere other rows are within reach, and nobody is shown another region's roster.

    `kind` says who applies for the persons (employer, school, community) and `applicant` its name, else the
    organisation that uploads; every case of the roster carries both.

    Raises RosterTooLarge, RosterTooLong, RosterBomb, RosterUnreadable, RosterEmpty, MissingColumns,
    RepeatedColumns, BadRosterKind, EncodingUnknown, NotOffered; nothing is stored then.
    """
    require(by, Permission.ROSTER_IMPORT)
    check_desk(CaseKind.APPLY, by=by, at=at)
    if kind not in ROSTER_KINDS or len(applicant.strip()) > 100:
        raise BadRosterKind
    data = _bytes(file)
    digest = sm3(by.scope.encode() + b"\0" + data)
    if (known := Roster.objects.filter(digest=digest).first()) is not None:
        return known
    sheet = read(data)
    rows = len(sheet.rows)
    outlet = Outlet.objects.filter(pk=by.outlet_id).first() if by.outlet_id else None
    roster, is_new = Roster.objects.get_or_create(
        digest=digest,
        defaults={
            "filename": filename[-200:],
            "content": keyring().seal(PLACE, data),
            "header": given.seal_header(sheet.header),
            "rows": rows,
            "created_at": at,
            "created_by": by.name,
            "uploader_id": by.id,
            "organisation": by.organisation,
            "kind": kind,
            "applicant": applicant.strip() or by.organisation,
            "scope": by.scope,
            "outlet": outlet,
            "taken_code": taken_at(by, outlet),
        },
    )
    if is_new:
        audit.record("cards:roster:received", subject=f"roster:{roster.pk}", by=by, at=at, rows=rows)
        if run_now:
            jobs.configure_task(RUN_TASK, allow_unknown=True).defer(roster_id=str(roster.pk))
    return roster


def _bytes(file: Readable | bytes) -> bytes:
    """Refused before it is read where the size is known, else at the first byte too many."""
    if isinstance(file, bytes):
        return file
    if (getattr(file, "size", None) or 0) > BYTES_MAX:
        raise RosterTooLarge
    data = file.read(BYTES_MAX + 1)
    if len(data) > BYTES_MAX:
        raise RosterTooLarge
    return data
