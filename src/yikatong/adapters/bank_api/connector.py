"""A `Connector` of registry.banks over signed HTTP."""

from datetime import date, datetime, time
from typing import Any

import msgspec

from yikatong.adapters.bank_api import channels
from yikatong.adapters.bank_api.wire import Wire
from yikatong.core.clock import BEIJING
from yikatong.registry.banks.connector import Answer, BankAway, BankSilent, Wanted


class _Said(msgspec.Struct, frozen=True):
    number: str
    outcome: str
    code: str
    at: datetime
    reason: str = ""
    account: str = ""
    status: str = ""


class BankApi:
    def reaches(self, bank: str) -> bool:
        return channels.wire_to(bank) is not None

    def send(self, wanted: Wanted) -> Answer:
        content = {"number": wanted.number, "bank": wanted.bank, "act": wanted.act, **wanted.content}
        return _answer(_wire(wanted.bank).post("/v1/requests", content), wanted.number)

    def ask(self, number: str, bank: str) -> Answer | None:
        given = _wire(bank).post("/v1/answers", {"bank": bank, "number": number})
        return _answer(given.get("answer"), number) if given.get("known") else None

    def status_of(self, account: str, bank: str) -> str:
        return str(_wire(bank).post("/v1/accounts", {"bank": bank, "account": account}).get("status", ""))

    def deliver(self, bank: str, day: date) -> list[tuple[str, str]]:
        begin = datetime.combine(day, time.min, BEIJING)
        given = _wire(bank).post("/v1/deliveries", {"bank": bank, "begin": begin})
        return [(str(row["account"]), str(row["status"])) for row in given["rows"]]


def _wire(bank: str) -> Wire:
    found = channels.wire_to(bank)
    if found is None:
        raise BankAway("没有设置这家银行的接口")
    return found


def _answer(given: Any, number: str) -> Answer:
    """Raises BankSilent for what is no answer to this request."""
    try:
        said = msgspec.convert(given, _Said)
    except msgspec.ValidationError as error:
        raise BankSilent("银行应答缺少要素") from error
    if said.number != number or said.outcome not in {"done", "refused"}:
        raise BankSilent("银行应答与请求不符")
    return Answer(said.outcome == "done", said.code, said.reason, said.account, said.status, said.at)
