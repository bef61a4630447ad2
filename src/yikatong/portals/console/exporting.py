"""A log as a CSV file, written row by row: however many rows, the memory stays the same."""

import csv
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, Final, TypeVar
from urllib.parse import quote

from django.conf import settings
from django.db.models import Model, QuerySet
from django.http import StreamingHttpResponse

from yikatong.core.clock import BEIJING
from yikatong.core.errors import DomainError

Row = TypeVar("Row", bound=Model)
_LINES: Final = 500  # sent at once
_FETCHED: Final = 2_000
_BOM: Final = "\ufeff"  # else a spreadsheet reads UTF-8 as GBK
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")  # what begins a formula in a spreadsheet


class TooManyRows(DomainError):
    code, status = "export_too_many", 422

    def __init__(self) -> None:
        most = f"{settings.ENV.export_rows:,}"
        super().__init__(
            f"符合条件的记录超过 {most} 条，没有导出。下一步：缩短起止日期，或按人员、单位、事件分几次导出。"
        )


class NoPeriod(DomainError):
    code, status = "export_period_missing", 422
    message = "请先选定起止日期，查询后再导出。"


def count(found: QuerySet[Any]) -> int:
    """Rows of a file; raises TooManyRows. Counts no further than one past the limit."""
    most = settings.ENV.export_rows
    rows = found.order_by()[: most + 1].count()
    if rows > most:
        raise TooManyRows
    return rows


def file(
    name: str, headers: Sequence[str], found: QuerySet[Row], of: Callable[[Row], Sequence[str]]
) -> StreamingHttpResponse:
    """UTF-8 with a byte-order mark, as spreadsheets in China open it; every cell is text, none a formula."""
    return rows(name, headers, (of(one) for one in found.iterator(chunk_size=_FETCHED)))


def rows(name: str, headers: Sequence[str], found: Iterable[Sequence[str]]) -> StreamingHttpResponse:
    """`file`, of rows that are cells already."""
    answer = StreamingHttpResponse(_chunks(headers, found), content_type="text/csv; charset=utf-8")
    answer.headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(name)}"
    answer.headers["X-Content-Type-Options"] = "nosniff"
    return answer


def moment(at: datetime) -> str:
    """Beijing time, to the second."""
    return f"{at.astimezone(BEIJING):%Y-%m-%d %H:%M:%S}"


def stamp(at: datetime) -> str:
    """For the name of a file: whoever keeps several sees which is which."""
    return f"{at.astimezone(BEIJING):%Y%m%d-%H%M%S}"


class _Line:
    """What `csv` writes to: it hands the line back."""

    def write(self, text: str) -> str:
        return text


def _chunks(headers: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    writer, waiting = csv.writer(_Line()), [_BOM]
    waiting.append(writer.writerow(headers))
    for row in rows:
        waiting.append(writer.writerow([_harmless(cell) for cell in row]))
        if len(waiting) >= _LINES:
            yield "".join(waiting)
            waiting.clear()
    yield "".join(waiting)


def _harmless(cell: str) -> str:
    return f"'{cell}" if cell.startswith(_FORMULA) else cell
