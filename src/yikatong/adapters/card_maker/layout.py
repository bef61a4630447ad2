"""Production files 制卡 (ZK out, ZKHP back).

Out: row|卡号|社会保障号码|姓名|性别|民族|出生日期|发卡地区|发卡日期|有效期|卡类别|规范版本|金融账号.
Back: row|卡号|卡识别码|卡复位信息|箱位|失败环节|失败原因; a made card has empty last fields.
"""

from typing import Final

from yikatong.adapters import pipe_file
from yikatong.registry.cards.batches.files import Head, MakeAnswer, MakeRequest, WrongTotals

REQUEST: Final = "ZK"
ANSWER: Final = "ZKHP"
_FIELDS: Final = 6


class PipeMakerFiles:
    """A `MakerFiles` of registry.cards.batches."""

    def write_requests(self, head: Head, rows: list[MakeRequest]) -> bytes:
        return pipe_file.write(REQUEST, head, (_fields(one) for one in rows))

    def read_requests(self, data: bytes) -> tuple[Head, list[MakeRequest]]:
        head, rows = pipe_file.read(REQUEST, data)
        return head, [_request(row, fields) for row, fields in rows]

    def write_answers(self, head: Head, rows: list[MakeAnswer]) -> bytes:
        lines = (
            (str(r.row), r.card_number, r.identification, r.reset_info, r.box, r.failed_step, r.failure)
            for r in rows
        )
        return pipe_file.write(ANSWER, head, lines)

    def read_answers(self, data: bytes) -> tuple[Head, list[MakeAnswer]]:
        head, rows = pipe_file.read(ANSWER, data)
        made = sum(len(fields) == _FIELDS and not any(fields[4:]) for _, fields in rows)
        if (head.made, head.failed) != (made, len(rows) - made):
            raise WrongTotals
        return head, [_answer(row, fields) for row, fields in rows]


def _fields(one: MakeRequest) -> tuple[str, ...]:
    born, issued, expires = (f"{day:%Y%m%d}" for day in (one.birth_date, one.issued_on, one.expires_on))
    person = (one.card_number, one.social_security_number, one.name, one.sex, one.ethnicity, born)
    card = (one.division_code, issued, expires, one.category, one.spec_version, one.account)
    return (str(one.row), *person, *card)


def _request(row: int, fields: list[str]) -> MakeRequest:
    number, social, name, sex, ethnicity, born, division, issued, expires, category, version, account = fields
    days = [pipe_file.day(text) for text in (born, issued, expires)]
    return MakeRequest(
        row,
        number,
        social,
        name,
        sex,
        ethnicity,
        days[0],
        division,
        days[1],
        days[2],
        category,
        version,
        account,
    )


def _answer(row: int, fields: list[str]) -> MakeAnswer:
    if len(fields) != _FIELDS:
        return MakeAnswer(row, "", "", "", "", "", "", fault=f"回盘行应有 7 栏，实有 {len(fields) + 1} 栏")
    number, identification, reset, box, step, failure = fields
    if step and not failure:
        failure = "制卡机构未说明原因"
    return MakeAnswer(row, number, identification.upper(), reset.upper(), box[:20], step[:10], failure)
