"""Template words shared by all faces: icons, masks, dates, money."""

from datetime import date, datetime, timedelta

from django import template
from django.utils.safestring import SafeString
from lucide.templatetags.lucide import lucide

from yikatong.core.clock import BEIJING, day_of
from yikatong.core.masking import mask_number, mask_phone

register = template.Library()
register.filter("mask_number", mask_number)
register.filter("mask_phone", mask_phone)


@register.simple_tag
def icon(name: str, size: int = 24, **attributes: str) -> SafeString:
    """A Lucide icon as inline SVG, hidden from screen readers: a word stands beside it."""
    return SafeString(lucide(name, size=size, aria_hidden="true", focusable="false", **attributes))


@register.filter
def yuan(fen: int) -> str:
    """¥1,234.56 from whole fen, without floats."""
    sign, whole = ("-" if fen < 0 else ""), abs(fen)
    return f"{sign}¥{whole // 100:,}.{whole % 100:02d}"


@register.filter
def day_zh(value: date) -> str:
    """2026年11月21日, for citizens; of an instant, its day in Beijing."""
    if isinstance(value, datetime):
        value = day_of(value)
    return f"{value.year}年{value.month}月{value.day}日"


@register.filter
def last_day(until: date) -> date:
    """The last day of a half-open period, as people say it."""
    return until - timedelta(days=1)


@register.filter
def minute_zh(value: datetime) -> str:
    """11月21日 10:42 in Beijing time."""
    local = value.astimezone(BEIJING)
    return f"{local.month}月{local.day}日 {local:%H:%M}"


@register.filter
def stamp(value: datetime) -> str:
    """2026-11-21 10:42 in Beijing time, for desks and receipts."""
    return f"{value.astimezone(BEIJING):%Y-%m-%d %H:%M}"


@register.filter
def distance(metres: int) -> str:
    """约 650 米, 约 3.2 公里: as exact as a straight line is worth."""
    if metres < 1000:
        return f"约 {max(round(metres, -1), 10)} 米"
    return f"约 {metres / 1000:.1f} 公里" if metres < 100_000 else f"约 {metres // 1000} 公里"


@register.filter
def clock_zh(value: datetime) -> str:
    """10:42 in Beijing time, of today."""
    return f"{value.astimezone(BEIJING):%H:%M}"
