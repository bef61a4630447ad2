"""One row as an application, or why not. Pure, but for what `Known` brings along."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final, TypeVar

from yikatong.core.errors import DomainError
from yikatong.core.masking import mask_number, mask_phone
from yikatong.registry.cards.rosters import columns as c
from yikatong.registry.cards.rosters.reading import Row
from yikatong.registry.holders import certificates, names, validity
from yikatong.registry.holders.certificates import SHOWN, Kind
from yikatong.registry.holders.rules import CHINA, Claim, Ground, Person, independent_on, read
from yikatong.registry.holders.validity import UNTOLD, Validity

T = TypeVar("T")

_KINDS: Final = {kind.label: kind.value for kind in SHOWN} | {kind.value: kind.value for kind in SHOWN}
_KIND_ALIASES: Final = {
    "身份证": "A",
    "永久居留身份证": "D",
    "港澳台居住证": "M",
    "港澳通行证": "J",
    "台胞证": "K",
}
_SEXES: Final = {"男": "1", "女": "2", "未说明": "9", "1": "1", "2": "2", "9": "9", "": None}
#: 自取 and 邮寄 in the template; the others are what our own pages call them.
_DELIVERIES: Final = {
    "": "0", "0": "0", "自取": "0", "到网点领取": "0", "1": "1", "邮寄": "1", "邮寄到家": "1",
}  # fmt: skip
_GROUNDS: Final = {one.label: one.value for one in Ground} | {one.value: one.value for one in Ground}
_DAY: Final = re.compile(
    r"([0-9]{4})[-/.年]([0-9]{1,2})[-/.月]([0-9]{1,2})日?(?:[ T]0{1,2}:00(?::00)?(?:\.0+)?)?"
)
_SERIAL_START: Final = date(1899, 12, 30)  # day 0 of spreadsheets
#: Which column a refusal of the rules is about, by the beginning of its code.
_COLUMN_OF: Final = (
    ("certificate", c.NUMBER), ("name", c.NAME), ("phone", c.PHONE), ("birth", c.BIRTH_DATE), ("sex", c.SEX),
    ("nationality", c.NATIONALITY), ("outside", c.DIVISION), ("address", c.ADDRESS), ("no_ground", c.GROUND),
)  # fmt: skip


class Faulty(DomainError):
    """A cell that cannot be taken; raised with its column and code, and caught for the list of faults."""

    status = 422

    def __init__(self, column: str, code: str, message: str) -> None:
        super().__init__(message)
        self.column, self.fault = column, code


@dataclass(frozen=True, slots=True)
class Fault:
    row: int
    column: str
    code: str
    message: str
    shown: str


@dataclass(frozen=True, slots=True)
class Entry:
    """A sound row: the person, and what he applies for."""

    row: int
    person: Person
    bank: str
    outlet: str | None
    delivery: str
    guardian: str
    validity: Validity = UNTOLD


@dataclass(frozen=True, slots=True)
class Known:
    """What rows are checked against. `banks` and `outlets` by code, name and short name."""

    divisions: frozenset[str]
    banks: Mapping[str, str]
    closed_banks: frozenset[str]
    outlets: Mapping[str, str]
    province_code: str
    scope: str
    independent_age: int
    today: date
    takes_elsewhere: bool = False


def check(row: Row, at: Mapping[str, int], known: Known) -> Entry | Fault:
    """The application a row makes, or the first fault in it."""
    cells = {name: _text(row.cells[place]) if place < len(row.cells) else "" for name, place in at.items()}
    try:
        return _entry(row, cells, known)
    except Faulty as fault:
        return _fault(row, cells, fault.column, fault.fault, fault.message)
    except DomainError as refusal:
        column = next((name for start, name in _COLUMN_OF if refusal.code.startswith(start)), "")
        return _fault(row, cells, column, refusal.code, refusal.message)


def _text(cell: str) -> str:
    """Without the zeros with which old programs fill up a field: no database keeps them."""
    return cell.replace("\0", "").strip()


def _entry(row: Row, cells: dict[str, str], known: Known) -> Entry:
    if not row.is_whole:
        raise Faulty("", "row_broken", "该行的列数与表头不一致，请检查是否多了或少了分隔符。")
    if row.as_number:
        raise Faulty(
            c.NUMBER, "number_as_number", "证件号码被存为数字，末位已丢失，请把该列设为文本后重新填写。"
        )
    person = read(
        _claim(cells), known_divisions=known.divisions, province_code=known.province_code, today=known.today
    )
    if not person.division_code.startswith(known.scope) and not known.takes_elsewhere:
        raise Faulty(c.DIVISION, "outside_scope", "该区划不在您的管辖范围内，请由当地上传。")
    delivery = _delivery(cells)
    bank, outlet = _bank(cells[c.BANK], known), _outlet(cells[c.OUTLET], known)
    guardian = _guardian(cells, person, known)
    return Entry(row.number, person, bank, outlet, delivery, guardian, _validity(cells, person, known))


def _validity(cells: dict[str, str], person: Person, known: Known) -> Validity:
    """Of the certificate, where the roster tells it."""
    ends = cells.get(c.VALID_UNTIL, "")
    is_long_term = ends == "长期"
    told = Validity(
        day(cells.get(c.VALID_FROM, ""), c.VALID_FROM),
        None if is_long_term else day(ends, c.VALID_UNTIL),
        is_long_term=is_long_term,
    )
    try:
        return validity.check(told, person.certificate.kind, person.birth_date, known.today)
    except DomainError as refusal:
        raise Faulty(c.VALID_UNTIL, refusal.code, refusal.message) from None


def _claim(cells: dict[str, str]) -> Claim:
    return Claim(
        kind=_one_of(c.KIND, cells, _KINDS | _KIND_ALIASES, "kind_unknown"),
        number=cells[c.NUMBER],
        name=cells[c.NAME],
        sex=_one_of(c.SEX, cells, _SEXES, "sex_unknown"),
        birth_date=day(cells[c.BIRTH_DATE]),
        nationality=cells[c.NATIONALITY] or CHINA,
        phone=cells[c.PHONE],
        division_code=_division(cells[c.DIVISION]),
        address=cells[c.ADDRESS],
        # 名册 comes from the place of residence unless it says otherwise.
        ground=_one_of(c.GROUND, {c.GROUND: cells.get(c.GROUND) or "居住"}, _GROUNDS, "no_ground"),
    )


def kind_of(text: str) -> str:
    """The code of a kind of certificate as a roster names it; "" of none that is known."""
    return (_KINDS | _KIND_ALIASES).get(_text(text), "")


def _division(text: str) -> str:
    """统计用区划代码 has twelve digits, the last three a village; zeros stand for what is not said."""
    code = text[:9] if re.fullmatch("[0-9]{12}", text) else text
    return code[:6] if re.fullmatch("[0-9]{6}000", code) else code


def _named(choices: Mapping[str, object]) -> str:
    """What may be written, one word for each choice."""
    words: dict[object, str] = {}
    for name, value in choices.items():
        if name and not name.isascii():
            words.setdefault(value, name)
    return "、".join(words.values())


def _one_of(column: str, cells: dict[str, str], choices: Mapping[str, T], code: str) -> T:
    if cells[column] not in choices:
        raise Faulty(column, code, f"“{column}”没有填写或不在可选范围内，可以填：{_named(choices)}。")
    return choices[cells[column]]


def day(text: str, column: str = c.BIRTH_DATE) -> date | None:
    """A day in the spellings people and spreadsheets use; None for a blank; raises Faulty."""
    if not text:
        return None
    try:
        if found := _DAY.fullmatch(text):
            return date(int(found[1]), int(found[2]), int(found[3]))
        if re.fullmatch(r"[0-9]{8}", text):
            return date(int(text[:4]), int(text[4:6]), int(text[6:]))
        if re.fullmatch(r"[0-9]{1,5}", text):
            return _SERIAL_START + timedelta(days=int(text))
    except ValueError:
        pass
    code = "birth_date_format" if column == c.BIRTH_DATE else "validity_format"
    raise Faulty(column, code, f"{column}不存在或格式不能识别，请写成 1990-03-07。")


def _bank(text: str, known: Known) -> str:
    code = known.banks.get(text)
    if code is None:
        raise Faulty(c.BANK, "bank_unknown", "没有这家合作银行，请填写银行编号或名称。")
    if code in known.closed_banks:
        raise Faulty(c.BANK, "bank_not_accepting", "该银行暂停办理新卡，请改选其他合作银行。")
    return code


def _outlet(text: str, known: Known) -> str | None:
    if not text:
        return None
    if text not in known.outlets:
        raise Faulty(c.OUTLET, "outlet_unknown", "没有这个领卡网点或已停办，请填写网点编号。")
    return known.outlets[text]


def _delivery(cells: dict[str, str]) -> str:
    delivery = _one_of(c.DELIVERY, cells, _DELIVERIES, "delivery_invalid")
    if delivery == "1" and not cells[c.ADDRESS]:
        raise Faulty(c.ADDRESS, "delivery_address_missing", "领取方式为邮寄的，须填写通讯地址。")
    return delivery


def _guardian(cells: dict[str, str], person: Person, known: Known) -> str:
    """Name and number of the guardian: needed below the age of the profile, checked where given."""
    name, number = cells.get(c.GUARDIAN_NAME, ""), cells.get(c.GUARDIAN_NUMBER, "")
    if not name and not number:
        if independent_on(person.birth_date, known.independent_age) > known.today:
            text = f"未满 {known.independent_age} 周岁须由监护人申领，请填写监护人姓名和证件号码。"
            raise Faulty(c.GUARDIAN_NAME, "guardian_missing", text)
        return ""
    try:
        checked = certificates.check(
            Kind.RESIDENT_ID, number, known_divisions=known.divisions, today=known.today
        )
        return f"{names.normalise(name).text} {checked.number}"
    except names.BadName as refusal:
        raise Faulty(c.GUARDIAN_NAME, "guardian_" + refusal.code, f"监护人：{refusal.message}") from None
    except certificates.BadCertificate as refusal:
        raise Faulty(c.GUARDIAN_NUMBER, "guardian_" + refusal.code, f"监护人：{refusal.message}") from None


def _fault(row: Row, cells: dict[str, str], column: str, code: str, message: str) -> Fault:
    return Fault(row.number, column, code, message[:200], shown(column, cells.get(column, "")))


def shown(column: str, text: str) -> str:
    """What the list of faults may show of a cell: enough to find it, no personal field whole."""
    if column in {c.NUMBER, c.GUARDIAN_NUMBER}:
        return mask_number(text)[:60] if text else ""
    if column in {c.NAME, c.GUARDIAN_NAME}:
        return names.mask(text)[:60] if text else ""
    if column == c.PHONE:
        return mask_phone(text) if text else ""
    if column in {c.ADDRESS, c.BIRTH_DATE}:
        return text[:4] + "***" if text else ""
    # A number or a phone that has slipped into the next column.
    return re.sub(r"(?=[A-Za-z]*[0-9])[0-9A-Za-z]{8,}", lambda found: mask_number(found[0]), text)[:60]
