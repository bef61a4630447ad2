"""What a chip should hold, as the register has it: file addresses and values in the shape of iWriteCard.

Only what may change after the card was made (人社信息函〔2012〕37号, EF06), where its holder lives, and
外国人工作许可 (Opinions 7). Knows no Django.
"""

from dataclasses import dataclass
from datetime import date
from typing import Final, NamedTuple

from yikatong.core import gb18030
from yikatong.registry.holders import names

PERSON, RESIDENCE, PERMIT = "person", "residence", "permit"


class File(NamedTuple):
    """`wanted` names items, `data` has their values in the same order."""

    key: str
    title: str
    wanted: str
    data: str


class Permit(NamedTuple):
    number: str
    issuer: str
    begins: date
    ends: date


@dataclass(frozen=True, slots=True)
class Held:
    """What the register says of a holder. `division`: where he lives, six digits."""

    social_security_number: str
    name: str
    sex: str
    ethnicity: str
    birth_date: date
    division: str
    permit: Permit | None = None


#: What the holder reads in his log when it was written.
FIELDS: Final = {
    PERSON: ("社会保障号码", "姓名", "性别", "民族", "出生日期"),
    RESIDENCE: ("常住地",),
    PERMIT: ("外国人工作许可",),
}


def files(held: Held) -> tuple[File, ...]:
    """The files in the order they are written; a permit that ended is taken off the card. Raises NameTooLong."""
    first, rest = (gb18030.decode(part) for part in names.card_fields(held.name))
    person = (held.social_security_number, first, rest, held.sex, held.ethnicity, f"{held.birth_date:%Y%m%d}")
    permit = held.permit
    values = (
        (permit.number, f"{permit.begins:%Y%m%d}", f"{permit.ends:%Y%m%d}", permit.issuer)
        if permit
        else ("", "", "", "")
    )
    return (
        File(PERSON, "个人信息", "3F00EF06|08|09|4E|0A|0B|0D|$", _data("3F00EF06", *person)),
        File(RESIDENCE, "常住地", "DF01EF06|21|$", _data("DF01EF06", held.division[:6])),
        File(PERMIT, "工作许可", "DF02EF0C|31|32|33|34|$", _data("DF02EF0C", *values)),
    )


def _data(place: str, *values: str) -> str:
    return f"{place}|{''.join(f'{value}|' for value in values)}$"
