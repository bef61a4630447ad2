"""Count tries before they are checked: of twenty parallel guesses at one name, five are looked at.

One statement counts and decides, so the row's lock puts parallel tries in a line. A right answer gives its
try back. Names nobody has are counted like all others and so tell nothing.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection
from django.db.models import F

from yikatong.core.errors import DomainError
from yikatong.core.fields import blind_index
from yikatong.portals.staff.models import LogInTries


@dataclass(frozen=True, slots=True)
class Limit:
    """`tries` within `window`, then nothing for `block`."""

    kind: str
    tries: int
    window: timedelta
    block: timedelta


#: GB/T 22239 8.1.4.1 b): lock-out after failures.
NAME = Limit("staff_name", 5, timedelta(minutes=15), timedelta(minutes=15))
#: A hall's clerks share one address, and right answers give their try back: only failures add up.
ADDRESS = Limit("staff_address", 60, timedelta(minutes=10), timedelta(minutes=10))


class TooManyTries(DomainError):
    """`facts["name"]` tells whether the name (or else the address) is blocked."""

    code, status = "login_blocked", 429
    message = "连续输错次数过多，已暂停登录。请 15 分钟后再试，或联系本单位系统管理员。"
    article = "GB/T 22239—2019 8.1.4.1"


_TAKE = """
INSERT INTO staff_logintries AS t (key, whose, tries, since, blocked_until)
VALUES (%(key)s, %(whose)s, 1, %(at)s, NULL)
ON CONFLICT (key) DO UPDATE SET
    tries = CASE WHEN t.since <= %(fresh)s OR t.blocked_until <= %(at)s THEN 1 ELSE t.tries + 1 END,
    since = CASE WHEN t.since <= %(fresh)s OR t.blocked_until <= %(at)s THEN %(at)s ELSE t.since END,
    blocked_until = CASE WHEN t.since > %(fresh)s AND t.blocked_until IS NULL AND t.tries + 1 >= %(limit)s
                         THEN %(until)s END
WHERE t.blocked_until IS NULL OR t.blocked_until <= %(at)s
RETURNING tries
"""


def take(limit: Limit, value: str, *, at: datetime, browser: str = "") -> None:
    """Use up one try, or raise TooManyTries. The last try is still looked at, and is behind a block already.

    `browser`: one in which this name has been proven before; its tries are counted apart.
    """
    facts: dict[str, bytes | datetime | int] = {
        "key": _key(limit, value, browser),
        "whose": blind_index(limit.kind, value),
        "at": at,
        "fresh": at - limit.window,
        "until": at + limit.block,
        "limit": limit.tries,
    }
    with connection.cursor() as cursor:
        cursor.execute(_TAKE, facts)
        if cursor.fetchone() is None:
            raise TooManyTries(name=limit is NAME)


def give_back(limit: Limit, value: str, *, browser: str = "") -> None:
    """The try was right, though it does not yet prove who he is: one less, and not blocked by it."""
    mine = LogInTries.objects.filter(key=_key(limit, value, browser), tries__gt=0)
    mine.update(tries=F("tries") - 1, blocked_until=None)


def clear(limit: Limit, value: str, *, browser: str = "") -> None:
    """He has proven who he is."""
    LogInTries.objects.filter(key=_key(limit, value, browser)).delete()


def blocked_until(name: str, *, at: datetime) -> datetime | None:
    """Until when a name is blocked, in the browser where it is longest; None if in none."""
    blocked = LogInTries.objects.filter(whose=blind_index(NAME.kind, name), blocked_until__gt=at)
    return blocked.order_by("blocked_until").values_list("blocked_until", flat=True).last()


def release(name: str) -> None:
    """Forget all tries at a name, in every browser."""
    LogInTries.objects.filter(whose=blind_index(NAME.kind, name)).delete()


def _key(limit: Limit, value: str, browser: str) -> bytes:
    """What tries are counted under; no user name holds a line break."""
    return blind_index(limit.kind, f"{value}\n{browser}" if browser else value)


def forget(*, at: datetime) -> int:
    """Remove counters that count no more (a job)."""
    longest = max(NAME.window + NAME.block, ADDRESS.window + ADDRESS.block)
    return LogInTries.objects.filter(since__lt=at - longest).delete()[0]
