"""Pre-opening files 预开户 (KH out, KHHP back).

Out: row|证件类型|证件号码|姓名|手机|受理号. Back: row|00 or a code|账号|原因.
"""

from typing import Final

from yikatong.adapters import pipe_file
from yikatong.registry.cards.batches.files import Head, OpenAnswer, OpenRequest, WrongTotals

REQUEST: Final = "KH"
ANSWER: Final = "KHHP"
OPENED: Final = "00"


class PipeBankFiles:
    """A `BankFiles` of registry.cards.batches."""

    def write_requests(self, head: Head, rows: list[OpenRequest]) -> bytes:
        return pipe_file.write(
            REQUEST,
            head,
            (
                (str(r.row), r.certificate_kind, r.certificate_number, r.name, r.phone, r.case_number)
                for r in rows
            ),
        )

    def read_requests(self, data: bytes) -> tuple[Head, list[OpenRequest]]:
        head, rows = pipe_file.read(REQUEST, data)
        return head, [OpenRequest(row, *fields) for row, fields in rows]

    def write_answers(self, head: Head, rows: list[OpenAnswer]) -> bytes:
        lines = ((str(one.row), OPENED if one.account else "99", one.account, one.reason) for one in rows)
        return pipe_file.write(ANSWER, head, lines)

    def read_answers(self, data: bytes) -> tuple[Head, list[OpenAnswer]]:
        head, rows = pipe_file.read(ANSWER, data)
        opened = sum(bool(fields) and fields[0] == OPENED for _, fields in rows)
        if (head.made, head.failed) != (opened, len(rows) - opened):
            raise WrongTotals
        return head, [_answer(row, fields) for row, fields in rows]


def _answer(row: int, fields: list[str]) -> OpenAnswer:
    if len(fields) != 3:
        return OpenAnswer(row, "", "", fault=f"回盘行应有 4 栏，实有 {len(fields) + 1} 栏")
    code, account, reason = fields
    if code == OPENED:
        return OpenAnswer(row, account, "")
    return OpenAnswer(row, "", reason or f"银行未说明原因（代码 {code}）")
