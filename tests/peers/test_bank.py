"""The sandbox bank at its door: what it carries out, what it refuses, and that nothing is done twice."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from tests.bank_sandbox import Sandbox, account_number, fresh_number
from yikatong.core import http_mac
from yikatong.registry.banks.connector import BankAway, BankSilent

BANK = "95901"


def ask(bank: Sandbox, act: str, **content: Any) -> dict[str, Any]:
    request = {"number": fresh_number(), "bank": BANK, "act": act} | content
    answer: dict[str, Any] = bank.wire.post("/v1/requests", request)
    return answer


def said(answer: dict[str, Any]) -> tuple[str, str, str]:
    return answer["outcome"], answer["code"], answer["status"]


def test_an_account_lives_from_opening_to_closing(bank: Sandbox) -> None:
    opened = ask(bank, "open", prefix="622951", certificate="510107199003070129", name="王芳")
    number = opened["account"]
    assert (said(opened), number[:7], len(number)) == (("done", "00", "preopened"), "6229518", 19)
    steps = [
        ("activate", "active"), ("freeze", "frozen"), ("unfreeze", "active"), ("report_loss", "lost"),
        ("release", "active"), ("report_loss", "lost"), ("change_card", "active"), ("close", "closed"),
    ]  # fmt: skip
    for act, status in steps:
        assert said(ask(bank, act, account=number)) == ("done", "00", status), act
    assert said(ask(bank, "close", account=number)) == ("done", "01", "closed")
    refused = ask(bank, "report_loss", account=number)
    assert (said(refused), refused["reason"]) == (("refused", "12", "closed"), "账户当前为已销户")


def test_what_is_asked_badly_is_refused(bank: Sandbox) -> None:
    assert said(ask(bank, "open", prefix="622951", name="王芳")) == ("refused", "13", "")
    assert said(ask(bank, "dance", account=account_number())) == ("refused", "13", "")
    wrong = account_number()[:-1] + "x"
    assert said(ask(bank, "freeze", account=wrong)) == ("refused", "11", "")


def test_a_request_number_is_carried_out_once(bank: Sandbox) -> None:
    request = {
        "number": fresh_number(),
        "bank": BANK,
        "act": "open",
        "prefix": "622951",
        "certificate": "C",
        "name": "N",
    }
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: bank.wire.post("/v1/requests", request), range(6)))
    assert len({answer["account"] for answer in answers}) == 1
    other = bank.wire.post("/v1/requests", request | {"name": "M"})
    assert (other["outcome"], other["code"], other["reason"]) == ("refused", "14", "同一请求号的内容不同")
    known = bank.wire.post("/v1/answers", {"bank": BANK, "number": request["number"]})
    assert known["answer"]["account"] == answers[0]["account"]


def test_a_temporary_loss_ends_at_the_bank_too(bank: Sandbox) -> None:
    number, now = account_number(), datetime.now(UTC)
    late = ask(bank, "report_loss", account=number, until=(now - timedelta(seconds=1)).isoformat())
    assert said(late) == ("done", "00", "active")
    ask(bank, "report_loss", account=number, until=(now + timedelta(days=7)).isoformat())
    assert bank.wire.post("/v1/accounts", {"bank": BANK, "account": number})["status"] == "lost"


def test_only_signed_requests_are_heard(bank: Sandbox) -> None:
    unsigned = httpx.post(f"{bank.url}/v1/accounts", json={"bank": BANK}, trust_env=False)
    assert (unsigned.status_code, unsigned.json()) == (401, {"error": "unsigned"})
    old = {http_mac.TIME: "1", http_mac.MAC: "00" * 32}
    late = httpx.post(f"{bank.url}/v1/accounts", json={"bank": BANK}, headers=old, trust_env=False)
    assert late.json() == {"error": "clock"}
    now = str(int(datetime.now(UTC).timestamp()))
    forged = {http_mac.TIME: now, http_mac.MAC: "00" * 32}
    answer = httpx.post(f"{bank.url}/v1/accounts", json={"bank": BANK}, headers=forged, trust_env=False)
    assert (answer.status_code, answer.json()) == (401, {"error": "signature"})


def test_what_goes_wrong_is_chosen(bank: Sandbox) -> None:
    number = account_number()
    bank.goes_wrong("refuse", "freeze", reason="账户有在途业务")
    refused = ask(bank, "freeze", account=number)
    assert (said(refused), refused["reason"]) == (("refused", "99", ""), "账户有在途业务")
    bank.goes_wrong("away")
    with pytest.raises(BankAway, match="银行系统暂停服务"):
        ask(bank, "freeze", account=number)
    bank.goes_wrong("lost", "freeze", hold_s=0)
    with pytest.raises(BankSilent):
        ask(bank, "freeze", account=number)
    assert bank.wire.post("/v1/accounts", {"bank": BANK, "account": number})["status"] == "frozen"
    with pytest.raises(BankSilent, match="HTTP 400"):  # only a peer that answers pages can cut one short
        bank.goes_wrong("cut")
