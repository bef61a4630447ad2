"""待发资金暂停: whose payments are held, and since when, for whoever pays out (Opinions 3, Guangdong art. 8).

No mark is kept: it is read from the record itself, so it begins with the death and ends with its undoing, in the same
transaction, and cannot be forgotten.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from yikatong.registry.holders.models import Holder, LifeEvent

_ENDINGS = {Holder.Status.DECEASED: LifeEvent.Kind.DECEASED, Holder.Status.LEFT: LifeEvent.Kind.LEFT}


@dataclass(frozen=True, slots=True)
class Held:
    """Payments to a person are held: since the moment it was recorded.

    `ended_on` is the day of death, after whose month nothing is due any more; None for one who left, whose card and
    account behind it have gone with him. `payee` is the record that stands for the person, another one after a merge.
    """

    payee: UUID
    status: Holder.Status
    since: datetime
    ended_on: date | None


def held(holder_ids: Collection[UUID]) -> dict[UUID, Held]:
    """Those of these holders whose payments are held; who is missing in the answer is paid.

    Three statements for any number of holders, one more for each merge of a merged record.
    """
    payees = payees_of(holder_ids)
    ended = Holder.objects.filter(pk__in=set(payees.values()), status__in=_ENDINGS)
    rows = {one.pk: one for one in ended.only("id", "status", "deceased_on")}
    since = _since(rows)
    return {
        asked: Held(payee, Holder.Status(rows[payee].status), since[payee], rows[payee].deceased_on)
        for asked, payee in payees.items()
        if payee in rows
    }


def held_since(holder_id: UUID) -> datetime | None:
    """The moment since which nothing may be paid to this holder; None while he is paid."""
    found = held([holder_id]).get(holder_id)
    return found.since if found else None


def payees_of(holder_ids: Collection[UUID]) -> dict[UUID, UUID]:
    """For each record the one that stands for the person today: itself, or what it was merged into."""
    payees = {one: one for one in holder_ids}
    while merged := dict(
        Holder.objects.filter(pk__in=set(payees.values()), status=Holder.Status.MERGED).values_list(
            "pk", "merged_into_id"
        )
    ):
        payees = {asked: merged.get(payee) or payee for asked, payee in payees.items()}
    return payees


def _since(rows: dict[UUID, Holder]) -> dict[UUID, datetime]:
    """When the ending that counts was recorded: of one who left and then died, the death."""
    events = LifeEvent.objects.filter(holder__in=rows, kind__in=_ENDINGS.values()).order_by("at", "pk")
    told = {(one.holder_id, one.kind): one.at for one in events.only("holder_id", "kind", "at")}
    return {key: told[key, _ENDINGS[Holder.Status(row.status)]] for key, row in rows.items()}
