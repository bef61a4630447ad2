"""The server's half of reading a card in HSM mode (LD/T 33-2015): may this card be read here, and the key device's values.

The values open what is personal on the chip to the terminal; so whoever holds the card sees in his log that this
terminal read it, written in the same statement that decides (Guangdong art. 17). A refusal writes nothing.
"""

import asyncio
from datetime import datetime
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
from yikatong.registry.cards.chip.faults import Fault, fault
from yikatong.registry.cards.chip.hsm import card_hsm
from yikatong.registry.cards.chip.messages import AuthAnswer, AuthRequest
from yikatong.using.codes.reasons import Reason

#: Scenes in which the holder's name is needed: general (halls, counters, kiosks) and medical. A bus needs none.
SCENES: Final = frozenset({1, 2})
PURPOSE: Final = "终端读卡"
_DIFFERS: Final = -1

TABLES: Final = {
    "access_terminal": ("id", "number", "name", "status", "owner_id", "city_code"),
    "regions_organisation": ("id", "name"),
    "cards_card": ("id", "identification", "reset_info", "status", "expires_on", "holder_id"),
    "holders_holder": ("id", "status"),
    "core_look": (
        "day", "id", "at", "holder_id", "looker_id", "looker_name", "looker_role", "looker_scope", "organisation",
        "channel", "purpose", "ground", "fields",
    ),
}  # fmt: skip
"""Every column the statement names; the parity test compares them with the models."""

STATEMENT: Final = f"""
WITH found AS (
  SELECT a.day, a.look_id, a.at, c.holder_id, t.id AS terminal_id, t.number, t.name, t.city_code,
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
    %s::timestamptz AS at, %s::date AS day) a
  LEFT JOIN access_terminal t ON t.id = a.terminal
  LEFT JOIN regions_organisation o ON o.id = t.owner_id
  LEFT JOIN cards_card c ON c.identification = a.identification
  LEFT JOIN holders_holder h ON h.id = c.holder_id
), look AS (
  INSERT INTO core_look (day, id, at, holder_id, looker_id, looker_name, looker_role, looker_scope,
    organisation, channel, purpose, ground, fields)
  SELECT day, look_id, at, holder_id, terminal_id, left(name || '（' || lpad(number::text, 12, '0') || '）', 100),
    '{Role.SYSTEM}', left(city_code, 4), coalesce(owner, ''), '{Channel.TERMINAL}', '{PURPOSE}', '',
    ARRAY[{", ".join(f"'{field}'" for field in authentication.OPENED)}]
  FROM found WHERE outcome = 0
)
SELECT outcome FROM found
"""  # noqa: S608 - our own constants


async def answer(terminal: Terminal, message: CardAuthIn, *, lane: Lane, at: datetime) -> CardAuthOut:
    """The text for iReadCardBas_HSM_Step2.

    Refusal (703 where no name is needed, 606, 601 to 605, 621, 702); CardFault for a request that is none or that
    differs from the register; HsmUnavailable.
    """
    if not SCENES & terminal.scenes:
        raise Refusal(Reason.TERMINAL_WRONG_SCENE, scenes=sorted(terminal.scenes))
    request = AuthRequest.read(message.request)
    # First the key device, so that one that is away leaves no look; its values leave only after the statement.
    answered = await asyncio.to_thread(_asked, request)
    chip = request.chip
    values = [terminal.id, chip.identification, chip.reset_info, uuid7(), at, day_of(at)]
    _check((await lane.fetch(STATEMENT, values))[0][0])
    return CardAuthOut(answered.text())


def _asked(request: AuthRequest) -> AuthAnswer:
    return authentication.answer(request, card_hsm())


def _check(outcome: int) -> None:
    if outcome == _DIFFERS:
        raise fault(Fault.DIFFERS)
    if outcome:
        raise Refusal(REASONS[outcome])
