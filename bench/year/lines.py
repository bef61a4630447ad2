"""The banks at the other end of the line: each answers at once what it was asked during the day."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from random import Random

from bench.year.ledger import Ledger
from yikatong.core.clock import BEIJING
from yikatong.registry.banks import requests
from yikatong.registry.banks.connector import Answer
from yikatong.registry.banks.models import BankAccount, BankAct, BankRequest
from yikatong.registry.cards import actions, numbers

_REFUSED = 0.01


@dataclass
class Lines:
    """Of some banks; no bank has two, for it gives its account numbers in order."""

    banks: list[str]
    dice: Random
    ledger: Ledger = field(default_factory=Ledger)
    accounts: int = 0

    def answer(self, day: date) -> Ledger:
        """At half past five everything asked until then; returns what was done."""
        self.at = datetime.combine(day, time(17, 30), BEIJING).astimezone(UTC)
        self.ledger = Ledger()
        for bank in self.banks:
            self._settle(bank)
        return self.ledger

    def now(self) -> datetime:
        self.at += timedelta(seconds=1)
        return self.at

    def _settle(self, bank: str) -> None:
        """What the job that sends does, with a bank that answers at once."""
        while (request := requests.claim(bank, at=self.now())) is not None:
            self.ledger.do("settle", requests.settle, request.pk, self._answer(request), at=self.now())
            if request.case_id is not None:
                self.ledger.do("account_answered", actions.account_answered, request.pk, at=self.now())

    def _answer(self, request: BankRequest) -> Answer:
        act = BankAct(request.act)
        if act != BankAct.OPEN:
            return Answer(True, "00", "", "", self._after(act, request), self.at)
        if self.dice.random() < _REFUSED:
            return Answer(False, "09", "客户身份待核实", "", "", self.at)
        self.accounts += 1
        body = f"{request.bank.bin}8{self.accounts:011d}"
        return Answer(True, "00", "", body + numbers.luhn_digit(body), "preopened", self.at)

    @staticmethod
    def _after(act: BankAct, request: BankRequest) -> str:
        account = BankAccount.objects.get(pk=request.account_id)
        held = "active" if account.activated_at else "preopened"
        after = {"activate": "active", "report_loss": "lost", "release": held, "close": "closed"}
        return after.get(act, account.status)
