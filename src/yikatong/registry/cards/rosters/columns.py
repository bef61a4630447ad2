"""The columns of a roster, by their Chinese headers."""

from typing import Final

from yikatong.core.errors import DomainError

KIND: Final = "证件类型"
NUMBER: Final = "证件号码"
NAME: Final = "姓名"
SEX: Final = "性别"
BIRTH_DATE: Final = "出生日期"
NATIONALITY: Final = "国籍"
PHONE: Final = "手机号码"
DIVISION: Final = "所在区划"
ADDRESS: Final = "通讯地址"
BANK: Final = "银行"
OUTLET: Final = "领卡网点"
DELIVERY: Final = "领取方式"
GUARDIAN_NAME: Final = "监护人姓名"
GUARDIAN_NUMBER: Final = "监护人证件号码"
GROUND: Final = "申领依据"
VALID_FROM: Final = "证件起始日期"
VALID_UNTIL: Final = "证件截止日期"

REQUIRED: Final = (
    KIND, NUMBER, NAME, SEX, BIRTH_DATE, NATIONALITY, PHONE, DIVISION, ADDRESS, BANK, OUTLET, DELIVERY,
)  # fmt: skip
OPTIONAL: Final = (GUARDIAN_NAME, GUARDIAN_NUMBER, GROUND, VALID_FROM, VALID_UNTIL)


class MissingColumns(DomainError):
    """facts: missing, the list of headers that are not there."""

    code, status = "roster_columns_missing", 422


class RepeatedColumns(DomainError):
    code, status = "roster_columns_repeated", 422


def positions(header: list[str]) -> dict[str, int]:
    """Where each known column stands; raises MissingColumns, RepeatedColumns. Other columns are ignored."""
    plain = ["".join(cell.split()).strip("*＊") for cell in header]
    if missing := [name for name in REQUIRED if name not in plain]:
        raise MissingColumns(
            f"表头缺少：{'、'.join(missing)}。请使用名册模板，表头放在第一行。", missing=missing
        )
    if twice := [name for name in (*REQUIRED, *OPTIONAL) if plain.count(name) > 1]:
        raise RepeatedColumns(f"表头重复：{'、'.join(twice)}。请删除多余的列。")
    return {name: plain.index(name) for name in (*REQUIRED, *OPTIONAL) if name in plain}
