"""核验: who is registered or applies is asked for at the population source, while he is here if it answers in time.

A source that is away delays the inquiry and nothing else: the case goes on, and it is asked again until it answers.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db import transaction
from django.db.models import F, Q
from procrastinate.contrib.django import app as jobs

from yikatong.registry.cards.models import Case, CaseKind
from yikatong.registry.holders.models import Holder
from yikatong.registry.holders.queries import with_number
from yikatong.registry.matching import comparing, rules
from yikatong.registry.matching.models import Inquiry
from yikatong.registry.matching.source import Answer, Source, SourceUnavailable, sources

OF: Final = "population"
ASK: Final = "matching.inquire"
CHUNK: Final = 200
#: How long whoever stands at a counter waits for the source (seconds).
AT_COUNTER_S: Final = 1.5
#: A person just asked for is not asked for again.
FRESH: Final = timedelta(days=1)
LEASE: Final = timedelta(seconds=60)
_PAUSES_S: Final = (10, 60, 300, 900)
_KINDS: Final = frozenset({CaseKind.APPLY, CaseKind.REPLACE})


def on_registered(holder_id: UUID, at: datetime, **_: Any) -> None:
    want(holder_id, at=at)


def on_submitted(case: Case, at: datetime, **_: Any) -> None:
    if case.kind in _KINDS:
        want(case.holder_id, at=at)


def on_roster(holder_ids: Sequence[UUID], at: datetime, **_: Any) -> None:
    want(*holder_ids, at=at)


def want(*holder_ids: UUID, at: datetime) -> None:
    """Write inquiries down, in the caller's transaction, but for those who wait or were answered for just now."""
    if OF not in sources():
        return
    known = Inquiry.objects.filter(holder_id__in=holder_ids, source=OF)
    recent = known.filter(Q(status="waiting") | Q(answered_at__gt=at - FRESH))
    asked_for = with_number().filter(pk__in=holder_ids).values_list("pk", flat=True)
    missing = set(asked_for) - set(recent.values_list("holder_id", flat=True))
    if not missing:
        return
    Inquiry.objects.bulk_create(
        [Inquiry(holder_id=one, source=OF, wanted_at=at, next_try_at=at) for one in missing],
        ignore_conflicts=True,
    )
    # The counter asks itself; the job is for the channels where nobody waits, and for a source that was away.
    jobs.configure_task(ASK, queue="sources", schedule_in={"seconds": 5}).defer()


def ask_now(holder_id: UUID, *, at: datetime) -> Inquiry | None:
    """Ask for one person while he is here, within AT_COUNTER_S; returns how his latest inquiry stands.

    Called outside any transaction. Whatever the source does, the person is served.
    """
    source = sources().get(OF)
    mine = Inquiry.objects.filter(holder_id=holder_id, source=OF, status="waiting")
    if source is not None and (claimed := _claim(mine, at)):
        _ask(source, claimed, at, within_s=AT_COUNTER_S)
    return latest(holder_id)


def ask_due(*, at: datetime) -> int:
    """Ask for all whose time has come, a chunk at a time; returns how many were answered."""
    source, answered = sources().get(OF), 0
    due = Inquiry.objects.filter(source=OF, status="waiting", next_try_at__lte=at)
    while source is not None and (claimed := _claim(due, at)):
        done = _ask(source, claimed, at)
        if not done:
            break
        answered += done
    return answered


def latest(holder_id: UUID) -> Inquiry | None:
    """How the latest inquiry about a holder stands; None when he was never asked for."""
    return Inquiry.objects.filter(holder_id=holder_id).order_by("-wanted_at").first()


@transaction.atomic
def _claim(wanted: Any, at: datetime) -> list[Inquiry]:
    """Some of them, ours for LEASE: a second worker takes others."""
    rows = wanted.filter(next_try_at__lte=at).select_for_update(skip_locked=True, of=("self",), no_key=True)
    found = list(rows.select_related("holder").order_by("next_try_at", "pk")[:CHUNK])
    Inquiry.objects.filter(pk__in=[one.pk for one in found]).update(
        tries=F("tries") + 1, next_try_at=at + LEASE
    )
    return found


def _ask(source: Source, claimed: Sequence[Inquiry], at: datetime, *, within_s: float | None = None) -> int:
    there = [one for one in claimed if one.holder.status == Holder.Status.ACTIVE]
    try:
        answers = source.look_up(comparing.questions([one.holder for one in there]), within_s=within_s)
    except SourceUnavailable as failure:
        _put_off(claimed, failure, at)
        return 0
    _settle(source, claimed, there, answers, at)
    comparing.record_untold(source, [one.holder for one in there], answers, at)
    return len(claimed)


@transaction.atomic
def _settle(
    source: Source,
    claimed: Sequence[Inquiry],
    there: Sequence[Inquiry],
    answers: Sequence[Answer],
    at: datetime,
) -> None:
    """Issues, looks and the inquiries' ends in one transaction; who has ended meanwhile is asked for no more."""
    comparing.judge(OF, [one.holder for one in there], answers, source, at)
    said = {one.reference: one for one in answers}
    for one in claimed:
        answer = said.get(one.holder_id.hex) if one in there else None
        one.status = Inquiry.Status.DROPPED if answer is None else _came_to(one.holder, answer)
        one.answered_at, one.trouble = at, ""
    Inquiry.objects.bulk_update(claimed, ["status", "answered_at", "trouble"])


def _came_to(holder: Holder, answer: Answer) -> Inquiry.Status:
    if not answer.is_known:
        return Inquiry.Status.UNKNOWN
    return Inquiry.Status.DIFFERS if any(rules.differences(holder, answer)) else Inquiry.Status.AGREES


def _put_off(claimed: Sequence[Inquiry], failure: SourceUnavailable, at: datetime) -> None:
    for one in claimed:
        pause = _PAUSES_S[min(one.tries, len(_PAUSES_S) - 1)]
        one.trouble, one.next_try_at = str(failure)[:100], at + timedelta(seconds=pause)
    Inquiry.objects.bulk_update(claimed, ["trouble", "next_try_at"])
