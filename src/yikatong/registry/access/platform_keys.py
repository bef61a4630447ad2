"""Keys of terminals as the platform has them: derived from its master key, nothing stored. Knows no Django.

The terminal's own half is `terminal_keys`. A higher generation makes every older key useless.
"""

from datetime import date, datetime
from typing import Any, Final

from yikatong.core.ids import uuid7
from yikatong.core.keyring import keyring
from yikatong.core.sm.kdf import derive
from yikatong.core.sm.sm3 import hmac_sm3
from yikatong.registry.access import terminal_keys

# One statement: whoever comes first with the code has it, the key before dies, the log says so. Answers the
# new generation, or no row: unknown terminal, wrong, used or late code, stopped or retired terminal.
ENROL_SQL: Final = """
WITH enrolled AS (
    UPDATE access_terminal
    SET status = 'enrolled', key_generation = key_generation + 1, enrolled_at = %(at)s::timestamptz,
        enrol_code_hash = NULL, enrol_code_until = NULL
    WHERE number = %(number)s::bigint AND enrol_code_hash = %(code_hash)s::bytea
      AND enrol_code_until > %(at)s::timestamptz AND status IN ('registered', 'enrolled')
    RETURNING id, number, key_generation
), noted AS (
    INSERT INTO core_auditentry
        (id, at, event, subject, actor_id, actor_name, actor_role, channel, organisation, facts)
    SELECT %(entry_id)s::uuid, %(at)s::timestamptz, 'access:terminal:enrolled', 'terminal:' || id, id,
           lpad(number::text, 12, '0'), 'system', 'terminal', '',
           jsonb_build_object('number', number, 'generation', key_generation)
    FROM enrolled
)
SELECT key_generation FROM enrolled
"""


def enrol_parameters(number: int, code: str, *, at: datetime) -> dict[str, Any]:
    """Parameters of `ENROL_SQL`."""
    return {"number": number, "code_hash": code_hash(number, code), "at": at, "entry_id": uuid7()}


def code_hash(number: int, code: str) -> bytes:
    """What the platform keeps of an enrolment code."""
    spelt = terminal_keys.spelt(code)
    return hmac_sm3(keyring().key("terminal code", terminal_keys.KEY), f"{number:012d}|{spelt}".encode())


def main_key(number: int, generation: int) -> bytes:
    """The terminal's main key of that generation."""
    return derive(_root(), "yikatong terminal v1 main key", _who(number, generation), terminal_keys.KEY)


def work_key(number: int, generation: int, day: date) -> bytes:
    """The terminal's work key of that day; it cannot be made from the main key, only got by signing in."""
    context = _who(number, generation) + f"{day:%Y%m%d}".encode()
    return derive(_root(), "yikatong terminal v1 work key", context, terminal_keys.KEY)


def _root() -> bytes:
    return keyring().key("terminal", terminal_keys.KEY)


def _who(number: int, generation: int) -> bytes:
    return number.to_bytes(8, "big") + generation.to_bytes(4, "big")
