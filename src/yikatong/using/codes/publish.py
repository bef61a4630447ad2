"""Publish the lists terminals carry: set by set, under one lock, a new version only for a change."""

import json
from datetime import datetime, timedelta
from typing import Any, Final, Literal

from django.db import connection, transaction
from django.db.models import Min, Q, QuerySet

from yikatong.core.errors import DomainError, NotFound
from yikatong.using.codes import hot_delta, issuing, keysets, outgoing, rules
from yikatong.using.codes.keyset import Keyset
from yikatong.using.codes.lists import Envelope, hot_payload, trust_payload
from yikatong.using.codes.models import HotEntry, ListVersion

FULL_KEPT: Final = 3  # full lists on record, for whoever is just reading one
DELTAS_KEPT: Final = timedelta(days=30)  # a terminal away for longer fetches the full list


class ListGap(DomainError):
    """Also said by a terminal's own reader (reason 804 there)."""

    code = "list_gap"
    message = "没有从该版本起的增量名单，请下载完整名单。"


@transaction.atomic
def publish_lists(*, at: datetime) -> list[ListVersion]:
    """Publish whatever has changed since; returns the new versions, none when all stands as it was.

    New keys renew every list, for terminals then hold a new list key.
    """
    issuing.lock()
    keyset = issuing.signing_keyset(at)
    trust = _publish_trust(keyset, at)
    hot = [_publish_hot(scene, keyset, at, even_unchanged=bool(trust)) for scene in rules.SCENES]
    made = [version for version in (trust, *hot) if version]
    outgoing.note_published(made)
    return made


def latest(kind: Literal["trust", "hot"], scene: int = 0) -> ListVersion | None:
    return ListVersion.objects.filter(kind=kind, scene=scene).order_by("-version").first()


def delta(scene: int, since: int, *, at: datetime) -> Envelope:
    """The signed way from version `since` to the latest. Raises NotFound (no list yet), ListGap (too old)."""
    newest = latest("hot", scene)
    if newest is None:
        raise NotFound
    known = ListVersion.objects.filter(kind="hot", scene=scene, version=since).exists()
    if not known or since >= newest.version:
        raise ListGap(since=since, latest=newest.version)
    with connection.cursor() as cursor:
        cursor.execute(hot_delta.DELTA_SQL, {"scene": scene, "since": since, "to": newest.version})
        rows = cursor.fetchall()
    return hot_delta.envelope(
        rows,
        keyset=issuing.signing_keyset(at),
        scene=scene,
        since=since,
        to=newest.version,
        made_at=int(newest.made_at.timestamp()),
    )


@transaction.atomic
def forget_old(*, at: datetime) -> int:
    """Drop versions from which no delta is made any more, and entries no delta can mention. Returns rows."""
    issuing.lock()
    dropped = 0
    for scene in rules.SCENES:
        versions = ListVersion.objects.filter(kind="hot", scene=scene)
        newest = latest("hot", scene)
        old = versions.filter(made_at__lt=at - DELTAS_KEPT, version__lt=newest.version if newest else 0)
        dropped += old.delete()[0]
        first = versions.aggregate(first=Min("version"))["first"] or 0
        dropped += HotEntry.objects.filter(scene=scene, removed_version__lte=first).delete()[0]
    return dropped + outgoing.forget_old(at - DELTAS_KEPT)


def _publish_trust(keyset: Keyset, at: datetime) -> ListVersion | None:
    payload = trust_payload(issuing.trusted(issuing.live(at)))
    last = latest("trust")
    version = last.version + 1 if last else 1
    text = _signed(Envelope("trust", 0, 0, version, _unix(at), keyset.issuer, keyset.key_id, payload), keyset)
    if last and _said(bytes(last.full)) == _said(text):
        return None
    keys = len(json.loads(payload)["keys"])
    return ListVersion.objects.create(kind="trust", version=version, made_at=at, full=text, entries=keys)


def _publish_hot(scene: int, keyset: Keyset, at: datetime, *, even_unchanged: bool) -> ListVersion | None:
    last = latest("hot", scene)
    version = last.version + 1 if last else 1
    changed = _number(scene, version, at)
    if last and not changed and not even_unchanged:
        return None
    standing = HotEntry.objects.filter(scene=scene, added_version__isnull=False, removed_version=None)
    references = [bytes(reference) for reference in standing.values_list("reference", flat=True)]
    payload = hot_payload(references)
    envelope = Envelope("hot", scene, 0, version, _unix(at), keyset.issuer, keyset.key_id, payload)
    made = ListVersion.objects.create(
        kind="hot",
        scene=scene,
        version=version,
        made_at=at,
        full=_signed(envelope, keyset),
        entries=len(references),
    )
    old = ListVersion.objects.filter(kind="hot", scene=scene, version__lte=version - FULL_KEPT)
    old.exclude(full=b"").update(full=b"")
    return made


def _number(scene: int, version: int, at: datetime) -> int:
    """Give the version to what came and what goes; a credential that has expired needs no entry."""
    entries = HotEntry.objects.filter(scene=scene)
    waiting: QuerySet[HotEntry, Any] = entries.filter(added_version=None)
    waiting.filter(expires_at__lte=at).delete()
    leaving = entries.filter(added_version__isnull=False, removed_version=None)
    removed = leaving.filter(Q(is_ended=True) | Q(expires_at__lte=at)).update(
        removed_version=version, is_ended=True
    )
    return removed + waiting.update(added_version=version)


def _signed(envelope: Envelope, keyset: Keyset) -> bytes:
    return envelope.signed(keysets.list_key(keyset).private).to_json().encode()


def _said(full: bytes) -> tuple[int, str]:
    """Who signed a trust list, and what it says."""
    fields = json.loads(full)
    return fields["key_id"], fields["payload"]


def _unix(at: datetime) -> int:
    return int(at.timestamp())
