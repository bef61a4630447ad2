"""The bank half's own status table. It moves apart from the card's, and the bank decides over it."""

from typing import Final

from yikatong.core.errors import DomainError
from yikatong.registry.banks.models import BankAccount
from yikatong.registry.regions.law import ByLaw

Status = BankAccount.Status

TRANSITIONS: Final[dict[Status, frozenset[Status]]] = {
    Status.PREOPENED: frozenset({Status.ACTIVE, Status.LOST, Status.CLOSED}),
    Status.ACTIVE: frozenset({Status.LOST, Status.FROZEN, Status.CLOSED}),
    Status.LOST: frozenset({Status.PREOPENED, Status.ACTIVE, Status.CLOSED}),
    Status.FROZEN: frozenset({Status.ACTIVE, Status.CLOSED}),
    Status.CLOSED: frozenset(),
}


class NoBank(ByLaw):
    code, status, articles = "bank_unknown", 422, ("G5", "G12")
    message = "没有这家合作银行，请在合作银行中选择。"


class BankClosedToNew(ByLaw):
    code, articles = "bank_not_accepting", ("G20",)
    message = "该银行暂停办理新增社会保障卡业务，请选择其他合作银行。"


class IllegalAccountMove(DomainError):
    code = "account_illegal_move"


def refusal(status: str, verb: str) -> IllegalAccountMove:
    label = Status(status).label
    return IllegalAccountMove(
        f"金融账户当前为“{label}”，不能{verb}。请向开户银行查询。", **{"from": str(status)}
    )
