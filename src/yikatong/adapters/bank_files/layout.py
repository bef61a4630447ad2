"""Pre-opening files 预开户 (KH out, KHHP back).

Out: 序号|受理号|证件号码|证件类型|姓名|手机|国籍|证件起始|证件截止|出生日期|性别|通讯地址
|监护人姓名|监护人证件类型|监护人证件号码|监护关系: the fields of an application in the order card offices use, those only
that a bank needs to know its customer. A day is YYYYMMDD; what is not recorded is empty, and the end of a certificate that
is good for ever 长期 is 99991231, as banks write it. Back: 序号|00 or a code|账号|原因.
"""

from typing import Final

from yikatong.adapters import pipe_file
from yikatong.registry.cards.batches.files import Head, OpenAnswer, OpenRequest, WrongTotals

REQUEST: Final = "KH"
ANSWER: Final = "KHHP"
OPENED: Final = "00"
FOR_EVER: Final = "99991231"


class PipeBankFiles:
    """A `BankFiles` of registry.cards.batches."""

    def write_requests(self, head: Head, rows: list[OpenRequest]) -> bytes:
        return pipe_file.write(REQUEST, head, (_fields(one) for one in rows))

    def read_requests(self, data: bytes) -> tuple[Head, list[OpenRequest]]:
        head, rows = pipe_file.read(REQUEST, data)
        return head, [_request(row, fields) for row, fields in rows]

    def write_answers(self, head: Head, rows: list[OpenAnswer]) -> bytes:
        lines = ((str(one.row), OPENED if one.account else "99", one.account, one.reason) for one in rows)
        return pipe_file.write(ANSWER, head, lines)

    def read_answers(self, data: bytes) -> tuple[Head, list[OpenAnswer]]:
        head, rows = pipe_file.read(ANSWER, data)
        opened = sum(bool(fields) and fields[0] == OPENED for _, fields in rows)
        if (head.made, head.failed) != (opened, len(rows) - opened):
            raise WrongTotals
        return head, [_answer(row, fields) for row, fields in rows]


def _fields(one: OpenRequest) -> tuple[str, ...]:
    ends = FOR_EVER if one.is_long_term else pipe_file.digits(one.valid_until)
    days = (pipe_file.digits(one.valid_from), ends, pipe_file.digits(one.birth_date))
    person = (one.certificate_number, one.certificate_kind, one.name, one.phone, one.nationality)
    return (str(one.row), one.case_number, *person, *days, one.sex, one.address, *one.guardian)


def _request(row: int, fields: list[str]) -> OpenRequest:
    case, number, kind, name, phone, nationality, begins, ends, born, sex, address, *guardian = fields
    is_long_term = ends == FOR_EVER
    first, last = (pipe_file.day(text) if text else None for text in (begins, "" if is_long_term else ends))
    who = (case, number, kind, name, phone, nationality, first, last, pipe_file.day(born), sex, address)
    return OpenRequest(
        row, *who, is_long_term=is_long_term, guardian=(guardian[0], guardian[1], guardian[2], guardian[3])
    )


def _answer(row: int, fields: list[str]) -> OpenAnswer:
    if len(fields) != 3:
        return OpenAnswer(row, "", "", fault=f"回盘行应有 4 栏，实有 {len(fields) + 1} 栏")
    code, account, reason = fields
    if code == OPENED:
        return OpenAnswer(row, account, "")
    return OpenAnswer(row, "", reason or f"银行未说明原因（代码 {code}）")
