"""Read a roster file, xlsx or CSV, as numbered rows of text; bounded before anything is unpacked."""

import csv
import io
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final
from xml.etree import ElementTree as ET

import fastexcel

from yikatong.core import gb18030
from yikatong.core.errors import DomainError
from yikatong.registry.cards.rosters.columns import NUMBER, positions

BYTES_MAX: Final = 200 * 1024 * 1024
ROWS_MAX: Final = 200_000
UNPACKED_MAX: Final = 1024 * 1024 * 1024
_ENTRIES_MAX: Final = 2_000
_RATIO_MAX: Final = 200
_SMALL: Final = 4 * 1024 * 1024
_XLSX: Final = b"PK\x03\x04"
_XLS: Final = b"\xd0\xcf\x11\xe0"
_REL: Final = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
#: How a spreadsheet writes a long number into text.
_AS_NUMBER: Final = re.compile(r"[0-9](?:\.[0-9]+)?[eE]\+?[0-9]{2}")


class RosterTooLarge(DomainError):
    code, status = "roster_too_large", 413
    message = "文件超过 200 MB，请分成几个文件上传。"


class RosterTooLong(DomainError):
    code, status = "roster_too_long", 413
    message = "名册超过 200,000 行，请分成几个文件上传。"


class RosterBomb(DomainError):
    code, status = "roster_zip_bomb", 413
    message = "文件解压后异常庞大，已拒绝。请用表格软件重新另存为 xlsx 后上传。"


class RosterUnreadable(DomainError):
    code, status = "roster_unreadable", 422
    message = "不能读取这个文件，请用表格软件另存为 xlsx 或 CSV 后上传。"


class RosterEmpty(DomainError):
    code, status = "roster_empty", 422
    message = "名册中没有数据行，请填写后重新上传。"


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the file. `number` counts as a spreadsheet does, the header being 1.

    `as_number`: the certificate number was stored as a number, whose last digits are lost.
    `is_whole` is false where a line of CSV has too few or too many cells.
    """

    number: int
    cells: tuple[str, ...]
    as_number: bool = False
    is_whole: bool = True


@dataclass(frozen=True, slots=True)
class Sheet:
    """`columns` maps a known header to its place in `cells`; `header` is the first row as it came."""

    columns: dict[str, int]
    rows: list[Row]
    header: tuple[str, ...] = ()


def read(data: bytes) -> Sheet:
    """The rows that are not blank; raises one of the refusals above, MissingColumns or EncodingUnknown."""
    if len(data) > BYTES_MAX:
        raise RosterTooLarge
    if data.startswith(_XLS):
        raise RosterUnreadable("这是旧版 xls 文件，请另存为 xlsx 后上传。")
    sheet = _xlsx(data) if data.startswith(_XLSX) else _csv(data)
    if not sheet.rows:
        raise RosterEmpty
    if len(sheet.rows) > ROWS_MAX:
        raise RosterTooLong
    return sheet


def _csv(data: bytes) -> Sheet:
    encoding = gb18030.sniff(data)
    text = gb18030.decode(data) if encoding == "gb18030" else gb18030.standardise(data.decode(encoding))
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
    try:
        return _rows_of(reader)
    except csv.Error as error:
        raise RosterUnreadable(
            f"CSV 第 {reader.line_num} 行引号不成对或内容过长，请检查后重新上传。"
        ) from error


def _delimiter(text: str) -> str:
    first = text.partition("\n")[0]
    return max(",\t;", key=first.count)


def _rows_of(reader: "csv._reader") -> Sheet:  # type: ignore[name-defined,unused-ignore]
    header: list[str] = next(reader, [])
    columns, width = positions(header), len(header)
    at, rows = columns[NUMBER], []
    for cells in reader:
        if not any(cell.strip() for cell in cells):
            continue
        is_whole = len(cells) == width or (len(cells) > width and not any(cells[width:]))
        number = cells[at] if at < len(cells) else ""
        rows.append(Row(reader.line_num, tuple(cells), bool(_AS_NUMBER.fullmatch(number.strip())), is_whole))
        if len(rows) > ROWS_MAX:
            raise RosterTooLong
    return Sheet(columns, rows, tuple(header))


def _xlsx(data: bytes) -> Sheet:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            _bound(archive)
            xml = archive.read(_first_sheet(archive))
        frame = fastexcel.read_excel(data).load_sheet(
            0, header_row=None, dtypes="string", n_rows=ROWS_MAX + 2
        )
        table = frame.to_polars()
    except (zipfile.BadZipFile, KeyError, StopIteration, ET.ParseError, fastexcel.FastExcelError) as error:
        raise RosterUnreadable from error
    lines = table.iter_rows()
    header = [cell or "" for cell in next(lines, ())]
    columns = positions(header)
    first = _first_row(xml)
    numeric = _numeric_cells(xml, columns[NUMBER])
    rows = list(_lines(lines, first + 1, numeric))
    if len(rows) > ROWS_MAX:
        raise RosterTooLong
    return Sheet(columns, rows, tuple(header))


def _lines(lines: Iterator[tuple[str | None, ...]], first: int, numeric: set[int]) -> Iterator[Row]:
    for number, line in enumerate(lines, start=first):
        cells = tuple(cell or "" for cell in line)
        if any(cell.strip() for cell in cells):
            yield Row(number, cells, number in numeric)


def _bound(archive: zipfile.ZipFile) -> None:
    """Refuse what would grow too large, before anything is unpacked (the declared sizes), and while (the real)."""
    entries = archive.infolist()
    declared = sum(entry.file_size for entry in entries)
    packed = sum(entry.compress_size for entry in entries)
    if len(entries) > _ENTRIES_MAX or declared > UNPACKED_MAX:
        raise RosterBomb
    if declared > _SMALL and declared > packed * _RATIO_MAX:
        raise RosterBomb


def _first_sheet(archive: zipfile.ZipFile) -> str:
    """Path of the first sheet, through the workbook and its relations."""
    for path in ("xl/workbook.xml", "xl/_rels/workbook.xml.rels"):
        if archive.getinfo(path).file_size > _SMALL:
            raise RosterBomb
    book = ET.fromstring(archive.read("xl/workbook.xml"))  # noqa: S314 - bounded; expat refuses amplification
    first = next(element for element in book.iter() if element.tag.endswith("}sheet"))
    relations = ET.fromstring(archive.read("xl/_rels/workbook.xml.rels"))  # noqa: S314
    key = first.get(_REL) or ""
    target = next(one.get("Target", "") for one in relations if one.get("Id") == key)
    return target.removeprefix("/") if target.startswith("/") else f"xl/{target}"


def _first_row(xml: bytes) -> int:
    found = re.search(rb'<(?:\w+:)?c\b[^>]*?\br="[A-Z]+([0-9]+)"', xml)
    if found is None:
        raise RosterUnreadable("表格单元格没有位置信息，请用表格软件另存为 xlsx 后上传。")
    return int(found[1])


def _numeric_cells(xml: bytes, column: int) -> set[int]:
    """Rows whose cell in this column is stored as a number with more digits than a number can hold.

    The reader turns numbers into text; only the sheet itself still tells them apart (no type, or type n).
    """
    letters = _letters(column).encode()
    pattern = rb'<(?:\w+:)?c\b([^>]*?)\br="' + letters + rb'([0-9]+)"([^>]*)>(?:<(?:\w+:)?v>([^<]*))?'
    found: set[int] = set()
    for match in re.finditer(pattern, xml):
        before, row, after, value = match.groups()
        kind = re.search(rb'\bt="(\w+)"', before + after)
        if (kind is None or kind[1] == b"n") and value and abs(float(value)) >= 10**15:
            found.add(int(row))
    return found


def _letters(column: int) -> str:
    """A, B, … Z, AA, … for 0, 1, …"""
    text = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        text = chr(65 + rest) + text
    return text
