"""Words of the console's pages."""

from datetime import date, datetime, timedelta

from django import template

from yikatong.portals.console import events
from yikatong.registry.banks.models import BankAccount

register = template.Library()
register.filter("event_zh", events.said)
register.filter("channel_zh", events.channel)


@register.filter
def account_word(status: str) -> str:
    """已激活 for "active"."""
    return str(dict(BankAccount.Status.choices).get(status, ""))


@register.filter
def last_day(until: date) -> date:
    """The last day of a half-open period, as people say it."""
    return until - timedelta(days=1)


@register.filter
def took(seconds: float | None) -> str:
    """0.4 秒, 12 秒, 3 分 5 秒, 2 小时 1 分, 3 天 4 小时; — for None."""
    if seconds is None:
        return "—"
    if seconds < 0.05:
        return "不到 0.1 秒"
    if seconds < 10:
        return f"{seconds:.1f} 秒"
    whole = round(seconds)
    for size, inner, words in (
        (86_400, 3_600, ("天", "小时")),
        (3_600, 60, ("小时", "分")),
        (60, 1, ("分", "秒")),
    ):
        if whole >= size:
            return f"{whole // size} {words[0]} {whole % size // inner} {words[1]}"
    return f"{whole} 秒"


@register.filter
def since(later: datetime | None, earlier: datetime) -> str:
    """From `earlier` to `later`, as `took`."""
    return took((later - earlier).total_seconds() if later else None)


@register.filter
def of(names: dict[str, str], key: str) -> str:
    """The word for a code."""
    return names.get(key, key)
