"""Ask every invariant of the database as it stands; nothing is written."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict
from datetime import datetime, timedelta
from itertools import islice
from typing import Final

from django.db import connection, transaction

from yikatong.core.clock import day_of
from yikatong.core.sm.sm4 import SealBroken
from yikatong.insight.soundness.banks import BANKS
from yikatong.insight.soundness.cards import CARDS
from yikatong.insight.soundness.codes import CODES
from yikatong.insight.soundness.invariant import Breach, Invariant, Moment
from yikatong.insight.soundness.joint import JOINT
from yikatong.insight.soundness.log import LOG
from yikatong.insight.soundness.making import MAKING
from yikatong.insight.soundness.people import PEOPLE
from yikatong.registry.regions.law import province

INVARIANTS: Final[tuple[Invariant, ...]] = (*PEOPLE, *CARDS, *MAKING, *BANKS, *JOINT, *CODES, *LOG)
EXAMPLES_MOST: Final = 5
#: What was due longer ago than this has been forgotten by its job.
GRACE: Final = timedelta(hours=2)
Progress = Callable[[Invariant, int], None]


def breaches(
    *, at: datetime, chosen: Iterable[Invariant] = INVARIANTS, progress: Progress | None = None
) -> list[Breach]:
    """What does not hold now, in the order of the list; all seen in one snapshot of the database."""
    moment, found = moment_of(at), []
    with transaction.atomic():
        _one_snapshot()
        for invariant in chosen:
            wrong = list(_broken_by(invariant, moment))
            if wrong:
                examples = tuple(islice(wrong, EXAMPLES_MOST))
                found.append(Breach(invariant.name, invariant.says, len(wrong), examples))
            if progress is not None:
                progress(invariant, len(wrong))
    return found


def moment_of(at: datetime) -> Moment:
    today = day_of(at)
    return Moment(at=at, grace=at - GRACE, today=today, yesterday=today - timedelta(days=1))


def _one_snapshot() -> None:
    """An act that commits between two questions would look like half an act. Inside another's transaction: as it is."""
    with connection.cursor() as cursor:
        if len(connection.savepoint_ids) == 0:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        cursor.execute("SET LOCAL work_mem = '128MB'")  # histories of a whole city are joined


def _broken_by(invariant: Invariant, moment: Moment) -> Iterator[str]:
    if invariant.find is not None:
        try:
            yield from invariant.find()
        except SealBroken:  # bytes put there by hand, or another installation's key
            yield "unreadable"
        return
    check, rosters = province().check, province().rosters
    facts = asdict(moment) | {
        "four_eyes": check.four_eyes and not check.supervisors_alone,
        "rows_kept_days": rosters.rows_kept_days,
    }
    with connection.cursor() as cursor:
        cursor.execute(invariant.sql, facts)
        yield from (row[0] for row in cursor.fetchall())
