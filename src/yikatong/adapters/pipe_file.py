"""Text files of fields between bars in GB 18030, as banks and card makers exchange them.

First line `H|kind|version|batch|bank|rows|made|failed|day`, then one line a row, each beginning with its number.
"""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Final

from yikatong.core import gb18030
from yikatong.core.errors import DomainError
from yikatong.registry.cards.batches.files import BadReturn, Head, WrongTotals

VERSION: Final = "1.0"
_LINE_END: Final = "\r\n"
_KINDS: Final = {"KH": "预开户", "KHHP": "银行预开户回盘", "ZK": "制卡", "ZKHP": "制卡回盘"}
_MAX_BYTES: Final = 64 * 1024 * 1024


def write(kind: str, head: Head, lines: Iterable[Iterable[str]]) -> bytes:
    """Fields may not hold bars or line ends: they are removed, for the reader could not tell them apart."""
    top = ("H", kind, VERSION, head.batch, head.bank, head.rows, head.made, head.failed, f"{head.day:%Y%m%d}")
    text = [_line(map(str, top)), *(_line(fields) for fields in lines)]
    return gb18030.encode(_LINE_END.join(text) + _LINE_END)


def read(kind: str, data: bytes) -> tuple[Head, list[tuple[int, list[str]]]]:
    """Head and numbered rows; raises BadReturn for what is no such file, WrongTotals where lines are missing."""
    if len(data) > _MAX_BYTES:
        raise BadReturn("回盘文件超过 64 MB，请分批导出。")
    try:
        text = gb18030.decode(data)
    except DomainError as refusal:
        raise BadReturn(f"回盘文件{refusal.message}") from None
    lines = [line for line in text.replace("\r", "").split("\n") if line]
    if not lines:
        raise BadReturn("回盘文件是空的，请对方重新导出。")
    head = _head(kind, lines[0].split("|"))
    rows = [_row(at, line) for at, line in enumerate(lines[1:], start=2)]
    if len(rows) != head.rows:
        raise WrongTotals(
            f"回盘文件首行写明 {head.rows} 件，实有 {len(rows)} 行，没有导入。下一步：请对方重新导出完整的文件。"
        )
    return head, rows


def day(text: str) -> date:
    """YYYYMMDD; raises ValueError."""
    return datetime.strptime(text, "%Y%m%d").date()  # noqa: DTZ007 - a day has no zone


def digits(day: date | None) -> str:
    """YYYYMMDD; "" of no day."""
    return f"{day:%Y%m%d}" if day else ""


def _head(kind: str, fields: list[str]) -> Head:
    if len(fields) != 9 or fields[:3] != ["H", kind, VERSION]:
        given = "|".join(fields)[:40]
        raise BadReturn(
            f"这不是{_KINDS[kind]}文件：首行应为 H|{kind}|{VERSION}|批次|银行|件数|成功|失败|日期，"
            f"现在是“{given}”，没有导入。下一步：核对是否选错文件。"
        )
    try:
        rows, made, failed = (int(field) for field in fields[5:8])
        return Head(fields[3], fields[4], rows, day(fields[8]), made, failed)
    except ValueError:
        raise BadReturn("回盘文件首行的件数或日期不是数字。") from None


def _row(at: int, line: str) -> tuple[int, list[str]]:
    first, *rest = line.split("|")
    if not (first.isascii() and first.isdecimal() and len(first) <= 9):
        raise BadReturn(f"回盘文件第 {at} 行没有序号，不能判断是哪一件。", line=at)
    return int(first), [field.strip() for field in rest]


def _line(fields: Iterable[str]) -> str:
    return "|".join(field.replace("|", "").replace("\r", "").replace("\n", "") for field in fields)
