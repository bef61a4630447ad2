"""Spreadsheets that go out: the template, and the list of faults."""

import io
from collections.abc import Iterable, Sequence
from typing import Any, Final
from uuid import UUID

import xlsxwriter

from yikatong.registry.cards.models import RosterFault
from yikatong.registry.cards.rosters import columns as c
from yikatong.registry.holders.certificates import SHOWN
from yikatong.registry.holders.rules import Ground

XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_FAULT_HEADERS: Final = ("行号", "列", "错误码", "原因", "内容（脱敏）")
_KINDS: Final = "、".join(kind.label for kind in SHOWN)
_GROUNDS: Final = "、".join(one.label for one in Ground)
_HINTS: Final = {
    c.KIND: f"必填。{_KINDS}，或代码 A C D J K M。",
    c.NUMBER: "必填。整列须为文本格式；存为数字会丢失末位。",
    c.NAME: "必填。与证件一致；间隔号用“·”。",
    c.SEX: "男、女；证件号码含有性别的可以不填。",
    c.BIRTH_DATE: "如 1990-03-07；证件号码含有出生日期的可以不填。",
    c.NATIONALITY: "三位字母代码，如 CHN；不填为中国。",
    c.PHONE: "必填。11 位手机号码。",
    c.DIVISION: "必填。6 位或 9 位区划代码。",
    c.ADDRESS: "领取方式为邮寄的必填，最多 100 字。",
    c.BANK: "必填。合作银行的编号或名称。",
    c.OUTLET: "网点编号；可以不填。",
    c.DELIVERY: "自取或邮寄；不填为自取。",
    c.GUARDIAN_NAME: "未满监护年龄的必填。",
    c.GUARDIAN_NUMBER: "监护人的居民身份证号码。",
    c.GROUND: f"{_GROUNDS}；不填为居住。",
    c.VALID_FROM: "证件有效期的第一天，如 2016-05-01；可以不填，填了起始的也要填截止。",
    c.VALID_UNTIL: "证件有效期的最后一天，或“长期”。",
}


def faults_xlsx(roster_id: UUID) -> bytes:
    """行号 (as in the uploaded file), 列, 错误码, 原因 and the cell, masked. All cells are text, none a formula."""
    fields = ("row", "column", "code", "message", "shown")
    faults = RosterFault.objects.filter(roster_id=roster_id).order_by("row").values_list(*fields)
    return book([("错误清单", _FAULT_HEADERS, faults.iterator())], widths=(8, 16, 26, 70, 26))


def template_xlsx() -> bytes:
    """An empty roster whose columns are text, and a page that says what goes where."""
    headers = (*c.REQUIRED, *c.OPTIONAL)
    hints = [(name, _HINTS[name]) for name in headers]
    return book([("名册", headers, []), ("填写说明", ("列", "说明"), hints)], widths=(20,) * len(headers))


def book(
    sheets: Sequence[tuple[str, Sequence[str], Iterable[Sequence[Any]]]], *, widths: Sequence[int]
) -> bytes:
    """A workbook of text: sheets by name, headers and rows. Never a formula, whatever a cell begins with."""
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_formulas": False}) as book:
        text, bold = book.add_format({"num_format": "@"}), book.add_format({"bold": True, "num_format": "@"})
        for name, headers, rows in sheets:
            sheet = book.add_worksheet(name)
            sheet.freeze_panes(1, 0)
            for at, header in enumerate(headers):
                sheet.set_column(at, at, widths[at], text)
                sheet.write_string(0, at, header, bold)
            for line, row in enumerate(rows, start=1):
                for at, value in enumerate(row):
                    sheet.write_string(line, at, str(value), text)
    return out.getvalue()
