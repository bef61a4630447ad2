"""Tell partners whose cards are stopped: each list once published, until each of them says that it holds it."""

from datetime import datetime, timedelta
from typing import Any, Final

from django.db import connection, transaction
from django.db.models import F, Min, Q, QuerySet, Value
from django.db.models.functions import Coalesce

from yikatong.using.codes import outgoing, publish
from yikatong.using.codes.models import ListVersion, LossSpread, Partner, PartnerNotice
from yikatong.using.codes.partner_line import PartnerLine, PartnerUnfit, PartnerUnreached

_PAUSES_S: Final = (2, 5, 15, 60, 300)


@transaction.atomic
def sync(line: PartnerLine) -> None:
    """The wired partners as rows; one that is new is to be told of every list that stands."""
    wired = dict(line.partners())
    Partner.objects.filter(is_wired=True).exclude(pk__in=wired).update(is_wired=False)
    known = {one.pk: one for one in Partner.objects.filter(pk__in=wired)}
    for code, name in wired.items():
        there = known.get(code)
        if there is not None and there.is_wired and there.name == name:
            continue
        partner, _ = Partner.objects.update_or_create(
            pk=code, defaults={"name": name, "is_wired": True, "next_try_at": None}
        )
        _note_standing(partner)


def _note_standing(partner: Partner) -> None:
    newest = ListVersion.objects.filter(kind="hot").order_by("scene", "-version").distinct("scene")
    PartnerNotice.objects.bulk_create(
        [
            PartnerNotice(partner=partner, scene=one.scene, version=one.version, made_at=one.made_at)
            for one in newest.only("scene", "version", "made_at")
        ],
        ignore_conflicts=True,
    )


def due(*, at: datetime) -> list[str]:
    """Partners who wait for a list, and whose time to be tried has come."""
    waiting = Partner.objects.filter(is_wired=True, notices__told_at=None, notices__isnull=False)
    found = waiting.filter(Q(next_try_at=None) | Q(next_try_at__lte=at)).distinct()
    return list(found.order_by("pk").values_list("pk", flat=True))


def tell(code: str, line: PartnerLine, *, at: datetime) -> int:
    """Hand the partner the way from what it holds to the newest list of each scene; returns notices settled.

    The call stands outside any transaction. Killed in between, the list is handed over again, harmlessly.
    """
    partner = Partner.objects.filter(pk=code, is_wired=True).first()
    if partner is None:
        return 0
    settled = 0
    for scene in _scenes_waiting(partner):
        try:
            version = _hand_over(partner, scene, line, at)
        except PartnerUnreached as failure:
            _put_off(partner, failure, at)
            break
        settled += _settle(partner, scene, version, at)
    return settled


def _scenes_waiting(partner: Partner) -> list[int]:
    waiting = PartnerNotice.objects.filter(partner=partner, told_at=None)
    return sorted(set(waiting.values_list("scene", flat=True)))


def _hand_over(partner: Partner, scene: int, line: PartnerLine, at: datetime) -> int:
    """The version the partner holds afterwards, at least the newest that stood; raises PartnerUnreached."""
    newest = publish.latest("hot", scene)
    if newest is None:
        return 0
    held = partner.held.get(str(scene), 0)
    version = line.take(partner.pk, _way(scene, held, newest, at))
    if version < newest.version:  # it holds something else than we thought
        version = line.take(partner.pk, bytes(newest.full))
    if version < newest.version:
        raise PartnerUnfit("对方没有采用完整名单")
    return version


def _way(scene: int, held: int, newest: ListVersion, at: datetime) -> bytes:
    """A delta where there is one, else the full list."""
    if held:
        try:
            return publish.delta(scene, held, at=at).to_json().encode()
        except publish.ListGap:
            pass
    return bytes(newest.full)


@transaction.atomic
def _settle(partner: Partner, scene: int, version: int, at: datetime) -> int:
    """What the partner holds is written down, notices are told, and losses that have now reached all partners."""
    row = Partner.objects.select_for_update(no_key=True).get(pk=partner.pk)
    row.held = partner.held = row.held | {str(scene): version}
    row.told_at, row.behind_since, row.trouble, row.trouble_kind = at, None, "", ""
    row.tries, row.next_try_at = 0, None
    row.save()
    waiting = PartnerNotice.objects.filter(partner=row, scene=scene, told_at=None, version__lte=version)
    settled = waiting.update(told_at=at)
    _reached(at)
    return settled


def _reached(at: datetime) -> None:
    """Losses whose list every partner holds: those older than the oldest list that one of them waits for."""
    on_way: QuerySet[LossSpread] = LossSpread.objects.filter(
        needs_partners=True, partners_at=None, listed_in__isnull=False
    )
    oldest = PartnerNotice.objects.filter(told_at=None, partner__is_wired=True).aggregate(at=Min("made_at"))
    (on_way.filter(listed_in__lt=oldest["at"]) if oldest["at"] else on_way).update(partners_at=at)


def _put_off(partner: Partner, failure: PartnerUnreached, at: datetime) -> None:
    pause = timedelta(seconds=_PAUSES_S[min(partner.tries, len(_PAUSES_S) - 1)])
    Partner.objects.filter(pk=partner.pk).update(
        trouble=str(failure)[:100],
        trouble_kind=failure.kind,
        behind_since=Coalesce("behind_since", Value(at)),
        tries=F("tries") + 1,
        next_try_at=at + pause,
    )


def tell_due(*, at: datetime) -> None:
    """Whatever became of a job, its partner is found here."""
    for code in due(at=at):
        outgoing.tell_soon(code)


_STANDS: Final = """
SELECT p.code, count(n.id), min(n.made_at)
FROM codes_partner p LEFT JOIN codes_partnernotice n ON n.partner_id = p.code AND n.told_at IS NULL
GROUP BY p.code
"""


def stands() -> list[tuple[Partner, int, datetime | None]]:
    """Each partner with how many lists it waits for, and when the oldest of them was published."""
    with connection.cursor() as cursor:
        cursor.execute(_STANDS)
        waiting: dict[str, tuple[Any, ...]] = {row[0]: row[1:] for row in cursor.fetchall()}
    return [(one, *waiting.get(one.pk, (0, None))) for one in Partner.objects.order_by("pk")]
