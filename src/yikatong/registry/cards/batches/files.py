"""What goes out to bank and card maker, and what comes back. Layouts are adapters, wired by settings."""

from dataclasses import dataclass
from datetime import date
from typing import Protocol

from django.conf import settings
from django.utils.module_loading import import_string

from yikatong.core.errors import DomainError


class BadReturn(DomainError):
    """The file as a whole cannot be taken; nothing has been changed."""

    code, status = "return_unreadable", 422
    message = "回盘文件不能识别，请核对文件格式与编码。"


class OtherBatch(BadReturn):
    code = "return_of_other_batch"
    message = "回盘文件的批次号或银行与本批次不符，请选择对应的批次。"


class WrongTotals(BadReturn):
    code = "return_totals_differ"
    message = "回盘文件首行的合计与明细不符，文件可能不完整，请对方重新导出。"


class UnknownRow(BadReturn):
    """facts: row."""

    code = "return_row_unknown"


@dataclass(frozen=True, slots=True)
class Head:
    """First line of every file. `made` and `failed` are totals of an answer, 0 in a request."""

    batch: str
    bank: str
    rows: int
    day: date
    made: int = 0
    failed: int = 0


@dataclass(frozen=True, slots=True)
class OpenRequest:
    """One account to open ahead. `row` names it in the answer."""

    row: int
    certificate_kind: str
    certificate_number: str
    name: str
    phone: str
    case_number: str


@dataclass(frozen=True, slots=True)
class OpenAnswer:
    """`account` is "" when refused, and `reason` says why. `fault` tells what is wrong with the line itself."""

    row: int
    account: str
    reason: str
    fault: str = ""


@dataclass(frozen=True, slots=True)
class MakeRequest:
    """One card to make, with what is printed and written on it."""

    row: int
    card_number: str
    social_security_number: str
    name: str
    sex: str
    ethnicity: str
    birth_date: date
    division_code: str
    issued_on: date
    expires_on: date
    category: str
    spec_version: str
    account: str


@dataclass(frozen=True, slots=True)
class MakeAnswer:
    """One card made (`failure` is ""), or why not and in which step 失败环节."""

    row: int
    card_number: str
    identification: str
    reset_info: str
    box: str
    failed_step: str
    failure: str
    fault: str = ""


class BankFiles(Protocol):
    """Layout of the pre-opening files. Reading raises BadReturn; a faulty line becomes an answer with a fault."""

    def write_requests(self, head: Head, rows: list[OpenRequest]) -> bytes: ...
    def read_requests(self, data: bytes) -> tuple[Head, list[OpenRequest]]: ...
    def write_answers(self, head: Head, rows: list[OpenAnswer]) -> bytes: ...
    def read_answers(self, data: bytes) -> tuple[Head, list[OpenAnswer]]: ...


class MakerFiles(Protocol):
    """Layout of the production files; as BankFiles."""

    def write_requests(self, head: Head, rows: list[MakeRequest]) -> bytes: ...
    def read_requests(self, data: bytes) -> tuple[Head, list[MakeRequest]]: ...
    def write_answers(self, head: Head, rows: list[MakeAnswer]) -> bytes: ...
    def read_answers(self, data: bytes) -> tuple[Head, list[MakeAnswer]]: ...


def bank_files() -> BankFiles:
    wired: BankFiles = import_string(settings.BANK_FILES)()
    return wired


def maker_files() -> MakerFiles:
    wired: MakerFiles = import_string(settings.CARD_MAKER_FILES)()
    return wired


def check_whole(head: Head, batch: str, bank: str, rows: list[int], expected: set[int]) -> None:
    """A return answers for this batch, for each row once; else the whole file is refused."""
    if (head.batch, head.bank) != (batch, bank):
        raise OtherBatch
    seen: set[int] = set()
    for row in rows:
        if row not in expected:
            raise UnknownRow(f"回盘文件中的序号 {row} 不在本批次内，请核对文件。", row=row)
        if row in seen:
            raise UnknownRow(f"回盘文件中的序号 {row} 重复出现，请对方重新导出。", row=row)
        seen.add(row)
    if len(rows) != len(expected) or head.rows != len(rows):
        raise WrongTotals
