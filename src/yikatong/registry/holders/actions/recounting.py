"""What hangs on a birth date or a sex is counted anew when a corrected number tells another: in the same act, each with
its event. What was enjoyed on the former date stays enjoyed; nothing holds on that the new one does not bear.
"""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Final

from yikatong.core.actor import Actor
from yikatong.core.clock import day_of
from yikatong.registry.holders import rules
from yikatong.registry.holders.actions.guardians import GROWN
from yikatong.registry.holders.actions.records import note
from yikatong.registry.holders.models import Category, Guardianship, Holder, LifeEvent
from yikatong.registry.regions.law import province

_REASON: Final = "证件号码更正，出生日期随之改变"
#: What was counted anew: before and after, as people say it.
Recounted = tuple[str, str, str]


def recount(holder: Holder, *, born: date, sex: str, by: Actor, at: datetime) -> Iterator[Recounted]:
    """Count anew what followed from the former birth date `born` and `sex` of a locked holder; yields what changed."""
    if holder.sex != sex:
        yield "性别", Holder.Sex(sex).label, holder.get_sex_display()
    if holder.birth_date == born:
        return
    yield "出生日期", born.isoformat(), holder.birth_date.isoformat()
    yield from _guarded(holder, by=by, at=at)
    yield from _guarding(holder, by=by, at=at)
    yield from _elder(holder, born, by=by, at=at)


def _guarded(holder: Holder, *, by: Actor, at: datetime) -> Iterator[Recounted]:
    """His guardians act until the day on which he may act alone by the new date; not longer, and not less long."""
    until, today = rules.independent_on(holder.birth_date, province().card.independent_age), day_of(at)
    found = (
        Guardianship.objects.select_for_update(no_key=True).filter(ward=holder).order_by("created_at", "pk")
    )
    known = {(one.kind, bytes(one.number_index)) for one in found if one.ended_at is None}
    for one in found:
        key, was = (one.kind, bytes(one.number_index)), _until(one)
        if one.ended_at is not None and (one.end_reason != GROWN or until <= today or key in known):
            continue
        if one.ended_at is None and one.valid_until == until:
            continue
        known.add(key)
        if until > today:
            one.valid_until, one.ended_at, one.end_reason = until, None, ""
        else:
            one.ended_at, one.end_reason = at, GROWN
        one.save(update_fields=["valid_until", "ended_at", "end_reason"])
        what = "guardian_ended" if one.ended_at else "guardian_recounted"
        note(what, holder, by=by, at=at, guardianship=str(one.pk))
        yield "监护关系", was, _until(one)
    if until > today and not known:
        yield "监护关系", "无", "须登记监护人"


def _until(one: Guardianship) -> str:
    return "已终止" if one.ended_at else f"至 {one.valid_until - timedelta(days=1)}"


def _guarding(holder: Holder, *, by: Actor, at: datetime) -> Iterator[Recounted]:
    """Who turns out to be no adult is nobody's guardian."""
    if rules.birthday(holder.birth_date, rules.ADULT) <= day_of(at):
        return
    mine = Guardianship.objects.select_for_update(of=("self",), no_key=True).filter(
        guardian=holder, ended_at=None
    )
    for one in mine.select_related("ward").order_by("pk"):
        was = _until(one)
        one.ended_at, one.end_reason = at, "监护人按更正后的出生日期未满 18 周岁"
        one.save(update_fields=["ended_at", "end_reason"])
        note("guardian_ended", one.ward, by=by, at=at, guardianship=str(one.pk))
        yield "担任监护人", was, "已终止"


def _elder(holder: Holder, born: date, *, by: Actor, at: datetime) -> Iterator[Recounted]:
    """The concession of the elderly holds from the sixtieth birthday of the new date on."""
    begins, began, today = (
        rules.birthday(holder.birth_date, rules.ELDER),
        rules.birthday(born, rules.ELDER),
        day_of(at),
    )
    states = (Category.State.COMING, Category.State.ON)
    held = holder.categories.select_for_update(no_key=True).filter(kind=Category.Kind.ELDER, state__in=states)
    for one in held.order_by("valid_from", "pk"):
        was = _period(one)
        if one.state == Category.State.ON and begins > today:
            yield "老年人优待", was, _put_off(one, begins, by=by, at=at)
        elif one.valid_from < begins or (one.state == Category.State.COMING and one.valid_from == began):
            _shift(one, begins, today)
            note("category_shifted", holder, by=by, at=at, category=str(one.pk))
            yield "老年人优待", was, _period(one)


def _put_off(one: Category, begins: date, *, by: Actor, at: datetime) -> str:
    """It ends today, and begins again on the birthday where its proof lasts so long."""
    today, until = day_of(at), one.valid_until
    one.valid_until, one.state, one.end_reason = max(today, one.valid_from), Category.State.OFF, _REASON
    one.save(update_fields=["valid_until", "state", "end_reason"])
    note("category_ended", one.holder, by=by, at=at, category=str(one.pk), on=one.valid_until.isoformat())
    if (until is not None and until <= begins) or _is_taken(one, begins):
        return "已终止"
    again = Category.objects.create(
        holder=one.holder,
        kind=one.kind,
        valid_from=begins,
        valid_until=until,
        source=one.source,
        evidence=one.evidence,
        state=Category.State.COMING,
        created_at=at,
        created_by=by.name,
    )
    note("category_added", one.holder, by=by, at=at, category=str(again.pk))
    return _period(again)


def _shift(one: Category, begins: date, today: date) -> None:
    """One that was to come begins on the new birthday, today at the earliest; one that holds has held since it."""
    if one.state == Category.State.COMING:
        begins = max(begins, today)
    never = one.valid_until is not None and one.valid_until <= begins
    if never or _is_taken(one, begins):
        one.valid_until, one.end_reason = one.valid_from, _REASON
    else:
        one.valid_from = begins
    one.state = rules.state_on(one.valid_from, one.valid_until, today)
    one.save(update_fields=["valid_from", "valid_until", "state", "end_reason"])


def _is_taken(one: Category, begins: date) -> bool:
    """Whether another entry of the kind begins that day, and says it already."""
    others = Category.objects.filter(holder_id=one.holder_id, kind=one.kind, valid_from=begins).exclude(
        pk=one.pk
    )
    return others.exclude(state=Category.State.OFF).exists()


def _period(one: Category) -> str:
    if one.valid_until is not None and one.valid_until <= one.valid_from:
        return "未生效"
    return f"{one.valid_from} 起" + (f"，至 {one.valid_until - timedelta(days=1)}" if one.valid_until else "")


def recorded(holder: Holder, found: Iterator[Recounted], *, by: Actor, at: datetime) -> list[Recounted]:
    """What was counted anew, each with its event, which the holder and the clerk can read."""
    done = list(found)
    LifeEvent.objects.bulk_create(
        LifeEvent(
            holder=holder,
            at=at,
            kind=LifeEvent.Kind.RECOUNTED,
            before=before,
            after=after,
            reason=what,
            actor_name=by.name,
            channel=by.channel,
        )
        for what, before, after in done
    )
    if done:
        note(f"life_{LifeEvent.Kind.RECOUNTED.value}", holder, by=by, at=at, count=len(done))
    return done
