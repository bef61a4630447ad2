"""全省通办 (Opinions 10, Guangdong art. 5): an outlet of any city takes a case, the place of issue checks it.

The place of issue 签发地 is where the holder is registered: his file lies there, and it follows him when he moves. A
case taken elsewhere belongs to that place (`division_code`: its work lists, limits and supervisors) and remembers
where it was taken (`taken_code`); the card is made for the outlet that has taken it, or the one that was wished.
"""

from datetime import datetime
from typing import Final

from django.db.models import QuerySet

from yikatong.core.actor import Actor, Role
from yikatong.core.errors import DomainError
from yikatong.registry.cards.models import Case, CaseKind
from yikatong.registry.cards.refusals import NotPlaceOfIssue, OnlyAtIssue, OtherProvince
from yikatong.registry.holders.models import Holder
from yikatong.registry.outlets.offering import check_offered
from yikatong.registry.regions.law import province
from yikatong.registry.regions.models import Outlet
from yikatong.registry.regions.queries import full_name

SERVICE: Final = "全省通办"  # as in `outlets.rules.SERVICES`
_STAFF: Final = frozenset({Role.CLERK, Role.BANK_CLERK, Role.SUPERVISOR})


def route(case: Case, *, by: Actor, at: datetime) -> Case:
    """Give a new case to its holder's place of issue, if another city takes it.

    Raises OnlyAtIssue, OtherProvince, NotOffered where the outlet has no 全省通办.
    """
    taken, issue = case.division_code, case.holder.division_code
    if is_strange(issue):
        raise OtherProvince
    if is_same_city(taken, issue):
        return case
    _check_kind(CaseKind(case.kind), issue, by=by, at=at)
    case.taken_code, case.division_code = taken, issue
    if case.outlet is None and case.delivery == "0" and by.outlet_id is not None:
        case.outlet_id = by.outlet_id
    return case


def taken_at(by: Actor, outlet: Outlet | None) -> str:
    """The division in which `by` takes cases: his outlet's, else his region's; "" for a whole province."""
    if outlet is not None:
        return outlet.division_code
    return by.scope.ljust(6, "0") if len(by.scope) >= 4 else ""


def takes_elsewhere(kind: CaseKind, outlet: Outlet | None) -> bool:
    """Whether this outlet (or an office that is none) takes such cases of other cities."""
    return kind.value in province().outlets.elsewhere and (outlet is None or SERVICE in outlet.services)


def is_elsewhere(taken: str, issue: str) -> bool:
    return bool(taken) and not is_same_city(taken, issue)


def check_elsewhere(kind: CaseKind, holder: Holder, *, by: Actor, at: datetime) -> None:
    """May this clerk end a matter on the spot? Raises OnlyAtIssue where the province keeps it to the place of issue."""
    is_near = len(by.scope) < 4 or _city(holder.division_code).startswith(by.scope[:4])
    if by.role in _STAFF and not is_near:
        _check_kind(kind, holder.division_code, by=by, at=at)


def hindrance(case: Case, *, by: Actor) -> DomainError | None:
    """What stands against `by` deciding on a 通办件: that it is another city's to decide."""
    is_others = case.taken_code and by.role in _STAFF and not by.covers(case.division_code)
    if not is_others or _city(case.division_code).startswith(by.scope[:4]):
        return None
    return NotPlaceOfIssue(
        f"通办件由签发地{place_name(case.division_code)}的经办机构审核，受理地不能审核。"
        "下一步：可在“通办件”中查看办到哪一步；制成后在领卡网点发卡。"
    )


def at_place_of_issue(case: Case, *, by: Actor) -> Case:
    """The case, for who may decide on it; raises NotPlaceOfIssue."""
    if (other := hindrance(case, by=by)) is not None:
        raise other
    return case


def taken_words(case: Case) -> str:
    """Note of the first step of a 通办件."""
    return routed_words(case.taken_code, case.division_code) if case.taken_code else ""


def routed_words(taken: str, issue: str) -> str:
    return f"全省通办：{place_name(taken)}受理，转签发地{place_name(issue)}审核"


def checked_words(case: Case) -> str:
    """Note of the step by which it goes back."""
    if not case.taken_code:
        return ""
    return f"签发地审核通过，制成后{'邮寄给持卡人' if case.delivery == '1' else f'由{_where(case)}发卡'}"


def words(case: Case) -> str:
    """The same as one sentence, for whoever follows the case; "" for any other."""
    if not case.taken_code:
        return ""
    to = "制成后邮寄" if case.delivery == "1" else f"在{_where(case)}领取"
    return f"{place_name(case.taken_code)}受理，签发地{place_name(case.division_code)}审核，{to}。"


def _where(case: Case) -> str:
    return case.outlet.name if case.outlet else place_name(case.taken_code)


def to_issue(by: Actor) -> QuerySet[Case]:
    """通办件 under way that the actor's region issues and others have taken, the first due first."""
    return _open().filter(division_code__startswith=by.scope).order_by("step_due_on", "created_at")


def taken_here(by: Actor) -> QuerySet[Case]:
    """通办件 under way that the actor's region has taken for other cities."""
    return _open().filter(taken_code__startswith=by.scope).order_by("-created_at")


def _open() -> QuerySet[Case]:
    return Case.objects.select_related("bank", "outlet").filter(closed_at=None).exclude(taken_code="")


def _check_kind(kind: CaseKind, issue: str, *, by: Actor, at: datetime) -> None:
    if kind.value not in province().outlets.elsewhere:
        raise OnlyAtIssue(
            f"{kind.label}须在签发地{place_name(issue)}办理，本网点不能通办。下一步：请到{place_name(issue)}的服务网点办理。"
        )
    check_offered(SERVICE, by=by, at=at)


def is_strange(division_code: str) -> bool:
    return not division_code.startswith(province().code[:2])


def is_same_city(one: str, other: str) -> bool:
    """Codes of divisions; one shorter than a city's is a whole province, in which every city lies."""
    if min(len(one), len(other)) < 6:
        return one[:4].startswith(other[:4]) or other[:4].startswith(one[:4])
    return _city(one) == _city(other)


def _city(division_code: str) -> str:
    return province().city_of(division_code)


def place_name(division_code: str) -> str:
    """绵阳市涪城区: the county's full name without the province."""
    whole = full_name(division_code[:6])
    return whole.removeprefix(province().name) or whole
