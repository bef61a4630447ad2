"""What others have told us in these weeks: the banks' lists, on time and late, and what the registers say differently."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings

from yikatong.cli.demo.plan import Loading
from yikatong.core.clock import day_of
from yikatong.core.models import StaffUser
from yikatong.peers.sources import registers
from yikatong.registry.banks import deliveries
from yikatong.registry.banks.models import BankAccount, Delivery
from yikatong.registry.matching import actions as matching
from yikatong.registry.matching import comparing
from yikatong.registry.matching.models import Issue
from yikatong.registry.matching.source import LABELS, Answer, Changes, Question

#: How many holders each source has been asked about before the loading; the job goes on from there.
COMPARED: Final = 1_000
SETTLED_MOST: Final = 9
_DAYS: Final = 14
_LATE: Final = 0.08


@dataclass
class _Register:
    """A `Source` of registry.matching that answers as the sandbox will: nothing was entered there yet."""

    key: str
    label: str

    def look_up(self, questions: Sequence[Question], *, within_s: float | None = None) -> list[Answer]:  # noqa: ARG002
        return [self._answer(one) for one in questions]

    def changes(self, after: str) -> Changes:
        return Changes((), after, more=False)

    def _answer(self, one: Question) -> Answer:
        says = registers.made_up(self.key, registers.Question(one.reference, one.number, one.name))
        facts = {Issue.Field(field): value for field, value in says["facts"].items()}
        return Answer(one.reference, says["known"], facts)


def here() -> dict[str, _Register]:
    """What MATCH_SOURCES names while the weeks are lived: the sandbox itself is not up yet."""
    return {key: _Register(key, label) for key, label in LABELS.items()}


@contextmanager
def answering() -> Iterator[None]:
    wired = settings.MATCH_SOURCES
    settings.MATCH_SOURCES = f"{__name__}.here"
    try:
        yield
    finally:
        settings.MATCH_SOURCES = wired


def load_deliveries(loading: Loading) -> None:
    """Each morning the banks' lists of the day before: mostly in time, some hours late, one still owed."""
    dice = loading.dice("deliveries")
    for back in reversed(range(_DAYS)):
        expected = loading.at - timedelta(days=back)
        deliveries.expect(at=expected)
    for owed in deliveries.owed(at=loading.at):
        is_last = owed.day == day_of(loading.at) - timedelta(days=1)
        late = dice.random() < _LATE
        if is_last and owed.bank_id == loading.banks[-1].pk:
            deliveries.put_off(owed.pk, trouble="银行前置机未应答")
            continue
        moment = owed.due_at + timedelta(minutes=dice.uniform(20, 190) if late else -dice.uniform(25, 300))
        if moment < loading.at:
            _take(owed, moment)


def _take(owed: Delivery, moment: datetime) -> None:
    """Some accounts, as they are: what the bank changed, it had told over the line."""
    accounts = BankAccount.objects.filter(bank=owed.bank_id).order_by("number_index")
    first = owed.day.toordinal() % 50
    rows = [(str(one.number), str(one.status)) for one in accounts[first : first + 3 + first % 9]]
    deliveries.take(owed.pk, rows, at=moment)


def load_issues(loading: Loading) -> None:
    """The first slice compared some hours ago; a few of the differences have been looked into since."""
    compared = loading.at - timedelta(hours=5)
    for key, source in here().items():
        comparing.compare(key, source, limit=COMPARED, at=compared)
    by = StaffUser.objects.get(username="chenxiao").actor()
    found = Issue.objects.filter(status=Issue.Status.OPEN).exclude(field=Issue.Field.DEATH).order_by("pk")
    for place, issue in enumerate(found[: min(found.count() // 2, SETTLED_MOST)]):
        at = compared + timedelta(minutes=30 + 11 * place)
        if place % 3 == 0:
            matching.keep(issue.pk, note="已与本人核对，本库正确", by=by, at=at)
        elif place % 3 == 1:
            matching.ask(issue.pk, note="两处不同，请本人核实", by=by, at=at)
        elif issue.field == Issue.Field.PHONE:
            matching.take(issue.pk, note="本人确认已换号", by=by, at=at)
