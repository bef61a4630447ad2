"""Work lists of a desk. They name cases, never persons: a list is no reason to look at anyone."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time

from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery

from yikatong.core.actor import Actor
from yikatong.core.clock import BEIJING, day_of
from yikatong.registry.cards import elsewhere, following, queries, rules
from yikatong.registry.cards.models import Case, CaseStatus, CaseStep, Escalation
from yikatong.registry.joint import queries as joint
from yikatong.registry.joint.models import JointEscalation
from yikatong.registry.joint.plans import plan_of
from yikatong.registry.regions.calendar import calendar
from yikatong.registry.regions.law import province
from yikatong.registry.regions.queries import full_names

SHOWN = 12
COUNTED = 999  # so far a list is counted: a hall asks whether much waits, and never waits for the answer


@dataclass(frozen=True, slots=True)
class WorkList:
    """One queue: how many wait, how many are late, and the first of them."""

    status: str
    title: str
    count: int
    late: int
    cases: list[Case]

    @property
    def counted(self) -> str:
        return _so_far(self.count)

    @property
    def counted_late(self) -> str:
        return _so_far(self.late)


_TITLES = {
    CaseStatus.SUBMITTED: "待审核",
    CaseStatus.READY: "待领取",
    CaseStatus.FAILED: "制卡失败待处理",
}


def waiting(by: Actor, status: CaseStatus, day: date, shown: int = SHOWN) -> WorkList:
    """Cases at this outlet (and such as chose none, in the region), those over their limit first."""
    cases = queries.queue(by, status, where=_here(by, status))
    late = _count(cases.filter(step_due_on__lt=day))
    first = cases.order_by(F("step_due_on").asc(nulls_last=True), "created_at")
    if status == CaseStatus.SUBMITTED and rules.needs_four_eyes(by, province()):
        first = first.annotate(is_own=Exists(_taken(by)))  # another one approves these
    if status == CaseStatus.FAILED:
        first = first.annotate(why=Subquery(_failures()))
    first = first[:shown]
    return WorkList(status, _TITLES[status], _count(cases), late, list(first))


def _failures() -> QuerySet[CaseStep, str]:
    """Why the case of the outer row failed last: the step of bank or maker, and the reason."""
    failed = CaseStep.objects.filter(case=OuterRef("pk"), status=CaseStatus.FAILED)
    return failed.order_by("-at").values_list("note", flat=True)[:1]


def _taken(by: Actor) -> QuerySet[CaseStep]:
    """The step by which this clerk took the case of the outer row."""
    return CaseStep.objects.filter(case=OuterRef("pk"), status=CaseStatus.SUBMITTED, actor_id=by.id)


def _count(cases: QuerySet[Case]) -> int:
    """At most one more than `COUNTED`."""
    return cases.order_by()[: COUNTED + 1].count()


def _so_far(count: int) -> str:
    return f"{COUNTED}+" if count > COUNTED else str(count)


def all_waiting(by: Actor, day: date) -> list[WorkList]:
    return [waiting(by, status, day) for status in _TITLES]


STEPS = (
    CaseStatus.SUBMITTED,
    CaseStatus.CHECKED,
    CaseStatus.PREOPENED,
    CaseStatus.PRODUCING,
    CaseStatus.FAILED,
)


@dataclass(frozen=True, slots=True)
class Late:
    """A step over its limit: who is to blame, and by how many working days."""

    one: Escalation
    step: str
    owner: str
    days: int


@dataclass(frozen=True, slots=True)
class Overdue:
    """Counts by step, and the longest of the step chosen ("" for all)."""

    counts: list[tuple[str, str, str]]  # step, label, how many
    total: str
    chosen: str
    late: list[Late]


def overdue(by: Actor, day: date, chosen: str = "", shown: int = 100) -> Overdue:
    """What the supervisor of a region looks after."""
    chosen = chosen if chosen in STEPS else ""
    counts = [(step.value, step.label, _so_far(_late_count(by, step))) for step in STEPS]
    # The cases of those shown only: joined, the planner would read every case there ever was.
    found = list(queries.overdue(by, chosen).prefetch_related("case__bank", "case__outlet")[:shown])
    names = full_names({one.division_code[:6] for one in found})
    days = calendar(min((one.due_on for one in found), default=day), until=day)
    late = [
        Late(
            one,
            CaseStatus(one.status).label,
            following.owner(one.case, CaseStatus(one.status), place=names[one.division_code[:6]]),
            days.between(one.due_on, day),
        )
        for one in found
    ]
    return Overdue(counts, _so_far(_late_count(by)), chosen, late)


@dataclass(frozen=True, slots=True)
class LatePart:
    """A department's part of a joint matter over its limit."""

    one: JointEscalation
    title: str
    owner: str
    days: int


def overdue_parts(by: Actor, day: date, shown: int = 100) -> list[LatePart]:
    """Departments of joint matters that are late, the longest first."""
    found = list(joint.overdue(by)[:shown])
    names = full_names({one.division_code[:6] for one in found})
    days = calendar(min((one.due_on for one in found), default=day), until=day)
    return [
        LatePart(
            one,
            plan_of(one.item.joint.kind, one.item.key).title,
            joint.owner_of(one.item, names[one.division_code[:6]]),
            days.between(one.due_on, day),
        )
        for one in found
    ]


def overdue_count(by: Actor) -> str:
    """For the menu and the first page; "" when nothing is late."""
    count = _late_count(by) + joint.overdue(by).order_by()[: COUNTED + 1].count()
    return _so_far(count) if count else ""


def _late_count(by: Actor, step: str = "") -> int:
    return queries.overdue(by, step).order_by()[: COUNTED + 1].count()


def _here(by: Actor, status: CaseStatus) -> Q:
    """A card waits at its outlet, whatever city issues it; all else is for the region, 通办件 at any outlet of it."""
    region = Q(division_code__startswith=by.scope)
    if status == CaseStatus.READY:
        if by.outlet_id:
            return Q(outlet_id=by.outlet_id) | (region & Q(outlet=None))
        return (region & Q(taken_code="")) | (~Q(taken_code="") & Q(taken_code__startswith=by.scope))
    if by.outlet_id:
        return region & (Q(outlet_id=by.outlet_id) | Q(outlet=None) | ~Q(taken_code=""))
    return region


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """A 通办件 as both cities follow it: who has to move, and what is told of it."""

    case: Case
    owner: str
    words: str


def elsewhere_lists(by: Actor, shown: int = 100) -> tuple[list[Elsewhere], list[Elsewhere]]:
    """通办件 that this region issues, and those it has taken for others."""
    return _told(elsewhere.to_issue(by)[:shown]), _told(elsewhere.taken_here(by)[:shown])


def _told(cases: Iterable[Case]) -> list[Elsewhere]:
    return [
        Elsewhere(one, following.owner(one, CaseStatus(one.status)), elsewhere.words(one)) for one in cases
    ]


def done_today(by: Actor, at: datetime) -> int:
    """How many cases the clerk has moved today."""
    return _steps_today(by, at).order_by().values("case").distinct().count()


def cases_today(by: Actor, at: datetime) -> list[Case]:
    """The cases the clerk has moved today, the latest first."""
    mine = Case.objects.filter(pk__in=_steps_today(by, at).values("case"))
    return list(mine.select_related("bank").order_by("-created_at")[:SHOWN])


def _steps_today(by: Actor, at: datetime) -> QuerySet[CaseStep]:
    midnight = datetime.combine(day_of(at), time.min, BEIJING)
    return CaseStep.objects.filter(actor_id=by.id, at__gte=midnight)
