"""May this matter begin at this desk: what its outlet offers, and of a bank's outlet what it is delegated."""

from datetime import datetime
from typing import Final

from yikatong.core.actor import Actor
from yikatong.core.errors import DomainError
from yikatong.registry.banks.models import Agreement
from yikatong.registry.banks.terms import check_delegated
from yikatong.registry.cards.models import CaseKind
from yikatong.registry.outlets.offering import check_offered

#: 可办业务 of each matter, as `outlets.rules.SERVICES` has them.
SERVICE: Final[dict[CaseKind, str]] = {
    CaseKind.APPLY: "申领",
    CaseKind.REPLACE: "补换",
    CaseKind.LOSS: "挂失",
    CaseKind.RELEASE: "解挂",
    CaseKind.CANCEL: "注销",
    CaseKind.ACTIVATE: "启用",
}
ACCOUNT: Final = "金融激活"


def desk_hindrance(kind: CaseKind, *, by: Actor, at: datetime) -> DomainError | None:
    """What `check_desk` would raise, to be told before anything is filled in."""
    try:
        check_desk(kind, by=by, at=at)
    except DomainError as refusal:
        return refusal
    return None


def check_desk(kind: CaseKind, *, by: Actor, at: datetime) -> None:
    """Raises NoAgreement, OutletNotDelegated, MatterNotDelegated (Guangdong art. 12), NotOffered (art. 5)."""
    if kind in Agreement.Matter.values:
        check_delegated(Agreement.Matter(kind), by=by, at=at)
    check_offered(SERVICE[kind], by=by, at=at)
