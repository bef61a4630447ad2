"""Compare a slice of the holder base with one source: in chunks, asked outside any transaction, stored in one each."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Final
from uuid import UUID

from django.db import transaction
from django.db.models import Value, prefetch_related_objects
from django.db.models.functions import Coalesce

from yikatong.core import audit, looks
from yikatong.core.actor import SYSTEM
from yikatong.core.errors import DomainError
from yikatong.core.models import AuditEntry
from yikatong.registry.cards import actions as cards
from yikatong.registry.holders.actions import record_validity, social_security_index
from yikatong.registry.holders.models import Holder, LifeEvent
from yikatong.registry.holders.queries import with_number
from yikatong.registry.matching import rules
from yikatong.registry.matching.models import UNSETTLED, Issue, SourceRun
from yikatong.registry.matching.source import OF_DEATHS, Answer, Question, Source, SourceUnavailable

CHUNK: Final = 500
#: Each ten minutes: a base of ninety million is gone round in a week.
SLICE: Final = 100_000
_READ: Final = (
    "id", "name", "social_security_number", "phone", "division_code", "ground", "status", "birth_date",
)  # fmt: skip
Key = tuple[UUID, str]


@dataclass(frozen=True, slots=True)
class Slice:
    """What comparing a slice has come to; `failure` says why it stopped early."""

    compared: int
    opened: int
    agreed: int
    deaths: int
    failure: str = ""


@dataclass(frozen=True, slots=True)
class _Found:
    holder: Holder
    field: str
    ours: str
    theirs: str


def compare(key: str, source: Source, *, limit: int = SLICE, at: datetime) -> Slice:
    """Go on where the source stands, up to `limit` holders; at the end of the base a new round begins.

    Killed in the middle, nothing is lost: each chunk is stored with its position. Two at once share no chunk.
    """
    total = Slice(0, 0, 0, 0)
    while total.compared < limit:
        run, _ = SourceRun.objects.get_or_create(source=key)
        holders = _next(run, min(CHUNK, limit - total.compared))
        if not holders:
            _round_done(run, at)
            break
        try:
            answers = source.look_up(questions(holders))
        except SourceUnavailable as failure:
            return replace(total, failure=_failed(key, failure, at))
        stored = _store(run, holders, answers, source, at)
        if stored is None:  # another has stored this chunk
            break
        record_untold(source, holders, answers, at)
        total = _sum(total, stored, _deaths(key, source, holders, answers, at))
    return total


def follow(key: str, source: Source, *, limit: int = SLICE, at: datetime) -> Slice:
    """Compare those of whom the source has entered something since it was last asked; page by page, restartable.

    The page tells who; what, is looked up, so that a source's answer is always the whole of what it says.
    """
    total = Slice(0, 0, 0, 0)
    while total.compared < limit:
        run, _ = SourceRun.objects.get_or_create(source=key)
        try:
            page = source.changes(run.cursor)
            holders = _holders_of(page.numbers)
            answers = source.look_up(questions(holders)) if holders else ()
        except SourceUnavailable as failure:
            return replace(total, failure=_failed(key, failure, at))
        stored = _store_page(run, page.after, holders, answers, source, at)
        if stored is None:
            break
        record_untold(source, holders, answers, at)
        total = _sum(total, stored, _deaths(key, source, holders, answers, at))
        if not page.more:
            break
    return total


def questions(holders: Sequence[Holder]) -> list[Question]:
    return [Question(one.pk.hex, one.social_security_number, one.name) for one in holders]


def _holders_of(numbers: Sequence[str]) -> list[Holder]:
    """Those of them that are ours; most of a province's deaths are of people with a card, of its births none."""
    there = Holder.objects.filter(status=Holder.Status.ACTIVE).only(*_READ).order_by("pk")
    return list(there.filter(social_security_index__in=[social_security_index(one) for one in set(numbers)]))


def _failed(key: str, failure: SourceUnavailable, at: datetime) -> str:
    """Keep what went wrong, and since when; returns the words."""
    SourceRun.objects.filter(pk=key).update(
        failure=str(failure)[:100],
        failure_kind=failure.kind,
        failed_at=at,
        behind_since=Coalesce("behind_since", Value(at)),
    )
    return str(failure)


def _sum(one: Slice, two: Slice, deaths: int) -> Slice:
    return Slice(
        one.compared + two.compared, one.opened + two.opened, one.agreed + two.agreed, one.deaths + deaths
    )


def _next(run: SourceRun, count: int) -> list[Holder]:
    there = with_number().filter(status=Holder.Status.ACTIVE).only(*_READ).order_by("pk")
    return list((there.filter(pk__gt=run.position) if run.position else there)[:count])


def _round_done(run: SourceRun, at: datetime) -> None:
    moved = SourceRun.objects.filter(pk=run.pk, position__isnull=False, position=run.position)
    moved.update(position=None, rounds=run.rounds + 1, compared_at=at)


@transaction.atomic
def _store(
    run: SourceRun, holders: Sequence[Holder], answers: Iterable[Answer], source: Source, at: datetime
) -> Slice | None:
    """Issues, looks and the position in one transaction; None where the position has moved meanwhile."""
    held = SourceRun.objects.select_for_update().get(pk=run.pk)
    if held.position != run.position:
        return None
    judged = judge(run.source, holders, answers, source, at)
    held.position, held.compared_at = holders[-1].pk, at
    held.compared += judged.compared
    _answered(held, judged, at)
    return judged


@transaction.atomic
def _store_page(
    run: SourceRun,
    after: str,
    holders: Sequence[Holder],
    answers: Iterable[Answer],
    source: Source,
    at: datetime,
) -> Slice | None:
    """The same for a page of changes."""
    held = SourceRun.objects.select_for_update().get(pk=run.pk)
    if held.cursor != run.cursor:
        return None
    judged = judge(run.source, holders, answers, source, at)
    held.cursor = after
    held.changed += judged.compared
    _answered(held, judged, at)
    return judged


def _answered(held: SourceRun, judged: Slice, at: datetime) -> None:
    held.answered_at, held.behind_since, held.failure, held.failure_kind = at, None, "", ""
    held.differing += judged.opened
    held.save()


def judge(
    key: str, holders: Sequence[Holder], answers: Iterable[Answer], source: Source, at: datetime
) -> Slice:
    """What the answers come to for these holders: issues opened, followed and closed, and the looks written.

    Inside the caller's transaction.
    """
    found = list(_differing(holders, answers))
    opened, agreed = _keep(key, holders, found, at)
    looks.record(
        [one.pk for one in holders],
        by=SYSTEM,
        at=at,
        purpose=f"与{source.label}核对",
        fields=["姓名", "社会保障号码"],
    )
    return Slice(len(holders), opened, agreed, 0)


def _differing(holders: Sequence[Holder], answers: Iterable[Answer]) -> Iterable[_Found]:
    by_reference = {one.pk.hex: one for one in holders}
    _with_certificates(by_reference, answers)
    for answer in answers:
        if (holder := by_reference.get(answer.reference)) is not None:
            for field, ours, theirs in rules.differences(holder, answer):
                yield _Found(holder, field.value, ours, theirs)


def _with_certificates(by_reference: Mapping[str, Holder], answers: Iterable[Answer]) -> None:
    """Read at once what is compared with the periods a source tells; most tell none."""
    told = [by_reference.get(one.reference) for one in answers if Issue.Field.VALIDITY in one.facts]
    prefetch_related_objects([one for one in told if one is not None], "certificates")


def record_untold(source: Source, holders: Sequence[Holder], answers: Iterable[Answer], at: datetime) -> None:
    """Record the period of an identity card where none is recorded yet: nothing is overwritten by that.

    What does not fit its bearer, or has run out, is left to the counter.
    """
    by_reference = {one.pk.hex: one for one in holders}
    for answer in answers:
        holder = by_reference.get(answer.reference)
        told = rules.untold_validity(holder, answer) if holder is not None else None
        if holder is None or told is None:
            continue
        card = rules.identity_card(holder)
        with suppress(DomainError):
            record_validity(
                holder.pk,
                validity=told,
                certificate_id=card.pk if card else None,
                evidence=source.label,
                by=SYSTEM,
                at=at,
            )


def _keep(source: str, holders: Sequence[Holder], found: Sequence[_Found], at: datetime) -> tuple[int, int]:
    """Open what is new, follow what has changed, close what agrees now; how many opened and closed."""
    keys = [one.pk for one in holders]
    of_source = Issue.objects.filter(source=source, holder__in=keys)
    known: dict[Key, Issue] = {
        (one.holder_id, one.field): one for one in of_source.filter(status__in=UNSETTLED)
    }
    kept = {
        (one.holder_id, one.field, one.theirs)
        for one in of_source.filter(status=Issue.Status.KEPT, field__in={each.field for each in found})
    }
    seen = {(one.holder.pk, one.field): one for one in found}
    new = [
        one
        for key, one in seen.items()
        if key not in known and (*key, one.theirs) not in kept  # once decided, not asked again
    ]
    _open(source, new, at)
    _follow([(known[key], one) for key, one in seen.items() if key in known])
    return len(new), _agree([one for key, one in known.items() if key not in seen], at)


def _open(source: str, found: Sequence[_Found], at: datetime) -> None:
    Issue.objects.bulk_create(
        (
            Issue(
                holder=one.holder,
                source=source,
                field=one.field,
                ours=one.ours,
                theirs=one.theirs,
                division_code=one.holder.division_code,
                opened_at=at,
            )
            for one in found
        ),
        ignore_conflicts=True,
    )
    audit.record_all(_entry("opened", one.holder.pk, source, one.field, at) for one in found)


def _follow(pairs: Iterable[tuple[Issue, _Found]]) -> None:
    changed = []
    for issue, found in pairs:
        if (issue.ours, issue.theirs) != (found.ours, found.theirs):
            issue.ours, issue.theirs = found.ours, found.theirs
            changed.append(issue)
    Issue.objects.bulk_update(changed, ["ours", "theirs"])


def _agree(issues: Sequence[Issue], at: datetime) -> int:
    closed = Issue.objects.filter(pk__in=[one.pk for one in issues], status__in=UNSETTLED)
    count = closed.update(status=Issue.Status.AGREED, settled_at=at, settled_by=SYSTEM.name)
    audit.record_all(_entry("agreed", one.holder_id, one.source, one.field, at) for one in issues)
    return count


def _entry(what: str, holder_id: UUID, source: str, field: str, at: datetime) -> AuditEntry:
    return audit.entry(
        f"matching:issue:{what}",
        subject=f"holder:{holder_id}",
        holder_id=holder_id,
        by=SYSTEM,
        at=at,
        source=source,
        field=field,
    )


def _deaths(
    key: str, source: Source, holders: Sequence[Holder], answers: Iterable[Answer], at: datetime
) -> int:
    """Record the deaths that civil affairs tells of the same person; one refused or contested stays an issue."""
    if key != OF_DEATHS:
        return 0
    by_reference = {one.pk.hex: one for one in holders}
    told = ((by_reference.get(one.reference), one) for one in answers)
    days = ((holder, rules.death_of(holder, one)) for holder, one in told if holder is not None)
    return sum(_die(holder, day, source, at) for holder, day in days if day is not None)


def _is_contested(holder: Holder, day: date) -> bool:
    """Whether a person has found otherwise: he lives although a death was recorded, or this one was settled as untrue."""
    was_undone = LifeEvent.objects.filter(holder=holder, kind=LifeEvent.Kind.DECEASED)
    kept = Issue.objects.filter(holder=holder, field=Issue.Field.DEATH, status=Issue.Status.KEPT)
    return was_undone.exists() or any(one.theirs == day.isoformat() for one in kept)


def _die(holder: Holder, day: date, source: Source, at: datetime) -> bool:
    if _is_contested(holder, day):
        return False
    try:
        with transaction.atomic():
            evidence = f"{source.label}死亡信息（姓名、号码一致）"
            cards.record_death(holder.pk, on=day, evidence=evidence, by=SYSTEM, at=at)
            issue = Issue.objects.filter(holder=holder, field=Issue.Field.DEATH, status__in=UNSETTLED)
            issue.update(
                status=Issue.Status.TAKEN, settled_at=at, settled_by=SYSTEM.name, note="已自动登记死亡"
            )
    except DomainError:
        return False
    return True
