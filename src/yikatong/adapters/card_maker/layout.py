"""Production files 制卡 (ZK out, ZKHP back).

Out: 序号|卡号|社会保障号码|姓名|性别|民族|出生日期|发卡地区|发卡日期|有效期|卡类别|规范版本|服务银行|银行卡号
|领取方式|网点编号|网点名称|区划|收件人|收件电话|收件地址; the last three are told only of a card that is posted.
Back, in the order of 制卡回盘: 序号|卡号|社会保障号码|姓名|发卡日期|有效期|卡识别码|卡复位信息|服务银行|银行卡号
|个人账户|装箱位置|失败环节|失败原因. A made card has empty last fields; 装箱位置 is 箱号-位置. A day is YYYYMMDD.
"""

from typing import Final

from yikatong.adapters import pipe_file
from yikatong.registry.cards.batches.files import (
    Delivery,
    Echo,
    Head,
    MakeAnswer,
    MakeRequest,
    WrongTotals,
)

REQUEST: Final = "ZK"
ANSWER: Final = "ZKHP"
_FIELDS: Final = 13  # after the row number


class PipeMakerFiles:
    """A `MakerFiles` of registry.cards.batches."""

    def write_requests(self, head: Head, rows: list[MakeRequest]) -> bytes:
        return pipe_file.write(REQUEST, head, (_fields(one) for one in rows))

    def read_requests(self, data: bytes) -> tuple[Head, list[MakeRequest]]:
        head, rows = pipe_file.read(REQUEST, data)
        return head, [_request(row, fields) for row, fields in rows]

    def write_answers(self, head: Head, rows: list[MakeAnswer]) -> bytes:
        return pipe_file.write(ANSWER, head, (_answer_fields(one) for one in rows))

    def read_answers(self, data: bytes) -> tuple[Head, list[MakeAnswer]]:
        head, rows = pipe_file.read(ANSWER, data)
        made = sum(len(fields) == _FIELDS and not any(fields[-2:]) for _, fields in rows)
        if (head.made, head.failed) != (made, len(rows) - made):
            raise WrongTotals
        return head, [_answer(row, fields) for row, fields in rows]


def _fields(one: MakeRequest) -> tuple[str, ...]:
    born, issued, expires = (pipe_file.digits(day) for day in (one.birth_date, one.issued_on, one.expires_on))
    person = (one.card_number, one.social_security_number, one.name, one.sex, one.ethnicity, born)
    card = (one.division_code, issued, expires, one.category, one.spec_version, one.bank, one.account)
    to = one.delivery
    where = (to.way, to.outlet, to.outlet_name, to.division_code, to.addressee, to.phone, to.address)
    return (str(one.row), *person, *card, *where)


def _request(row: int, fields: list[str]) -> MakeRequest:
    number, social, name, sex, ethnicity, born, division, issued, expires, *more = fields
    category, version, bank, account, *where = more
    return MakeRequest(
        row,
        number,
        social,
        name,
        sex,
        ethnicity,
        pipe_file.day(born),
        division,
        pipe_file.day(issued),
        pipe_file.day(expires),
        category,
        version,
        bank,
        account,
        delivery=Delivery(*where),
    )


def _answer_fields(one: MakeAnswer) -> tuple[str, ...]:
    said = one.echo or Echo("", "", "", "", "", "")
    person = (one.card_number, said.social_security_number, said.name, said.issued_on, said.expires_on)
    chip = (one.identification, one.reset_info)
    fate = (one.place, one.failed_step, one.failure)
    return (str(one.row), *person, *chip, said.bank, said.account, "", *fate)


def _answer(row: int, fields: list[str]) -> MakeAnswer:
    if len(fields) != _FIELDS:
        fault = f"回盘行应有 {_FIELDS + 1} 栏，实有 {len(fields) + 1} 栏"
        return MakeAnswer(row, "", "", "", "", "", "", fault=fault)
    number, social, name, issued, expires, identification, reset, bank, account, _, place, *fate = fields
    step, failure = fate
    if step and not failure:
        failure = "制卡机构未说明原因"
    said = Echo(social, name, issued, expires, bank, account)
    chip = (identification.upper(), reset.upper())
    return MakeAnswer(row, number, *chip, place, step[:10], failure, echo=said)
