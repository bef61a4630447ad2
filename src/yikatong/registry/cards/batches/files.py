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
    """facts: batch, bank, as the file names them."""

    code = "return_of_other_batch"

    def __init__(self, head: "Head", batch: str, bank: str) -> None:
        super().__init__(
            f"这个文件是批次 {head.batch}、银行 {head.bank} 的回盘，本批次是 {batch}、银行 {bank}，没有导入。"
            "下一步：打开文件所属的批次上传。",
            batch=head.batch,
            bank=head.bank,
        )


class WrongTotals(BadReturn):
    code = "return_totals_differ"
    message = "回盘文件首行的合计与明细不符，文件可能不完整，没有导入。下一步：请对方重新导出全部明细。"


class UnknownRow(BadReturn):
    """facts: row."""

    code = "return_row_unknown"


class BadPlace(BadReturn):
    """facts: row. A card whose place nobody can find again."""

    code = "return_place_invalid"


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
    """One account to open ahead, with what a bank must know of its customer. `row` names it in the answer.

    `valid_from`, `valid_until`: the certificate's first and last day, None where they are not recorded.

    `guardian`: name, kind and number of certificate, relation of a child's guardian; of others "" each.
    """

    row: int
    case_number: str
    certificate_number: str
    certificate_kind: str
    name: str
    phone: str
    nationality: str
    valid_from: date | None
    valid_until: date | None
    birth_date: date
    sex: str
    address: str
    is_long_term: bool = False
    guardian: tuple[str, str, str, str] = ("", "", "", "")


@dataclass(frozen=True, slots=True)
class OpenAnswer:
    """`account` is "" when refused, and `reason` says why. `fault` tells what is wrong with the line itself."""

    row: int
    account: str
    reason: str
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Delivery:
    """Where the card goes: its box to an outlet 网点, or to an address, told only when it is posted 邮寄."""

    way: str = "0"
    outlet: str = ""
    outlet_name: str = ""
    division_code: str = ""
    addressee: str = ""
    phone: str = ""
    address: str = ""


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
    bank: str
    account: str
    delivery: Delivery = Delivery()


@dataclass(frozen=True, slots=True)
class Echo:
    """What the maker says it has put on the card: compared with the order, so that no card bears another's name."""

    social_security_number: str
    name: str
    issued_on: str
    expires_on: str
    bank: str
    account: str


@dataclass(frozen=True, slots=True)
class MakeAnswer:
    """One card made (`failure` is ""), or why not and in which step 失败环节. `place`: 箱号-位置."""

    row: int
    card_number: str
    identification: str
    reset_info: str
    place: str
    failed_step: str
    failure: str
    fault: str = ""
    echo: Echo | None = None


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
        raise OtherBatch(head, batch, bank)
    seen: set[int] = set()
    for row in rows:
        if row not in expected:
            raise UnknownRow(
                f"回盘文件中的序号 {row} 不在本批次内，没有导入。下一步：请对方核对后重新导出。", row=row
            )
        if row in seen:
            raise UnknownRow(f"回盘文件中的序号 {row} 重复出现，没有导入。下一步：请对方重新导出。", row=row)
        seen.add(row)
    if lacking := sorted(expected - seen):
        shown = "、".join(str(row) for row in lacking[:5])
        more = f" 等 {len(lacking)} 件" if len(lacking) > 5 else ""
        raise WrongTotals(
            f"回盘文件缺少序号 {shown}{more}，没有导入。下一步：请对方导出全部明细，失败的也要列出。"
        )
    if head.rows != len(rows):
        raise WrongTotals
