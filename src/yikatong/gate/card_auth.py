"""The server's half of a card in HSM mode (LD/T 33-2015): may it be used here, and the key device's values.

A terminal may read (业务类型 01), and where the sick are served take a debit (07). Writing and PINs are for a clerk.
The values open what is personal on the chip to the terminal; so whoever holds the card sees in his log that this
terminal read it, written in the same statement that decides (Guangdong art. 17). A refusal writes nothing.
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from yikatong.core.actor import Channel, Role
from yikatong.core.clock import day_of
from yikatong.core.ids import uuid7
from yikatong.gate.answer import REASONS
from yikatong.gate.lane import Lane
from yikatong.gate.messages import CardAuthIn, CardAuthOut
from yikatong.gate.refusal import Refusal
from yikatong.gate.terminals import Terminal
from yikatong.registry.cards.chip import authentication
from yikatong.registry.cards.chip.faults import Fault, fault, of_status
from yikatong.registry.cards.chip.hsm import card_hsm
from yikatong.registry.cards.chip.keys import CardKey, Chip
from yikatong.registry.cards.chip.messages import AuthRequest, text_of
from yikatong.registry.cards.chip.requests import CardInfo, DebitRequest, KeyRequest, mac_of
from yikatong.using.codes.reasons import Reason

#: Scenes in which the holder's name is needed: general (halls, counters, kiosks) and medical. A bus needs none.
SCENES: Final = frozenset({1, 2})
PURPOSE, PAYING = "终端读卡", "医疗结算"
READ, DEBIT = "01", "07"
_DIFFERS: Final = -1
_MEDICAL: Final = 2
#: A debit is of now; one of another hour was not made at this terminal's clock.
_LATEST: Final = timedelta(hours=1)
_BAD_MAC: Final = 0x9302
REGISTERED: Final = "SELECT number, reset_info FROM cards_card WHERE identification = %s"

TABLES: Final = {
    "access_terminal": ("id", "number", "name", "status", "owner_id", "city_code"),
    "regions_organisation": ("id", "name"),
    "cards_card": ("id", "number", "identification", "reset_info", "status", "expires_on", "holder_id"),
    "holders_holder": ("id", "status"),
    "core_look": (
        "day", "id", "at", "holder_id", "looker_id", "looker_name", "looker_role", "looker_scope", "organisation",
        "channel", "purpose", "ground", "fields",
    ),
}  # fmt: skip
"""Every column the statement names; the parity test compares them with the models."""

STATEMENT: Final = f"""
WITH found AS (
  SELECT a.day, a.look_id, a.at, a.purpose, a.fields, c.holder_id, t.id AS terminal_id, t.number, t.name, t.city_code,
    o.name AS owner, CASE
    WHEN t.id IS NULL OR t.status <> 'enrolled' THEN {Reason.TERMINAL_STOPPED:d}
    WHEN c.id IS NULL THEN {Reason.CARD_UNKNOWN:d}
    WHEN upper(c.reset_info) <> a.reset_info THEN {_DIFFERS}
    WHEN h.status = 'deceased' THEN {Reason.HOLDER_DECEASED:d}
    WHEN c.status = 'B' THEN {Reason.CARD_LOST_TEMPORARY:d}
    WHEN c.status = '2' THEN {Reason.CARD_LOST:d}
    WHEN c.status IN ('3', '4') OR h.status <> 'active' THEN {Reason.CARD_CANCELLED:d}
    WHEN c.status <> '1' THEN {Reason.CARD_NOT_ACTIVE:d}
    WHEN c.expires_on < a.day THEN {Reason.CARD_EXPIRED:d}
    ELSE 0 END AS outcome
  FROM (SELECT %s::uuid AS terminal, %s::text AS identification, %s::text AS reset_info, %s::uuid AS look_id,
    %s::timestamptz AS at, %s::date AS day, %s::text AS purpose, %s::text[] AS fields) a
  LEFT JOIN access_terminal t ON t.id = a.terminal
  LEFT JOIN regions_organisation o ON o.id = t.owner_id
  LEFT JOIN cards_card c ON c.identification = a.identification
  LEFT JOIN holders_holder h ON h.id = c.holder_id
), look AS (
  INSERT INTO core_look (day, id, at, holder_id, looker_id, looker_name, looker_role, looker_scope,
    organisation, channel, purpose, ground, fields)
  SELECT day, look_id, at, holder_id, terminal_id, left(name || '（' || lpad(number::text, 12, '0') || '）', 100),
    '{Role.SYSTEM}', left(city_code, 4), coalesce(owner, ''), '{Channel.TERMINAL}', purpose, '', fields
  FROM found WHERE outcome = 0
)
SELECT outcome FROM found
"""  # noqa: S608 - our own constants


async def answer(terminal: Terminal, message: CardAuthIn, *, lane: Lane, at: datetime) -> CardAuthOut:
    """The text for Step2; for a `tac` the same once more when it is right.

    Refusal (703 where no name is needed or no one is treated, 606, 601 to 605, 621, 702); CardFault for a request
    that is none, that another terminal made, or that differs from the register; HsmUnavailable.
    """
    if not SCENES & terminal.scenes:
        raise Refusal(Reason.TERMINAL_WRONG_SCENE, scenes=sorted(terminal.scenes))
    if not message.card:
        return CardAuthOut(await _basics(terminal, message.request, lane=lane, at=at))
    card = CardInfo.read(message.card)
    if message.business == READ:
        text = await _reading(terminal, card, message.request, lane=lane, at=at)
    elif message.business == DEBIT:
        text = await _debit(terminal, card, message, lane=lane, at=at)
    else:
        raise fault(Fault.KEY_LEVEL)
    return CardAuthOut(text)


async def _basics(terminal: Terminal, text: str, *, lane: Lane, at: datetime) -> str:
    request = AuthRequest.read(text)
    _check_terminal(terminal, request.terminal)
    # First the key device, so that one that is away leaves no look; its values leave only after the statement.
    answered = await asyncio.to_thread(lambda: authentication.answer(request, card_hsm()))
    await _decide(terminal, request.chip, PURPOSE, authentication.OPENED, lane=lane, at=at)
    return answered.text()


async def _reading(terminal: Terminal, card: CardInfo, text: str, *, lane: Lane, at: datetime) -> str:
    request = KeyRequest.read(text)
    if request.key is not CardKey.RKSSSE:
        raise fault(Fault.KEY_LEVEL)
    chip = await _chip(card, lane)
    answered = await asyncio.to_thread(lambda: authentication.prove(request, chip, card_hsm()))
    await _decide(terminal, chip, PURPOSE, authentication.OPENED_ALL, lane=lane, at=at)
    return answered


async def _debit(terminal: Terminal, card: CardInfo, message: CardAuthIn, *, lane: Lane, at: datetime) -> str:
    if _MEDICAL not in terminal.scenes:
        raise Refusal(Reason.TERMINAL_WRONG_SCENE, scenes=sorted(terminal.scenes))
    request = DebitRequest.read(message.request)
    _check_terminal(terminal, request.terminal, is_needed=True)
    chip = await _chip(card, lane)
    if message.tac:
        return await asyncio.to_thread(lambda: _proven(request, message.tac, chip))
    if abs(request.time - at) > _LATEST:
        raise fault(Fault.BAD_DATA)
    answered = await asyncio.to_thread(lambda: authentication.debit_mac(request, chip, card_hsm()))
    await _decide(terminal, chip, PAYING, authentication.PAID_FROM, lane=lane, at=at)
    return answered


def _proven(request: DebitRequest, tac: str, chip: Chip) -> str:
    """Proof stays proof, also when the card was stopped since."""
    if not authentication.is_debit_proven(request, mac_of(tac), chip, card_hsm()):
        raise of_status(_BAD_MAC)
    return text_of(tac.removesuffix("|"))


def _check_terminal(terminal: Terminal, number: str, *, is_needed: bool = False) -> None:
    """A request is answered to the terminal that made it; one without a number names none."""
    told = number.lstrip("0")
    if told != str(terminal.number) and (told or is_needed):
        raise fault(Fault.BAD_DATA)


async def _chip(card: CardInfo, lane: Lane) -> Chip:
    """The chip as registered: a copy that says other things of itself has other keys."""
    rows = await lane.fetch(REGISTERED, [card.identification])
    if not rows:
        raise Refusal(Reason.CARD_UNKNOWN)
    number, reset_info = rows[0]
    if number != card.card_number:
        raise fault(Fault.DIFFERS)
    return Chip.of(card.identification, reset_info)


async def _decide(
    terminal: Terminal, chip: Chip, purpose: str, fields: Sequence[str], *, lane: Lane, at: datetime
) -> None:
    values = [
        terminal.id,
        chip.identification,
        chip.reset_info,
        uuid7(),
        at,
        day_of(at),
        purpose,
        list(fields),
    ]
    outcome = (await lane.fetch(STATEMENT, values))[0][0]
    if outcome == _DIFFERS:
        raise fault(Fault.DIFFERS)
    if outcome:
        raise Refusal(REASONS[outcome])
