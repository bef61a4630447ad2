"""What a terminal checks of a card before it serves it (《社会保障（个人）卡规范》 part 7 §5), as a report point by point.

The card proves itself first; then the five points: 黑名单, 初始化机构, 卡类别, 规范版本, 有效期. All are told, also
after one that fails: who accepts a terminal wants to see each. Nothing personal is read; EF06 stays closed.
"""

import hmac
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from yikatong.adapters.national_card import terminal
from yikatong.adapters.national_card.terminal import CardFile, Channel
from yikatong.core.errors import DomainError
from yikatong.registry.cards.chip.faults import Fault
from yikatong.registry.cards.chip.messages import AuthAnswer

CATEGORIES: Final = {"1": "学龄前儿童", "2": "学生", "3": "成年人", "4": "老年人"}
VERSIONS: Final = ("1.0", "2.0", "3.0")
_INSTITUTION: Final = re.compile(r"9156000002([0-9]{6})([0-9]{6})([0-9]{2})")

#: Asks the platform with the text of Step1; DomainError when this card may not be used.
Ask = Callable[[str], str]
#: Why a card (识别码, 卡号) may not be used; "" when it may.
Listed = Callable[[str, str], str]


@dataclass(frozen=True, slots=True)
class Point:
    """One line of the report. `found` is what the card says, `message` why it does not pass."""

    key: str
    title: str
    passed: bool
    found: str
    message: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """`points`: 卡片真伪, then the five in their order."""

    card_number: str
    identification: str
    day: date
    points: tuple[Point, ...]

    @property
    def passed(self) -> bool:
        return all(point.passed for point in self.points)


def check(channel: Channel, *, ask: Ask, listed: Listed, day: date, number: str = "") -> Report:
    """Examine the card on the channel; CardFault for one that is no social-security card or cannot be read."""
    told = terminal.card_file(channel)
    points = (_genuine(channel, ask, number), *five(told, listed=listed, day=day))
    return Report(told.card_number, told.chip.identification, day, points)


def five(told: CardFile, *, listed: Listed, day: date) -> tuple[Point, ...]:
    """The five points of EF05, in the order of the standard."""
    return tuple(_five(told, listed, day))


def _genuine(channel: Channel, ask: Ask, number: str) -> Point:
    title = "卡片真伪（内部认证）"
    begun = terminal.begin(channel, number)
    try:
        answer = AuthAnswer.read(ask(begun.request.text()))
    except DomainError as refusal:
        return Point("genuine", title, passed=False, found="", message=f"平台未予认证：{refusal.message}")
    is_genuine = hmac.compare_digest(answer.internal, begun.internal)
    message = "" if is_genuine else Fault.HSM_DIFFERS.sentence
    return Point("genuine", title, is_genuine, "与加密机一致" if is_genuine else "不一致", message)


def _five(told: CardFile, listed: Listed, day: date) -> Iterator[Point]:
    why = listed(told.chip.identification, told.card_number)
    yield Point("listed", "黑名单", not why, f"{told.chip.identification} {told.card_number}", why)
    yield _institution(told)
    category = CATEGORIES.get(told.category, "")
    yield Point(
        "category", "卡类别", bool(category), f"{told.category} {category}".strip(),
        "" if category else "没有这种卡类别",
    )  # fmt: skip
    is_known = told.spec_version[:3] in VERSIONS
    yield Point(
        "version", "规范版本", is_known, told.spec_version, "" if is_known else "终端不支持该规范版本"
    )
    yield _validity(told, day)


def _institution(told: CardFile) -> Point:
    """The maker's number begins with the provider of social-security cards and names the area of issue."""
    read = _INSTITUTION.fullmatch(told.institution)
    message = ""
    if read is None:
        message = "初始化机构编号格式不正确"
    elif read[1] != told.chip.division:
        message = f"初始化机构的发卡地区 {read[1]} 与卡识别码的 {told.chip.division} 不一致"
    return Point("institution", "初始化机构", not message, told.institution, message)


def _validity(told: CardFile, day: date) -> Point:
    """Both days count: the card is good on the day it was issued and on the last one."""
    issued, expires = _day(told.issued_on), _day(told.expires_on)
    found, message = f"{told.issued_on} 至 {told.expires_on}", ""
    if issued is None or expires is None or expires < issued:
        message = "发卡日期或有效期不是有效日期"
    elif day < issued:
        message = "尚未到发卡日期，请核对终端时间"
    elif day > expires:
        message = "卡片已超过有效期"
    return Point("validity", "有效期", not message, found, message)


def _day(text: str) -> date | None:
    try:
        return datetime.strptime(text, "%Y%m%d").date()  # noqa: DTZ007 - a day, not an instant
    except ValueError:
        return None
