"""Numbers as the board says them: 万 and 亿 here only, other faces write numbers out."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from yikatong.core.clock import BEIJING

UNKNOWN = "未知"
_WAN, _YI = 10_000, 100_000_000


@dataclass(frozen=True, slots=True)
class Unit:
    """One unit for all numbers of a panel, so that they can be compared."""

    size: int
    prefix: str  # "", 万, 亿

    def say(self, number: int) -> str:
        if self.size == 1:
            return f"{number:,}"
        return f"{number / self.size:,.{1 if self.size == _WAN else 2}f}"


def unit_for(largest: int) -> Unit:
    """万 from a hundred thousand on: below that a decimal would say less than the digits."""
    if largest >= _YI:
        return Unit(_YI, "亿")
    return Unit(_WAN, "万") if largest >= 10 * _WAN else Unit(1, "")


def say(number: int, measure: str = "") -> str:
    """A single number with its unit: 8,412 次, 42.1 万次, 1.25 亿次."""
    unit = unit_for(number)
    return f"{unit.say(number)} {unit.prefix}{measure}".rstrip()


def percent(share: float | None, digits: int = 1) -> str:
    """98.2%; 未知 for None. Never rounds up to 100% what is not all of it."""
    if share is None:
        return UNKNOWN
    text = f"{share * 100:.{digits}f}"
    if share < 1 and float(text) == 100:
        text = f"{100 - 10**-digits:.{digits}f}"
    return f"{text}%"


def change(now: int, before: int | None) -> str | None:
    """+8.4% or −3.1% (a true minus sign); None where there is nothing to compare with."""
    if not before:
        return None
    ratio = (now - before) / before * 100
    return f"{'−' if ratio < 0 else '+'}{abs(ratio):.1f}%"


def age(span: timedelta | None) -> str:
    """A span in its largest fitting unit; 未知 for None."""
    if span is None:
        return UNKNOWN
    seconds = int(span.total_seconds())
    for size, name in ((86_400, "天"), (3_600, "小时"), (60, "分钟")):
        if seconds >= 2 * size:
            return f"{seconds // size} {name}"
    return f"{seconds} 秒"


WEEKDAYS = "一二三四五六日"


def clock(at: datetime) -> str:
    """2026年11月21日 星期六 10:42."""
    local = at.astimezone(BEIJING)
    return f"{local.year}年{local.month}月{local.day}日 星期{WEEKDAYS[local.weekday()]} {local:%H:%M}"


def updated(at: datetime | None, now: datetime) -> str:
    """10:41:30, with its day when that is not today; 未知 for None. Beijing time."""
    if at is None:
        return UNKNOWN
    local = at.astimezone(BEIJING)
    day = "" if local.date() == now.astimezone(BEIJING).date() else f"{local.month}月{local.day}日 "
    return f"{day}{local:%H:%M:%S}"
