"""Rosters as employers and schools write them."""

import csv
import io
from datetime import date
from typing import Any

import xlsxwriter

from tests.registry.conftest import AT, JOINT, SUPERVISOR, id_number
from yikatong.core import gb18030
from yikatong.registry.cards import rosters
from yikatong.registry.cards.models import Roster, RosterFault
from yikatong.registry.cards.rosters import columns

HEADERS = (*columns.REQUIRED, *columns.OPTIONAL)


Line = dict[str, Any]


def line(serial: int = 1, **changes: Any) -> Line:
    plain = {
        "证件类型": "居民身份证", "证件号码": id_number(serial), "姓名": "王芳", "性别": "女",
        "出生日期": "1990-03-07", "国籍": "", "手机号码": "13900000001", "所在区划": "510107",
        "通讯地址": "示例路 1 号", "银行": JOINT, "领卡网点": "", "领取方式": "自取",
    }  # fmt: skip
    return dict.fromkeys(HEADERS, "") | plain | changes


def as_csv(*lines: Line, encoding: str = "utf-8-sig", headers: tuple[str, ...] = HEADERS) -> bytes:
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, headers, extrasaction="ignore")
    writer.writeheader()
    writer.writerows(lines)
    return gb18030.encode(out.getvalue()) if encoding == "gb18030" else out.getvalue().encode(encoding)


def as_xlsx(*lines: Line, blank_rows: int = 0) -> bytes:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        sheet, day = book.add_worksheet(), book.add_format({"num_format": "yyyy-mm-dd"})
        for at, header in enumerate(HEADERS):
            sheet.write_string(blank_rows, at, header)
        for number, one in enumerate(lines, start=blank_rows + 1):
            for at, header in enumerate(HEADERS):
                value = one[header]
                if isinstance(value, date):
                    sheet.write_datetime(number, at, value, day)  # type: ignore[arg-type,unused-ignore]
                elif isinstance(value, int):
                    sheet.write_number(number, at, value)
                elif value:
                    sheet.write_string(number, at, value)
    return out.getvalue()


def taken(data: bytes, *, name: str = "名册.csv", by: Any = SUPERVISOR) -> Roster:
    return rosters.run(rosters.receive(data, name, by=by, at=AT).pk, at=AT)


def faults(roster: Roster) -> list[tuple[int, str, str]]:
    return list(
        RosterFault.objects.filter(roster=roster).order_by("row").values_list("row", "column", "code")
    )
