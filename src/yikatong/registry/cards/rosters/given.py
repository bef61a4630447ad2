"""The faulty rows as they came, for the one who sent them: to be mended in place, and sent again.

They are kept sealed for the days of the profile and then erased; everybody else has the masked list of faults.
"""

import json
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from itertools import islice
from typing import Final
from uuid import UUID

from django.db import transaction

from yikatong.core import audit, looks
from yikatong.core.actor import Actor, Role
from yikatong.core.clock import day_of
from yikatong.core.errors import DomainError, Forbidden, NotFound
from yikatong.core.keyring import keyring
from yikatong.core.permissions import Permission, require
from yikatong.registry.cards.models import Roster, RosterFault
from yikatong.registry.cards.rosters import columns as c
from yikatong.registry.cards.rosters.cells import kind_of
from yikatong.registry.cards.rosters.reading import Row
from yikatong.registry.cards.rosters.sheets import book
from yikatong.registry.holders.actions import certificate_index
from yikatong.registry.holders.models import Certificate
from yikatong.registry.regions.law import province

FAULT: Final = "错误"
_HEADER, _GIVEN = "cards_roster.header", "cards_rosterfault.given"
_CHUNK: Final = 1_000
_LOOKED_AT: Final = ("姓名", "证件号码", "手机号码", "通讯地址")


class NotSender(Forbidden):
    code = "roster_not_sender"
    message = "有误行的原内容只有上传人本人可以下载；请下载脱敏的错误清单，或请上传人改正。"


class RosterUnfinished(DomainError):
    code = "roster_unfinished"
    message = "名册还没有处理完，请等处理完成后再下载有误的行。"


class NoFaultyRows(DomainError):
    code, status = "roster_without_faults", 404
    message = "这份名册没有有误的行，不需要下载改正。"


class RowsErased(DomainError):
    code, status = "roster_rows_erased", 410
    message = "有误行的原内容已过保存期限，已经删除。请按错误清单的行号，在原文件中改正后重新上传。"


def seal_header(header: Sequence[str]) -> bytes:
    return _sealed(_HEADER, header)


def seal_row(row: Row) -> bytes:
    return _sealed(_GIVEN, row.cells)


def is_sender(roster: Roster, by: Actor) -> bool:
    """Whoever has uploaded it; on the server's command line, what was loaded there."""
    return roster.uploader_id == by.id and (by.id is not None or by.role is Role.SYSTEM)


def kept_until(roster: Roster) -> date | None:
    """The last day on which the rows can be had; None of a roster still under way."""
    if roster.finished_at is None:
        return None
    return day_of(roster.finished_at) + timedelta(days=province().rosters.rows_kept_days)


@transaction.atomic
def given_xlsx(roster_id: UUID, *, by: Actor, at: datetime) -> bytes:
    """All columns as they came, and 错误: row, column and what is wrong. The same file, mended, is a roster again.

    Raises NotSender, RosterUnfinished, NoFaultyRows, RowsErased. Audited, and a look at each holder it names.
    """
    require(by, Permission.ROSTER_IMPORT)
    roster = Roster.objects.select_for_update().defer("content").filter(pk=roster_id).first()
    if roster is None or not roster.scope.startswith(by.scope):
        raise NotFound("没有找到这份名册。请核对编号。")
    if not is_sender(roster, by):
        raise NotSender
    if roster.status in {Roster.Status.WAITING, Roster.Status.RUNNING}:
        raise RosterUnfinished
    found = list(roster.faulty.order_by("row"))
    if not found:
        raise NoFaultyRows
    if roster.header is None or any(one.given is None for one in found):
        raise RowsErased
    header = _plain(_HEADER, roster.header)
    rows = [_plain(_GIVEN, one.given) for one in found if one.given is not None]
    _note(roster, header, rows, by=by, at=at)
    return _file(header, list(zip(found, rows, strict=True)))


def erase_old(*, at: datetime) -> int:
    """Erase the rows whose days are over; returns of how many rosters. A job of each night, restartable."""
    last = at - timedelta(days=province().rosters.rows_kept_days)
    old = Roster.objects.filter(finished_at__lt=last, header__isnull=False)
    keys = list(old.order_by("finished_at").values_list("pk", flat=True))
    for key in keys:
        _erase(key)
    return len(keys)


@transaction.atomic
def _erase(roster_id: UUID) -> None:
    RosterFault.objects.filter(roster=roster_id).update(given=None)
    Roster.objects.filter(pk=roster_id).update(header=None)


def _file(header: Sequence[str], rows: Sequence[tuple[RosterFault, list[str]]]) -> bytes:
    """What was sent with an older 错误 column loses it; cells beyond the header stay, for somebody has to see them."""
    kept = [place for place, name in enumerate(header) if name.strip() != FAULT]
    width = max([len(header), *(len(cells) for _, cells in rows)])
    kept += range(len(header), width)
    names = [header[place] if place < len(header) else "" for place in kept]
    lines = [
        [cells[place] if place < len(cells) else "" for place in kept] + [_words(fault)]
        for fault, cells in rows
    ]
    return book([("有误的行", (*names, FAULT), lines)], widths=[20] * len(names) + [70])


def _words(fault: RosterFault) -> str:
    """E.g. 第 3 行“手机号码”：应为 11 位数字。"""
    where = f"第 {fault.row} 行" + (f"“{fault.column}”" if fault.column else "")
    return f"{where}：{fault.message}"


def _note(
    roster: Roster, header: Sequence[str], rows: Sequence[Sequence[str]], *, by: Actor, at: datetime
) -> None:
    audit.record("cards:roster:rows_taken", subject=f"roster:{roster.pk}", by=by, at=at, rows=len(rows))
    named = list(_named(header, rows, by))
    looks.record(named, by=by, at=at, purpose="下载名册有误的行", fields=_LOOKED_AT)


def _named(header: Sequence[str], rows: Iterable[Sequence[str]], by: Actor) -> set[UUID]:
    """Holders whose certificate stands in a row: the faulty one may be about somebody we know."""
    at = c.positions(list(header))
    indexes = iter([one for cells in rows if (one := _index(at, cells)) is not None])
    known: set[UUID] = set()
    while chunk := list(islice(indexes, _CHUNK)):
        there = Certificate.objects.filter(number_index__in=chunk, holder__division_code__startswith=by.scope)
        known.update(there.values_list("holder_id", flat=True))
    return known


def _index(at: dict[str, int], cells: Sequence[str]) -> bytes | None:
    if max(at[c.KIND], at[c.NUMBER]) >= len(cells):
        return None
    kind = kind_of(cells[at[c.KIND]])
    return certificate_index(kind, cells[at[c.NUMBER]].strip().upper()) if kind else None


def _sealed(place: str, cells: Sequence[str]) -> bytes:
    return keyring().seal(place, json.dumps(list(cells), ensure_ascii=False).encode())


def _plain(place: str, sealed: bytes | memoryview) -> list[str]:
    found: list[str] = json.loads(keyring().unseal(place, bytes(sealed)))
    return found
