"""The bank half's own status table. It moves apart from the card's, and the bank decides over it."""

from datetime import timedelta
from typing import Final

from yikatong.core.actor import Actor
from yikatong.core.errors import DomainError, Forbidden
from yikatong.registry.banks.models import Bank, BankAccount
from yikatong.registry.regions.law import ByLaw

Status = BankAccount.Status

TRANSITIONS: Final[dict[Status, frozenset[Status]]] = {
    Status.PREOPENED: frozenset({Status.ACTIVE, Status.LOST, Status.FROZEN, Status.CLOSED}),
    Status.ACTIVE: frozenset({Status.LOST, Status.FROZEN, Status.CLOSED}),
    Status.LOST: frozenset({Status.PREOPENED, Status.ACTIVE, Status.FROZEN, Status.CLOSED}),
    Status.FROZEN: frozenset({Status.PREOPENED, Status.ACTIVE, Status.LOST, Status.CLOSED}),
    Status.CLOSED: frozenset(),
}


class NoBank(ByLaw):
    code, status, articles = "bank_unknown", 422, ("G5", "G12")
    message = "没有这家合作银行，请在合作银行中选择。"


class BankClosedToNew(ByLaw):
    code, articles = "bank_not_accepting", ("G20",)
    message = "该银行暂停办理新增社会保障卡业务，请选择其他合作银行。"


class NoAgreement(ByLaw):
    code, articles = "bank_without_agreement", ("G12", "G20")


class OpensNoAccounts(ByLaw):
    code, articles = "bank_opens_no_accounts", ("G12",)
    message = "该银行的合作协议不包括为新卡开户，请选择其他合作银行。"


class NotDelegated(ByLaw):
    """What the agreement does not delegate, an outlet of the bank does not do."""

    code, status, articles = "matter_not_delegated", 403, ("G12",)


class MatterNotDelegated(NotDelegated):
    """The words name the matter."""


class OutletNotDelegated(NotDelegated):
    code = "outlet_not_delegated"
    message = "本网点不在合作协议的委托网点之内，不能受理社会保障卡业务；请到委托网点或社会保障服务大厅办理。"


def no_agreement(bank: str) -> NoAgreement:
    return NoAgreement(
        f"{bank}目前没有生效的合作协议，不能办理新卡；已经发放的卡不受影响。请选择其他合作银行。"
    )


def not_delegated(matter: str) -> MatterNotDelegated:
    return MatterNotDelegated(f"合作协议没有委托本行网点办理{matter}，请到社会保障服务大厅办理。")


class OtherBank(ByLaw):
    code, status, articles = "bank_of_another", 403, ("G12",)
    message = "银行网点只办理本行社会保障卡；其他银行的卡请到该行网点或社会保障服务大厅办理。"


def serves_bank(by: Actor, code: str | None) -> bool:
    """Whether cards of this bank are the actor's business; a bank's clerk has his own only."""
    return not by.bank or by.bank == code


class IllegalAccountMove(DomainError):
    code = "account_illegal_move"


def refusal(status: str, verb: str) -> IllegalAccountMove:
    label = Status(status).label
    return IllegalAccountMove(
        f"金融账户当前为“{label}”，不能{verb}。请向开户银行查询。", **{"from": str(status)}
    )


class BankNotOnline(DomainError):
    code = "bank_not_online"


def not_online(bank: Bank) -> BankNotOnline:
    return BankNotOnline(f"{bank.name}没有联机办理，请联系银行办理：{bank.hotline}。")


class AccountDiffers(DomainError):
    """What the bank says and what we know cannot both be; nothing is overwritten, staff compare the two."""

    code = "account_differs"


class ProvinceOnly(Forbidden):
    code = "bank_is_the_provinces"
    message = "银行业务涉及全省持卡人，只能由省级岗位办理，请转省级业务主管。"


class AlreadySettled(DomainError):
    code = "bank_request_settled"
    message = "银行已经答复，不需要再发送。"


#: Pauses between tries, seconds; the last one stays, for a request is never given up.
_PAUSES: Final = (5, 15, 60, 300, 900)


def retry_after(tries: int) -> timedelta:
    """The pause after so many tries."""
    return timedelta(seconds=_PAUSES[min(max(tries, 1), len(_PAUSES)) - 1])


def number_fault(number: str, prefix: str) -> str:
    """What is wrong with an account number of the bank with this prefix; "" for a right one."""
    if not number.isdigit() or not number.startswith(prefix) or not 16 <= len(number) <= 19:
        return "银行返回的账号不合规则"
    digits = [int(digit) for digit in reversed(number)]
    total = sum(digits[::2]) + sum(sum(divmod(2 * digit, 10)) for digit in digits[1::2])
    return "" if total % 10 == 0 else "银行返回的账号校验不符"
