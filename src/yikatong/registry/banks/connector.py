"""What the platform asks of a bank over the line. The adapter is wired by settings."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Protocol

from django.conf import settings
from django.utils.module_loading import import_string


class BankAway(Exception):
    """The request has not reached the bank; it may be sent again. The message (Chinese) says why."""


class BankSilent(Exception):
    """The request may have reached the bank, and no answer that can be trusted came back."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """An act for the bank. `number` names it for ever; `content` is the same in every sending."""

    number: str
    bank: str
    act: str
    content: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """The bank's last word on a request. `status` is the account's, in the words of BankAccount.Status, or ""."""

    is_done: bool
    code: str
    reason: str
    account: str
    status: str
    at: datetime


class Connector(Protocol):
    """Every method may raise BankAway or BankSilent. Nothing here is called inside a transaction."""

    def reaches(self, bank: str) -> bool:
        """Whether a line to this bank is set up at all."""

    def send(self, wanted: Wanted) -> Answer:
        """Have an act carried out, once, however often it is sent."""

    def ask(self, number: str, bank: str) -> Answer | None:
        """What became of a request; None when it never arrived."""

    def status_of(self, account: str, bank: str) -> str:
        """The account's status, "" when the bank does not have it."""

    def deliver(self, bank: str, day: date) -> list[tuple[str, str]]:
        """The agreed list of a day: accounts whose status changed, and what it became."""


def connector() -> Connector:
    wired: Connector = import_string(settings.BANK_CONNECTOR)()
    return wired
