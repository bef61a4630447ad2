"""The bank's book: accounts and the requests carried out on them, one transaction an act."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple

import msgspec
from psycopg import Connection
from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from yikatong.core.sm.sm3 import sm3

DONE, ALREADY = "00", "01"
UNKNOWN_ACCOUNT, WRONG_STATUS, BAD_REQUEST, OTHER_CONTENT, CHOSEN = "11", "12", "13", "14", "99"


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """An act asked for. `until` (ISO 8601) ends a temporary loss; `card` is the card in front of the account."""

    number: str
    bank: str
    act: str
    prefix: str = ""
    account: str = ""
    certificate: str = ""
    name: str = ""
    phone: str = ""
    card: str = ""
    until: datetime | None = None


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """`outcome` is done or refused; `status` is the account's, as the bank has it at `at`."""

    number: str
    outcome: str
    code: str
    reason: str
    account: str
    status: str
    at: datetime


class Account(NamedTuple):
    number: str
    bank: str
    status: str
    was_active: bool
    was_lost: bool
    lost_until: datetime | None

    def status_at(self, at: datetime) -> str:
        """A temporary loss ends by itself, here as at the platform."""
        if self.status == "lost" and self.lost_until is not None and self.lost_until <= at:
            return "active" if self.was_active else "preopened"
        return self.status


#: From which statuses an act is carried out. Where it leads is `_led_to`.
FROM: Final[dict[str, frozenset[str]]] = {
    "activate": frozenset({"preopened", "lost"}),
    "report_loss": frozenset({"preopened", "active", "lost"}),
    "release": frozenset({"lost"}),
    "freeze": frozenset({"preopened", "active", "lost"}),
    "unfreeze": frozenset({"frozen"}),
    "change_card": frozenset({"preopened", "active", "lost"}),
    "rename": frozenset({"preopened", "active", "lost", "frozen"}),
    "end_card": frozenset({"preopened", "active", "lost", "frozen", "closed"}),
    "close": frozenset({"preopened", "active", "lost", "frozen"}),
}
_ALREADY: Final = {
    "activate": "active", "release": "active", "freeze": "frozen", "close": "closed",
}  # fmt: skip
_WORDS: Final = {
    "preopened": "未激活", "active": "正常", "lost": "挂失", "frozen": "冻结", "closed": "已销户",
}  # fmt: skip


def carry_out(connection: Connection[Any], request: Request, *, at: datetime, refuse: str = "") -> Answer:
    """Carry the act out once. The same request again gets the first answer; `refuse` makes the bank say no."""
    digest = sm3(msgspec.json.encode(request))
    with connection.transaction():
        # A twin that came at the same moment waits here until the first has committed.
        claimed = connection.execute(
            "INSERT INTO peer_bank.request (number, bank, digest, answer, received_at)"
            " VALUES (%s, %s, %s, '{}', %s) ON CONFLICT DO NOTHING",
            (request.number, request.bank, digest, at),
        )
        if not claimed.rowcount:
            return _repeated(connection, request, digest, at)
        given = _refused(request, CHOSEN, refuse, at) if refuse else _act(connection, request, at)
        connection.execute(
            "UPDATE peer_bank.request SET answer = %s WHERE number = %s",
            (Jsonb(msgspec.to_builtins(given)), request.number),
        )
        return given


def answered(connection: Connection[Any], number: str, bank: str) -> Answer | None:
    """What became of a number; None when it never came."""
    row = connection.execute(
        "SELECT answer FROM peer_bank.request WHERE number = %s AND bank = %s", (number, bank)
    ).fetchone()
    return msgspec.convert(row[0], Answer) if row else None


def status_of(connection: Connection[Any], number: str, bank: str, *, at: datetime) -> str:
    """Status of an account; "" when the bank has no such account."""
    found = _account(connection, number, bank, at=at)
    return found.status_at(at) if found else ""


def changed_on(connection: Connection[Any], bank: str, begin: datetime) -> list[tuple[str, str]]:
    """Accounts whose status changed within the day that begins at `begin`, with their status at its end."""
    end = begin + timedelta(days=1)
    rows = connection.execute(
        "SELECT number, CASE WHEN status = 'lost' AND lost_until <= %(end)s"
        " THEN CASE WHEN was_active THEN 'active' ELSE 'preopened' END ELSE status END"
        " FROM peer_bank.account WHERE bank = %(bank)s AND changed_at >= %(begin)s AND changed_at < %(end)s"
        " ORDER BY number",
        {"bank": bank, "begin": begin, "end": end},
    ).fetchall()
    return [(number, status) for number, status in rows]


def _repeated(connection: Connection[Any], request: Request, digest: bytes, at: datetime) -> Answer:
    row = connection.execute(
        "UPDATE peer_bank.request SET times = times + 1 WHERE number = %s RETURNING digest, answer",
        (request.number,),
    ).fetchone()
    assert row is not None  # noqa: S101 - the insert has just met it
    if bytes(row[0]) != digest:
        return _refused(request, OTHER_CONTENT, "同一请求号的内容不同", at)
    return msgspec.convert(row[1], Answer)


def _act(connection: Connection[Any], request: Request, at: datetime) -> Answer:
    if request.act == "open":
        return _open(connection, request, at)
    if request.act not in FROM:
        return _refused(request, BAD_REQUEST, "不支持的业务", at)
    account = _account(connection, request.account, request.bank, at=at, act=request.act)
    if account is None:
        return _refused(request, UNKNOWN_ACCOUNT, "账号不存在", at)
    now = account.status_at(at)
    if now not in FROM[request.act]:
        if now == _ALREADY.get(request.act):
            return _done(request, account.number, now, at, code=ALREADY)
        return _refused(request, WRONG_STATUS, f"账户当前为{_WORDS[now]}", at, account.number, now)
    to = _led_to(request, account, now, at)
    connection.execute(
        "UPDATE peer_bank.account SET status = %(to)s, changed_at = %(at)s,"
        " lost_until = CASE WHEN %(act)s IN ('freeze', 'unfreeze', 'rename', 'end_card') THEN lost_until"
        " ELSE %(until)s END,"
        " was_active = was_active OR %(to)s = 'active', was_lost = %(to)s = 'frozen' AND %(from)s = 'lost',"
        " card = CASE WHEN %(act)s = 'end_card' THEN '' ELSE coalesce(nullif(%(card)s, ''), card) END,"
        " name = coalesce(nullif(%(name)s, ''), name),"
        " certificate = coalesce(nullif(%(certificate)s, ''), certificate) WHERE number = %(number)s",
        {"to": to, "from": now, "at": at, "until": request.until if to == "lost" else None, "act": request.act,
         "card": request.card, "name": request.name, "certificate": request.certificate,
         "number": account.number},
    )  # fmt: skip
    return _done(request, account.number, to, at)


#: Acts after which the account is what it was.
_STAYS: Final = frozenset({"rename", "end_card"})
_ENDS_AS: Final = {"activate": "active", "freeze": "frozen", "close": "closed"}


def _led_to(request: Request, account: Account, now: str, at: datetime) -> str:
    before_loss = "active" if account.was_active else "preopened"
    if request.act in _ENDS_AS:
        return _ENDS_AS[request.act]
    match request.act:
        case "report_loss":  # a temporary loss that came too late has ended already
            return now if request.until is not None and request.until <= at else "lost"
        case "unfreeze" if account.was_lost:
            return "lost"
        case "change_card" if now != "lost":
            return now
    return now if request.act in _STAYS else before_loss


def _open(connection: Connection[Any], request: Request, at: datetime) -> Answer:
    if not (request.prefix.isdigit() and request.certificate and request.name):
        return _refused(request, BAD_REQUEST, "开户要素不全", at)
    row = connection.execute("SELECT nextval('peer_bank.account_number')").fetchone()
    assert row is not None  # noqa: S101 - a sequence always answers
    # The 8 marks what was opened over the line; 9 is the sandbox of the files.
    body = f"{request.prefix}8{row[0]:0{17 - len(request.prefix)}d}"
    number = body + _luhn_digit(body)
    connection.execute(
        "INSERT INTO peer_bank.account (number, bank, status, certificate, name, opened_at, changed_at)"
        " VALUES (%s, %s, 'preopened', %s, %s, %s, %s)",
        (number, request.bank, request.certificate, request.name, at, at),
    )
    return _done(request, number, "preopened", at)


def _account(
    connection: Connection[Any], number: str, bank: str, *, at: datetime, act: str = ""
) -> Account | None:
    """The account, locked. One opened by file is taken up, for the file's reader is another program."""
    if number.isdigit() and 16 <= len(number) <= 19 and _luhn_digit(number[:-1]) == number[-1]:
        begun = act not in {"", "activate"}
        connection.execute(
            "INSERT INTO peer_bank.account (number, bank, status, was_active, opened_at, changed_at)"
            " VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
            (number, bank, "active" if begun else "preopened", begun, at, datetime(2000, 1, 1, tzinfo=UTC)),
        )
    with connection.cursor(row_factory=class_row(Account)) as cursor:
        cursor.execute(
            "SELECT number, bank, status, was_active, was_lost, lost_until FROM peer_bank.account"
            " WHERE number = %s AND bank = %s FOR UPDATE",
            (number, bank),
        )
        return cursor.fetchone()


def _luhn_digit(body: str) -> str:
    doubled = (int(c) * (2 - place % 2) for place, c in enumerate(reversed(body)))
    return str(-sum(value - 9 if value > 9 else value for value in doubled) % 10)


def _done(request: Request, account: str, status: str, at: datetime, *, code: str = DONE) -> Answer:
    return Answer(
        number=request.number, outcome="done", code=code, reason="", account=account, status=status, at=at
    )


def _refused(
    request: Request, code: str, reason: str, at: datetime, account: str = "", status: str = ""
) -> Answer:
    return Answer(
        number=request.number,
        outcome="refused",
        code=code,
        reason=reason,
        account=account,
        status=status,
        at=at,
    )
